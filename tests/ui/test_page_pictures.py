"""Pictures given to the page in a real browser: every way in, and everything that goes wrong."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gnet.answers.recordings import Recordings
from support.pages import Server, huge_png, photo


def test_an_uploaded_photo_is_explored(visit, timed) -> None:
    viewer = visit()
    first = viewer.state("answer.key")
    for seed in range(5):
        content = photo(1024, 768, seed)
        timed(
            "upload to drawn, 1024×768 JPEG",
            viewer.explored(lambda c=content: viewer.give("a.jpg", c)),
        )
    assert viewer.state("answer.key") != first
    assert viewer.state("answer.name") == "a.jpg"
    assert viewer.state("answer.picture.width") / viewer.state(
        "answer.picture.height"
    ) == pytest.approx(4 / 3, 0.01)
    expect(viewer.page.locator("#picture [aria-pressed=true]")).to_have_count(0)
    assert viewer.errors == []


def test_a_photo_of_twelve_megapixels_is_explored(visit, timed) -> None:
    viewer = visit()
    for seed in range(3):
        content = photo(4000, 3000, seed)
        timed(
            "upload to drawn, 12 Mpx JPEG",
            viewer.explored(lambda c=content: viewer.give("b.jpg", c)),
        )
    assert viewer.state("answer.name") == "b.jpg"


HOSTILE = {
    "text.png": (b"just words\n" * 9, "is not a picture but text"),
    "cut.jpg": (photo(800, 600)[:9000], "damaged or cut-off JPEG"),
    "bomb.png": (huge_png(), "13000×13000 = 169.0 Mpx"),
    "photo.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "HEIC"),
    "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawing"),
    "nothing.png": (b"", "is empty"),
}


def test_hostile_pictures_are_answered_with_a_sentence_and_nothing_is_lost(visit, capfd) -> None:
    viewer = visit()
    page = viewer.page
    viewer.explored(lambda: viewer.give("good.jpg", photo(300, 200)))
    key = viewer.state("answer.key")
    for name, (content, words) in HOSTILE.items():
        viewer.give(name, content)
        refused(page, words)
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(33_000_000)], "heavy.jpg"));
          const input = document.querySelector("#picture input[type=file]");
          input.files = data.files;
          input.dispatchEvent(new Event("change", { bubbles: true }));
        }"""
    )
    refused(page, "33.0 MB; allowed are up to 32 MB")
    assert viewer.state("answer.key") == key
    expect(page.locator("#picture .square")).to_be_visible()
    page.locator("#belief .bars button").first.click()  # the picture meant is still the good one
    page.wait_for_function("gnet.reasons.of(gnet.method())?.key === gnet.state.answer.key")
    expect(page.locator("#reason .found")).to_have_class("found")
    assert page.evaluate("gnet.state.answer.name") == "good.jpg"
    assert "Traceback" not in capfd.readouterr().err


def refused(page: Page, words: str) -> None:
    """Wait for the toast with these words and put it away."""
    toast = page.get_by_test_id("toast-body")
    expect(toast).to_contain_text(words)
    assert "Traceback" not in toast.inner_text() and "gnet-" not in toast.inner_text()
    page.wait_for_function("!gnet.state.waiting.answer")
    title = toast.locator(".toast-title").bounding_box()
    assert title, "a click on it goes through: it would fold the sentence away"
    under = "({ x, y }) => document.elementFromPoint(x + 1, y + 1).closest('.toast-header')"
    assert page.evaluate(under, title) is None
    page.get_by_test_id("toast-close").click()
    expect(toast).to_have_count(0)


def test_a_picture_that_was_deleted_is_asked_for_again(visit, monkeypatch) -> None:
    viewer = visit()
    page = viewer.page
    viewer.explored(lambda: viewer.give("old.jpg", photo(200, 160, 7)))
    page.wait_for_function("gnet.state.measured['3a'] !== undefined")
    for path in Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*.jpg"):
        path.unlink()
    page.locator("#belief .bars button").first.click()
    refused(page, "give it once more")
    page.locator("#diagram [data-stage='3b']").click()  # from what is kept in memory
    page.wait_for_function("gnet.state.measured['3b'] !== undefined")
    monkeypatch.setattr(Recordings, "find", lambda *_: None)  # an hour later
    page.locator("#diagram [data-stage='4b']").click()
    expect(page.get_by_test_id("toast-body")).to_contain_text("give it once more")
    expect(page.locator("#branches .sees").first).to_contain_text("Not measured")
    expect(page.locator("#branches .say")).to_contain_text("In 4b")
    monkeypatch.undo()
    viewer.explored(lambda: page.locator("[data-example=coarse-dots]").first.click())
    assert viewer.errors == []


def test_a_folder_that_is_dropped_is_answered_with_a_sentence(visit) -> None:
    page = visit().page
    page.evaluate(
        """() => {
          const entry = { isDirectory: true, name: "holiday <b>" };
          const dataTransfer = { types: ["Files"], files: [new File([], "holiday")],
            items: [{ webkitGetAsEntry: () => entry }] };
          const drop = new Event("drop", { bubbles: true, cancelable: true });
          document.body.dispatchEvent(Object.assign(drop, { dataTransfer }));
        }"""
    )
    refused(page, "'holiday <b>' is a folder; drop one picture")


