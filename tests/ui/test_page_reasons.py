"""The Why tab in a real browser: methods, options, maps, cancelling, and their checks."""

import pytest
from playwright.sync_api import expect

from support.pages import DESK, PHONE

COLOURS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""
CAN_BE_ASKED = """gnet.why.answered === gnet.why.words()
  || !document.querySelector('#why-methods .compute').disabled"""
"""Or has been asked already, as what takes little is without a press on Explain."""
SLOW = 60_000


def maps(page, number: int) -> None:
    expect(page.locator("#why-map article")).to_have_count(number, timeout=SLOW)


def explain(page) -> None:
    button = page.get_by_role("button", name="Explain", exact=True)
    expect(button).to_be_enabled(timeout=SLOW)
    button.click()


def choose(page, *labels: str) -> None:
    for label in labels:
        page.locator(f"#why-methods .methods label:has(span:text-is('{label}'))").click()


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"]
)
def test_a_quick_method_answers_at_once_and_a_second_one_stands_beside_it(visit, size, scheme):
    viewer = visit("?tab=why&picture=cat", size=size, color_scheme=scheme)
    page = viewer.page
    expect(page.locator("#why-methods .methods label")).to_have_count(11, timeout=SLOW)
    if page.locator("#why-map article").count() == 0:
        page.evaluate("gnet.why.possible() && gnet.why.answered || gnet.why.tell('gnet-explain')")
    maps(page, 1)
    assert page.locator("#why-map .map").evaluate(COLOURS) > 20
    choose(page, "Saliency")
    expect(page.locator("#why-map .cards")).to_have_class("cards dim")
    assert "method=grad-cam%2Csaliency" in page.url
    page.wait_for_function(CAN_BE_ASKED)
    if page.locator("#why-methods .compute").is_enabled():
        explain(page)
    maps(page, 2)
    expect(page.locator("#why-map .cards")).to_have_class("cards")
    expect(page.locator("#why-curves article")).to_have_count(2)
    expect(page.locator("#why-methods .time")).to_be_empty()  # what is there costs nothing
    told = page.locator("#why-methods .methods label:has(:checked) small").all_text_contents()
    assert told == ["", ""]
    ends = page.locator("#why-curves .plot").first.locator("i").all_text_contents()
    assert ends == ["100\u00a0%", "0\u00a0%", "0\u00a0%", "gone or shown", "100\u00a0%"]
    slider = page.get_by_role("slider", name="Map over the picture")
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator("#why-map .map").first.evaluate("map => map.style.opacity") == "0"
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert viewer.errors == [] and viewer.strangers == []


def test_an_invalid_method_says_why_and_a_fifth_cannot_be_chosen(visit):
    page = visit("?tab=why&method=saliency").page
    expect(page.locator("#why-methods .methods label")).to_have_count(11, timeout=SLOW)
    invalid = page.locator("#why-methods .methods label", has_text="DeepLift")
    expect(invalid.locator("input")).to_be_disabled()
    expect(invalid).to_contain_text("max-pools on the way to main")
    choose(page, "Grad-CAM", "SmoothGrad", "Occlusion")
    expect(page.locator("#why-methods .methods :checked")).to_have_count(4)
    expect(page.locator("#why-methods [value=guided-backprop]")).to_be_disabled()
    expect(page.locator("#why-methods .time")).to_contain_text("runs of the network")


def test_options_are_checked_as_they_are_given_and_stand_in_the_address(visit):
    viewer = visit("?tab=why&method=occlusion")
    page = viewer.page
    patch = page.locator("#why-methods [name=patch]")
    expect(patch).to_have_value("24", timeout=SLOW)
    patch.fill("5000")
    patch.press("Tab")
    expect(page.locator("#why-methods .time")).to_contain_text("patch is 5000; allowed are")
    expect(page.locator("#why-methods .compute")).to_be_disabled()
    patch.fill("48")
    patch.press("Tab")
    page.locator("#why-methods [name=stride]").fill("48")
    page.locator("#why-methods [name=stride]").press("Tab")
    page.wait_for_function(CAN_BE_ASKED)
    assert "patch%3D48" in page.url
    page.go_back()
    expect(page.locator("#why-methods [name=stride]")).to_have_value("12")
    assert viewer.errors == []


