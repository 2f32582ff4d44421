"""Branches switched in the page: everything follows, and every choice can be taken back."""

from typing import Any

import pytest
from playwright.sync_api import expect

from gnet.answers.examples import chosen
from gnet.answers.explorer import Explorer
from gnet.network.config import BRANCHES
from gnet.network.model import GoogLeNet
from gnet.words import fixed, rounded_percent
from support.pages import DESK, PHONE

SWITCHED = """names => JSON.stringify(Object.keys(gnet.state.answer.switched?.switches ?? {}))
  === JSON.stringify(names)"""


@pytest.fixture(scope="module")
def explorer(page_model: GoogLeNet) -> Explorer:
    return Explorer(page_model)


def switched(page: Any, *names: str) -> None:
    """Wait until the answer shown is that with these branches switched."""
    page.wait_for_function(SWITCHED, arg=list(names))


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_switch_moves_belief_and_hollows_its_lane(visit, explorer, timed, size):
    viewer = visit(size=size)
    page, before = viewer.page, viewer.state("answer.heads.main.probabilities")
    lane = page.locator("#diagram [data-stage='3a'] .lane.b3x3")
    scale, ends = page.locator("#branches .to"), viewer.state("answer.stages['3a'].limits.words")
    expect(scale).to_have_text(ends)
    answer = page.locator("#diagram [data-head=main] .says")
    expect(answer).to_contain_text("main:")
    page.locator("#branches [data-branch='3x3'] [data-switch]").click()
    switched(page, "3a/3x3")
    assert "off" in (lane.get_attribute("class") or "")
    assert viewer.state("answer.heads.main.probabilities") != before
    words = explorer.ablate(chosen("boots"), {"3a/3x3": 0})["switched"]["sentence"]
    expect(page.locator("#switches .effect")).to_have_text(words)
    expect(scale).to_have_text(f"{ends.split(';')[0]}; same scale as with every branch on")
    said = page.locator("#branches .say")
    expect(said).to_have_text(words)
    if size == DESK:
        expect(said).to_be_in_viewport()
    for part in ("#wiring .lane", "#wiring .stack i"):
        classes = page.locator(f"{part}[data-branch='3x3']").get_attribute("class") or ""
        assert "off" in classes.split(), part
    assert "switches=3a%2F3x3%3D0" in page.url
    page.locator("[data-reset]").click()
    assert viewer.state("answer.heads.main.probabilities") == before
    assert "switches" not in page.url
    expect(scale).to_have_text(ends)
    page.locator("#branches [data-branch='3x3'] [data-switch]").click()  # the same once more
    switched(page, "3a/3x3")
    page.locator("[data-reset]").click()
    for branch in BRANCHES:
        button = page.locator(f"#switches [data-branch='{branch}'] [data-set='0']")
        timed("switch to drawn", viewer.explored(button.click))
    assert not viewer.errors and not viewer.strangers


def test_a_branch_that_is_scaled_or_at_its_mean_says_so_in_the_drawings(visit):
    page = visit("?switches=3a/pool=mean,3a/5x5=0.5").page
    switched(page, "3a/5x5", "3a/pool")
    expect(page.locator("#wiring [data-branch=pool] .last b")).to_have_text("1×1 mean")
    expect(page.locator("#wiring [data-branch='5x5'] .last b")).to_have_text("5×5 × 0.5")
    assert page.locator("#diagram .lane.part").count() == 2
    page.locator("#diagram [data-stage='3b']").click()
    expect(page.locator("#wiring .last em").filter(has_text="mean")).to_have_count(0)


def test_an_answer_that_a_switch_made_wrong_is_called_wrong(visit, explorer):
    viewer = visit("?switches=3a/3x3=0,3a/1x1=0,3b/3x3=0")
    switched(viewer.page, "3a/1x1", "3a/3x3", "3b/3x3")
    top = viewer.state("answer.heads.main.top")[0]
    name = explorer.model.info.class_name(top)
    assert name != "shoe"
    verdict = viewer.page.locator("#picture .about .wrong")
    expect(verdict).to_have_text(f"Wrong: it says {name}; it is a pair of boots.")
    asked = viewer.page.locator("#question .ask")
    expect(asked).to_contain_text("% with every branch on?")
    viewer.page.locator("[data-reset]").click()
    expect(asked).not_to_contain_text("every branch")
    expect(viewer.page.locator("#picture .about .right")).to_have_text(
        "Right: it is a pair of boots."
    )


