"""A page that several tests look at: it is loaded once, and put back between two of them.

To load the page takes most of what a small test of it takes. A test of what stands there, or of
what a choice changes, borrows one with `look`; a test that opens panels, tabs or pictures borrows
one with `reuse`; a test of the way there, or of what is asked only once, opens its own: `visit`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from support.browser_tabs import Tabs
from support.pages import DESK, Server, Viewer

DRAWN = "gnet.state.measured[gnet.state.stage] !== undefined"
AT_REST = (
    "!Object.values(gnet.state.waiting).some(Boolean)"
    " && !document.documentElement.className.includes('waiting')"
)
KEEP = """() => {
  const copy = (value) => {
    if (Array.isArray(value)) return value.map(copy);
    if (value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copy(part)]));
  };
  const { waiting, ...state } = copy(gnet.state);
  const stored = [localStorage, sessionStorage].map((store) => [store, { ...store }]);
  window.kept = { state: () => copy(state), history: history.state, stored };
}"""
"""Records and lists are kept as copies, so that a test may write in the page's own."""
LEAVE = """() => {
  if (document.querySelector("#touch button[data-name]")) {
    for (const part of [".back", "[data-name=medium]", "[data-name=blur]"]) {
      document.querySelector(`#touch ${part}`).click();
    }
  }
  for (const one of document.querySelectorAll("dialog[open]")) one.close();
  for (const one of document.querySelectorAll("[data-testid=toast-close]")) one.click();
  history.replaceState(kept.history, "", location.pathname);
  if (gnet.lessons.state.open) gnet.lessons.close();
  gnet.show("explore", false);
  gnet.plan.change({ preset: "", size: null, head: "", block: "" }, false);
  gnet.train?.state.over.clear();
  gnet.train?.choose({ run: null });
  const { given } = kept.state().answer;
  if (JSON.stringify(gnet.state.whole.given) === JSON.stringify(given)) return;
  gnet.reopen();
  document.dispatchEvent(new CustomEvent("gnet-return", { detail: given }));
}"""
"""Leaves what was opened; the server, too, is told which picture is shown again."""
PUT_BACK = """async (all) => {
  const first = document.querySelector("#diagram [data-stage]");
  first.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
  document.activeElement?.blur();
  for (const tile of document.querySelectorAll("#branches .tiles > *")) {
    tile.tabIndex = tile.previousElementSibling ? -1 : 0;
  }
  for (const late of document.querySelectorAll("#gnet-says, #gnet-lost[hidden]")) late.remove();
  for (const [store, held] of kept.stored) {
    store.clear();
    for (const [name, value] of Object.entries(held)) store.setItem(name, value);
  }
  history.replaceState(kept.history, "", location.pathname);
  Object.assign(gnet.state, kept.state());
  Object.assign(gnet.switching.steps, { key: null });
  gnet.state.whole = gnet.state.answer;
  gnet.tell(Object.keys(gnet.state));
  scrollTo(0, 0);
  const frame = () => new Promise(requestAnimationFrame);
  await frame().then(frame);
  const body = document.body.cloneNode(true);
  const clones = body.querySelectorAll("*");
  const hidden = [...document.body.querySelectorAll("*")].map((part) => !part.checkVisibility());
  for (const [i, part] of clones.entries()) {
    if (part.matches("[data-testid=status-tracker]") || (!all && hidden[i])) part.remove();
  }
  const root = document.documentElement;
  if (!root.dataset.hides) delete root.dataset.hides; // of a lesson
  const page = root.cloneNode(false);
  page.classList.remove("waiting-why"); // a map that was shown is asked for again
  delete page.dataset.runs; // for the Train tab, which has listed them
  page.append(body);
  return (kept.page ??= page).isEqualNode(page);
}"""
GO = """(query) => {
  const example = new URLSearchParams(query).get("picture");
  const state = example ? { given: { example } } : window.kept?.history ?? history.state;
  history.replaceState(state, "", location.pathname + query);
  dispatchEvent(new PopStateEvent("popstate", { state }));
}"""


@dataclass
class Lent:
    """An opened page and its ends."""

    address: str
    viewer: Viewer
    ends: ExitStack
    used: bool = False
    """Whether its hidden parts may hold what an earlier test has opened."""


class Looked:
    """Pages that are open, by how they were opened."""

    def __init__(self, tabs: Tabs) -> None:
        self.tabs = tabs
        self.open: dict[str, Lent] = {}

    def at(
        self, address: str, query: str, size: dict, used: bool = False, **options: Any
    ) -> Viewer:
        """A page as it was opened; one in which anything else is seen is loaded anew."""
        for name, lent in list(self.open.items()):
            if lent.address != address:
                self._close(name)
        if options.get("color_scheme") == "light":
            del options["color_scheme"]  # it is light without being told
        name = repr((used, sorted(options.items())))
        if name in self.open and not self._looks_the_same(self.open[name]):
            self._close(name)
        if name not in self.open:
            self.open[name] = self._load(address, used, options)
            self._settle(self.open[name])
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

    def _load(self, address: str, used: bool, options: dict[str, Any]) -> Lent:
        ends = ExitStack()
        page = ends.enter_context(self.tabs.borrowed(viewport=DESK, **options))
        viewer = Viewer(page)
        ends.enter_context(viewer.noting(address))
        page.goto(address)
        page.wait_for_selector("html.gnet-ready")
        page.wait_for_function(f"{DRAWN} && {AT_REST}")
        page.evaluate(KEEP)
        return Lent(address, viewer, ends, used)

    def _settle(self, lent: Lent) -> None:
        """Put the page back until it looks the same twice: maps may still be on their way."""
        for _ in range(20):
            self._put_back(lent)
            if self._put_back(lent):
                return
            lent.viewer.page.evaluate("kept.page = null")

    def _looks_the_same(self, lent: Lent) -> bool:
        """Once more where something that putting it back has asked for was still on its way."""
        return self._put_back(lent) or self._put_back(lent)

    def _put_back(self, lent: Lent) -> bool:
        page = lent.viewer.page
        if page.is_closed() or not page.evaluate("Boolean(window.kept)"):
            return False
        page.unroute_all(behavior="ignoreErrors")
        page.mouse.move(0, 0)
        page.set_viewport_size(DESK)
        page.evaluate(LEAVE)
        page.wait_for_function(AT_REST)
        return page.evaluate(PUT_BACK, not lent.used)

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


@pytest.fixture
def reuse(look: Callable[..., Viewer]) -> Callable[..., Viewer]:
    """As `look`, with a page whose hidden parts may hold what an earlier test opened in them."""
    return partial(look, used=True)


def at_each(page: Any, sizes: Sequence[dict], measure: str) -> dict[tuple[int, int], float]:
    """What a script measures at each size of the window, by its width and the measure's place."""
    found = {}
    for size in sizes:
        page.set_viewport_size(size)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        for place, value in enumerate(page.evaluate(measure)):
            found[size["width"], place] = value
    return found
