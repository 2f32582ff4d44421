"""The guided lessons in a browser: walked through, left and taken up, hidden answers, the sheet."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.lessons.found import Number
from gnet.answers.lessons.questions import found_for
from gnet.answers.lessons.reader import read_lessons
from gnet.answers.lessons.teaching import Learner, scene_of
from gnet.network.model import GoogLeNet
from gnet.serving.runs import Runs
from support.pages import DESK, PHONE, Server, photo, with_training
from support.told_runs import OWNER, Told, config

LESSONS = read_lessons()
PANEL = "#lesson"
WAIT = 60_000
COVERED = """() => {
  const panel = document.querySelector("#lesson").getBoundingClientRect();
  const page = document.querySelector(".gradio-container").getBoundingClientRect();
  const { width, height } = document.documentElement.getBoundingClientRect();
  return innerWidth >= 1000 ? page.right > panel.left + 1 : scrollY + height < innerHeight;
}"""


def do(page: Any, name: str, more: str = "") -> Any:
    return page.locator(f"{PANEL} [data-do='{name}']{more}")


def asked(page: Any, step: int) -> Any:
    """The question of a step, once it is there."""
    expect(page.locator(f"{PANEL} .place")).to_have_text(re.compile(f"^{step} of"))
    question = page.locator(f"{PANEL} .question")
    expect(question).to_be_visible(timeout=WAIT)
    return question


def give(page: Any, kind: str, answer: Any) -> None:
    """Answer a question of any kind as a person does."""
    if kind == "choice":
        do(page, "choose", f"[data-id='{answer}']").click()
    elif kind == "number":
        page.locator(f"{PANEL} input").fill(str(answer))
        page.keyboard.press("Enter")
    else:
        for place, one in enumerate(answer):
            for _ in range(len(answer)):
                shown = page.locator(f"{PANEL} .order [data-do='up']")
                ids = [shown.nth(i).get_attribute("data-id") for i in range(len(answer))]
                if ids.index(one) <= place:
                    break
                do(page, "up", f"[data-id='{one}']").click()
        do(page, "check").click()


@pytest.fixture(scope="module")
def explorers(page_model: GoogLeNet) -> Explorers:
    return Explorers(Explorer(page_model))


def right(explorers: Explorers, name: str, step: int) -> tuple[str, Any]:
    """The kind of a step's question, and its answer for the picture that the page opens on."""
    question = LESSONS[name].steps[step - 1].question
    assert question
    found = found_for(scene_of(explorers, Learner(picture={"example": "boots"})), question)
    if isinstance(found, Number):
        return "number", found.value
    ordered = sorted(found.names, key=lambda one: -found.values[one])
    return question.kind, ordered if question.kind == "order" else ordered[0]


@pytest.mark.parametrize(
    ("name", "size", "scheme"),
    [
        ("what-a-branch-sees", DESK, "light"),
        ("which-branch-matters", PHONE, "dark"),
        ("early-and-late", DESK, "dark"),
    ],
    ids=["branch-desk", "matters-phone", "early-desk"],
)
def test_a_lesson_is_walked_through_from_the_header_to_its_end(
    visit, explorers, name, size, scheme
):
    viewer = visit(size=size, color_scheme=scheme)
    page = viewer.page
    page.locator("#header .lessons").click()
    do(page, "open", f"[data-lesson='{name}']").click()
    steps = LESSONS[name].steps
    for step in range(1, len(steps) + 1):
        asked(page, step)
        assert f"lesson={name}" in page.url and f"step={step}" in page.url
        assert not page.evaluate(COVERED)
        kind, answer = right(explorers, name, step)
        give(page, kind, answer)
        verdict = page.locator(f"{PANEL} .verdict .right")
        expect(verdict).to_be_visible(timeout=WAIT)
        if step < len(steps):
            do(page, "next").click()
    expect(page.locator(f"{PANEL} .dots button", has_text="✓")).to_have_count(len(steps))
    do(page, "sheet").click()
    sheet = page.locator("#worksheet")
    expect(sheet).to_contain_text(f"{len(steps)} of {len(steps)} right", timeout=WAIT)
    assert pages_of(page) == 1
    sheet.locator(".shut").click()
    do(page, "list").last.click()
    expect(do(page, "open", f"[data-lesson='{name}']")).to_contain_text("6 of 6 answered")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert not viewer.errors and not viewer.strangers


def test_a_question_that_is_passed_over_is_asked_for_once_and_can_be_skipped(visit):
    page = visit("?lesson=what-a-branch-sees&step=1").page
    asked(page, 1)
    forward = do(page, "next")
    expect(forward).to_have_text("Next")
    forward.click()
    expect(page.locator(f"{PANEL} .verdict")).to_have_text("Answer the question first, or skip it.")
    assert "step=1" in page.url
    expect(forward).to_have_text("Skip")
    forward.click()
    asked(page, 2)
    page.locator(PANEL).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"{PANEL} .verdict")).to_contain_text("or skip it")
    page.keyboard.press("ArrowRight")
    asked(page, 3)


