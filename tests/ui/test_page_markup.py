"""Names that are written as markup are shown as they are: nothing runs, no element is made."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from gnet.answers.lessons.reader import read_lessons
from gnet.serving.limits import RunLimits
from gnet.serving.measuring import Measuring
from gnet.serving.runs import Runs
from support import pretend_measuring
from support.folders import picture, zipped
from support.looking import AT_REST, DRAWN
from support.pages import Server, on_a_free_port, photo, random_network

MARKUP = """<img src=x onerror=hit=1></script>"'<b>"""
IN_A_FILE = MARKUP.replace("/", "")
"""What a file may be called."""
LESSON = "early-and-late"
MADE = "[window.hit ?? 0, document.querySelectorAll('img[src=x], [onerror]').length]"


@pytest.fixture(scope="module")
def server(gradio_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    model = random_network()
    classes = tuple(f"{MARKUP} {number}" for number in range(12))
    model.info = replace(model.info, name=f"net {MARKUP}", classes=classes)
    lessons = read_lessons()
    lessons[LESSON] = replace(lessons[LESSON], title=MARKUP)
    folder = tmp_path_factory.mktemp("markup")
    runs = Runs(folder / "runs", RunLimits(uploads=folder / "zips"))
    known = Measuring(lambda: 0, command=pretend_measuring.COMMAND)
    with on_a_free_port(model, runs, known, lessons=lessons) as address:
        yield Server(address=address, explorer=None)


def test_names_that_are_markup_are_shown_as_they_are(visit: Any, tmp_path: Path) -> None:
    viewer = visit()
    page = viewer.page
    expect(page.locator("#header .network")).to_have_text(f"net {MARKUP}")
    viewer.explored(lambda: viewer.give(f"{IN_A_FILE}.jpg", photo(80, 60)))
    expect(page.locator("#picture .about b")).to_have_text(f"{IN_A_FILE}.jpg")
    page.wait_for_function(f"{DRAWN} && {AT_REST}")
    expect(page.locator("#belief [data-class]").first).to_contain_text(MARKUP)
    for button in ("[data-account]", "[data-weigh]"):
        page.locator(button).click()
    for part in ("#account", "#worth"):
        expect(page.locator(f"{part} .finding")).to_contain_text(MARKUP)
    page.evaluate("gnet.choose({ channel: '3x3.5', switches: '4b/5x5=0' })")
    page.wait_for_function("gnet.state.answer.switched")
    page.locator("#header .known").click()
    expect(page.locator("#known-title")).to_contain_text(MARKUP)
    expect(page.locator("#header .list button").first).to_have_text(f"{MARKUP} 0")
    page.keyboard.press("Escape")
    page.locator("#header .network").click()
    expect(page.locator("#networks dialog")).to_contain_text(MARKUP)
    page.keyboard.press("Escape")
    for tab in page.evaluate("Object.keys(gnet.tabs)"):
        page.evaluate("tab => gnet.show(tab)", tab)
        page.wait_for_function(AT_REST)
        assert page.evaluate(MADE) == [0, 0], tab
    page.evaluate("gnet.show('why')")
    expect(page.locator("#why-map h3").first).to_contain_text(MARKUP)
    page.evaluate("gnet.show('train')")
    files = {f"{IN_A_FILE}{name}/{i}.png": picture(40 * i) for name in "ab" for i in range(6)}
    page.set_input_files("#train-data input[type=file]", zipped(tmp_path / "own.zip", files))
    names = page.locator("#train-preview .counts .name")
    expect(names).to_have_text([f"{IN_A_FILE}a", f"{IN_A_FILE}b"])
    page.locator("#header .lessons").click()
    page.locator(f"#lesson [data-lesson={LESSON}] b", has_text=MARKUP).click()
    expect(page.locator("#lesson h2")).to_have_text(MARKUP)
    assert page.evaluate(MADE) == [0, 0]
    assert viewer.errors == [] and viewer.strangers == []
