"""Why, in a real browser: what is asked, when, and what is shown of it."""

import time

import pytest
from playwright.sync_api import expect

from support.pages import PHONE

COLOURS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


def test_methods_are_one_tab_stop_and_chosen_with_the_arrow_keys(visit) -> None:
    page = visit().page
    radios = page.locator("#reason input[type=radio]")
    assert len(set(radios.evaluate_all("all => all.map(({ name }) => name)"))) == 1
    hints = page.locator("#reason .empty")
    expect(hints.filter(visible=True)).to_have_text(
        ["No map of Saliency yet: it is drawn when you choose it or a class."]
    )
    page.get_by_role("radio", name="Grad-CAM").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Saliency")).to_be_checked()
    expect(hints.filter(visible=True)).to_have_count(0)
    expect(page.get_by_role("radio", name="Saliency")).to_be_focused()
    expect(page.locator("#reason h3")).to_contain_text("Saliency")
    assert "method=saliency" in page.url


def choose(page, name: str) -> None:
    """Choose a method by its name."""
    page.locator(".methods label", has_text=name).click()


def test_a_class_chosen_leads_to_why_and_asks_every_method_without_a_second_step(
    visit, timed
) -> None:
    viewer = visit()
    page = viewer.page
    bar = page.locator("#belief .bars button").nth(2)
    name = bar.locator("span").inner_text()
    heights = "document.documentElement.scrollHeight"
    before = page.evaluate(heights)
    start = time.monotonic()
    bar.click()
    expect(page.locator("#reason h3")).to_have_text(f"Grad-CAM of 5b for “{name}” at main")
    timed("a class chosen to why", time.monotonic() - start)
    state = page.locator("#reason .state")
    expect(state).to_contain_text("Integrated Gradients computes many steps; this takes about")
    expect(page.locator("#question")).to_be_in_viewport()
    expect(page.locator("#question .ask b").first).to_have_text(name)
    expect(page.locator(".method:not(.stale)")).to_have_count(2)
    expect(page.get_by_role("progressbar", name="Computing")).to_be_visible()
    page.wait_for_function("document.querySelector('#reason .progress').ariaValueNow > 0")
    choose(page, "Saliency")
    expect(page.locator("#reason h3")).to_have_text(f"Saliency for “{name}” at main")
    expect(page.locator("#reason .finding")).to_contain_text("logit")
    expect(page.locator(".method:not(.stale)")).to_have_count(3)
    timed("a class chosen to Integrated Gradients drawn", time.monotonic() - start)
    expect(state).to_be_hidden()
    assert page.evaluate(heights) == pytest.approx(before, abs=2)
    assert all(one.evaluate(COLOURS) > 20 for one in page.locator("#reason .map").all())
    choose(page, "Integrated Gradients")
    expect(page.locator("#reason .finding")).to_contain_text("with an error of")
    expect(page.locator("#reason .found")).to_have_class("found")
    assert page.evaluate(heights) == pytest.approx(before, abs=2)
    choose(page, "Grad-CAM")
    page.locator("#diagram [data-stage='4c']").dispatch_event("click")
    page.locator("#question").scroll_into_view_if_needed()
    expect(page.locator("#reason h3")).to_have_text(f"Grad-CAM of 5b for “{name}” at main")
    page.get_by_role("button", name="the chosen one: 4c").click()
    expect(page.locator("#reason h3")).to_have_text(f"Grad-CAM of 4c for “{name}” at main")
    assert viewer.errors == []


def test_the_first_map_is_of_the_module_that_knows_most_of_classes(visit) -> None:
    page = visit("?module=3a").page
    expect(page.locator("#reason h3")).to_contain_text("Grad-CAM of 5b for “")
    expect(page.locator("#reason .found")).to_have_class("found")
    expect(page.locator("#question .about")).to_contain_text("module 5b, the last one before main")
    page.locator("#belief .readers [data-reader=aux1]").click()
    expect(page.locator("#question .place button").first).to_have_text("last before the head: 4a")
    page.get_by_role("button", name="the chosen one: 3a").click()
    expect(page.locator("#reason h3")).to_contain_text("Grad-CAM of 3a for “")
    assert "place=chosen" in page.url


