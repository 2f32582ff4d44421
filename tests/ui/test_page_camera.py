"""The live camera: explored continuously, frozen with a key, and not there without a camera."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gnet.answers.examples import FOLDER
from support.browser_tabs import ARGUMENTS, PATIENCE
from support.camera import write_film
from support.pages import DESK, PHONE, Server

SCENES = {"boots": "shoe", "coffee": "espresso"}
COUNT = 12
RATE = """async (count) => {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    await new Promise((drawn) => {
      const heard = ({ detail }) => {
        if (!detail.has("answer")) return;
        document.removeEventListener("gnet", heard);
        drawn();
      };
      document.addEventListener("gnet", heard);
    });
  }
  return (performance.now() - start) / count / 1000;
}"""
SEEN = """() => {
  const sample = () => {
    const { answer, stage } = gnet.state;
    if (!answer.frame || answer.stage !== stage) return;
    window.seen.push({
      top: gnet.state.network.classes[answer.heads.main.top[0]],
      maps: gnet.branches().map((b) => answer.stages[stage].branches[b].map.data).join(),
      shares: Object.values(answer.stages)
        .flatMap((s) => gnet.branches().map((b) => s.branches[b].share)).join(),
      depth: JSON.stringify(Object.values(answer.depth.stages).map((s) => s.top[0])),
    });
  };
  window.seen = [];
  document.addEventListener("gnet", ({ detail }) => detail.has("answer") && sample());
}"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = []
    for scene in SCENES:
        with Image.open(FOLDER / f"{scene}.jpg") as picture:
            square = picture.convert("RGB").resize((240, 240))
        wide = Image.new("RGB", (320, 240))
        wide.paste(square, (40, 0))
        pictures.append(wide)
    return write_film(tmp_path_factory.mktemp("film") / "film.y4m", pictures)


@pytest.fixture(scope="module")
def filmed(server: Server, browser: Any, chromium: str, film: Path) -> Iterator[Callable[..., Any]]:
    """Opens the page in a browser whose camera plays the film."""
    arguments = [*ARGUMENTS, f"--use-file-for-fake-video-capture={film}"]
    own = browser.browser_type.launch(executable_path=chromium, args=arguments)

    @contextmanager
    def opened(size: dict = DESK, **options: Any) -> Iterator[Page]:
        context = own.new_context(viewport=size, **options)
        context.grant_permissions(["camera"], origin=server.address.rstrip("/"))
        context.set_default_timeout(PATIENCE)
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.goto(f"{server.address}?module=4b")
        page.wait_for_selector("html.gnet-ready")
        yield page
        assert errors == []
        context.close()

    yield opened
    own.close()


def film_on(page: Page) -> None:
    page.locator("#picture .camera").click()
    page.wait_for_function("gnet.state.answer.frame")


def test_the_camera_is_explored_continuously_and_frozen_with_a_key(filmed, timed) -> None:
    with filmed() as page:
        page.evaluate(SEEN)
        film_on(page)
        expect(page.locator("#camera .hint")).to_contain_text("never stored and never logged")
        for scene in SCENES.values():
            page.wait_for_function("scene => seen.some(({ top }) => top === scene)", arg=scene)
        for part in ("maps", "shares", "depth"):
            page.wait_for_function(f"new Set(seen.map((one) => one.{part})).size > 1")
        timed("a camera's answer to the next", page.evaluate(RATE, COUNT))
        expect(page.locator("#camera .rate")).to_contain_text("answers a second")
        page.locator("#diagram [data-stage='5a']").click()
        page.wait_for_function("gnet.state.answer.stage === '5a'")
        page.keyboard.press("f")
        page.wait_for_function("gnet.state.light === null")
        assert page.evaluate("gnet.state.answer.name") == "camera picture"
        assert page.evaluate("gnet.state.stage") == "5a"
        top = page.evaluate("gnet.state.answer.heads.main.top[0]")
        assert page.evaluate("gnet.state.network.classes")[top] in page.evaluate(
            "seen.map(({ top }) => top)"
        )
        page.locator("#branches [data-branch='3x3'] [data-switch]").click()  # with everything else
        page.wait_for_function("gnet.state.answer.switched !== undefined")


