"""The browser's own ways: back, forward and reload, titles, and the way past the header."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.pages import PHONE, photo


def test_the_back_button_goes_back_one_choice(visit) -> None:
    viewer = visit()
    page = viewer.page
    page.locator("#diagram [data-stage='3b']").click()
    page.locator("#belief .bars button").nth(1).click()
    page.locator(".methods label", has_text="Saliency").click()  # once the page has scrolled
    assert "method=saliency" in page.url and "class=" in page.url
    page.go_back()
    page.wait_for_function("gnet.method() === 'grad-cam'")
    assert viewer.state("target") is not None
    page.go_back()
    page.wait_for_function("gnet.state.target === null")
    assert viewer.state("stage") == "3b"
    page.go_back()
    page.wait_for_function("gnet.state.stage === '3a'")
    page.go_forward()
    page.wait_for_function("gnet.state.stage === '3b'")
    assert viewer.errors == []


def test_the_back_button_brings_the_picture_before(visit) -> None:
    viewer = visit()
    page = viewer.page
    viewer.explored(lambda: page.locator("#picture .examples [data-example=cat]").click())
    viewer.explored(lambda: viewer.give("other.jpg", photo(320, 240, 2)))
    viewer.explored(lambda: viewer.give("mine.jpg", photo(320, 240, 3)))
    assert "picture=" not in page.url
    page.go_back()
    page.wait_for_function("gnet.state.answer.name === 'other.jpg'")
    page.go_back()
    page.wait_for_function("gnet.state.answer.example === 'cat'")
    assert "picture=cat" in page.url
    page.go_back()
    page.wait_for_function("gnet.state.answer.example === 'boots'")
    page.go_forward()
    page.wait_for_function("gnet.state.answer.example === 'cat'")
    page.go_forward()
    page.wait_for_function("gnet.state.answer.name === 'other.jpg'")
    page.go_forward()
    page.wait_for_function("gnet.state.answer.name === 'mine.jpg'")
    assert viewer.errors == []


def test_another_picture_is_asked_about_its_own_likeliest_class(visit) -> None:
    viewer = visit("?picture=cat&class=zebra")
    page = viewer.page
    page.wait_for_function("gnet.state.answer.example === 'cat'")
    zebra = page.evaluate("gnet.state.network.classes.indexOf('zebra')")
    assert viewer.state("target") == zebra, "the address asks for it"
    viewer.explored(lambda: page.locator("#picture .examples [data-example=coffee]").click())
    assert viewer.state("target") is None and "class=" not in page.url
    page.go_back()
    page.wait_for_function(f"gnet.state.target === {zebra}")
    assert viewer.errors == []


SETTLED = """() => gnet.state.measured[gnet.state.stage]
  && !Object.values(gnet.state.waiting).some(Boolean)"""


def test_a_reload_keeps_an_uploaded_picture_and_what_is_chosen(visit) -> None:
    viewer = visit()
    page = viewer.page
    viewer.explored(lambda: viewer.give("mine.jpg", photo(320, 240, 4)))
    key = viewer.state("answer.key")
    page.locator("#diagram [data-stage='4d']").click()
    page.wait_for_function(SETTLED)  # a request cut by the reload would be an error of Gradio's
    page.reload()
    page.wait_for_function("globalThis.gnet?.state.answer?.name === 'mine.jpg'")
    assert viewer.state("answer.key") == key and viewer.state("stage") == "4d"
    assert viewer.errors == []


CHOSEN = """() => JSON.stringify([
  ...["tab", "stage", "head", "scope", "target", "channel", "method", "switches"].map(
    (name) => gnet.state[name]),
  gnet.state.whole.key, gnet.state.answer.picture.box,
  gnet.state.answer.switched?.sentence, gnet.state.answer.heads.main.probabilities,
])"""


def test_a_copied_link_shows_the_same_in_another_browser(visit) -> None:
    viewer = visit(permissions=["clipboard-read", "clipboard-write"])
    page = viewer.page
    viewer.explored(lambda: page.locator("#picture .examples [data-example=coffee]").click())
    viewer.explored(lambda: page.locator("#picture .mover").press("ArrowRight"))
    page.locator("#diagram [data-stage='4d']").click()
    page.locator("#diagram [data-head=aux2]").click()
    page.locator("#branches [data-scope=network]").click()
    page.locator("#belief .bars button").nth(1).click()
    page.locator(".methods label", has_text="Saliency").click()
    page.evaluate("gnet.switching.set('4b', '5x5', 0)")
    page.wait_for_function("gnet.state.answer.switched", timeout=20_000)
    page.locator("#branches [data-branch='3x3'] [data-rank='1']").click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#header .copied")).to_have_text("Link copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    other = visit("?" + link.split("?")[1])
    other.page.wait_for_function(
        "gnet.state.answer.example === 'coffee' && gnet.state.answer.switched"
    )
    assert other.page.evaluate(CHOSEN) == page.evaluate(CHOSEN)
    assert viewer.errors == [] and other.errors == []


def test_a_link_is_copied_over_plain_http_too(visit) -> None:
    """There a browser gives a page no clipboard, as in a classroom with one server."""
    viewer = visit(permissions=["clipboard-read", "clipboard-write"])
    page = viewer.page
    page.evaluate(
        """() => {
          window.pasted = () => window.held.readText();
          window.held = navigator.clipboard;
          Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
        }"""
    )
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#header .copied")).to_have_text("Link copied.")
    assert page.evaluate("window.pasted()").endswith("&picture=boots")
    expect(page.get_by_role("button", name="Copy link")).to_be_focused()
    page.evaluate("document.execCommand = () => false")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#header .copied")).to_contain_text("at the top of its window")
    assert page.url.endswith("&picture=boots")
    assert viewer.errors == []


def test_an_own_picture_is_not_in_the_link_and_leaves_with_a_sentence(visit) -> None:
    viewer = visit(permissions=["clipboard-read", "clipboard-write"])
    page = viewer.page
    viewer.explored(lambda: viewer.give("mine.jpg", photo(320, 240, 9)))
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#header .copied")).to_have_text(
        "Link copied. Your own picture is not in it."
    )
    page.wait_for_function(SETTLED)
    Path(viewer.state("answer.given.path")).unlink()
    page.reload()
    expect(page.get_by_text("The picture is no longer here")).to_be_visible(timeout=20_000)
    assert viewer.state("answer.example") == "boots"
    page.reload()
    page.wait_for_selector("html.gnet-ready")
    expect(page.get_by_text("The picture is no longer here")).to_have_count(0)
    assert viewer.errors == []


def test_each_screen_and_picture_has_a_title(visit) -> None:
    viewer = visit()
    expect(viewer.page).to_have_title("a pair of boots · Explore · gnet")
    viewer.explored(lambda: viewer.page.locator("#picture .examples [data-example=coffee]").click())
    expect(viewer.page).to_have_title("a cup of coffee · Explore · gnet")


def test_the_first_tab_stop_skips_to_the_content(visit) -> None:
    page = visit().page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#explore-tab")).to_be_focused()


def test_all_examples_are_shown_with_their_names_and_chosen_there(visit) -> None:
    viewer = visit()
    page = viewer.page
    page.get_by_role("button", name="All 16").click()
    cards = page.locator("#picture .groups button")
    expect(cards).to_have_count(16)
    assert all(cards.locator("span").all_inner_texts())
    viewer.explored(lambda: page.get_by_role("button", name="a striped horse").last.click())
    expect(page.locator("#picture dialog")).to_be_hidden()
    assert viewer.state("answer.example") == "striped-horse"
    chosen = page.locator("#picture .examples [aria-pressed=true]")
    expect(chosen).to_be_in_viewport()


def test_the_glossary_links_the_paper_and_the_model_card(look) -> None:
    viewer = look()
    page = viewer.page
    page.get_by_role("button", name="Glossary").click()
    glossary = page.locator("dialog.glossary")
    expect(glossary.get_by_text("nats", exact=True)).to_be_visible()
    assert glossary.locator(".paper").get_attribute("href").endswith("arxiv.org/abs/1409.4842")
    answer = page.request.get(page.url.split("?")[0] + "model-card")
    assert answer.ok and "# " in answer.text()
    assert viewer.strangers == []


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (
            "?picture=nope&class=foo",
            "picture “nope”, class “foo”; shown instead: a pair of boots, ",
        ),
        ("?module=9z&method=magic", "module “9z”, method “magic”; shown instead: 3a, Grad-CAM."),
        ("?channel=1x1.64", "channel “1x1.64”; shown instead: the branches of 3a."),
        ("?channel=9x9", "channel “9x9”; shown instead: the branches of 3a."),
        ("?tab=&head=", "tab “”, head “”; shown instead: Explore, main."),
    ],
)
def test_what_the_address_names_and_is_not_here_is_said(address: str, sentence: str, visit) -> None:
    viewer = visit(address, size=PHONE)
    expect(viewer.page.locator("#header .shown")).to_contain_text(f"Not here: {sentence}")
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert viewer.errors == []
