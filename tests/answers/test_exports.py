"""Views as files: what the page may ask to save, and what it is then called."""

import csv
import json
from typing import Any

import pytest

from gnet.answers.examples import chosen
from gnet.answers.explorer import Chosen, Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.exports.export import FORMATS
from gnet.answers.exports.request import VIEWS, export_of, file_name
from gnet.answers.why.branches import cams_of
from gnet.answers.why.explaining import explain
from gnet.answers.why.question import read, read_class
from gnet.errors import GnetError
from gnet.figures.sheet import number
from gnet.network.config import BRANCHES
from support.pages import random_network

CAT = chosen("cat")
REQUEST = {
    "stage": "4b",
    "branch": "3x3",
    "channel": 2,
    "head": "main",
    "class_index": 3,
    "method": "grad-cam",
    "switches": {},
}


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return Explorer(random_network())


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_numbers_as_csv_and_json(explorer, view):
    export = export_of(explorer, CAT, view, REQUEST)
    rows = json.loads(export.content("json"))["rows"]
    table = list(csv.DictReader(export.content("csv").decode().splitlines()))
    assert len(table) == len(rows) > 0
    for row, line in zip(rows, table, strict=True):
        assert line == {key: "" if value is None else str(value) for key, value in row.items()}


def test_the_numbers_are_those_of_the_answer_with_the_same_switches(explorer):
    switches = {"4b/5x5": 0.5}
    export = export_of(explorer, CAT, "module", REQUEST | {"switches": switches})
    answer = explorer.ablate(CAT, switches)["stages"]["4b"]["branches"]
    assert {row["branch"]: row["share"] for row in export.rows} == {
        branch: pytest.approx(numbers["share"], rel=1e-3) for branch, numbers in answer.items()
    }
    assert {row["switches"] for row in export.rows} == {"4b/5x5=0.5"}
    assert file_name(CAT, export, "svg") == "cat-module-4b-switched.svg"


def question(**more: Any) -> dict[str, Any]:
    return {"picture": {"example": "cat"}, "class": 3} | more


def test_a_map_is_saved_as_it_was_shown_with_its_curves_and_its_scale(explorer):
    explorers = Explorers(explorer)
    options = {"patch": 32, "stride": 32, "baseline": "black"}
    asked = question(methods=["occlusion"], options=options)
    shown = explain(read(explorers, asked), lambda done: None)
    (card,) = shown["cards"]
    wanted = REQUEST | {"method": "occlusion", "options": options, "curves": True}
    export = export_of(explorer, CAT, "why", wanted | {"limit": card["limit"]})
    record = json.loads(export.content("json"))
    assert record["curves"] == card["curves"] and record["scale_limit"] == card["limit"]
    assert record["options"] == card["options"] and record["target_name"] == "thing 3"
    assert record["head"] == "main" and record["completeness_error"] is None
    values = [row["value"] for row in export.rows]
    assert (min(values), max(values)) == (record["low"], record["high"])
    assert len(values) == 64 * 64
    assert file_name(CAT, export, "pdf") == "cat-why-occlusion-thing-3.pdf"
    drawn = " ".join(text.get_text() for text in export.figure().texts)
    for words in ("baseline black, patch 32, stride 32", "Deletion: area", "at main", "thing 3"):
        assert words in drawn


def test_the_maps_of_all_branches_are_saved_cell_by_cell(explorer):
    export = export_of(explorer, CAT, "cams", REQUEST | {"head": "aux1"})
    assert {row["branch"] for row in export.rows} == {
        f"{stage}/{branch}" for stage in ("3a", "3b", "4a") for branch in BRANCHES
    }
    found = cams_of(read_class(Explorers(explorer), question(head="aux1")))
    shown = [row["value"] for row in export.rows if row["branch"] == "4a/pool"]
    assert shown == found.maps["4a", "pool"].flatten().tolist()
    assert file_name(CAT, export, "png") == "cat-grad-cam-all-thing-3-aux1.png"
    words = [text.get_text() for text in export.figure().texts]
    assert {"3a", "3b", "4a", "1×1", "pool"} <= set(words) and "4b" not in words
    assert f"0 to {number(found.limits['4a'])}" in words


def test_a_map_that_is_no_longer_kept_is_computed_again(explorer):
    wanted = REQUEST | {"method": "saliency", "options": {}, "curves": True}
    first = export_of(explorer, CAT, "why", wanted).content("json")
    kept = explorer.found(CAT, None)[1]
    assert kept.maps
    kept.maps.clear()
    again = json.loads(export_of(explorer, CAT, "why", wanted).content("json"))
    assert again["curves"] == json.loads(first)["curves"]


def test_a_file_is_named_after_picture_and_view(explorer):
    export = export_of(explorer, CAT, "heads", REQUEST)
    mine = Chosen(content=b"", name="../My Photo (1).JPG")
    assert file_name(mine, export, "csv") == "my-photo-1-heads.csv"


@pytest.mark.parametrize(
    ("view", "change", "word"),
    [
        ("all", {}, "allowed are module, overview"),
        (None, {}, "view is 'None'"),
        ("module", {"stage": "9z"}, "no module '9z'"),
        ("module", {"switches": {"4b/7x7": 0}}, "4b/7x7"),
        ("module", {"switches": {"4b/5x5": -1}}, "-1"),
        ("module", {"switches": {"4b/5x5": float("nan")}}, "nan"),
        ("module", {"switches": 7}, "switches is '7'"),
        ("channel", {"channel": None}, "channel is 'None'"),
        ("channel", {"channel": 10**6}, "1000000"),
        ("map", {"head": "tail"}, "tail"),
        ("why", {"method": "magic"}, "magic"),
        ("why", {"method": "deep-lift"}, "does not hold on this network"),
        ("why", {"options": {"stage": "9z"}}, "9z"),
        ("why", {"options": {"stage": "4b"}, "limit": "wide"}, "limit is 'wide'"),
        ("why", {"options": {"stage": "4b"}, "limit": float("nan")}, "limit is 'nan'"),
        ("depth", {"class_index": 99}, "99"),
    ],
)
def test_what_cannot_be_saved_is_a_sentence(explorer, view, change, word):
    with pytest.raises(GnetError, match=word):
        export_of(explorer, CAT, view, REQUEST | change)


def test_a_format_that_is_none_is_a_sentence(explorer):
    export = export_of(explorer, CAT, "heads", REQUEST)
    kinds: tuple[Any, ...] = ("bmp", None, ["png"], "")
    for kind in kinds:
        with pytest.raises(GnetError, match="allowed are png, svg, pdf, csv and json"):
            file_name(CAT, export, kind)
    assert len(FORMATS) == 5
