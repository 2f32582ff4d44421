"""The Branch lab: switches with a history, shared with Explore."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from support.pages import DESK, PHONE

SWITCHED = """names => JSON.stringify(Object.keys(gnet.state.answer.switched?.switches ?? {}))
  === JSON.stringify(names)"""


def switched(page: Any, *names: str) -> None:
    """Wait until the answer shown is that with these branches switched."""
    page.wait_for_function(SWITCHED, arg=list(names), timeout=20_000)


def cell(page: Any, name: str) -> Any:
    return page.locator(f"#branches-switchboard [data-cell='{name}']")


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"]
)
def test_switches_are_undone_done_again_and_said_in_words(visit, size, scheme):
    viewer = visit("?tab=branches", size=size, color_scheme=scheme)
    page = viewer.page
    cell(page, "3a/3x3").click()
    switched(page, "3a/3x3")
    most = page.locator("#branches-switchboard .most")
    expect(most).to_contain_text("What changed most")
    page.locator("#branches-switchboard [data-row='4b']").click()
    names = ["3a/3x3", *(f"4b/{branch}" for branch in ("1x1", "3x3", "5x5", "pool"))]
    switched(page, *names)
    page.locator("[data-undo]").click()
    switched(page, "3a/3x3")
    page.locator("[data-undo]").click()
    switched(page)
    expect(most).to_be_empty()
    page.locator("[data-redo]").click()
    switched(page, "3a/3x3")
    expect(cell(page, "3a/3x3")).to_have_text("off")
    page.locator("#branches-switchboard .history [data-step='2']").click()
    switched(page, *names)
    page.locator("[data-all-on]").click()
    switched(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    found = Axe().run(page, context="#branches-tab").response["violations"]
    assert [rule["id"] for rule in found] == []
    assert not viewer.errors and not viewer.strangers


def test_the_lab_and_explore_have_the_same_switches(visit):
    viewer = visit("?tab=branches&switches=4a/pool=mean")
    page = viewer.page
    switched(page, "4a/pool")
    expect(cell(page, "4a/pool")).to_have_text("mean")
    page.locator("nav [data-tab='explore']").click()
    page.locator("#branches [data-branch='3x3'] [data-switch]").click()
    switched(page, "3a/3x3", "4a/pool")
    page.locator("nav [data-tab='branches']").click()
    expect(cell(page, "3a/3x3")).to_have_text("off")
    assert "tab=branches" in page.url and "3a%2F3x3" in page.url
    page.locator("[data-undo]").click()
    switched(page, "4a/pool")
    page.go_back()
    switched(page, "3a/3x3", "4a/pool")
    assert not viewer.errors


def test_keys_move_over_the_cells_and_switch_them(visit):
    page = visit("?tab=branches").page
    cell(page, "3a/1x1").focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    switched(page, "3b/3x3")
    page.locator("#branches-shown select").select_option("cat")
    page.wait_for_function("gnet.state.answer.example === 'cat' && !gnet.state.switches")
    assert page.evaluate("gnet.switching.steps.all.length") == 1
