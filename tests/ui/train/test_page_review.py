"""After a run, in a real browser: its mistakes cell by cell, its files, its network in Explore."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from gnet.evaluation.review import Review
from gnet.serving.reviews import Reviews
from gnet.serving.run_card import RunCard, write_card
from gnet.serving.run_review import review_run
from gnet.serving.runs import Runs
from gnet.words import percent
from support.pages import PHONE, Server, Viewer, on_a_free_port, random_network
from support.training_runs import run, tiny

FIRST, SECOND = "first" + "1" * 17, "other" + "2" * 17
"""Ids of two runs."""


@dataclass
class Served:
    """A server with two finished runs."""

    address: str
    folder: Path
    runs: Runs

    def review(self, run_id: str) -> Review:
        return review_run(self.folder / run_id)


@pytest.fixture(scope="module")
def served(gradio_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("runs")
    configs = {
        FIRST: tiny(per_class=20, epochs=1, aux2_weight=0.0),
        SECOND: tiny(network={"aux": False, "left_out": "5x5"}, epochs=1),
    }
    for created, (run_id, config) in enumerate(configs.items()):
        run(config, folder / run_id)
        card = RunCard(name=f"a {run_id[:5]} run", experiment="", owner="", created=created)
        write_card(folder / run_id, card)
    review_run(folder / FIRST)  # the other one is reviewed when the page asks for it
    with Runs(folder) as runs, on_a_free_port(random_network(size=32), runs) as address:
        yield Served(address, folder, runs)


@pytest.fixture
def server(served: Served) -> Server:
    return Server(address=served.address, explorer=None)


@pytest.fixture
def after(visit) -> Viewer:
    """The page of the first run, with its review."""
    viewer = visit(f"?tab=train&run={FIRST}")
    viewer.page.wait_for_selector("#review-pictures .see")
    return viewer


def until(viewer: Viewer, condition: str) -> None:
    viewer.page.wait_for_function(condition)


def test_the_review_is_of_trained_heads_only(after: Viewer, served: Served) -> None:
    told = served.review(FIRST)
    page = after.page
    assert percent(told.accuracy("main")) in page.inner_text("#review-bar .say")
    aux2 = page.locator("#review-bar [data-head=aux2]")
    assert aux2.is_disabled() and "untrained" in aux2.inner_text()
    assert page.locator("#review-matrix .curve g.aux2").count() == 0
    assert "aux2" not in page.inner_text("#review-pictures .tiles")
    for part in ("#review-pictures .look", "#review-matrix .error"):
        assert "aux2 is untrained: no answers." in page.inner_text(part)
    page.click("#review-bar [data-head=aux1]")
    until(after, "document.querySelector('#review-pictures .own i')?.textContent === 'aux1'")
    assert after.errors == []


def test_a_cell_opens_its_pictures_by_mouse_and_by_keyboard(after: Viewer, served: Served) -> None:
    told = served.review(FIRST)
    page = after.page
    matrix = told.confusion("main")
    rows, columns = matrix.nonzero(as_tuple=True)
    wrong = [(r, c) for r, c in zip(rows.tolist(), columns.tolist(), strict=True) if r != c]
    row, column = wrong[0]
    frame = page.locator("#review-matrix .frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    cell = box["width"] / len(told.classes)
    page.mouse.click(box["x"] + (column + 0.5) * cell, box["y"] + (row + 0.5) * cell)
    words = f"{told.classes[row]} mistaken for {told.classes[column]}"
    until(after, f"document.querySelector('#review-pictures h2').textContent === '{words}'")
    page.mouse.move(0, 0)
    assert page.inner_text("#review-matrix .tip").startswith(words)  # not "Point at a cell"
    shown = page.locator("#review-pictures .see").evaluate_all(
        "buttons => buttons.map((button) => Number(button.dataset.picture))"
    )
    assert shown == told.chosen("main", truth=row, answer=column)[: len(shown)]
    assert len(shown) == min(12, int(matrix[row, column]))
    assert "✗ wrong" in page.inner_text("#review-pictures .tiles")
    page.locator("#review-matrix .box svg").focus()
    for key in ["ArrowUp"] * 10 + ["ArrowLeft"] * 10 + ["Enter"]:
        page.keyboard.press(key)
    until(after, "gnet.review.state.chosen.truth === 0 && gnet.review.state.chosen.answer === 0")
    assert after.errors == []


def test_right_pictures_are_ticked_and_wrong_ones_crossed(after: Viewer, served: Served) -> None:
    page, told = after.page, served.review(FIRST)
    for right, mark in ((True, "✓ right"), (False, "✗ wrong")):
        page.click(f"#review-pictures [data-right={str(right).lower()}]")
        count = len(told.chosen("main", right=right))
        until(
            after,
            f"gnet.review.state.chosen.right === {str(right).lower()} && "
            f"gnet.review.state.shown?.count === {count}",
        )
        verdicts = page.locator("#review-pictures .verdict").all_inner_texts()
        assert set(verdicts) <= {mark} and len(verdicts) == min(12, count)


def test_a_picture_is_explored_with_the_network_that_was_trained_on_its_kind(
    after: Viewer, served: Served
) -> None:
    page = after.page
    picture = page.locator("#review-pictures .see").first
    index = int(picture.get_attribute("data-picture"))
    picture.click()
    until(after, "gnet.state.net && !gnet.state.waiting.answer")
    assert after.state("net") == FIRST and after.state("tab") == "explore"
    answer, told = after.state("answer.heads.main"), served.review(FIRST).answer(index)
    [likeliest, sure] = told["heads"]["main"]["top"][0]
    assert answer["top"][0] == likeliest
    assert answer["probabilities"][likeliest] == pytest.approx(sure, abs=5e-3)
    assert "a first run" in page.inner_text("#header .shown")
    assert "untrained" in page.inner_text("#belief .readers [data-reader=aux2]")
    assert page.inner_text("#header .known").startswith("10 classes")
    assert f"net={FIRST}" in page.url and f"tile={FIRST}.{index}" in page.url
    page.click("#belief .bars button")
    until(after, "!document.querySelector('#reason .found.stale') && !gnet.state.waiting.why")
    page.click("#header .back")
    until(after, "!gnet.state.net && !gnet.state.waiting.answer")
    assert page.inner_text("#header .known").startswith("12 classes")
    assert page.locator("#header .shown").is_hidden()
    assert after.errors == []


def test_a_link_leads_to_a_networks_answer_and_a_wrong_one_to_the_served_network(
    visit,
) -> None:
    viewer = visit(f"?net={SECOND}&picture=cat&class=rings", PHONE)
    until(viewer, "gnet.state.net && !gnet.state.waiting.answer")
    page = viewer.page
    assert viewer.state("answer.example") == "cat" and viewer.state("network.left_out") == ["5x5"]
    assert viewer.state("network.classes")[viewer.state("target")] == "rings"
    assert "Zeros stand in its place" in page.inner_text("#branches .b5x5 .sees")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert viewer.errors == []
    stray = visit(f"?net={'x' * 22}")
    expect(stray.page.locator("#header .shown")).to_contain_text("no such run")
    assert stray.state("net") == "" and not stray.state("waiting.answer")


def test_a_review_nobody_has_asked_for_is_made_while_the_page_waits(visit, served: Served) -> None:
    viewer = visit(f"?tab=train&run={SECOND}", PHONE, color_scheme="dark")
    viewer.page.wait_for_selector("#review-pictures .see", timeout=240_000)
    assert viewer.page.locator("#review-bar .heads button").count() == 1
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert (served.folder / SECOND / "review.safetensors").is_file()
    assert viewer.errors == []


def test_runs_laid_over_one_another_are_compared_by_what_differs(after: Viewer) -> None:
    after.page.evaluate(f"gnet.train.lay('{SECOND}', true)")
    after.page.wait_for_selector("#review-table tbody tr")
    rows = after.page.locator("#review-table tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert rows[:2] == [["branches left out", "none", "5×5"], ["auxiliary heads", "on", "off"]]
    assert rows[-2][0] == "aux2 right" and rows[-2][1:] == ["untrained", "untrained"]
    assert "seed" not in [name for name, *_ in rows]


def test_weights_config_events_and_curves_can_be_fetched(served: Served) -> None:
    def fetched(kind: str) -> tuple[bytes, str]:
        with urlopen(f"{served.address}download/{FIRST}/{kind}") as answer:
            return answer.read(), answer.headers["content-disposition"]

    for kind, name in (("best", "best.safetensors"), ("events", "events.jsonl")):
        content, disposition = fetched(kind)
        assert content == (served.folder / FIRST / name).read_bytes()
        assert f"a-first-run-{name}" in disposition
    assert json.loads(fetched("config")[0])["epochs"] == 1
    with zipfile.ZipFile(io.BytesIO(fetched("tensorboard")[0])) as archive:
        assert any("tfevents" in name for name in archive.namelist())


@pytest.mark.parametrize(
    "path",
    [f"{FIRST}/run.json", f"{FIRST}/..%2Frun.json", f"{'x' * 22}/best", "..%2F..%2Fetc/best"],
)
def test_nothing_else_can_be_fetched(served: Served, path: str) -> None:
    import httpx

    answer = httpx.get(f"{served.address}download/{path}")
    assert answer.status_code == 404 and len(answer.text) < 200


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"head": "aux2"}, "no answers of 'aux2'"),
        ({"head": ["main"] * 99}, "no answers of"),
        ({"head": "main", "truth": 10}, "truth is '10'; allowed are whole numbers from 0 to 9"),
        ({"head": "main", "start": -1}, "start is '-1'"),
        ({"head": "main", "right": "yes"}, "right is 'yes'"),
        ({"head": "main", "run": "../x"}, "no such run"),
        ({"head": "main", "run": 7}, "no such run"),
    ],
)
def test_what_is_asked_of_a_review_is_checked(
    served: Served, asked: dict[str, Any], sentence: str
) -> None:
    from gnet.ui.events import answered
    from gnet.ui.train.review import Questions

    names = ("run", "head", "right", "truth", "answer", "start")
    ask = answered(Questions(served.runs, Reviews()).pictures, *names)
    refusal = ask({"run": FIRST} | asked)["error"]
    assert sentence in refusal and len(refusal) < 200
