"""Belief at depth over many pictures in sentences: each figure is that of the record."""

from dataclasses import replace

import pytest

from gnet.answers.depths.pictures import (
    about,
    accuracy_sentence,
    agreement_sentence,
    describe_depth,
    early_sentence,
    exits_sentence,
    learner_text,
)
from gnet.evaluation.depth import Cost, Depth, Reader, find_depth, gallery_of
from gnet.evaluation.exits import Rule
from gnet.network.config import PROBE, TRAINED
from gnet.network.weights import load


def reader(name: str, stage: str, top1: float) -> Reader:
    status = PROBE if name == stage else TRAINED
    return Reader(name=name, stage=stage, status=status, top1=top1, confidence=0.5)


def rule(threshold: float, top1: float, macs: float) -> Rule:
    leaving = {"aux1": 0.5, "main": 0.5}
    return Rule(
        threshold=threshold, top1=top1, leaving=leaving, right={}, macs=macs, milliseconds=2.0
    )


COST = {"macs": 400, "macs_reached": 400, "milliseconds": 1.0, "milliseconds_reached": 1.0}
TOLD = Depth(
    digest="",
    data="birds",
    split="val",
    count=200,
    size=64,
    classes=("wren", "tit", "owl"),
    counts=(150, 50, 0),
    readers=(
        reader("3a", "3a", 0.30),
        reader("4a", "4a", 0.52),
        reader("aux1", "4a", 0.60),
        reader("5b", "5b", 0.70),
        reader("main", "5b", 0.71),
    ),
    agreement=tuple(tuple(1.0 if i == k else 0.8 for k in range(5)) for i in range(5)),
    courses=((0.1, 0.2, 0.3, 0.4, 0.5), (0.2, 0.2, 0.2, 0.2, 0.2), None),
    earlier={"aux1": 7},
    later={"aux1": 31},
    gallery=(),
    costs={"aux1": Cost(**COST), "main": Cost(**COST | {"macs": 1000, "macs_reached": 1100})},
    rules=(rule(0.0, 0.60, 400), rule(0.5, 0.707, 700), rule(0.9, 0.709, 900), rule(1, 0.71, 1100)),
    machine={"threads": 2},
)
"""A record by hand."""


def test_sentences_say_the_largest_step_and_who_is_right() -> None:
    assert accuracy_sentence(TOLD) == (
        "On these 200 pictures the heads are right: aux1 in 60 and main in 71 of 100. The probe at "
        "3a gets 30 right, that at 5b 70; the largest step, 22.0 points, is from 3a to 4a."
    )
    assert "aux1 to 80\u00a0% of the pictures" in agreement_sentence(TOLD).replace(
        "80 %", "80\u00a0%"
    )
    said = early_sentence(TOLD)
    assert "On 7 of 200 pictures aux1 is right where main is wrong; on 31" in said


def test_figures_of_a_part_of_the_pictures_say_so_and_name_the_one_of_all() -> None:
    assert about(TOLD, {}).startswith("All figures here are of 200 validation pictures of birds,")
    metrics = {"count": 250, "heads": {"main": {"top1": 0.724}}}
    said = about(TOLD, metrics).replace("\u00a0", " ")
    assert said.startswith("All figures here are of 200 of the 250 validation pictures of birds,")
    assert said.endswith("On all 250 main is right for 72.4 %, here 71.0 %.")


def test_the_threshold_named_is_the_cheapest_that_loses_half_a_point_at_most() -> None:
    said = exits_sentence(TOLD)
    assert (
        "half a point, 50 % saves most" in said
        and "30.0" in said
        and "70.7" in said
        and "flatters" in said
    )
    assert "on 2 threads" in said
    dear = replace(TOLD, rules=(rule(0.0, 0.60, 400), rule(1, 0.71, 1100)))
    assert exits_sentence(dear).startswith("No threshold saves")


def test_without_early_heads_it_says_so_and_compares_nothing() -> None:
    alone = replace(
        TOLD,
        readers=TOLD.readers[-1:],
        agreement=((1.0,),),
        costs={"main": TOLD.costs["main"]},
        rules=(),
        earlier={},
        later={},
    )
    assert "no trained early head" in early_sentence(alone)
    assert "needs a trained early head" in exits_sentence(alone)
    assert agreement_sentence(alone) == ""
    assert accuracy_sentence(alone) == (
        "On these 200 pictures the heads are right: main in 71 of 100."
    )
    described = describe_depth(alone, None)
    assert described["papers"][0]["here"]["said"] == "This network has no trained early head."
    assert "for the heads alone" in learner_text(alone)["see"]


def test_a_class_without_pictures_has_no_line() -> None:
    described = describe_depth(TOLD, None)
    assert [one["name"] for one in described["classes"]] == ["wren", "tit"]
    assert described["rules"][1]["saved"] == pytest.approx(0.3)
    assert described["rules"][-1]["saved"] == pytest.approx(-0.1), "heads asked in vain cost more"


def test_what_is_shipped_belongs_to_the_bundled_weights_and_its_gallery_shows_mistakes() -> None:
    model = load()
    found, gallery = find_depth(model.info.digest), gallery_of()
    assert found is not None and len(found.readers) == 12
    assert found.classes == model.info.classes
    assert found.gallery == tuple(range(len(gallery)))
    early = gallery.right("aux1") | gallery.right("aux2")
    assert bool(early.all()) and not gallery.right("main").any()