def test_a_step_puts_the_page_where_it_belongs_and_hides_until_it_is_answered(visit, explorers):
    name = "what-a-branch-sees"
    viewer = visit(f"?lesson={name}&step=4")
    page = viewer.page
    assert viewer.state("stage") == "4b"
    asked(page, 4)
    assert page.locator("#branches").evaluate("one => getComputedStyle(one).visibility") == "hidden"
    answer = f"{right(explorers, name, 4)[1]:.0f}\u00a0px"
    assert answer not in page.locator(PANEL).inner_html()
    give(page, "number", 30)
    expect(page.locator(f"{PANEL} .verdict .wrong")).to_contain_text(f"it is {answer}")
    expect(page.locator("#branches")).to_be_visible()
    expect(page.locator(f"{PANEL} .dots [aria-current]")).to_have_text("✗")
    do(page, "retry").click()
    expect(page.locator(f"{PANEL} .dots [aria-current]")).to_have_text("4")
    expect(page.locator("#branches")).to_be_hidden()
    expect(page.locator(f"{PANEL} .verdict")).to_be_empty()
    assert not viewer.errors


def test_nothing_that_a_step_hides_is_painted_before_the_panel_is_there(visit):
    noting = """window.seen = [];
        new MutationObserver(() => {
          const part = document.querySelector("#belief");
          if (part) window.seen.push(getComputedStyle(part).visibility);
        }).observe(document, { childList: true, subtree: true, attributes: true });"""
    page = visit("?lesson=early-and-late&step=1", script=noting).page
    asked(page, 1)
    seen = page.evaluate("window.seen")
    assert seen and set(seen) == {"hidden"}
    expect(page.locator("#picture .about span")).to_be_hidden()


def test_a_lesson_is_left_and_taken_up_again(visit):
    viewer = visit("?lesson=what-a-branch-sees&step=2")
    page = viewer.page
    asked(page, 2)
    for given, said in (("", "given was nothing"), ("abc", "given was abc")):
        give(page, "number", given)
        expect(page.locator(f"{PANEL} .verdict")).to_contain_text(said)
        expect(page.locator(f"{PANEL} .verdict")).to_be_in_viewport(ratio=1)
        expect(page.locator(f"{PANEL} input")).to_have_value(given)
    give(page, "number", "59")
    expect(page.locator(f"{PANEL} .verdict .right")).to_be_visible(timeout=WAIT)
    page.reload()
    page.wait_for_selector("html.gnet-ready")
    asked(page, 2)
    expect(page.locator(f"{PANEL} .verdict .right")).to_be_visible(timeout=WAIT)
    expect(page.locator(f"{PANEL} input")).to_have_value("59")
    page.locator(PANEL).focus()
    page.keyboard.press("ArrowRight")
    asked(page, 3)
    page.keyboard.press("Escape")
    expect(page.locator(PANEL)).to_be_hidden()
    assert "lesson" not in page.url
    page.locator("#header .lessons").click()
    do(page, "open", "[data-lesson='what-a-branch-sees']").click()
    asked(page, 3)
    page.go_back()
    expect(page.locator(PANEL)).to_be_hidden()
    assert not viewer.errors


def test_a_picture_of_ones_own_is_asked_about_and_answers_stay_with_theirs(visit):
    viewer = visit("?lesson=which-branch-matters&step=1")
    page = viewer.page
    asked(page, 1)
    do(page, "choose").first.click()
    expect(do(page, "retry")).to_be_visible(timeout=WAIT)
    viewer.explored(lambda: viewer.give("mine.jpg", photo(300, 260)))
    expect(do(page, "retry")).to_be_hidden(timeout=WAIT)
    asked(page, 1)
    do(page, "choose").first.click()
    expect(do(page, "retry")).to_be_visible(timeout=WAIT)
    do(page, "sheet").click()
    expect(page.locator("#worksheet header")).to_contain_text("mine.jpg")
    assert not viewer.errors


def test_an_empty_worksheet_tells_no_answer(visit):
    page = visit("?lesson=what-a-branch-sees&step=1", size=PHONE).page
    asked(page, 1)
    do(page, "sheet").click()
    expect(page.locator("#worksheet li")).to_have_count(6)
    expect(page.locator("#worksheet .told")).to_have_count(0)
    assert pages_of(page) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_an_address_that_names_no_lesson_opens_the_page_alone(visit):
    viewer = visit("?lesson=cooking&step=99")
    expect(viewer.page.locator(PANEL)).to_be_hidden()
    assert viewer.state("tab") == "explore" and not viewer.errors


def pages_of(page: Any) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format="A4")))


@pytest.fixture
def training(gradio_environment: None, tmp_path: Path) -> Iterator[tuple[Server, Told]]:
    """A page with a Train tab, and the folder of its runs."""
    told = Told(tmp_path)
    with Runs(tmp_path) as runs, with_training(runs) as served:
        yield served, told
    told.end()


def test_a_guess_about_a_run_is_kept_and_judged_when_the_run_has_ended(training, tabs):
    served, told = training
    owned = f"localStorage.setItem('gnet-owner', '{OWNER}')"
    with tabs.borrowed(viewport=DESK, script=owned) as page:
        page.goto(f"{served.address}?lesson=train-one-break-one&step=1")
        page.wait_for_selector("html.gnet-ready")
        asked(page, 1)
        chosen = page.locator("#train-experiments [data-experiment='first-run']")
        expect(chosen).to_have_attribute("aria-pressed", "true")
        give(page, "number", 93)
        expect(page.locator(f"{PANEL} .verdict")).to_contain_text("Your guess is kept: 93 %.")
        expect(page.locator(f"{PANEL} .blocked")).to_contain_text("“first run”")
        told.put("first run", config(), experiment="first-run")
        do(page, "again").click()
        expect(page.locator(f"{PANEL} .verdict .wrong")).to_contain_text("Not 93", timeout=WAIT)
        expect(page.locator(f"{PANEL} .blocked")).to_have_count(0)