def test_a_class_is_found_by_a_part_of_its_name_with_the_keyboard(visit):
    viewer = visit("?tab=why&method=saliency")
    page = viewer.page
    field = page.locator("#why-methods .class")
    expect(page.locator("#why-methods .methods label")).to_have_count(11, timeout=SLOW)
    field.fill("no such class")
    field.press("Enter")
    expect(page.locator("#why-methods .time")).to_contain_text("no class")
    name = viewer.state("network.classes[3]")
    field.fill(name)
    field.press("Enter")
    expect(page.locator("#why-methods h2 b").first).to_have_text(name)
    assert viewer.state("target") == 3


def test_an_address_with_an_unknown_method_asks_the_first_one(visit):
    page = visit("?tab=why&method=magic").page
    expect(page.locator("#why-methods .methods :checked")).to_have_value("grad-cam", timeout=SLOW)


def test_a_module_behind_the_head_is_a_sentence_and_another_one_can_be_chosen(visit):
    page = visit("?tab=why&method=grad-cam&module=5b&head=aux1").page
    expect(page.locator("#why-methods .time")).to_contain_text("5b lies behind aux1", timeout=SLOW)
    expect(page.locator("#why-methods .compute")).to_be_disabled()
    page.locator("#why-methods [name=stage]").select_option("3a")
    expect(page.locator("#why-methods .time")).not_to_contain_text("lies behind")


def test_an_early_head_says_what_its_maps_explain(visit):
    page = visit("?tab=why&head=aux1&method=saliency").page
    expect(page.locator("#why-methods .shallow")).to_contain_text(
        "aux1 leaves after 4a: its maps explain a network of 3 modules", timeout=SLOW
    )


def test_work_can_be_cancelled_and_asked_again(visit):
    viewer = visit("?tab=why&method=integrated-gradients&with=steps%3D1024")
    page = viewer.page
    explain(page)
    cancel = page.get_by_role("button", name="Cancel", exact=True)
    cancel.click()
    expect(cancel).to_be_hidden(timeout=SLOW)
    expect(page.locator("#why-map article")).to_have_count(0)
    page.locator("#why-methods [name=steps]").fill("2")
    page.locator("#why-methods [name=steps]").press("Tab")
    page.wait_for_function("gnet.why.options().steps === '2'")
    if page.locator("#why-map article").count() == 0:
        page.evaluate("gnet.why.tell('gnet-explain')")
    maps(page, 1)
    expect(page.locator("#why-map .finding")).to_contain_text("with an error of")
    assert viewer.errors == []


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"]
)
def test_all_branches_are_drawn_on_a_press_and_each_is_a_press_away_from_large(visit, size, scheme):
    viewer = visit("?tab=why&picture=cat&method=saliency", size=size, color_scheme=scheme)
    page = viewer.page
    draw = page.get_by_role("button", name="Draw all maps")
    expect(draw).to_be_enabled(timeout=SLOW)
    expect(page.locator("#why-branches .time")).to_contain_text("1 run of the network")
    draw.click()
    tiles = page.locator("#why-branches .grid button")
    expect(tiles).to_have_count(36, timeout=SLOW)
    expect(draw).to_be_disabled()
    assert tiles.nth(4).locator("canvas").evaluate(COLOURS) > 20
    cams = page.evaluate("gnet.why.cams")
    expect(page.locator("#why-branches .most")).to_contain_text("one scale for all")
    page.locator("#why-branches [data-scope=module]").click()
    numbers = page.locator("#why-branches small").all_text_contents()
    shown = [page.evaluate(f"gnet.number({one['limit']})") for one in cams["stages"].values()]
    assert numbers == shown
    page.locator("#why-branches [data-scope=network]").click()
    expect(page.locator("#why-branches .most")).to_contain_text("one scale for all")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.locator("#why-branches [data-stage='4b'][data-branch='3x3']").click()
    expect(page.locator("#why-map h3")).to_contain_text("Grad-CAM of 4b · 3×3: cat", timeout=SLOW)
    assert "module=4b" in page.url and "branch=3x3" in page.url and "method=grad-cam" in page.url
    expect(page.locator("#why-map")).to_be_in_viewport()
    large = page.evaluate("gnet.why.found.cards[0].limit")
    small = cams["stages"]["4b"]["branches"]["3x3"]["high"]
    assert large == pytest.approx(small, rel=0.05)
    page.evaluate("gnet.choose({ target: 3 })")
    expect(page.locator("#why-branches .shown")).to_have_class("shown dim")
    expect(draw).to_be_enabled()
    assert viewer.errors == [] and viewer.strangers == []