def test_what_is_frozen_is_what_was_answered_last(filmed) -> None:
    with filmed() as page:
        film_on(page)
        page.evaluate(
            """() => document.addEventListener("gnet-give", () => {
              window.last = JSON.stringify(gnet.state.answer.heads.main.probabilities);
            })"""
        )
        page.locator("#camera .freeze").click()
        page.wait_for_function("gnet.state.light === null")
        same = "JSON.stringify(gnet.state.answer.heads.main.probabilities) === last"
        assert page.evaluate(same)
        assert page.evaluate("gnet.state.answer.picture.box.slice(0, 2)") == [0, 0]


def test_one_frame_is_on_its_way_and_the_camera_stops_when_it_is_left(filmed) -> None:
    with filmed() as page:
        page.evaluate(
            """() => { window.most = 0; let now = 0; const own = window.fetch;
              window.fetch = async (...given) => {
                if (!String(given[0]).startsWith("frame?")) return own(...given);
                window.most = Math.max(window.most, ++now);
                try { return await own(...given); } finally { now--; }
              };
              const media = navigator.mediaDevices;
              const real = media.getUserMedia.bind(media);
              media.getUserMedia = async (...what) => (window.film = await real(...what));
            }"""
        )
        live = "film.getTracks().some((track) => track.readyState === 'live')"
        film_on(page)
        page.evaluate(RATE, 5)
        assert page.evaluate("most") == 1
        assert page.evaluate(live)
        page.locator("#camera .stop").click()
        expect(page.locator("#picture .camera")).to_be_focused()
        assert page.evaluate("gnet.state.answer === gnet.state.whole") and not page.evaluate(live)
        film_on(page)
        page.get_by_role("link", name="Branch lab").click()
        page.wait_for_function(f"gnet.state.light === null && !({live})")


def test_a_server_that_is_away_is_said_and_the_camera_goes_on_when_it_is_back(filmed) -> None:
    with filmed() as page:
        film_on(page)
        page.evaluate(
            """() => {
              window.real = fetch;
              window.fetch = (...given) => String(given[0]).startsWith("frame?")
                ? Promise.reject(new Error("away")) : real(...given);
            }"""
        )
        expect(page.locator("#camera .trouble")).to_contain_text("not reachable")
        page.evaluate("() => { window.fetch = window.real; }")
        expect(page.locator("#camera .trouble")).to_be_empty()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_camera_fits_a_phone(filmed, scheme: str) -> None:
    with filmed(PHONE, has_touch=True, is_mobile=True, color_scheme=scheme) as page:
        film_on(page)
        expect(page.locator("#camera canvas")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "NotAllowedError",
            "does not allow the camera",
        ),
        (
            "NotFoundError",
            "no camera that the browser can open",
        ),
    ],
)
def test_a_camera_that_cannot_be_opened_is_a_sentence(visit, name: str, words: str) -> None:
    page = visit().page
    page.evaluate(
        """(name) => {
          const refused = () => Promise.reject(new DOMException("no", name));
          navigator.mediaDevices.getUserMedia = refused;
        }""",
        name,
    )
    page.locator("#picture .camera").click()
    expect(page.locator("#picture .camera")).to_be_hidden()
    page.get_by_text("no camera", exact=True).hover()
    expect(page.get_by_role("tooltip")).to_contain_text(words)
    assert page.evaluate("gnet.state.light") is None


def test_a_device_without_a_camera_has_no_button_for_one(server: Server, browser) -> None:
    page = browser.new_page(viewport=DESK)
    page.add_init_script("navigator.mediaDevices.enumerateDevices = async () => []")
    page.goto(server.address)
    page.wait_for_selector("html.gnet-ready")
    expect(page.locator("#picture .camera")).to_be_hidden()
    expect(page.get_by_text("no camera", exact=True)).to_be_visible()
    row = page.locator("#branches .row").bounding_box()
    assert row["y"] + row["height"] <= DESK["height"], "the sentence makes nothing longer"
    page.close()
