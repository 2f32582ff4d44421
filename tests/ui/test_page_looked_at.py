"""Pages that several tests look at: what one has left in them, the next one does not find."""

from typing import Any

import pytest

from support.pages import photo

STORED = "() => ({ ...localStorage, ...sessionStorage })"


def upload(viewer: Any) -> None:
    viewer.explored(lambda: viewer.give("mine.jpg", photo(320, 240, 9)))


def paint(viewer: Any) -> None:
    viewer.page.locator("#picture .touch").click()
    viewer.page.wait_for_function("gnet.state.light === 'touch'")
    viewer.page.locator("#touch .sizes [data-name=large]").click()
    viewer.page.locator("#touch canvas").press(" ")


def go_elsewhere(viewer: Any) -> None:
    viewer.page.locator("nav [data-tab='branches']").click()
    viewer.explored(viewer.page.locator("#branches-switchboard [data-cell='4a/3x3']").click)


def open_channel(viewer: Any) -> None:
    viewer.page.locator("#branches [data-branch='3x3'] [data-rank='1']").click()
    viewer.page.locator("#channel .panel").wait_for()


@pytest.mark.parametrize("act", [upload, paint, go_elsewhere, open_channel])
def test_a_page_that_was_used_is_as_it_was_opened_and_so_is_what_the_server_holds(
    act: Any, reuse: Any
) -> None:
    viewer = reuse()
    page, stored = viewer.page, viewer.page.evaluate(STORED)
    answer = viewer.state("answer.key")
    act(viewer)
    again = reuse()
    assert again.page is page, "it was not loaded anew"
    assert again.state("answer.key") == answer and again.page.url.endswith("/")
    assert [again.state(name) for name in ("tab", "light", "switches")] == ["explore", None, None]
    assert page.evaluate("gnet.switching.steps.all.length") == 1
    assert page.evaluate(STORED) == stored
    # The server switches a branch for the picture that the page shows.
    again.explored(page.locator("#branches [data-branch='3x3'] [data-switch]").click)
    assert again.state("switches") == "3a/3x3=0"


def test_a_page_in_which_something_else_is_seen_is_loaded_anew(look: Any) -> None:
    page = look().page
    page.evaluate("document.querySelector('h1').textContent = 'not gnet'")
    assert look().page.inner_text("h1") != "not gnet"
    page = look().page
    page.reload()
    assert look().page.evaluate("Boolean(window.kept)")