def test_what_began_by_itself_can_be_stopped_and_ends_when_something_else_is_chosen(visit) -> None:
    viewer = visit()
    page = viewer.page
    page.evaluate(
        "() => { window.begun = 0; const sent = window.fetch; window.fetch = (url, given) => {"
        "  if (String(given?.body).includes('ticket') && String(url).includes('join')) begun++;"
        "  return sent(url, given); }; }"
    )
    bars = page.locator("#belief .bars button")
    for number in (1, 2, 3, 4):  # somebody who clicks through the classes
        bars.nth(number).evaluate("one => one.click()")
    page.wait_for_function(
        "begun === 1 && document.querySelector('#reason .progress').ariaValueNow > 0"
    )
    last = page.evaluate("gnet.state.network.classes[gnet.target()]")
    expect(page.locator("#reason h3")).to_contain_text(f"“{last}”")
    stop = page.locator("#reason [data-compute]")
    stop.click()
    expect(page.locator("#reason .state")).to_contain_text("Stopped.")
    expect(stop).to_have_text("Compute")
    stop.click()
    page.wait_for_function("begun === 2")
    page.evaluate(
        "window.settled = []; document.addEventListener('gnet-settled',"
        " ({ detail }) => settled.push(detail.what))"
    )
    page.evaluate("gnet.choose({ stage: '4e' })")
    page.wait_for_function("settled.includes('computed')")
    assert page.evaluate("gnet.reasons.of('integrated-gradients')") is None, "it has not ended"
    page.evaluate("gnet.ask(gnet.state.answer.heads.main.top[1])")
    page.wait_for_function("begun > 2")
    page.evaluate("gnet.choose({ target: null })")
    expect(page.locator("#reason .state")).to_contain_text("It begins when you choose a class")
    assert viewer.errors == []


def test_on_a_phone_a_class_with_a_long_name_moves_nothing(look) -> None:
    page = look(size=PHONE).page
    tops = """() => [...document.querySelectorAll("#account, #why, #why .row, #why .found")]
      .map((part) => part.getBoundingClientRect().top + scrollY)"""
    page.evaluate("gnet.state.network.classes[2] = 'ox'; gnet.choose({ target: 2 })")
    before = page.evaluate(tops)
    page.evaluate("gnet.state.network.classes[3] = 'European fire salamander'")
    page.evaluate("gnet.choose({ target: 3 })")
    expect(page.locator("#why .ask b").first).to_have_text("European fire salamander")
    assert len(before) == 4 and page.evaluate(tops) == pytest.approx(before, abs=2)


def test_a_module_behind_the_head_is_greyed_and_not_asked_of(visit) -> None:
    viewer = visit("?module=5a&place=chosen")
    page = viewer.page
    page.locator("#belief .readers [data-reader=aux1]").click()
    expect(page.locator("#diagram .behind")).to_have_count(6)
    expect(page.locator("#question .about")).to_contain_text("5a lies behind aux1")
    page.locator("#belief .bars button").nth(1).click()
    page.locator("#question").scroll_into_view_if_needed()
    expect(page.locator("#branches .say")).to_contain_text("Exit aux1 says")
    expect(page.locator("#reason .found")).to_have_class("found stale")
    assert viewer.errors == []


def test_an_answer_to_another_question_is_dimmed(visit) -> None:
    page = visit().page
    expect(page.locator("#reason .found")).to_have_class("found")
    page.evaluate("gnet.choose({ method: 'saliency' })")
    expect(page.locator("#reason .found")).to_have_class("found stale")


def test_a_button_leads_on_to_all_methods_with_the_same_question(visit) -> None:
    viewer = visit("?picture=cat&module=4c&class=cup&head=aux2")
    page = viewer.page
    page.get_by_role("button", name="More methods, side by side").click()
    expect(page.locator("#why-methods .methods label")).to_have_count(11, timeout=60_000)
    for part in ("tab=why", "picture=cat", "class=cup", "head=aux2", "module=4d"):
        assert part in page.url, part
    page.go_back()
    page.wait_for_function("gnet.state.tab === 'explore'")
    assert viewer.state("stage") == "4c", "the module chosen on Explore stays chosen"
    page.go_forward()
    expect(page.locator("#why-methods h2 b").first).to_have_text(
        page.evaluate("gnet.state.network.classes[gnet.target()]")
    )
    assert viewer.errors == []
