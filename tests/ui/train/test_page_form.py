"""The form of the Train tab in a real browser: filled in wrongly, locked, changed, and measured."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gnet.runs.train_config import TrainConfig
from gnet.serving.limits import RunLimits
from gnet.serving.measuring import Measuring
from gnet.serving.runs import Runs
from gnet.system.processes import start_time
from gnet.ui.train.handlers import MEASURING
from support import pretend_measuring
from support.browser_tabs import PATIENCE
from support.pages import (
    PHONE,
    Server,
    follow,
    on_a_free_port,
    random_network,
    with_training,
)
from support.waiting import until


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs that wait for ever: nobody keeps their queue."""
    folder = tmp_path_factory.mktemp("runs")
    return Runs(folder, RunLimits(max_epochs=50))


@pytest.fixture(scope="module")
def server(gradio_environment: None, runs: Runs) -> Iterator[Server]:
    with with_training(runs) as served:
        yield served


@pytest.fixture
def note(tmp_path, monkeypatch) -> Any:
    """What the processes that measure note of themselves: kind, number, niceness, seed."""
    path = tmp_path / "note"
    monkeypatch.setenv("PRETEND_MEASURING", str(path))
    return lambda: [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def field(page: Page, name: str) -> Any:
    return page.locator(f"#form-{name}")


def give(page: Page, name: str, value: str) -> None:
    """Give a number as a person does."""
    number = field(page, name).locator("input[type=number]")
    number.fill(value)
    number.press("Tab")


def open_all(page: Page) -> None:
    for title in ("The network", "How it learns", "First weights"):
        page.get_by_role("button", name=title).click()


RESTED = """() => {
  window.rested = false;
  document.addEventListener("gnet-train", ({ detail }) => (rested ||= detail.has("filled")));
}"""
"""Notes in the page that the form was changed and rests again."""


def said(page: Page, name: str) -> Any:
    return field(page, name).locator(".form-said")


PLACES = """() => [...document.querySelectorAll("#train-left .block[id^='form-'], #start")].map(
  (part) => [part.id, part.getBoundingClientRect().top])"""


def test_a_wrong_value_moves_nothing_and_its_sentence_is_read_at_the_field(visit) -> None:
    page = visit("?tab=train", size={"width": 1280, "height": 1500}).page
    open_all(page)
    page.locator("#form-start").wait_for()
    before = dict(page.evaluate(PLACES))
    for name in ("epochs", "model-width", "size", "learning-rate", "weight-decay"):
        number = field(page, name).locator("input[type=number]")
        number.fill("-1")
        expect(said(page, name)).to_contain_text("allowed are")
        expect(said(page, name)).to_have_css("opacity", "1")
        now = dict(page.evaluate(PLACES))
        assert {part for part in now if abs(now[part] - before[part]) > 2} == set(), name
    expect(page.locator("#train-check .said")).to_contain_text("To start, correct")
    assert abs(dict(page.evaluate(PLACES))["start"] - before["start"]) <= 2


def test_each_wrong_value_is_one_sentence_at_its_field_and_nothing_else(visit) -> None:
    viewer = visit("?tab=train")
    page = viewer.page
    open_all(page)
    for name, value, sentence in (
        ("epochs", "0", "Epochs: 0 was given, 1 is taken; allowed are numbers from 1 to 50."),
        ("model-width", "5", "Width: 5 was given, 1 is taken; allowed are numbers from 0.25 to 1."),
        (
            "batch",
            "9999",
            "Pictures per step: 9999 was given, 256 is taken; allowed are numbers from 8 to 256.",
        ),
        ("size", "", "Input: nothing was given, 32 is taken; allowed are numbers from 32 to 320."),
        ("learning-rate", "-1", "Learning rate: -1 was given; allowed are numbers from 0 to 100."),
        ("weight-decay", "", "Weight decay: nothing was given; allowed are numbers from 0 to 1."),
        ("seed", "2.5", "Seed: 2.5 was given; allowed are whole numbers from 0 to 2147483647."),
    ):
        give(page, name, value)
        expect(said(page, name)).to_have_text(sentence)
        expect(said(page, name)).to_have_class(re.compile("wrong"))
    for branch in ("1×1", "3×3", "5×5", "pool"):
        field(page, "model-left-out").locator("label", has_text=branch).click()
    expect(said(page, "model-left-out")).to_have_text(
        "Branches left out: all four were given; at least one must stay."
    )
    described = field(page, "seed").locator("input").get_attribute("aria-describedby")
    assert page.locator(f"#{described}").text_content().startswith("Seed: 2.5")
    expect(page.get_by_test_id("toast-body")).to_have_count(0)
    expect(page.locator("#start")).to_have_text("Start")
    expect(page.locator("#start")).to_be_disabled()
    expect(page.locator("#train-check .said")).to_contain_text("To start, correct Learning rate")
    for name, value in (("learning-rate", "0.05"), ("weight-decay", "0.0005"), ("seed", "0")):
        give(page, name, value)
        expect(said(page, name)).to_have_text("")
    field(page, "model-left-out").locator("label", has_text="pool").click()
    expect(page.locator("#start")).to_be_enabled()
    give(page, "epochs", "99999")
    expect(said(page, "epochs")).to_contain_text("99999 was given, 50 is taken")
    page.locator("[data-experiment=first-run]").click()
    expect(said(page, "epochs")).to_have_text("")
    assert viewer.errors == []


def test_letters_in_a_number_are_no_number(visit) -> None:
    page = visit("?tab=train").page
    number = field(page, "learning-rate").locator("input")
    number.click()
    number.press("Control+a")
    number.press("Delete")
    page.keyboard.type("fast")
    number.press("Tab")
    expect(said(page, "learning-rate")).to_have_text(
        "Learning rate: nothing was given; allowed are numbers from 0 to 100."
    )


def test_without_heads_their_weights_cannot_be_given(visit) -> None:
    page = visit("?tab=train").page
    expect(field(page, "aux1-weight")).to_be_visible()
    field(page, "model-aux").locator("input").uncheck()
    for name in ("aux1-weight", "aux2-weight"):
        expect(field(page, name)).to_be_hidden()


def test_what_the_runs_settle_is_locked_shows_what_will_run_and_says_why(visit) -> None:
    viewer = visit("?tab=train")
    page = viewer.page
    open_all(page)
    expect(field(page, "train-only").locator("input")).to_be_disabled()
    page.locator("[data-experiment=heads]").click()
    expect(field(page, "model-aux").locator("input")).to_be_disabled()
    expect(said(page, "model-aux")).to_have_text("Each run has its own: on · off.")
    page.locator("[data-experiment=fine-tune]").click()
    width = field(page, "model-width").locator("input[type=number]")
    expect(width).to_be_disabled()
    expect(width).to_have_value("1")
    expect(said(page, "model-width")).to_have_text("As in the bundled network.")
    expect(field(page, "model-norm").locator("input").first).to_be_disabled()
    page.locator("[data-experiment=first-run]").click()
    expect(width).to_be_enabled()
    expect(width).to_have_value("0.25")
    field(page, "start").locator("input").click()
    page.get_by_role("option", name="from the bundled network").click()
    expect(width).to_be_disabled()
    expect(width).to_have_value("1")
    assert viewer.errors == []


@pytest.mark.parametrize("size", [None, PHONE], ids=["desk", "phone"])
def test_a_changed_question_is_told_and_its_runs_conclude_nothing(visit, runs: Runs, size) -> None:
    viewer = visit("?tab=train", **({"size": size} if size else {}))
    page = viewer.page
    changed = page.locator("#train-check .said")
    expect(changed).to_have_text("")
    give(page, "epochs", "2")
    expect(changed).to_contain_text("Changed: Epochs. The run no longer answers")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.locator("#start").click()
    page.wait_for_function("gnet.train.state.run")
    run_id = page.evaluate("gnet.train.state.run")
    assert runs.shelf.card(run_id).experiment == ""
    runs.steer(run_id, page.evaluate("gnet.train.owner"), "delete")
    page.locator("[data-experiment=first-run]").click()
    expect(changed).to_have_text("")
    page.locator("#start").click()
    page.wait_for_function(f"gnet.train.state.run !== '{run_id}'")
    run_id = page.evaluate("gnet.train.state.run")
    assert runs.shelf.card(run_id).experiment == "first-run"
    runs.steer(run_id, page.evaluate("gnet.train.owner"), "delete")
    assert viewer.errors == []


def test_an_experiment_fills_the_form_and_says_what_to_expect(visit) -> None:
    viewer = visit("?tab=train")
    page = viewer.page
    page.locator("#train-experiments [data-experiment=depth]").click()
    page.get_by_role("button", name="The network").click()
    expect(page.locator("#form-model-norm label.selected")).to_have_text("none")
    expect(page.locator("#train-experiments .before:visible")).to_contain_text("Without batch norm")
    expect(page.locator("#train-experiments .more:visible").first).to_contain_text("You will see")
    expect(page.locator("#train-experiments .names:visible")).to_contain_text("Starts 2 runs")
    page.locator("#form-learning-rate input").fill("-1")
    page.locator("#form-learning-rate input").press("Tab")
    expect(page.locator("#form-learning-rate")).to_contain_text("Learning rate: -1 was given")
    expect(page.locator("#start")).to_be_disabled()
    assert viewer.errors == []


def test_on_touch_what_is_pressed_is_forty_px_high_and_no_text_is_under_twelve(visit) -> None:
    page = visit("?tab=train", size=PHONE, has_touch=True, is_mobile=True).page
    open_all(page)
    low = page.evaluate(
        """() => [...document.querySelectorAll("#train-tab :is(button, a, input, fieldset label)")]
          .filter((part) => part.checkVisibility())
          .filter((part) => !part.matches("[type=checkbox], [type=radio]"))
          .filter((part) => part.getBoundingClientRect().height < 39.5)
          .map((part) => part.outerHTML.slice(0, 90))"""
    )
    assert low == []
    cut = page.evaluate(
        """() => [...document.querySelectorAll("#train-left input[type=number]")]
          .filter((part) => part.checkVisibility())
          .filter((part) => part.parentElement.clientHeight < part.offsetHeight - 1)
          .map((part) => part.outerHTML.slice(0, 90))"""
    )
    assert cut == [], "a number's field is cut off by what holds it"
    small = page.evaluate(
        """() => [...document.querySelectorAll("#train-tab *")]
          .filter((part) => part.checkVisibility() && [...part.childNodes]
            .some((node) => node.nodeType === 3 && node.textContent.trim()))
          .filter((part) => !part.matches(".icon"))
          .filter((part) => parseFloat(getComputedStyle(part).fontSize) < 12)
          .map((part) => part.outerHTML.slice(0, 90))"""
    )
    assert small == []


def test_who_closes_the_page_leaves_no_process_behind(visit, note) -> None:
    page = visit("?tab=train").page
    page.get_by_role("button", name="How it learns").click()
    give(page, "seed", str(pretend_measuring.HANGS))
    number = hanging(note)
    expect(page.locator("#welcome-title ~ .takes")).to_have_text(MEASURING)
    page.context.close()
    until(lambda: not start_time(number))


def test_who_changes_the_form_ends_what_is_measured_for_the_old_one(visit, note) -> None:
    page = visit("?tab=train").page
    page.get_by_role("button", name="How it learns").click()
    give(page, "seed", str(pretend_measuring.HANGS))
    number = hanging(note)
    give(page, "seed", "5")
    until(lambda: not start_time(number))
    expect(page.locator("#start")).to_have_text("Start: about 9 s an epoch")
    takes = page.locator("#welcome-title ~ .takes")
    expect(takes).to_have_text("It takes about 9 s an epoch here.")
    page.locator("[data-experiment=heads]").click()
    expect(page.locator("#start")).to_have_text("Start 2 runs: about 72 s")
    expect(takes).to_have_text("It takes about 72 s here.")


def test_the_button_says_what_it_starts_also_beside_ones_own_run(visit, runs: Runs) -> None:
    page = visit("?tab=train").page
    owner = page.evaluate("gnet.train.owner")
    run_id = runs.start(TrainConfig(per_class=2, epochs=1), name="waits", owner=owner)
    follow(page, run_id)
    page.wait_for_function("gnet.train.state.rows.length")
    page.locator("[data-experiment=heads]").click()
    expect(page.locator("#start")).to_contain_text("Start 2 runs")
    runs.steer(run_id, owner, "delete")


def test_a_rate_is_found_by_a_process_of_its_own(visit, note) -> None:
    page = visit("?tab=train").page
    page.get_by_role("button", name="Find a good learning rate").click()
    page.evaluate(RESTED)
    page.get_by_role("button", name="Use 0.001").click()
    expect(field(page, "learning-rate").locator("input")).to_have_value("0.001")
    page.wait_for_function("window.rested")
    expect(page.locator("#train-find .found")).to_be_visible()
    page.get_by_role("button", name="How it learns").click()
    give(page, "seed", "5")  # what was found is of another run
    expect(page.locator("#train-find .found")).to_be_hidden()
    assert "find-rate" in [what for what, *_ in note()]


def test_beside_a_run_the_page_says_why_nothing_is_measured_and_then_measures(
    gradio_environment, browser, tmp_path, monkeypatch
) -> None:
    runs = Runs(tmp_path)
    monkeypatch.setattr(runs.shelf, "counts", lambda: {"running": 1, "waiting": 0})
    with with_training(runs) as served:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{served.address}?tab=train")
        page.wait_for_selector("html.gnet-ready")
        trouble = page.locator("#train-find .trouble")
        expect(trouble).to_contain_text("when the current run has ended")
        expect(page.locator("#start")).to_have_text("Start")
        monkeypatch.setattr(runs.shelf, "counts", lambda: {"running": 0, "waiting": 0})
        expect(page.locator("#start")).to_contain_text("an epoch")
        expect(trouble).to_have_text("")
        page.close()


def test_past_its_deadline_the_page_says_so(gradio_environment, browser, tmp_path) -> None:
    runs = Runs(tmp_path)
    short = Measuring(
        lambda: runs.shelf.counts()["running"],
        command=pretend_measuring.COMMAND,
        deadlines={"estimate": 1.0},
    )
    with on_a_free_port(random_network(), runs, short) as address:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}?tab=train")
        page.wait_for_selector("html.gnet-ready")
        trouble = page.locator("#train-find .trouble")
        page.wait_for_function(
            "() => document.querySelector('#start').textContent !== 'Start'"
            " || document.querySelector('#train-find .trouble').textContent"
        )  # the form as it opens is measured, or took too long
        page.get_by_role("button", name="How it learns").click()
        give(page, "seed", str(pretend_measuring.HANGS))
        expect(trouble).to_contain_text("longer than 1 s")
        page.close()


def hanging(note: Any) -> int:
    """The number of the process that hangs, once it does."""
    seed = str(pretend_measuring.HANGS)
    return until(lambda: next((int(number) for _, number, _, s in note() if s == seed), None))


def test_the_tabs_and_the_line_about_them_are_one_line_each(visit) -> None:
    page = visit().page
    heights = page.locator("#header nav a, #header .line").evaluate_all(
        "(parts) => parts.map((part) => part.getClientRects().length * part.clientHeight)"
    )
    from gnet.ui.tabs import TABS

    assert len(heights) == len(TABS) + 1 and max(heights) < 30


def test_a_wide_screen_is_used_and_nothing_empty_lies_over_the_form(visit) -> None:
    page = visit("?tab=train", size={"width": 1920, "height": 1080}).page
    box = page.locator("#train").bounding_box()
    assert box and box["width"] > 1700
    expect(page.locator("#train-check .said")).to_be_empty()
    seen_through = "one => getComputedStyle(one).backgroundColor"
    assert page.locator("#train-check").evaluate(seen_through) == "rgba(0, 0, 0, 0)"