def test_weights_are_drawn_anew_under_a_map_on_a_press(visit):
    viewer = visit("?tab=why&method=guided-backprop&head=aux1")
    page = viewer.page
    expect(page.locator("#why-methods .methods label")).to_have_count(11, timeout=SLOW)
    page.evaluate("gnet.why.answered || gnet.why.tell('gnet-explain')")
    maps(page, 1)
    page.get_by_role("button", name="Redraw the weights").click()
    expect(page.locator("#why-curves .found")).to_contain_text("drawn anew", timeout=SLOW)
    expect(page.locator("#why-curves li")).to_have_count(5)
    assert viewer.errors == []


def test_an_address_without_a_module_begins_with_the_one_that_explore_asks_about(visit):
    page = visit("?tab=why&picture=cat").page
    expect(page.locator("#why-methods [name=stage]")).to_have_value("5b", timeout=SLOW)
    page = visit("?tab=why&picture=cat&head=aux1").page
    expect(page.locator("#why-methods [name=stage]")).to_have_value("4a", timeout=SLOW)
    page = visit("?tab=why&picture=cat&module=4b").page
    expect(page.locator("#why-methods [name=stage]")).to_have_value("4b", timeout=SLOW)


def test_who_comes_from_explore_begins_there_too_unless_a_module_was_chosen(visit):
    page = visit("?picture=cat").page
    to_explore = page.get_by_role("link", name="Explore")
    to_why = page.get_by_role("link", name="Why", exact=True)
    to_why.click()
    stage = page.locator("#why-methods [name=stage]")
    expect(stage).to_have_value("5b", timeout=SLOW)
    page.go_back()
    page.wait_for_function("gnet.state.tab === 'explore' && gnet.state.stage === '3a'")
    to_why.click()
    expect(stage).to_have_value("5b")
    to_explore.click()
    page.locator("#diagram [data-stage='4b']").click()
    to_why.click()
    expect(stage).to_have_value("4b")


def test_a_class_that_the_network_does_not_know_is_said(visit):
    sentence = "The address names the class “no such <b>thing</b>”, which this network does not"
    page = visit("?tab=why&picture=cat&class=no+such+<b>thing</b>").page
    expect(page.locator("#why-methods .shallow")).to_contain_text(sentence)
    likeliest = page.locator("#why-methods .class").input_value()
    assert likeliest == page.evaluate("gnet.state.network.classes[gnet.target()]")
    page.evaluate("gnet.choose({ target: 3 })")
    expect(page.locator("#why-methods .shallow")).to_be_empty()
    page = visit("?picture=cat&class=no+such+<b>thing</b>").page
    expect(page.locator("#question .about")).to_contain_text(sentence)


def test_two_viewers_do_not_see_each_others_maps(visit):
    one = visit("?tab=why&method=saliency&picture=cat")
    expect(one.page.locator("#why-methods .methods label")).to_have_count(11, timeout=SLOW)
    one.page.evaluate("gnet.why.answered || gnet.why.tell('gnet-explain')")
    maps(one.page, 1)
    two = visit("?tab=why&method=feature-ablation&picture=coffee")
    expect(two.page.locator("#why-methods .methods label")).to_have_count(11, timeout=SLOW)
    two.page.evaluate("gnet.why.answered || gnet.why.tell('gnet-explain')")
    maps(two.page, 1)
    expect(two.page.locator("#why-map h3")).to_contain_text("Feature Ablation")
    expect(one.page.locator("#why-map h3")).to_contain_text("Saliency")
    assert one.errors == [] and two.errors == []
