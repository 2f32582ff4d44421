"""A server that has ended, in a real browser: the page stays and says so."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.pages import DESK, PHONE, Server, on_a_free_port, random_network


@pytest.fixture
def ending(gradio_environment: None) -> Iterator[tuple[Server, Callable[[], None]]]:
    """A server of its own and what ends it."""
    with ExitStack() as stack:
        address = stack.enter_context(on_a_free_port(random_network(size=32)))
        yield Server(address=address, explorer=None), stack.close


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_server_that_has_been_stopped_is_told_and_what_is_shown_stays(
    size: dict, ending: Any, tabs: Any
) -> None:
    server, end = ending
    with tabs.borrowed(viewport=size) as page:
        page.goto(server.address)
        page.wait_for_selector("html.gnet-ready")
        expect(note(page)).to_be_hidden()
        end()
        expect(note(page)).to_contain_text("has been stopped")
        expect(note(page)).to_be_in_viewport()
        expect(page.locator("#diagram svg")).to_be_visible()
        page.locator("#branches [data-branch='3x3'] [data-switch]").click()
        expect(page.locator(".toast-body")).to_be_hidden()


def test_a_server_that_answers_again_is_told_by_silence(visit) -> None:
    page = visit().page
    page.route("**/healthz", lambda route: route.abort())
    expect(note(page)).to_be_visible()
    page.unroute("**/healthz")
    expect(note(page)).to_be_hidden()
    page.route("**/healthz", lambda route: route.fulfill(status=502))
    expect(note(page)).to_be_visible()


def note(page: Page) -> Any:
    return page.locator("#gnet-lost")
