"""A page that several tests look at: it is loaded once, and put back between two of them.

To load the page takes most of what a small test of it takes. A test of what stands there, or of
what a choice changes, borrows one with `look`; a test of the way there opens its own with `visit`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from support.browser_tabs import Tabs
from support.pages import DESK, Server, Viewer

DRAWN = "gnet.state.measured[gnet.state.stage] !== undefined"
AT_REST = "!Object.values(gnet.state.waiting).some(Boolean)"
KEEP = """() => {
  const copy = (value) => {
    if (Array.isArray(value)) return value.map(copy);
    if (value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copy(part)]));
  };
  const state = copy(gnet.state);
  window.kept = { state: () => copy(state) };
}"""
"""Records and lists are kept as copies, so that a test may write in the page's own."""
PUT_BACK = """async () => {
  document.activeElement?.blur();
  for (const late of document.querySelectorAll("#gnet-says, #gnet-lost[hidden]")) late.remove();
  history.replaceState(history.state, "", location.pathname);
  gnet.show("explore", false);
  Object.assign(gnet.state, kept.state());
  gnet.state.whole = gnet.state.answer;
  gnet.tell(Object.keys(gnet.state));
  scrollTo(0, 0);
  const frame = () => new Promise(requestAnimationFrame);
  await frame().then(frame);
  const body = document.body.cloneNode(true);
  for (const tracker of body.querySelectorAll("[data-testid=status-tracker]")) tracker.remove();
  return (kept.body ??= body).isEqualNode(body);
}"""
GO = """(query) => {
  history.replaceState(history.state, "", location.pathname + query);
  dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
}"""


@dataclass
class Lent:
    """An opened page and its ends."""

    address: str
    viewer: Viewer
    ends: ExitStack


class Looked:
    """Pages that are open, by how they were opened."""

    def __init__(self, tabs: Tabs) -> None:
        self.tabs = tabs
        self.open: dict[str, Lent] = {}

    def at(self, address: str, query: str, size: dict, **options: Any) -> Viewer:
        """A page as it was opened; one in which anything else is seen is loaded anew."""
        for name, lent in list(self.open.items()):
            if lent.address != address:
                self._close(name)
        name = repr(sorted(options.items()))
        if name in self.open and not self._put_back(self.open[name].viewer):
            self._close(name)
        if name not in self.open:
            self.open[name] = self._load(address, options)
            self._settle(self.open[name].viewer)
        viewer = self.open[name].viewer
        for noted in (viewer.asked, viewer.errors, viewer.strangers):
            noted.clear()
        viewer.page.set_viewport_size(size)
        if query:
            viewer.page.evaluate(GO, query)
        return viewer

    def close(self) -> None:
        for name in list(self.open):
            self._close(name)

    def _load(self, address: str, options: dict[str, Any]) -> Lent:
        ends = ExitStack()
        page = ends.enter_context(self.tabs.borrowed(viewport=DESK, **options))
        viewer = Viewer(page)
        ends.enter_context(viewer.noting(address))
        page.goto(address)
        page.wait_for_selector("html.gnet-ready")
        page.wait_for_function(f"{DRAWN} && {AT_REST}")
        page.evaluate(KEEP)
        return Lent(address, viewer, ends)

    def _settle(self, viewer: Viewer) -> None:
        """Put the page back until it looks the same twice: maps may still be on their way."""
        for _ in range(20):
            self._put_back(viewer)
            if self._put_back(viewer):
                return
            viewer.page.evaluate("kept.body = null")

    def _put_back(self, viewer: Viewer) -> bool:
        viewer.page.mouse.move(0, 0)
        viewer.page.set_viewport_size(DESK)
        viewer.page.wait_for_function(AT_REST)
        return viewer.page.evaluate(PUT_BACK)

    def _close(self, name: str) -> None:
        self.open.pop(name).ends.close()


@pytest.fixture(scope="session")
def kept_pages(tabs: Tabs) -> Iterator[Looked]:
    """The pages that tests of all files look at."""
    looked = Looked(tabs)
    yield looked
    looked.close()


@pytest.fixture
def look(server: Server, kept_pages: Looked) -> Callable[..., Viewer]:
    """Shows the page at an address as `visit` does, but loads it only if no such page is open."""

    def look_at(query: str = "", size: dict = DESK, **options: Any) -> Viewer:
        return kept_pages.at(server.address, query, size, **options)

    return look_at


def at_each(page: Any, sizes: Sequence[dict], measure: str) -> dict[tuple[int, int], float]:
    """What a script measures at each size of the window, by its width and the measure's place."""
    found = {}
    for size in sizes:
        page.set_viewport_size(size)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        for place, value in enumerate(page.evaluate(measure)):
            found[size["width"], place] = value
    return found