def test_an_address_or_two_files_on_the_picture_are_answered_with_a_sentence(visit) -> None:
    viewer = visit()
    page, words = viewer.page, viewer.page.locator("#picture .words")
    key = viewer.state("answer.key")
    drop = """([kinds, place]) => {
      const data = new DataTransfer();
      for (const kind of kinds) {
        if (kind === "file") data.items.add(new File(["x"], "a.jpg", { type: "image/jpeg" }));
        else data.setData(kind, "https:" + "//example.org/x.jpg");
      }
      const options = { bubbles: true, cancelable: true, dataTransfer: data };
      const over = new DragEvent("dragover", options), drop = new DragEvent("drop", options);
      for (const event of [over, drop]) document.querySelector(place).dispatchEvent(event);
      return [over.defaultPrevented, drop.defaultPrevented];
    }"""
    for kind in ("text/uri-list", "text/plain"):
        assert page.evaluate(drop, [[kind], "#picture .view"]) == [True, True]
        expect(words).to_contain_text("Drop the picture’s file, not its address")
    assert page.evaluate(drop, [["file", "file"], "#picture .view"]) == [True, True]
    expect(words).to_contain_text("2 files were given; give one picture.")
    assert page.evaluate(drop, [["text/plain"], "#why"]) == [False, False]  # a field takes texts
    assert viewer.state("answer.key") == key and viewer.errors == []


def test_two_viewers_never_see_each_others_picture(visit) -> None:
    one, two = visit(), visit()
    shared = one.state("answer.key")
    one.explored(lambda: one.give("mine.jpg", photo(400, 300, 1)))
    two.explored(lambda: two.give("yours.jpg", photo(400, 300, 2)))
    keys = {shared, one.state("answer.key"), two.state("answer.key")}
    assert len(keys) == 3
    one.page.locator("#belief .bars button").first.click()
    one.page.wait_for_function("gnet.reasons.of(gnet.method())?.key === gnet.state.answer.key")
    expect(one.page.locator("#reason .found")).to_have_class("found")
    assert [one.state("answer.name"), two.state("answer.name")] == ["mine.jpg", "yours.jpg"]


def test_the_square_is_moved_by_mouse_and_by_keyboard(visit) -> None:
    viewer = visit()
    page = viewer.page
    viewer.explored(lambda: viewer.give("wide.jpg", photo(900, 300, 3)))
    x, y, side = viewer.state("answer.picture.box")
    mover = page.locator("#picture .mover")
    expect(page.locator("#picture .seen")).to_contain_text("drag the square")
    mover.focus()
    viewer.explored(lambda: page.keyboard.press("ArrowRight"))
    moved = viewer.state("answer.picture.box")
    assert moved[0] > x and moved[1:] == [y, side]
    place = mover.bounding_box()
    page.mouse.move(place["x"] + 40, place["y"] + 60)
    page.mouse.down()
    page.mouse.move(place["x"] + 900, place["y"] + 60, steps=4)
    viewer.explored(page.mouse.up)
    assert viewer.state("answer.picture.box") == [0, y, side]
    viewer.explored(lambda: page.locator("[data-example=coarse-dots]").first.click())
    expect(mover).to_be_hidden()  # a square picture leaves nothing to move
    assert viewer.errors == []


def test_a_picture_can_be_dropped_or_pasted(visit) -> None:
    viewer = visit()
    send = """([kind, numbers]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(numbers)], `${kind}.jpg`, { type: "image/jpeg" }));
      const extra = kind === "drop" ? { dataTransfer: data } : { clipboardData: data };
      const Kind = kind === "drop" ? DragEvent : ClipboardEvent;
      document.body.dispatchEvent(new Kind(kind, { bubbles: true, cancelable: true, ...extra }));
    }"""
    for seed, kind in enumerate(("drop", "paste")):
        numbers = list(photo(64, 48, seed))
        viewer.explored(lambda k=kind, n=numbers: viewer.page.evaluate(send, [k, n]))
        assert viewer.state("answer.name") == f"{kind}.jpg"


def test_the_camera_takes_a_picture(visit) -> None:
    viewer = visit()
    page = viewer.page
    page.get_by_role("button", name="Camera").click()
    page.wait_for_function("gnet.state.answer.frame")
    page.get_by_role("button", name="Freeze").click()
    page.wait_for_function("gnet.state.answer.name === 'camera picture'")
    expect(page.locator("#camera")).to_be_hidden()


def test_a_browser_that_refuses_the_camera_gets_a_sentence(server: Server, browser) -> None:
    page = browser.new_page()
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.goto(server.address)
    page.get_by_text("no camera", exact=True).hover()
    expect(page.get_by_role("tooltip")).to_contain_text("only on localhost or over https")
    expect(page.get_by_role("button", name="Camera")).to_have_count(0)
    page.close()
