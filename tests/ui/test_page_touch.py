"""The picture touched with a brush, and a pad to draw on: the page answers while it is painted."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from gnet.answers.explorer import Explorer
from gnet.answers.picture_input import picture_of
from gnet.network.model import GoogLeNet
from support.pages import DESK, PHONE, photo

ANSWERED = "gnet.state.answer.frame && !gnet.state.waiting.answer"
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
PIXELS = """async (source) => {
  const image = source ? Object.assign(new Image(), { src: source }) : null;
  await image?.decode();
  let canvas = document.querySelector("#touch canvas");
  if (image) {
    canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
  }
  return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
}"""
TOUCH = {"size": PHONE, "has_touch": True, "is_mobile": True}


def touch(page: Page) -> Any:
    page.locator("#picture .touch").click()
    page.wait_for_function("gnet.state.light === 'touch'")
    return page.locator("#touch canvas")


def stroke(page: Page, *points: tuple[float, float]) -> None:
    """Paint through points that are given as parts of the square."""
    box = page.locator("#touch canvas").bounding_box()
    assert box
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def painted(page: Page, act: Any) -> None:
    """Do something to the square, and wait until the answer to its newest state is drawn."""
    page.evaluate("gnet.state.answer.frame = null")
    act()
    page.evaluate(PAINTED)
    page.wait_for_function(ANSWERED)
    same = """async () => {
      const { frame } = gnet.state.answer;
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [frame.bitmap.width, frame.bitmap.height];
      const context = canvas.getContext("2d");
      context.drawImage(frame.bitmap, 0, 0);
      const own = document.querySelector("#touch canvas").getContext("2d");
      const size = [0, 0, canvas.width, canvas.height];
      const [a, b] = [context, own].map((c) => c.getImageData(...size).data);
      return a.every((value, at) => value === b[at]);
    }"""
    page.wait_for_function(same)


def pixels(page: Page, source: str | None = None) -> np.ndarray:
    values = np.array(page.evaluate(PIXELS, source), np.uint8).reshape(-1, 4)
    assert (values[:, 3] == 255).all()
    side = round(len(values) ** 0.5)
    return values[:, :3].reshape(side, side, 3)


def test_a_stroke_moves_the_belief_and_the_square_stays_exact(visit, timed) -> None:
    viewer = visit("?picture=cat&module=4b")
    page = viewer.page
    page.wait_for_function("gnet.state.answer.example === 'cat' && !gnet.state.waiting.answer")
    original = pixels(page, viewer.state("answer.picture.square"))
    before = viewer.state("whole.heads.main.probabilities")
    touch(page)
    assert (pixels(page) == original).all(), "nothing was lost on the way"
    page.locator("#touch [data-name=mean]").click()
    page.locator("#touch [data-name=large]").click()
    painted(page, lambda: stroke(page, (0.2, 0.3), (0.8, 0.35), (0.5, 0.7)))
    changed = pixels(page)
    touched = (changed != original).any(2)
    assert 0.1 < touched.mean() < 0.9, "what no brush has met is as it was"
    mean = original.reshape(-1, 3).mean(0)
    inside = changed[int(0.33 * len(changed)), len(changed) // 2]
    assert np.abs(inside - mean).max() <= 1
    after = viewer.state("answer.heads.main.probabilities")
    assert after != before
    expect(page.locator("#touch .most")).to_contain_text("What changed most: ")
    expect(page.locator("#touch .moved tbody tr").first).to_contain_text("→")
    expect(page.locator("#touch .hint")).to_contain_text("not trained on blurred or grey")
    assert page.locator("#diagram .lane").count() == 36
    viewer.explored(page.locator("#touch .use").click)
    assert viewer.state("light") is None and viewer.state("answer.name") == "a cat, painted on"
    assert viewer.state("answer.picture.box") == [0, 0, len(original)]
    assert (pixels(page, viewer.state("answer.picture.square")) == changed).all()
    assert viewer.state("answer.heads.main.probabilities") == after
    page.locator("#branches [data-branch='3x3'] [data-switch]").click()  # with everything else
    page.wait_for_function("gnet.state.answer.switched !== undefined")
    page.go_back()
    page.wait_for_function("gnet.state.answer.example === 'cat'")
    assert viewer.errors == [] and viewer.strangers == []


def test_a_photo_that_is_cut_is_touched_as_the_square_that_was_seen(
    visit, page_model: GoogLeNet
) -> None:
    viewer = visit()
    page = viewer.page
    viewer.explored(lambda: viewer.give("wide.jpg", photo(900, 500, 5)))
    touch(page)
    uploads = Path(os.environ["GRADIO_TEMP_DIR"])
    view = Explorer(page_model).view(picture_of(viewer.state("answer.given"), uploads))
    exact = view.pixels[0].mul(255).round().permute(1, 2, 0).numpy()
    assert (pixels(page) == exact).all()


def test_strokes_can_be_undone_turned_round_and_left(visit) -> None:
    viewer = visit("?switches=3a/3x3=0")
    page = viewer.page
    page.wait_for_function("gnet.state.answer.switched !== undefined")
    key = viewer.state("answer.key")
    touch(page)
    original = pixels(page)
    expect(page.locator("#touch .use")).to_be_disabled()
    page.locator("#touch .brushes [data-name=grey]").click()
    painted(page, lambda: stroke(page, (0.3, 0.3), (0.4, 0.3)))
    first = pixels(page)
    assert (first[int(0.3 * len(first)), int(0.35 * len(first))] == 127).all()
    painted(page, lambda: stroke(page, (0.7, 0.7), (0.8, 0.7)))
    painted(page, page.locator("#touch .undo").click)
    assert (pixels(page) == first).all()
    painted(page, page.locator("#touch .invert").click)
    turned = pixels(page)
    middle = int(0.3 * len(first)), int(0.35 * len(first))
    assert (turned[middle] == original[middle]).all() and (turned[-1, -1] == 127).all()
    painted(page, lambda: page.keyboard.press("Control+z"))
    assert (pixels(page) == first).all()
    page.locator("#touch .back").click()
    page.wait_for_function("gnet.state.light === null && gnet.state.answer.switched !== undefined")
    assert viewer.state("answer.key") == key and viewer.state("switches") == "3a/3x3=0"
    expect(page.locator("#picture .touch")).to_be_focused()
    assert viewer.errors == []


@pytest.mark.parametrize("way", ["Escape", "Done"])
def test_painting_is_left_by_escape_or_done_and_the_strokes_stay(visit, way) -> None:
    viewer = visit()
    page = viewer.page
    touch(page)
    expect(page.locator("#header .save")).to_be_disabled()
    painted(page, lambda: stroke(page, (0.3, 0.3), (0.6, 0.3)))
    changed = pixels(page)
    if way == "Escape":
        page.locator("body").press("Escape")
    else:
        page.get_by_role("button", name="Done", exact=True).click()
    page.wait_for_function("gnet.state.light === null")
    expect(page.locator("#picture .touch")).to_be_focused()
    expect(page.locator("#header .save")).to_be_enabled()
    touch(page)
    assert (pixels(page) == changed).all()
    assert viewer.errors == []


def test_what_is_being_painted_is_neither_linked_nor_saved_and_it_says_so(visit) -> None:
    viewer = visit()
    touch(viewer.page)
    for button in (".link", ".save"):
        viewer.page.locator(f"#header {button}").click(force=True)  # it says why it is off
        said = viewer.page.locator("#header .copied")
        expect(said).to_contain_text("Press “Use this picture” first")
        said.dispatch_event("pointerdown")
        expect(said).to_be_empty()
    expect(viewer.page.locator("dialog[open]")).to_have_count(0)
    assert viewer.errors == []


def test_a_phone_is_shown_no_keys_for_painting(visit) -> None:
    page = visit(**TOUCH).page
    touch(page)
    assert "Keys" not in page.locator("#touch .hint").inner_text()


def test_a_pad_is_drawn_on_by_keyboard_alone(visit) -> None:
    viewer = visit()
    page = viewer.page
    page.locator("#picture .touch").focus()
    page.keyboard.press("Enter")
    canvas = page.locator("#touch canvas")
    expect(canvas).to_be_focused()
    page.locator("#touch .grounds [data-name=white]").focus()
    painted(page, lambda: page.keyboard.press("Enter"))
    assert (pixels(page) == 255).all()
    canvas.focus()
    page.keyboard.down(" ")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    painted(page, lambda: page.keyboard.up(" ") or page.keyboard.press("z"))
    drawn = pixels(page)
    assert 0.01 < (drawn < 100).all(2).mean() < 0.2
    page.locator("#touch .use").focus()
    viewer.explored(lambda: page.keyboard.press("Enter"))
    assert viewer.state("answer.name") == "a drawing"
    assert (pixels(page, viewer.state("answer.picture.square")) == drawn).all()
    assert viewer.errors == []


def test_the_last_stroke_wins_and_no_stroke_waits_in_line(visit) -> None:
    viewer = visit()
    page = viewer.page
    touch(page)
    before = len(viewer.asked)
    at_once = """() => { window.most = 0; let now = 0; const own = window.fetch;
      window.fetch = async (...given) => {
        if (!String(given[0]).startsWith("frame?")) return own(...given);
        window.most = Math.max(window.most, ++now);
        try { return await own(...given); } finally { now--; }
      }; }"""
    page.evaluate(at_once)
    painted(page, lambda: stroke(page, *[(0.1 + 0.01 * i, 0.2 + 0.008 * i) for i in range(60)]))
    frames = [one for one in viewer.asked[before:] if "/frame?" in one]
    assert page.evaluate("most") == 1 and 1 <= len(frames) < 300
    page.locator("#diagram [data-stage='4c']").click()  # another module is asked for at once
    page.wait_for_function("gnet.state.answer.stage === '4c'")
    assert viewer.errors == []


def test_a_stroke_that_is_not_answered_says_so_and_the_next_one_is(visit) -> None:
    viewer = visit()
    page = viewer.page
    touch(page)
    page.route("**/frame?*", lambda route: route.abort())
    stroke(page, (0.3, 0.3), (0.4, 0.4))
    expect(page.locator("#touch .trouble")).to_contain_text("The server is not reachable")
    page.unroute("**/frame?*")
    painted(page, lambda: stroke(page, (0.6, 0.6), (0.7, 0.7)))
    expect(page.locator("#touch .trouble")).to_be_empty()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_panel_fits_a_phone_and_a_finger_paints_without_scrolling(visit, scheme: str) -> None:
    viewer = visit(**TOUCH, color_scheme=scheme)
    page = viewer.page
    canvas = touch(page)
    canvas.scroll_into_view_if_needed()
    before, box = page.evaluate("scrollY"), canvas.bounding_box()
    session = page.context.new_cdp_session(page)

    def finger(kind: str, *at: float) -> None:
        points = [{"x": box["x"] + at[0], "y": box["y"] + at[1]}] if at else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def swipe() -> None:
        finger("touchStart", 60, 250)
        for y in range(250, 50, -20):
            finger("touchMove", 60, y)
        finger("touchEnd")

    painted(page, swipe)
    assert page.evaluate("scrollY") == before
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = """() => [...document.querySelectorAll("#touch button")]
      .map((part) => part.getBoundingClientRect()).filter(({ height }) => height < 39.5).length"""
    assert page.evaluate(small) == 0
    assert viewer.errors == []


def test_at_a_desk_the_branches_follow_above_the_fold(visit) -> None:
    page = visit().page
    touch(page)
    bottom = "(row) => row.getBoundingClientRect().bottom"
    assert page.locator("#branches .row").evaluate(bottom) <= DESK["height"]
    assert page.locator("#touch .card").evaluate(bottom) <= DESK["height"]


def test_another_picture_or_tab_ends_it_and_the_strokes_are_kept(visit) -> None:
    viewer = visit()
    page = viewer.page
    touch(page)
    painted(page, lambda: stroke(page, (0.3, 0.3), (0.6, 0.6)))
    drawn = pixels(page)
    page.get_by_role("link", name="Branch lab").click()
    page.wait_for_function("gnet.state.light === null && gnet.state.tab === 'branches'")
    assert viewer.state("answer.key") == viewer.state("whole.key")
    page.go_back()
    touch(page)
    assert (pixels(page) == drawn).all()
    viewer.explored(lambda: viewer.give("new.jpg", photo(300, 300, 4)))
    assert viewer.state("light") is None and viewer.state("answer.name") == "new.jpg"
    expect(page.locator("#touch")).to_be_hidden()
    assert viewer.errors == []
