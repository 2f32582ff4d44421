"""Each state of the page breaks no rule of axe: at the desk in light, on a phone in dark."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from gnet.network.model import GoogLeNet
from gnet.serving.limits import RunLimits
from gnet.serving.measuring import Measuring
from gnet.serving.networks.offered import NetworkOffers
from gnet.serving.networks.own import OwnNetworks
from gnet.serving.run_card import RunCard, write_card
from gnet.serving.run_review import review_run
from gnet.serving.runs import Runs
from support import pretend_measuring
from support.folders import picture, zipped
from support.looking import AT_REST, DRAWN, GO
from support.pages import DESK, PHONE, Server, on_a_free_port
from support.told_runs import Told, config, started, step
from support.training_runs import run, tiny

REVIEWED = "reviewed" + "1" * 14
SHARP = """() => Promise.all(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
  .filter((one) => !one.effect.target.matches(".toast-body .timer")) // how long it will stay
  .map((one) => one.finished.catch(() => null)))"""
"""Waits until nothing fades in or out any more."""
ASKED: dict[str, Any] = {
    "resultTypes": ["violations"],  # else it writes down each rule that was kept
    "rules": {"target-size": {"enabled": True}},  # off by default, though WCAG 2.2 asks for it
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Runs by what they are: reviewed, under way, ended; and their folder."""
    folder = tmp_path_factory.mktemp("runs")
    run(tiny(per_class=20, epochs=1), folder / REVIEWED)
    write_card(folder / REVIEWED, RunCard(name="reviewed", experiment="", owner="", created=0))
    review_run(folder / REVIEWED)
    runs = Told(folder)
    under_way = config(gradients_every=2)
    said = [started(under_way), *(step(under_way, at) for at in range(1, 9))]
    yield {
        "folder": str(folder),
        "reviewed": REVIEWED,
        "ended": runs.put("ended", config()),
        "under way": runs.put("under way", under_way, said, live=True),
    }
    runs.end()


