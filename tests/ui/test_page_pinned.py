"""A branch chosen in a drawing by a tap, a click or a key is marked wherever it stands."""

import pytest
from playwright.sync_api import expect

from support.pages import DESK, PHONE

TOUCH = {"size": PHONE, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("part", [".before", ".last", ".macs"])
def test_a_tap_on_a_lane_of_the_module_marks_its_card_and_shows_it(look, part) -> None:
    viewer = look(**TOUCH)
    page = viewer.page
    card = page.locator("#branches [data-branch='5x5']")
    expect(card).not_to_be_in_viewport()
    page.locator(f"#wiring [data-branch='5x5'] {part}").tap()
    expect(card).to_have_class("card b5x5 pinned")
    expect(card).to_be_in_viewport()
    page.locator("#modules button", has_text="4a").tap()
    expect(card).to_have_class("card b5x5 pinned")
    assert viewer.errors == []


@pytest.mark.parametrize("options", [TOUCH, {"size": DESK}], ids=["phone", "desk"])
def test_a_lane_of_the_big_diagram_chooses_module_and_branch(look, options) -> None:
    page = look(**options).page
    page.locator("#diagram [data-stage='4b'] .lane.b3x3").click()
    assert page.evaluate("gnet.state.stage") == "4b"
    expect(page.locator("#branches [data-branch='3x3']")).to_have_class("card b3x3 pinned")
    expect(page.locator("#diagram .lane.pinned")).to_have_count(1)
    page.locator("#diagram [data-stage='4c'] .name").dispatch_event("click")
    assert page.evaluate("[gnet.state.stage, gnet.state.pinned]") == ["4c", "3x3"]


def test_keys_choose_a_branch_of_the_module_and_leave_it(look) -> None:
    page = look().page
    lane = page.locator("#wiring .lane[data-branch=pool]")
    lane.press("Enter")
    expect(lane).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#branches [data-branch=pool]")).to_have_class("card bpool pinned")
    lane.press("Space")
    expect(lane).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#branches .pinned")).to_have_count(0)


def test_a_finger_is_told_to_tap_and_a_mouse_to_click(look) -> None:
    assert "Tap a module" in look(**TOUCH).page.locator("#diagram h2").inner_text()
    assert "Click a module" in look().page.locator("#diagram h2").inner_text()


def test_each_card_says_in_a_short_sentence_what_its_branch_does(look) -> None:
    page = look().page
    for branch in page.evaluate("gnet.state.network.branches"):
        card = page.locator(f"#branches [data-branch='{branch['name']}']")
        expect(card.locator(".brief")).to_have_text(branch["brief"])
        height = card.locator(".brief").bounding_box()["height"]
        assert height < 20, "one line"
    sees = page.locator("#branches [data-branch='1x1'] .sees")
    expect(sees).to_contain_text("Through earlier layers it can see 27 of")
