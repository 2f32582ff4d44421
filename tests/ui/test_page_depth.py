"""The Depth tab in a browser: figures over many pictures of the bundled network and of a run."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from gnet.evaluation.depth import SHIPPED, Depth, gallery_of
from gnet.network.weights import BUNDLED
from gnet.serving.run_card import RunCard, hashed, write_card
from gnet.serving.runs import Runs
from support.pages import DESK, PHONE, Server, on_a_free_port
from support.training_runs import run, tiny

RUN, OWNER = "d" * 22, "the-token-of-somebody-who-trained-one"
bundled = pytest.mark.skipif(not BUNDLED.is_file(), reason="needs the bundled weights")


@pytest.fixture(scope="module")
def server(
    gradio_environment: None, page_model: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("runs")
    run(tiny(epochs=1), folder / RUN)
    write_card(folder / RUN, RunCard(name="short", experiment="", owner=hashed(OWNER), created=0))
    with Runs(folder) as runs, on_a_free_port(page_model, runs) as address:
        yield Server(address=address, explorer=None)


def ready(page: Any) -> None:
    page.wait_for_function("window.gnet?.over && gnet.over.ready() !== null")


@bundled
@pytest.mark.parametrize(
    ("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"]
)
def test_each_figure_is_that_of_the_record(visit: Any, size: Any, scheme: str) -> None:
    viewer = visit("?tab=depth", size=size, color_scheme=scheme)
    page = viewer.page
    ready(page)
    record = Depth.read(SHIPPED)
    expect(page.locator("#depth-accuracy .about")).to_contain_text(f"{record.count:,} of the ")
    labels = page.locator("#depth-accuracy svg .head text")
    expect(labels).to_have_count(3)
    for reader in record.readers:
        title = page.locator("#depth-accuracy svg title", has_text=re.compile(f"^{reader.name}:"))
        shown = float(title.text_content().split(": ")[1].rstrip("\u00a0%"))
        assert shown == pytest.approx(100 * reader.top1, abs=0.51)
    cells = page.locator("#depth-agreement td[data-pair]")
    expect(cells).to_have_count(len(record.readers) ** 2)
    assert cells.nth(1).text_content() == f"{100 * record.agreement[0][1]:.0f}"
    cells.nth(1).click()
    expect(page.locator("#depth-agreement .tip")).to_contain_text("3a and 3b give the same")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert viewer.errors == [] and viewer.strangers == []


@bundled
def test_a_class_and_a_threshold_are_kept_in_the_address_and_said_in_words(visit: Any) -> None:
    viewer = visit("?tab=depth")
    page = viewer.page
    ready(page)
    record = Depth.read(SHIPPED)
    name = next(c for c, count in zip(record.classes, record.counts, strict=True) if count)
    page.locator("#depth-accuracy select").select_option(name)
    expect(page.locator("#depth-accuracy .key")).to_contain_text(f"“{name}” for its")
    expect(page.locator("#depth-accuracy .one")).to_have_count(1)
    slider = page.locator("#depth-exits input")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("#depth-exits .shares span")).to_have_count(1)  # all leave at aux1
    expect(page.locator("#depth-exits .sentence")).to_contain_text(
        f"{100 * record.rules[0].top1:.0f}\u00a0% are right"
    )
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert "leave=0.05" in page.url and "of=" in page.url
    page.reload()
    page.wait_for_function("window.gnet?.over?.ready()")
    expect(slider).to_have_value("5")
    expect(page.locator("#depth-accuracy select")).to_have_value(name)
    assert viewer.errors == []


@bundled
def test_a_picture_that_is_right_early_and_wrong_in_the_end_opens_in_explore(visit: Any) -> None:
    viewer = visit("?tab=depth")
    page = viewer.page
    ready(page)
    gallery = gallery_of()
    tiles = page.locator("#depth-early [data-tile]")
    expect(tiles).to_have_count(len(gallery))
    tiles.first.click()
    page.wait_for_function("gnet.state.answer.tile === 'everyday.0'")
    assert viewer.state("tab") == "explore" and "tile=everyday.0" in page.url
    wrong = gallery.classes[int(gallery.heads["main"].first[0])]
    expect(page.locator("#belief .bars")).to_contain_text(wrong)
    page.reload()
    page.wait_for_function("window.gnet?.state.answer?.tile === 'everyday.0'")
    assert viewer.errors == []


def test_a_runs_own_figures_are_measured_when_the_tab_asks_for_them(visit: Any) -> None:
    viewer = visit(f"?tab=depth&net={RUN}")
    page = viewer.page
    expect(page.locator("#depth-accuracy .about")).to_contain_text(
        "validation pictures of built-in"
    )
    assert len(page.evaluate("gnet.over.ready().readers")) == 12
    expect(page.locator("#depth-exits .threshold")).to_be_visible()
    page.goto(page.url.replace(RUN, "e" * 22))
    ready(page)
    assert viewer.state("net") == "", "a run that is not there leaves the served network"
    assert viewer.strangers == []


def test_a_network_that_nobody_measured_says_how_to_measure_it(
    visit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gnet.answers.explorers.find_depth", lambda digest: None)
    page = visit("?tab=depth").page
    expect(page.locator("#depth-accuracy .about")).to_contain_text("gnet measure-depth")
    for part in ("exits .threshold", "early .tiles", "papers section"):
        expect(page.locator(f"#depth-{part}")).to_be_hidden()