@pytest.fixture(scope="module")
def server(
    gradio_environment: None, page_model: GoogLeNet, told: dict[str, str], tmp_path_factory: Any
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("own")
    runs = Runs(told["folder"], RunLimits(uploads=folder / "zips"))
    known = Measuring(lambda: 0, command=pretend_measuring.COMMAND)
    offers = NetworkOffers(own=OwnNetworks(folder / "networks"))
    with on_a_free_port(page_model, runs, known, offers) as address:
        yield Server(address=address, explorer=None)


class Looker:
    """A page that goes from state to state, and what axe finds in each."""

    def __init__(self, page: Page, told: dict[str, str], folder: Path) -> None:
        self.page, self.told, self.folder = page, told, folder
        self.found: dict[str, list[tuple[str, str]]] = {}

    def go(self, query: str, until: str = DRAWN) -> None:
        """Go to an address as the browser's arrows do, and wait until all of it is there."""
        self.page.evaluate(GO, query)
        self.page.wait_for_function(f"{until} && {AT_REST}")

    def look(self, state: str, *parts: str) -> None:
        """Ask axe about the whole page, or about the parts that this state changes."""
        self.page.evaluate(SHARP)
        only = {"include": [[part] for part in parts]} if parts else None
        broken = Axe().run(self.page, only, ASKED).response["violations"]
        if broken:
            self.found[state] = [(one["id"], one["nodes"][0]["html"][:150]) for one in broken]

    def heighten(self) -> None:
        """Make the window as high as the page: the start button sticks over no other part."""
        self.page.set_viewport_size({"width": self.page.evaluate("innerWidth"), "height": 4000})

    def press(self, selector: str) -> Any:
        one = self.page.locator(selector).first
        one.click()
        return one

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The server takes its time for what is asked meanwhile."""
        held: list[Route] = []
        self.page.route("**/queue/join*", lambda route: held.append(route))
        yield
        for route in held:
            route.continue_()
        self.page.unroute("**/queue/join*")


def explore(seen: Looker) -> None:
    page = seen.page
    seen.look("explore")
    page.locator("#belief .readers [data-reader=main]").click()
    seen.look("explore, one head", "#belief")
    dialogs = {
        "classes": "#header .known",
        "glossary": "#header .words",
        "views to save": "#header .save",
        "networks": "#header .network",
        "examples": "#picture .all",
    }
    for name, button in dialogs.items():
        seen.press(button)
        expect(page.locator("dialog[open]")).to_be_visible()
        seen.look(name, "dialog[open]")
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator(".term").first.focus()
    expect(page.locator("#gnet-says")).to_be_visible()
    seen.look("a word explained", "#gnet-says")
    seen.press("[data-account]")
    expect(page.locator("#account td button")).to_have_count(36)
    seen.press("[data-weigh]")
    expect(page.locator("#worth td button").first).to_be_visible()
    page.wait_for_function(AT_REST)
    seen.look("what 36 branches add and lose", "#account", "#worth")
    seen.go("?picture=cat&class=unicorn&channel=9x9.1")
    seen.look("an address that names nothing")
    page.set_input_files(
        "#picture input[type=file]",
        [{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}],
    )
    expect(page.locator(".toast-body")).to_have_css("opacity", "1")  # it fades in
    seen.look("a refused picture", ".toast-body", "#picture")
    page.route("**/healthz", lambda route: route.abort())
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#gnet-lost")).to_be_visible()
    seen.look("a server that is away", "#gnet-lost")


def waiting(seen: Looker) -> None:
    page = seen.page
    with seen.waiting():
        page.evaluate("gnet.choose({ channel: '3x3.5' })")
        expect(page.locator("#channel .panel")).to_be_visible()
        seen.look("a channel waited for", "#channel")
    expect(page.locator("#channel .dim")).to_have_count(0)
    seen.look("a channel", "#channel")
    with seen.waiting():
        page.evaluate("gnet.choose({ channel: '3x3.6' })")
        expect(page.locator("#channel .dim").first).to_be_visible()
        seen.look("the next channel waited for", "#channel")
    expect(page.locator("#channel .dim")).to_have_count(0)
    with seen.waiting():
        page.evaluate("gnet.choose({ channel: '3x3' })")
        expect(page.locator("#channels .panel")).to_be_visible()
        seen.look("all channels waited for", "#channels")
    expect(page.locator("#channels .dim")).to_have_count(0)
    seen.look("all channels", "#channels")
    page.evaluate("gnet.choose({ channel: null })")
    with seen.waiting():
        seen.press("#branches [data-branch='3x3'] [data-switch]")
        expect(page.locator("#switches .dim")).to_have_count(1)
        seen.look("a switch waited for")
    page.wait_for_function("gnet.state.answer.switched")
    seen.look("a switched branch")
    with seen.waiting():
        page.evaluate("gnet.choose({ switches: '3a/3x3=0,4b/pool=mean' })")
        expect(page.locator("#switches .dim")).to_have_count(1)
        seen.look("a second switch waited for", "#switches", "#belief")
    page.wait_for_function("gnet.state.answer.switched?.switches['4b/pool']")
    page.evaluate("gnet.switching.reset()")
    with seen.waiting():
        page.locator("#picture [data-example=coffee]").first.click()
        expect(page.locator("html.waiting-answer, .waiting-answer").first).to_be_attached()
        seen.look("a picture waited for")
    page.wait_for_function(AT_REST)
    seen.press("[data-account]")
    expect(page.locator("#account td button")).to_have_count(36)
    with seen.waiting():
        page.locator("#belief button[data-class]").nth(2).click()
        expect(page.locator("#account .dim").first).to_be_attached()
        seen.look("reasons for another class waited for", "#account", "#reason")
    page.wait_for_function(AT_REST)


def lab(seen: Looker) -> None:
    page = seen.page
    with seen.waiting():
        seen.go("?tab=branches&beside=picture:cat", "true")
        seen.look("the Branch lab, one side waited for")
    expect(page.locator("#branches-beside td[data-cell]")).to_have_count(36)
    seen.press("#branches-scales .measure")
    expect(page.locator("#branches-scales .all")).to_be_visible()
    seen.press("#branches-predict .next")
    expect(page.locator("#branches-predict .choices button").first).to_be_visible()
    seen.look("the Branch lab with a guess", "#branches-tab")
    seen.press("#branches-predict .choices button")
    expect(page.locator("#branches-predict [data-fall]").first).to_be_visible()
    seen.press("#branches-switchboard [data-cell='3a/3x3']")
    page.wait_for_function("gnet.state.answer.switched")
    seen.look("the Branch lab with a guess answered and a switch")
    with seen.waiting():
        seen.press("#branches-switchboard [data-cell='4b/5x5']")
        page.locator("#branches-beside select").select_option("class:cat")
        expect(page.locator("#branches-tab .dim").first).to_be_attached()
        seen.look("the Branch lab, both waited for", "#branches-tab")
    page.wait_for_function(AT_REST)


def depth(seen: Looker) -> None:
    seen.go("?tab=depth", "gnet.over.ready() !== null")
    seen.look("Depth")
    seen.page.locator("#depth-agreement td[data-pair]").nth(1).click()
    seen.look("Depth, two compared", "#depth-agreement")


def reasons(seen: Looker) -> None:
    page = seen.page
    seen.go("?tab=why&picture=cat&method=grad-cam", "true")
    page.evaluate("gnet.why.possible() && gnet.why.answered || gnet.why.tell('gnet-explain')")
    expect(page.locator("#why-map article")).to_have_count(1)
    expect(page.locator("#why-curves article")).to_have_count(1)
    seen.look("Why with a map")
    ask = page.get_by_role("button", name="Draw all maps")
    expect(ask).to_be_enabled()
    ask.click()
    expect(page.locator("#why-branches .grid button")).to_have_count(36)
    seen.look("Why with the maps of 36 branches", "#why-branches")
    with seen.waiting():
        page.locator("#why-methods .methods label:has(span:text-is('Saliency'))").click()
        expect(page.locator("#why-map .dim")).to_have_count(1)
        seen.look("Why with a second map waited for", "#why-map")
        page.evaluate("gnet.ask(3)")
        expect(page.locator("#why-branches .dim")).to_have_count(1)
        seen.look("Why about another class waited for", "#why-tab")


def architecture(seen: Looker) -> None:
    page = seen.page
    with seen.waiting():
        seen.go("?tab=architecture", "true")
        seen.look("Architecture waited for")
    expect(page.locator("#architecture-module .one")).to_have_count(3)
    expect(page.locator("#architecture-weights li").first).to_be_visible()
    seen.look("Architecture")
    seen.press("[data-row='inception4d']")
    seen.look("Architecture, one row open", "#architecture-module")
    with seen.waiting():
        seen.press("[data-preset='torchvision']")
        expect(page.locator("#architecture-tab .dim").first).to_be_attached()
        seen.look("another network waited for", "#architecture-tab")
    expect(page.locator("#architecture-plan h2")).to_have_text("torchvision")


def light(seen: Looker) -> None:
    page = seen.page
    seen.press("#picture .touch")
    page.wait_for_function("gnet.state.light === 'touch'")
    seen.look("paint", "#picture", "#touch")
    page.keyboard.press("Escape")
    page.wait_for_function("gnet.state.light === null")
    seen.press("#picture .camera")
    page.wait_for_function("gnet.state.light === 'camera' && gnet.state.answer.frame")
    seen.look("camera", "#picture", "#camera")
    seen.press("#camera .stop")
    page.evaluate(
        "void (navigator.mediaDevices.getUserMedia = () => "
        "Promise.reject(new DOMException('', 'NotAllowedError')))"
    )
    seen.press("#picture .camera")
    expect(page.locator("#picture .hint")).to_contain_text("no camera")
    seen.look("no camera", "#picture")


def lessons(seen: Looker) -> None:
    page = seen.page
    seen.press("#header .lessons")
    page.locator("#lesson [data-do='open']").first.wait_for()
    seen.look("lessons")
    for name in ("what-a-branch-sees", "which-branch-matters", "early-and-late"):
        page.locator(f"#lesson [data-do='open'][data-lesson='{name}']").click()
        expect(page.locator("#lesson .question")).to_be_visible()
        seen.look(f"lesson {name}", "#lesson")
        page.locator("#lesson [data-do='list']").last.click()
    seen.go("?lesson=early-and-late&step=6")
    seen.press("#lesson [data-do='check']")
    expect(page.locator("#lesson .verdict .right, #lesson .verdict .wrong")).to_be_visible()
    seen.look("a lesson's question answered", "#lesson")
    seen.press("#lesson [data-do='sheet']")
    expect(page.locator("#worksheet")).to_contain_text("right")
    seen.look("a worksheet")


def train(seen: Looker) -> None:
    page = seen.page
    seen.heighten()
    seen.go("?tab=train", "true")
    expect(page.locator("#start")).to_contain_text("about 9 s")
    seen.look("Train")
    for title in ("The network", "How it learns", "First weights"):
        page.get_by_role("button", name=title).click()
    page.locator("#form-start").wait_for()
    seen.look("the form open")
    field = page.locator("#form-epochs input[type=number]")
    field.fill("-1")
    expect(page.locator("#form-epochs .form-said")).to_contain_text("allowed are")
    seen.look("a refused value", "#form-epochs", "#train-check")
    field.fill("3")
    files = {f"{name}/{i}.png": picture(40 * i) for name in ("cat", "dog") for i in range(6)}
    files["dog/notes.txt"] = b"no picture"
    page.set_input_files("#train-data input[type=file]", zipped(seen.folder / "p.zip", files))
    expect(page.locator("#train-preview .counts .number")).to_have_count(2)
    seen.look("pictures looked at", "#train-preview", "#train-data")
    with seen.waiting():
        seen.press("#train-data .look")
        seen.look("pictures looked at once more, waited for", "#train-preview")
    page.set_input_files(
        "#train-data input[type=file]",
        [{"name": "p.zip", "mimeType": "application/zip", "buffer": b"no zip"}],
    )
    expect(page.locator("#train-data .trouble")).not_to_be_empty()
    seen.look("a refused zip", "#train-data")


def runs(seen: Looker) -> None:
    page = seen.page
    seen.heighten()
    for name in ("under way", "ended"):
        seen.go(f"?tab=train&run={seen.told[name]}", "gnet.train.shown()?.run")
        expect(page.locator("#train-bar .name")).to_contain_text(name)
        page.wait_for_function("gnet.train.shown().x.length > 1")
        seen.look(f"a run {name}")
    seen.go(f"?tab=train&run={'a' * 22}", "true")
    expect(page.locator("#train-bar .facts")).to_contain_text("no such run")
    seen.look("no such run", "#train-bar")
    seen.go(f"?tab=train&run={REVIEWED}", "true")
    page.wait_for_selector("#review-pictures .see")
    seen.look("a review")
    seen.press("#review-pictures [data-right=false]")
    page.wait_for_function("gnet.review.state.chosen.right === false")
    seen.look("a review, wrong answers", "#review-pictures")


STATES = (explore, waiting, lab, depth, reasons, architecture, light, lessons, train, runs)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("states", STATES, ids=lambda states: states.__name__)
def test_no_accessibility_rule_is_broken(
    states: Callable[[Looker], None],
    scheme: str,
    visit: Any,
    told: dict[str, str],
    tmp_path: Path,
) -> None:
    size = DESK if scheme == "light" else PHONE
    page = visit(size=size, color_scheme=scheme, reduced_motion="reduce").page
    page.wait_for_function(f"{DRAWN} && {AT_REST}")
    seen = Looker(page, told, tmp_path)
    states(seen)
    page.unroute_all(behavior="ignoreErrors")
    assert seen.found == {}