ROUNDED = """() => [
    0.56504, 0.565, 0.0995, 0.0994, 0.0004, 0.0005, 0, 1, 0.9996, 1 - 1e-8, 0.9995, 0.9949, 1e-9,
  ].map((x) => [x, gnet.percent(x).replace("\u00a0", " "), gnet.fixed(9 * x)])"""


def test_a_script_rounds_as_sentences_do(look):
    for value, percent, number in look().page.evaluate(ROUNDED):
        assert (percent, number) == (rounded_percent(value), fixed(9 * value)), value


def test_factors_and_means_stand_in_the_address(visit):
    page = visit("?switches=4b/5x5=0.5,3a/pool=mean").page
    switched(page, "3a/pool", "4b/5x5")
    pressed = page.locator("#switches [data-branch='pool'] [aria-pressed='true']")
    expect(pressed).to_have_text("Mean")
    page.locator("#diagram [data-stage='4b']").click()
    expect(page.locator("#switches [data-branch='5x5'] output")).to_have_text("× 0.5")
    page.locator("#switches [data-branch='5x5'] input").fill("2")
    page.wait_for_function("gnet.state.answer.switched.switches['4b/5x5'] === 2")


def test_switches_that_are_not_allowed_are_refused_and_taken_back(visit):
    page = visit("?switches=4b/7x7=0").page
    expect(page.locator("[data-testid='toast-body']")).to_contain_text("4b/7x7")
    page.wait_for_function("gnet.state.switches === null")


def test_the_map_is_drawn_and_a_cell_is_a_switch(visit, explorer):
    viewer = visit()
    page, target = viewer.page, viewer.page.evaluate("gnet.target()")
    before = viewer.state("answer.heads.main.probabilities")[target]
    page.locator("[data-weigh]").click()
    expect(page.locator("#worth td button")).to_have_count(72)
    found = explorer.worth(chosen("boots"), "main", target)
    expect(page.locator("#worth .finding")).to_have_text(found["sentence"])
    cell = page.locator("#worth [data-cell='4a/pool'][data-setting='0']")
    worth = found["branches"]["4a/pool"]["off"]
    expect(cell).to_have_text(f"{worth['logit']:.2f}".replace("-", "−"))
    cell.click()
    switched(page, "4a/pool")
    expect(cell).to_have_attribute("aria-pressed", "true")
    after = viewer.state("answer.heads.main.probabilities")[target]
    assert before - after == pytest.approx(worth["probability"], abs=2e-3)


def test_switches_of_one_visit_are_one_step_of_the_browsers_history(visit):
    page = visit("?tab=branches").page
    # Not the history's length: a browser keeps 50 steps, and other tests used this tab, too.
    page.evaluate(
        "() => { const push = history.pushState; window.pushed = 0;"
        " history.pushState = (...given) => (pushed++, push.apply(history, given)); }"
    )
    names = ("3a/1x1", "3a/3x3", "4b/pool")
    for name in names:  # faster than the server
        page.locator(f"#branches-switchboard [data-cell='{name}']").click()
    switched(page, *names)
    assert page.evaluate("pushed") == 0 and "4b%2Fpool" in page.url
    page.locator("nav [data-tab='explore']").click()
    page.locator("#branches [data-branch='5x5'] [data-switch]").click()
    page.wait_for_function("gnet.state.switches.includes('3a/5x5')")
    assert page.evaluate("pushed") == 1
    page.go_back()
    page.wait_for_function("gnet.state.tab === 'branches'")


def test_another_picture_starts_with_every_branch_on(visit):
    viewer = visit("?switches=3a/3x3=0")
    page = viewer.page
    switched(page, "3a/3x3")
    viewer.explored(page.locator("#picture .examples [data-example='coffee']").click)
    assert viewer.state("switches") is None
    page.go_back()
    switched(page, "3a/3x3")
