"""Branches switched in the page: everything follows, and every choice can be taken back."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from gnet.answers.examples import chosen
from gnet.answers.explorer import Explorer
from gnet.network.config import BRANCHES
from gnet.network.model import GoogLeNet
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
    page.locator("#branches [data-branch='3x3'] [data-switch]").click()
    switched(page, "3a/3x3")
    assert "off" in (lane.get_attribute("class") or "")
    assert viewer.state("answer.heads.main.probabilities") != before
    words = explorer.ablate(chosen("boots"), {"3a/3x3": 0})["switched"]["sentence"]
    expect(page.locator("#switches .effect")).to_have_text(words)
    assert "switches=3a%2F3x3%3D0" in page.url
    page.locator("[data-reset]").click()
    assert viewer.state("answer.heads.main.probabilities") == before
    assert "switches" not in page.url
    page.locator("#branches [data-branch='3x3'] [data-switch]").click()  # the same once more
    switched(page, "3a/3x3")
    page.locator("[data-reset]").click()
    for branch in BRANCHES:
        button = page.locator(f"#switches [data-branch='{branch}'] [data-set='0']")
        timed("switch to drawn", viewer.explored(button.click))
    found = Axe().run(page, context="#switches").response["violations"]
    assert [rule["id"] for rule in found] == []
    assert not viewer.errors and not viewer.strangers


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


def test_another_picture_starts_with_every_branch_on(visit):
    viewer = visit("?switches=3a/3x3=0")
    page = viewer.page
    switched(page, "3a/3x3")
    viewer.explored(page.locator("#picture .examples [data-example='coffee']").click)
    assert viewer.state("switches") is None
    page.go_back()
    switched(page, "3a/3x3")
