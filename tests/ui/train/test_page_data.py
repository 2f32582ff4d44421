"""One's own pictures in a real browser: a zip is uploaded, looked at, and a run starts with it."""

from collections.abc import Iterator
from zipfile import ZIP_DEFLATED

import pytest
from playwright.sync_api import Page, expect

from gnet.serving.limits import RunLimits
from gnet.serving.runs import Runs
from support.folders import FLAT, SPLIT, million_entries, picture, zipped
from support.pages import DESK, PHONE, Server, with_training

FILES = {f"{name}/{i:02}.png": picture(40 * i) for name in ("cat", "dog") for i in range(24)} | {
    "dog/notes.txt": b"no picture"
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs that wait for ever: nobody keeps their queue."""
    folder = tmp_path_factory.mktemp("runs")
    return Runs(folder, RunLimits(uploads=tmp_path_factory.mktemp("zips")))


@pytest.fixture(scope="module")
def server(gradio_environment: None, runs: Runs) -> Iterator[Server]:
    with with_training(runs) as served:
        yield served


def upload(page: Page, path) -> None:
    page.set_input_files("#train-data input[type=file]", path)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_zip_is_uploaded_looked_at_and_trained_on(visit, runs: Runs, tmp_path, size) -> None:
    viewer = visit("?tab=train", size)
    page = viewer.page
    upload(page, zipped(tmp_path / "my pets.zip", FILES))
    card = page.locator("#train-preview")
    expect(card.locator("h2")).to_have_text("my-pets.zip: 2 classes, 48 pictures")
    expect(card.locator(".split")).to_contain_text("split here")
    expect(card.locator(".counts .number")).to_have_text(["20 + 4", "21 + 3"])
    expect(card.locator(".skipped li")).to_have_text(["1 of 49 opened: not a picture"])
    expect(card.locator(".warnings li").first).to_contain_text("Few validation pictures")
    page.wait_for_function("document.querySelector('#train-preview img').naturalWidth > 0")
    expect(page.locator("#form-data input")).to_have_value("my-pets.zip (yours)")
    expect(page.locator("#start")).to_have_text("Start: about 9 s an epoch")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]

    before = {path.name for path in runs.folder.iterdir()}
    page.locator("#start").click()
    page.wait_for_function("gnet.train.state.run")
    run_id = page.evaluate("gnet.train.state.run")
    assert run_id not in before
    data = runs.shelf.run_folder(run_id).config().data
    assert data == str((runs.folder / run_id / "my-pets.zip").resolve())
    runs.steer(run_id, page.evaluate("gnet.train.owner"), "delete")

    page.get_by_role("button", name="Fine-tune on my pictures").click()
    expect(page.locator("#form-per-class input[type=number]")).to_have_value("50")
    expect(page.locator("#form-data input")).to_have_value("my-pets.zip (yours)")
    page.get_by_role("button", name="Depth without batch norm").click()
    expect(page.locator("#form-data input")).to_have_value("ten patterns, built in")
    assert viewer.strangers == [] and viewer.errors == []


def bomb() -> dict[str, bytes]:
    return SPLIT | {"train/cat/big.png": bytes(30_000_000)}


HOSTILE = {
    "outside": (lambda path: zipped(path, SPLIT | {"../out.png": picture()}), "outside its folder"),
    "entries": (lambda path: million_entries(path), "has 1,000,000 entries; allowed are up to"),
    "bomb": (lambda path: zipped(path, bomb(), ZIP_DEFLATED), "unpacks to more than 200 times"),
    "one": (lambda path: zipped(path, {f"cat/{i}.png": picture(i) for i in range(9)}), "one class"),
    "dots": (
        lambda path: zipped(
            path, {f"{n}/{i}.png": picture(size=(1, 1)) for n in "ab" for i in range(4)}
        ),
        "all were skipped: smaller than 8 px",
    ),
}
"""What it is → how it is made, and what is said of it."""


def above_the_start_button(page) -> None:
    """The sentence about the zip is seen whole, and stays so when the form above it grows."""
    page.wait_for_function(
        "() => document.querySelector('#train-data .trouble').getBoundingClientRect().bottom"
        " <= document.querySelector('#start').getBoundingClientRect().top"
    )


def test_each_hostile_zip_is_one_sentence_where_pictures_are_chosen(visit, tmp_path) -> None:
    viewer = visit("?tab=train")
    page = viewer.page
    expect(page.locator("#train-data .hint")).to_contain_text("up to 300 MB")
    page.locator("[data-experiment=fine-tune]").click()  # it leads to the upload
    expect(page.locator("#train-data .upload")).to_be_focused()
    expect(page.locator("#form-data .form-said")).to_contain_text("Upload a zip of your pictures")
    page.locator("[data-experiment=first-run]").click()
    expect(page.locator("#form-data .form-said")).to_have_text("")
    trouble = page.locator("#train-data .trouble")
    for name, (make, words) in HOSTILE.items():
        upload(page, make(tmp_path / f"{name}.zip"))
        expect(trouble).to_contain_text(words)
        said = trouble.text_content()
        assert said.count(". ") == 0 and said.endswith(".") and str(tmp_path) not in said
        expect(page.locator("#train-data .upload")).to_be_enabled()
        expect(page.locator("#train-preview section")).to_be_hidden()
        above_the_start_button(page)
    page.locator("#train-data .ways").evaluate("row => (row.style.paddingTop = '200px')")
    above_the_start_button(page)
    expect(page.get_by_test_id("toast-body")).to_have_count(0)
    # A zip of dots is a zip of classes: only a look at its pictures tells, and so does an estimate.
    expect(page.locator("#form-data input")).to_have_value("dots.zip (yours)")
    errors = [error for error in viewer.errors if "422" not in error]  # the refusals themselves
    assert errors == []
    upload(page, zipped(tmp_path / "good.zip", FLAT))
    expect(page.locator("#train-preview h2")).to_contain_text("good.zip")
    expect(trouble).to_have_text("")


def test_the_built_in_set_is_looked_at_with_the_keyboard(visit) -> None:
    viewer = visit("?tab=train")
    page = viewer.page
    page.locator("#train-data .look").focus()
    page.keyboard.press("Enter")
    card = page.locator("#train-preview")
    expect(card.locator("h2")).to_contain_text("built-in: 10 classes")
    expect(card.locator(".rows span")).to_have_count(10)
    expect(card.locator(".warnings li")).to_have_count(0)
    expect(page.locator("#train-data .look")).to_be_enabled()
    card.get_by_role("button", name="Close").press("Enter")
    expect(card.locator("section")).to_be_hidden()
    expect(page.locator("#train-data .look")).to_be_focused()
    assert viewer.errors == []
