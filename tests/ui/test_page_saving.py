"""Views saved from the page: figure and numbers of what is shown."""

import csv
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Download, expect

from gnet.evaluation.depth import SHIPPED, Depth
from support.pages import PHONE


def saved(page, view: str, kind: str) -> Download:
    """Save a view with the menu that is open."""
    with page.expect_download() as caught:
        page.locator(f"#saving [data-view={view}][data-format={kind}]").click()
    expect(page.locator("#saving .state")).to_have_text("")
    return caught.value


def opened(viewer):
    viewer.page.get_by_role("button", name="Save", exact=True).click()
    expect(viewer.page.locator("#saving dialog")).to_be_visible()
    return viewer.page


def test_the_numbers_saved_are_those_on_the_page(visit):
    viewer = visit("?module=4b")
    page = opened(viewer)
    file = saved(page, "module", "csv")
    assert file.suggested_filename == "boots-module-4b.csv"
    rows = list(csv.DictReader(Path(file.path()).read_text().splitlines()))
    for row in rows:
        shown = viewer.state(f"answer.stages['4b'].branches['{row['branch']}']")
        assert float(row["share"]) == pytest.approx(shown["share"], rel=1e-2)
        assert float(row["map_max"]) == pytest.approx(shown["map"]["high"], rel=1e-2)
    heads = json.loads(Path(saved(page, "heads", "json").path()).read_text())
    first = viewer.state("answer.heads.main.probabilities")[
        viewer.state("answer.heads.main.top")[0]
    ]
    (main,) = (row for row in heads["rows"] if row["head"] == "main" and row["rank"] == 1)
    assert main["probability"] == pytest.approx(first, rel=1e-2)
    assert not viewer.errors and not viewer.strangers


def test_a_figure_of_switched_branches_says_so_in_its_title(visit):
    viewer = visit("?switches=3a/3x3=0")
    viewer.page.wait_for_function("gnet.state.answer.switched")
    page = opened(viewer)
    expect(page.locator("#saving .switched")).to_be_visible()
    file = saved(page, "heads", "svg")
    assert file.suggested_filename == "boots-heads-switched.svg"
    svg = Path(file.path()).read_text()
    assert re.search("with the 3×3 branch of 3a off", svg)


def test_every_view_is_saved_as_a_picture_of_the_channel_and_the_question_chosen(visit):
    viewer = visit("?channel=3x3.17", size=PHONE)
    page = opened(viewer)
    for view in ("channel", "why", "map"):
        file = saved(page, view, "pdf")
        assert Path(file.path()).read_bytes().startswith(b"%PDF"), view
    page.locator("#saving .close").click()
    page.evaluate("gnet.choose({ channel: null })")
    opened(viewer)
    expect(page.locator("#saving [data-view=channel]").first).to_be_disabled()
    assert not viewer.errors and not viewer.strangers


def test_each_map_of_why_is_saved_with_what_could_prove_it_wrong(visit):
    viewer = visit("?tab=why&picture=cat&method=feature-ablation,saliency")
    page = viewer.page
    expect(page.locator("#why-methods .methods label")).to_have_count(11, timeout=60_000)
    page.evaluate("gnet.why.answered || gnet.why.tell('gnet-explain')")
    expect(page.locator("#why-map article")).to_have_count(2, timeout=60_000)
    opened(viewer)
    expect(page.locator("#saving .one")).to_have_count(2)
    with page.expect_download() as caught:
        page.locator("#saving [data-at='1'][data-format=json]").click()
    record = json.loads(Path(caught.value.path()).read_text())
    card = page.evaluate("gnet.why.found.cards[1]")
    assert record["method"] == "saliency" and record["curves"] == card["curves"]
    assert record["scale_limit"] == card["limit"] and record["target"] == card["target"]
    assert caught.value.suggested_filename.startswith("cat-why-saliency-")
    with page.expect_download() as caught:
        page.locator("#saving [data-at='0'][data-format=png]").click()
    assert Path(caught.value.path()).read_bytes().startswith(b"\x89PNG")
    assert not viewer.errors and not viewer.strangers


def test_why_without_a_map_says_that_there_is_nothing_to_save(visit):
    viewer = visit("?tab=why&picture=cat&method=integrated-gradients&with=steps%3D1024")
    page = opened(viewer)
    expect(page.locator("#saving .state")).to_have_text("There is nothing to save here yet.")
    expect(page.locator("#saving .one")).to_have_count(0)


@pytest.mark.skipif(not SHIPPED.is_file(), reason="needs the figures of the bundled weights")
def test_the_figures_over_many_pictures_are_saved_with_the_class_and_the_threshold_chosen(visit):
    viewer = visit("?tab=depth", size=PHONE)
    page = viewer.page
    page.wait_for_function("gnet.over.ready() !== null")
    name = Depth.read(SHIPPED).classes[0]
    page.evaluate("name => gnet.over.put({ named: name, leave: 0.9 })", name)
    opened(viewer)
    expect(page.locator("#saving .one")).to_have_count(4)
    file = saved(page, "agreement", "csv")
    assert file.suggested_filename == "everyday-depth-agreement.csv"
    rows = list(csv.DictReader(Path(file.path()).read_text().splitlines()))
    assert float(rows[0]["3b"]) == Depth.read(SHIPPED).agreement[0][1]
    svg = Path(saved(page, "accuracy", "svg").path()).read_text()
    assert f"mean probability of “{name}”" in svg
    assert "90 %:" in Path(saved(page, "early", "svg").path()).read_text()
    assert not viewer.errors and not viewer.strangers
