"""Words that explain themselves in the drawings, and how what is chosen differs from the focus."""

from playwright.sync_api import expect

from gnet.answers.terms import by_word
from support.pages import PHONE


def test_words_in_the_drawings_say_what_they_mean_on_hover_and_on_focus(look) -> None:
    page = look().page
    says = page.locator("#gnet-says")
    for place, word in (
        ("#diagram [data-term=stem]", "stem"),
        ("#diagram [data-term='÷2']", "÷2"),
        ("#wiring [data-term=concat]", "concat"),
        ("#wiring .cost .term >> text=reduce", "reduce"),
    ):
        term = page.locator(place).first
        term.hover()
        expect(says).to_have_text(by_word()[word])
        page.keyboard.press("Escape")
        expect(says).to_be_hidden()
        term.focus()
        expect(says).to_have_text(by_word()[word])
        page.locator("h1").hover()
        page.keyboard.press("Escape")


RINGED = """(stage) => {
  const group = document.querySelector(`#diagram [data-stage="${stage}"]`);
  const of = (part) => getComputedStyle(group.querySelector(part));
  return [of(".tag").fill, of(".ring").stroke];
}"""


def test_what_is_chosen_is_filled_and_what_has_the_focus_has_a_ring(look) -> None:
    page = look("?module=3a").page
    page.locator("#diagram [data-stage='3a']").focus()
    for key in ("ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    chosen, focused = (page.evaluate(RINGED, stage) for stage in ("3a", "4a"))
    assert focused[1] != "none" and chosen[1] == "none"
    assert chosen[0] not in (focused[0], "none")


def test_on_touch_nothing_is_said_of_dropping_or_pasting(look) -> None:
    page = look(size=PHONE, has_touch=True, is_mobile=True).page
    expect(page.locator("#picture .upload")).to_be_visible()
    said = page.locator("#picture").evaluate("(part) => part.outerHTML")
    assert "paste" not in said and "rop a picture" not in said
    desk = look().page.locator("#picture .upload")
    expect(desk).to_have_attribute("title", "Or drop a picture on the page, or paste one")


def test_a_very_small_number_is_written_as_a_power_of_ten(look) -> None:
    written = look().page.evaluate("[9.5e-6, -2e-7, 0.0011].map(gnet.number)")
    assert written == ["9.5·10⁻⁶", "−2·10⁻⁷", "0.0011"]
