"""The Branch lab: switches with a history, two sides, guesses, and the scale of patterns."""

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from gnet.network.config import BRANCHES
from support.pages import DESK, PHONE, photo

SWITCHED = """names => JSON.stringify(Object.keys(gnet.state.answer.switched?.switches ?? {}))
  === JSON.stringify(names)"""


def switched(page: Any, *names: str) -> None:
    """Wait until the answer shown is that with these branches switched."""
    page.wait_for_function(SWITCHED, arg=list(names), timeout=60_000)


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
    waiting = page.evaluate("gnet.switching.worded('5a/3x3=0,4b/pool=mean,x')")
    assert waiting == "3×3 of 5a off, pool of 4b mean, x"
    page.locator("#branches-switchboard .history [data-step='2']").click()
    switched(page, *names)
    page.locator("[data-all-on]").click()
    switched(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert not viewer.errors and not viewer.strangers


def test_a_columns_button_says_that_it_switches_nine_branches(visit):
    page = visit("?tab=branches").page
    column = page.locator("#branches-switchboard [data-column='1x1']")
    expect(column).to_contain_text("all nine")
    column.click()
    expect(page.locator("#branches-switchboard .effect")).to_contain_text(
        "With the 1×1 branch off in all nine modules, main goes from"
    )
    now = page.locator("#branches-switchboard .history [aria-current]")
    expect(now).to_contain_text("the 1×1 branch off in all nine modules")


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
    page.go_back()  # to Explore, as it was left
    switched(page, "3a/3x3", "4a/pool")
    assert viewer.state("tab") == "explore"
    assert not viewer.errors


def test_keys_move_over_the_cells_and_switch_them(visit):
    page = visit("?tab=branches").page
    cell(page, "3a/1x1").focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    switched(page, "3b/3x3")
    page.locator("#branches-shown .picture").select_option("cat")
    page.wait_for_function("gnet.state.answer.example === 'cat' && !gnet.state.switches")
    assert page.evaluate("gnet.switching.steps.all.length") == 1


def test_two_pictures_stand_side_by_side_and_the_choice_is_in_the_address(visit):
    viewer = visit("?tab=branches&beside=picture:cat")
    page = viewer.page
    sides = page.locator("#branches-beside .side")
    expect(sides).to_have_count(2, timeout=60_000)
    expect(sides.nth(1)).to_contain_text("a cat")
    expect(page.locator("#branches-beside td[data-cell]")).to_have_count(36)
    shares = viewer.state("answer.stages['4b'].branches")
    cell = page.locator("#branches-beside [data-cell='4b/3x3']")
    expect(cell).to_contain_text(page.evaluate("x => gnet.percent(x)", shares["3x3"]["share"]))
    select = page.locator("#branches-beside select")
    select.select_option("class:cat")
    expect(page.locator("#branches-beside .title")).to_contain_text("Logits", timeout=60_000)
    assert "beside=class%3Acat" in page.url
    page.go_back()
    expect(page.locator("#branches-beside .title")).to_contain_text("Share", timeout=60_000)
    select.select_option("")
    expect(page.locator("#branches-beside .all")).to_be_hidden()
    assert not viewer.errors and not viewer.strangers


def test_a_picture_shown_before_is_offered(visit):
    viewer = visit("?tab=branches")
    page = viewer.page
    viewer.explored(lambda: viewer.give("holiday.jpg", photo(320, 240, 3)))
    viewer.explored(lambda: page.locator("#branches-shown .picture").select_option("cat"))
    select = page.locator("#branches-beside select")
    expect(select.locator("option", has_text="holiday.jpg")).to_have_count(1)
    select.select_option(label="holiday.jpg")
    expect(page.locator("#branches-beside .side").nth(1)).to_contain_text("holiday.jpg")
    assert not viewer.errors


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_guess_comes_before_the_values_and_the_score_is_kept(visit, size):
    viewer = visit("?tab=branches&module=4b", size=size)
    page = viewer.page
    part = page.locator("#branches-predict")
    part.locator(".next").click()
    for number in (1, 2, 3):
        question = part.locator(".question")
        expect(question).to_contain_text(f"{number} of 3.", timeout=60_000)
        expect(part.locator("[data-fall]")).to_have_count(0)
        sent = page.evaluate("document.querySelector('#branches-predict').textContent")
        assert "points" not in sent
        expect(part.locator(".choices button").first).to_be_focused()
        page.keyboard.press("Enter")
        expect(part.locator(".told")).not_to_be_empty(timeout=60_000)
        expect(part.locator(".score")).to_contain_text(f"of {number}")
        count = part.locator(".choices button").count()
        expect(part.locator("[data-fall]")).to_have_count(count)
        if number < 3:
            part.locator(".next").click()
    expect(part.locator(".next")).to_have_text("Play again")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert not viewer.errors


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"]
)
def test_scales_are_drawn_and_the_pattern_at_the_pointer_is_shown(visit, size, scheme):
    viewer = visit("?tab=branches&beside=picture:cat", size=size, color_scheme=scheme)
    page = viewer.page
    part = page.locator("#branches-scales")
    part.locator(".measure").click()
    expect(part.locator("[data-curve]")).to_have_count(4, timeout=60_000)
    expect(part.locator(".sentence")).to_contain_text("in 3a")
    expect(part.locator("img")).to_have_attribute("alt", "stripes 3 px apart")
    box = part.locator("svg").bounding_box()
    part.locator("svg").hover(position={"x": 0.6 * box["width"], "y": 80})
    expect(part.locator("img")).not_to_have_attribute("alt", "stripes 3 px apart")
    part.locator("input").focus()
    page.keyboard.press("Home")
    expect(part.locator("img")).to_have_attribute("alt", "stripes 3 px apart")
    page.locator("#branches-shown .module").select_option("5b")
    expect(part.locator(".sentence")).to_contain_text("in 5b", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert not viewer.errors and not viewer.strangers


def test_the_labs_questions_are_endpoints(server):
    from gradio_client import Client

    cat = {"example": "cat"}
    sides = {"left": {"picture": cat}, "right": {"picture": {"example": "coffee"}}}
    asked = {"picture": cat, "stage": "4b", "round": "branch"}
    client = Client(server.address, verbose=False)
    try:
        compared = json.loads(client.predict(sides, api_name="/compare"))
        question = json.loads(client.predict(asked, api_name="/predict"))
        guessed = json.loads(client.predict(asked | {"guess": "1x1"}, api_name="/predict"))
        measured = json.loads(client.predict({"stage": "4b"}, api_name="/scales"))
    finally:
        client.close()
    assert [side["name"] for side in compared["sides"]] == ["a cat", "a cup of coffee"]
    assert "falls" not in question and set(guessed["falls"]) == set(BRANCHES)
    assert set(measured["curves"]) == set(BRANCHES)


def test_a_link_to_the_lab_opens_the_picture_it_names(visit):
    viewer = visit("?tab=branches&picture=cat&module=4d&switches=4b/5x5=0")
    page = viewer.page
    page.wait_for_function("gnet.state.answer.example === 'cat' && gnet.state.answer.switched")
    expect(page.locator("#branches-shown .name")).to_have_text("a cat")
    assert viewer.state("stage") == "4d" and "tab=branches" in page.url
    assert viewer.errors == []
