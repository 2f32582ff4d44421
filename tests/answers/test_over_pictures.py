"""The Depth tab's views as files: numbers of the record, figures that name what they show."""

import csv
import json
from typing import Any

import pytest

from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.exports.export import FORMATS
from gnet.answers.exports.over_pictures import DEPTH_VIEWS, export_depths
from gnet.answers.exports.request import file_of
from gnet.errors import GnetError
from gnet.evaluation.depth import Cost, Depth, Reader
from gnet.evaluation.exits import Rule
from support.pages import random_network


def measured(**changes: Any) -> Depth:
    def cost(macs: int) -> Cost:
        return Cost(macs=macs, macs_reached=macs, milliseconds=1.0, milliseconds_reached=1.0)

    def rule(threshold: float, top1: float, early: float) -> Rule:
        return Rule(
            threshold=threshold,
            top1=top1,
            leaving={"aux1": early, "main": 1 - early},
            right={"aux1": 0.5, "main": 0.75},
            macs=1e6 * (2 - early),
            milliseconds=1.0,
        )

    readers = (("3a", "3a", 0.25), ("aux1", "4a", 0.5), ("5b", "5b", 0.625), ("main", "5b", 0.75))
    values: dict[str, Any] = {
        "digest": "d",
        "data": "shapes",
        "split": "val",
        "count": 8,
        "size": 64,
        "classes": ("cup", "dog", "owl"),
        "counts": (5, 3, 0),
        "readers": tuple(
            Reader(name=name, stage=stage, status="trained", top1=top1, confidence=0.5)
            for name, stage, top1 in readers
        ),
        "agreement": tuple(tuple(1.0 if i == k else 0.375 for k in range(4)) for i in range(4)),
        "courses": ((0.1, 0.2, 0.3, 0.4), (0.5, 0.6, 0.7, 0.8), None),
        "earlier": {"aux1": 1},
        "later": {"aux1": 2},
        "gallery": (),
        "costs": {"aux1": cost(1_000_000), "main": cost(2_000_000)},
        "rules": (rule(0.0, 0.5, 1.0), rule(0.5, 0.625, 0.5), rule(1.0, 0.75, 0.0)),
        "machine": {"threads": 1},
    }
    return Depth(**values | changes)


@pytest.mark.parametrize("view", DEPTH_VIEWS)
def test_every_view_has_its_numbers_as_csv_and_json_and_a_figure(view: str) -> None:
    export = export_depths(measured(), view, "dog", 0.5)
    record = json.loads(export.content("json"))
    table = list(csv.DictReader(export.content("csv").decode().splitlines()))
    assert len(table) == len(record["rows"]) > 0
    assert (record["data"], record["count"], record["size"]) == ("shapes", 8, 64)
    words = " ".join(text.get_text() for text in export.figure().texts)
    assert "8 pictures of shapes (val), 64 px" in words.replace("Percent of ", "")
    assert export.content("svg").startswith(b"<?xml")


def test_the_numbers_are_those_of_the_record() -> None:
    found = measured()
    rows = {view: export_depths(found, view).rows for view in DEPTH_VIEWS}
    assert [(row["reader"], row["right"]) for row in rows["accuracy"]][1] == ("aux1", 0.5)
    assert rows["agreement"][0] == {
        "reader": "3a",
        "3a": 1.0,
        "aux1": 0.375,
        "5b": 0.375,
        "main": 0.375,
    }
    assert [row["class"] for row in rows["classes"]] == ["cup", "dog"], "owl has no pictures"
    assert rows["classes"][1]["main"] == 0.8
    assert [row["leave_at_aux1"] for row in rows["early"]] == [1.0, 0.5, 0.0]


def test_the_class_and_the_threshold_chosen_stand_in_the_figures() -> None:
    def words(view: str) -> str:
        figure = export_depths(measured(), view, "dog", 0.45).figure()
        texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
        return " ".join(text.get_text() for text in texts)

    assert "“dog” for its own pictures" in words("accuracy") and "main 75 %" in words("accuracy")
    assert "Black: “dog”" in words("classes")
    assert "50 %: 62.5 % right" in words("early")  # the nearest threshold that was measured


@pytest.mark.parametrize(
    ("view", "more", "sentence"),
    [
        ("magic", (), "allowed are accuracy"),
        ("accuracy", ("unicorn",), "class is 'unicorn'"),
        ("early", ("", 2), "leave is 2"),
        ("early", ("", float("nan")), "leave is nan"),
    ],
)
def test_what_cannot_be_saved_is_a_sentence(view: str, more: tuple, sentence: str) -> None:
    with pytest.raises(GnetError, match=sentence):
        export_depths(measured(), view, *more)


def test_leaving_early_has_no_figure_without_an_early_head() -> None:
    with pytest.raises(GnetError, match="needs a trained early head"):
        export_depths(measured(rules=()), "early").content("png")


def test_a_view_over_many_pictures_needs_a_network_and_no_picture(monkeypatch) -> None:
    explorers = Explorers(Explorer(random_network()))
    monkeypatch.setattr(explorers, "depth", lambda net: measured())
    name, content = file_of(explorers, None, "agreement", "csv", {"net": "", "leave": 0.8})
    assert name == "random-depth-agreement.csv" and content.startswith(b"reader,3a")
    for request, sentence in (({"leave": "x"}, "leave is 'x'"), ({"class": ["a"]}, "class is")):
        with pytest.raises(GnetError, match=sentence):
            file_of(explorers, None, "early", "csv", request)
    with pytest.raises(GnetError, match="allowed are " + FORMATS[0]):
        file_of(explorers, None, "early", "bmp", {})
    monkeypatch.setattr(explorers, "depth", lambda net: None)
    with pytest.raises(GnetError, match="not measured yet"):
        file_of(explorers, None, "early", "csv", {})
