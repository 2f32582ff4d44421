"""The browser of the tests and its tabs: a viewer gets one that another viewer is done with.

To open a tab takes the browser as long as to draw the page in it; so tabs are kept, and all that
a viewer has left in one is forgotten before the next one gets it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # Pages are short-lived: with more room for what is new, most are built without a collection.
    "--js-flags=--min-semi-space-size=16 --max-semi-space-size=64",
    # The address bar's list is a page of its own, drawn anew beside each new tab of the tests.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,AimEnabled,PaintHolding,"
    "DestroyProfileOnBrowserClose,HttpsUpgrades,MediaRouter,OptimizationHints",
)
PATIENCE = 60_000
"""ms that a test waits for what it expects; only a machine with much else to do takes so long."""

LOOKS = 50
"""ms between two looks of `wait_for_function`; by default it has 60 frames a second drawn."""


class Tabs:
    """Tabs by how they were opened: their size, colour scheme, touch."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.free: dict[str, list[Any]] = {}

    @contextmanager
    def borrowed(self, script: str = "", **options: Any) -> Iterator[Any]:
        """The empty page of a tab that is nobody else's.

        A `script` runs before those of each page that it opens; no page can forget it, so the tab
        is closed afterwards.
        """
        if script:
            page = self._opened(options)
            page.add_init_script(script)
            yield page
            page.context.close()
            return
        free = self.free.setdefault(repr(sorted(options.items())), [])
        page = free.pop() if free else self._opened(options)
        yield page
        if not page.is_closed():
            if size := options.get("viewport"):
                page.set_viewport_size(size)
            forget(page)
            free.append(page)

    def _opened(self, options: dict[str, Any]) -> Any:
        context = self.browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.wait_for_function = partial(page.wait_for_function, polling=LOOKS)
        return page


def forget(page: Any) -> None:
    """Leave the page as if nobody had been there; only what it fetched stays in the cache."""
    page.context.set_offline(False)
    page.unroute_all(behavior="ignoreErrors")
    page.mouse.move(0, 0)
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.context.clear_cookies()
    page.goto("about:blank")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """One Chromium for all tests."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tabs(browser: Any) -> Tabs:
    """Tabs that all tests share."""
    return Tabs(browser)
