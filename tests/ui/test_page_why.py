"""Why, in a real browser: what is asked, when, and what is shown of it."""

import time

from playwright.sync_api import expect

COLOURS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


def test_methods_are_one_tab_stop_and_chosen_with_the_arrow_keys(visit) -> None:
    page = visit().page
    radios = page.locator("#question input[type=radio]")
    assert len(set(radios.evaluate_all("all => all.map(({ name }) => name)"))) == 1
    page.get_by_role("radio", name="Grad-CAM").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Saliency")).to_be_checked()
    expect(page.get_by_role("radio", name="Saliency")).to_be_focused()
    expect(page.locator("#reason h3")).to_contain_text("Saliency")
    assert "method=saliency" in page.url


def test_a_class_chosen_leads_to_why_and_asks_at_once(visit, timed) -> None:
    viewer = visit()
    page = viewer.page
    bar = page.locator("#belief .bars button").nth(2)
    name = bar.locator("span").inner_text()
    start = time.monotonic()
    bar.click()
    expect(page.locator("#reason h3")).to_have_text(f"Grad-CAM of 5b for “{name}” at main")
    timed("a class chosen to why", time.monotonic() - start)
    expect(page.locator("#question")).to_be_in_viewport()
    expect(page.locator("#question .ask b").first).to_have_text(name)
    page.locator(".methods label", has_text="Saliency").click()  # once the page has scrolled
    expect(page.locator("#reason h3")).to_have_text(f"Saliency for “{name}” at main")
    expect(page.locator("#reason .finding")).to_contain_text("logit")
    page.locator(".methods label", has_text="Grad-CAM").click()  # once the page has scrolled
    page.locator("#diagram [data-stage='4c']").dispatch_event("click")
    page.locator("#question").scroll_into_view_if_needed()
    expect(page.locator("#reason h3")).to_have_text(f"Grad-CAM of 5b for “{name}” at main")
    page.get_by_role("button", name="the chosen one: 4c").click()
    expect(page.locator("#reason h3")).to_have_text(f"Grad-CAM of 4c for “{name}” at main")
    assert page.locator("#reason .map").evaluate(COLOURS) > 20
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
    page.locator(".methods label", has_text="Saliency").click()
    expect(page.locator("#question .place")).to_be_hidden()


def test_a_slow_method_tells_its_time_and_shows_how_far_it_is(visit, timed) -> None:
    page = visit("?method=integrated-gradients").page
    expect(page.locator("#question .time")).to_contain_text("this takes about")
    expect(page.locator("#reason .found")).to_have_class("found dim")
    start = time.monotonic()
    page.get_by_role("button", name="Compute", exact=True).click()
    expect(page.get_by_role("progressbar", name="Computing")).to_be_visible()
    page.wait_for_function("document.querySelector('#question .progress').ariaValueNow > 0")
    expect(page.locator("#reason .finding")).to_contain_text("with an error of")
    timed("Integrated Gradients to drawn", time.monotonic() - start)
    expect(page.get_by_role("progressbar", name="Computing")).to_be_hidden()
    expect(page.locator("#reason .found")).to_have_class("found")


def test_a_module_behind_the_head_is_greyed_and_not_asked_of(visit) -> None:
    viewer = visit("?module=5a&place=chosen")
    page = viewer.page
    page.locator("#belief .readers [data-reader=aux1]").click()
    expect(page.locator("#diagram .behind")).to_have_count(6)
    expect(page.locator("#question .about")).to_contain_text("5a lies behind aux1")
    page.locator("#belief .bars button").nth(1).click()
    page.locator("#question").scroll_into_view_if_needed()
    expect(page.locator("#branches .say")).to_contain_text("Exit aux1 says")
    expect(page.locator("#reason .found")).to_have_class("found dim")
    assert viewer.errors == []


def test_an_answer_to_another_question_is_dimmed(visit) -> None:
    page = visit().page
    expect(page.locator("#reason .found")).to_have_class("found")
    page.evaluate("gnet.choose({ method: 'integrated-gradients' })")
    expect(page.locator("#reason .found")).to_have_class("found dim")


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
