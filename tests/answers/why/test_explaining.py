"""The Why tab's answers: the form from the table, maps on one scale, cost before, refusals."""

from dataclasses import fields
from typing import Any

import pytest
import torch

from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.why import cost, explaining, learning
from gnet.answers.why.branches import explain_branches
from gnet.answers.why.form import describe_form, shallow
from gnet.answers.why.question import read, read_class
from gnet.errors import FieldError, GnetError
from gnet.explain.attribution.attribute import attribute
from gnet.explain.attribution.curves import curves_of
from gnet.explain.attribution.methods import METHODS
from gnet.explain.attribution.options import PLACE
from gnet.network.config import UNTRAINED
from support.pages import map_values, random_network

CAT = {"example": "cat"}


@pytest.fixture(scope="module")
def explorers() -> Explorers:
    return Explorers(Explorer(random_network(aux1=UNTRAINED)))


def asked(**more: Any) -> dict[str, Any]:
    return {"picture": CAT, "class": "thing 3", "methods": ["saliency"]} | more


def answer(explorers: Explorers, **more: Any) -> dict[str, Any]:
    return explaining.explain(read(explorers, asked(**more)), lambda done: None)


def test_the_form_holds_every_method_with_its_own_options(explorers):
    form = describe_form(explorers.served, "main")
    rows = {row["name"]: row for row in form["methods"]}
    assert rows.keys() == METHODS.keys()
    for name, row in rows.items():
        own = {f.name for f in fields(METHODS[name].options)}
        assert set(row["options"]) == own - set(PLACE)
        assert row["place"] == ("stage" in own)
    invalid = [name for name, row in rows.items() if row["reason"]]
    assert invalid == ["deep-lift"] and list(rows)[-1] == "deep-lift"
    ranges = {one["name"]: (one["min"], one["max"]) for one in form["options"]}
    assert ranges["steps"] == (2, 1024)
    assert ranges["patch"] == ranges["stride"] == (1, 64), "no longer than the picture's side"
    early = describe_form(explorers.served, "aux2")
    assert early["stages"][-1] == "4d" and early["shallow"] == shallow("aux2")
    assert "6 modules" in early["shallow"] and form["shallow"] == ""


def test_an_untrained_head_has_no_form(explorers):
    with pytest.raises(GnetError, match="aux1 of this network is untrained"):
        describe_form(explorers.served, "aux1")


def test_each_figure_of_the_text_for_learners_is_the_networks_own(explorers):
    text = " ".join(learning.text(explorers.served, "main").values())
    grid = explorers.served.kept(explorers.served.view(explorers.resolve(CAT)[1])).recording.outputs
    for stage in ("3a", "5b"):
        side = grid[stage].shape[-1]
        assert f"{stage} has {side}×{side}" in text or f"of {stage} only {side}×{side}" in text
    assert "64×64 pixels" in text and f"{len(METHODS)} methods" in text


def test_two_classes_of_a_method_share_a_scale_and_the_random_orders(explorers):
    found = answer(explorers, classes=2, methods=["saliency", "feature-ablation"])
    cards = found["cards"]
    assert [card["method"] for card in cards] == ["saliency"] * 2 + ["feature-ablation"] * 2
    assert cards[0]["target_name"] == "thing 3" != cards[1]["target_name"]
    assert cards[0]["limit"] == cards[1]["limit"] and cards[2]["limit"] == cards[3]["limit"]
    model = explorers.served.model
    pixels = explorers.served.view(explorers.resolve(CAT)[1]).pixels
    for card in cards:
        own = attribute(model, pixels, method=card["method"], target=card["target"])
        curves = curves_of(model, pixels, own)
        assert card["curves"]["deletion"]["area"] == pytest.approx(curves.deletion.area, rel=1e-4)
        random = card["curves"]["random_insertion"]["area"]
        assert random == pytest.approx(curves.random_insertion.area, rel=1e-4)
        if card["method"] == "saliency":
            shown = map_values({"data": card["map"], "limit": card["limit"]}, (64, 64))
            # What lies beyond the scale's end takes its colour.
            expected = own.map.clamp(max=card["limit"]).numpy()
            assert abs(shown - expected).max() <= card["limit"] / 255
        else:
            assert card["cells"]["4b/5x5"] == pytest.approx(float(own.map[3, 2]), rel=1e-3)


def test_progress_of_several_maps_never_falls(explorers):
    told: list[float] = []
    wanted = read(
        explorers, asked(methods=["occlusion", "saliency", "grad-cam"], options={"stage": "3a"})
    )
    explaining.explain(wanted, told.append)
    assert told == sorted(told) and told[-1] <= 1


def test_the_cost_is_told_before_and_counts_the_runs(explorers):
    options = {"patch": 32, "stride": 32}
    question = asked(methods=["occlusion"], options=options)
    explorers.served.speed = None
    unknown = explaining.price(explorers, question)
    assert unknown["words"] == f"{4 + 104} runs of the network" and not unknown["quick"]
    explorers.served.speed = cost.Speed(forward=0.5, gradient=2.0)
    assert explaining.price(explorers, question)["words"].startswith("About 54 s, 108 runs")
    explorers.served.speed = cost.Speed(forward=0.001, gradient=0.01)
    assert explaining.price(explorers, question)["quick"]
    found = answer(explorers, methods=["saliency"])
    assert found["cards"][0]["check"] == "about 1 s"
    both = explaining.price(explorers, question | {"methods": ["occlusion", "saliency"]})
    assert f"{4 + 104 + 1 + 26} runs" in both["words"]  # the random orders are known by then


def test_a_map_that_was_shown_is_not_computed_again(explorers, monkeypatch):
    question = asked(**{"class": "thing 5"}, methods=["saliency"])
    first = explaining.explain(read(explorers, question), lambda done: None)
    question |= {"key": first["key"]}
    assert explaining.price(explorers, question)["words"].startswith("Computed already, 0 runs")
    both = question | {"methods": ["saliency", "input-x-gradient"]}
    assert f"{1 + 26} runs" in explaining.price(explorers, both)["words"]
    ran: list[str] = []
    original = explaining.attribute

    def counted(*given: Any, **named: Any) -> Any:
        ran.append(named["method"])
        return original(*given, **named)

    monkeypatch.setattr(explaining, "attribute", counted)
    found = explaining.explain(read(explorers, both), lambda done: None)
    assert ran == ["input-x-gradient"]
    assert [card["method"] for card in found["cards"]] == both["methods"]
    assert found["cards"][0]["map"] == first["cards"][0]["map"]
    alone, shared = (card["curves"]["random_deletion"] for card in found["cards"])
    assert alone == shared == first["cards"][0]["curves"]["random_deletion"]


def test_a_question_without_a_class_is_about_the_heads_answer(explorers):
    found = answer(explorers, **{"class": None})
    kept = explorers.served.found(explorers.resolve(CAT)[1], None)[1]
    assert found["cards"][0]["target"] == int(kept.recording.logits["main"].argmax())


def test_the_maps_of_all_branches_are_those_of_grad_cam_on_a_scale_for_each_module(explorers):
    told: list[float] = []
    found = explain_branches(read_class(explorers, asked(head="aux2")), told.append)
    assert told == [0.0, 1.0]
    assert list(found["stages"]) == ["3a", "3b", "4a", "4b", "4c", "4d"]
    one = answer(explorers, head="aux2", methods=["grad-cam"], options={"stage": "4b"})["cards"][0]
    assert found["target"] == one["target"] and found["head"] == "aux2"
    explorer, kept = explorers.served, explorers.served.found(explorers.resolve(CAT)[1], None)[1]
    expected = attribute(
        explorer.model,
        kept.recording.pixels,
        method="grad-cam",
        target=one["target"],
        head="aux2",
        stage="4b",
        branch="3x3",
    )
    shown = found["stages"]["4b"]
    values = map_values(shown["branches"]["3x3"], tuple(shown["grid"]))
    assert values.max() == pytest.approx(expected.high, rel=1e-2)
    assert shown["limit"] == max(one["high"] for one in shown["branches"].values())
    assert found["limit"] == max(stage["limit"] for stage in found["stages"].values())


def test_options_given_as_texts_are_numbers(explorers):
    found = answer(explorers, methods=["occlusion"], options={"patch": "32", "stride": "32"})
    assert found["cards"][0]["options"] == {"baseline": "mean", "patch": 32, "stride": 32}


def test_a_check_repeats_the_map_from_the_head_down(explorers):
    found = explaining.check(read(explorers, asked(head="aux2")), lambda done: None)
    assert list(found["similarities"]) == ["aux2", "4d", "4c", "4b", "4a", "3b", "3a", "stem"]
    assert found["method"] == "saliency" and found["sentence"].endswith(".")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"class": "unicorn"}, "no class"),
        ({"class": 99}, "from 0 to 11"),
        ({"head": "aux1"}, "trained heads here are"),
        ({"head": ["main"]}, "trained heads here are"),
        ({"methods": []}, "methods is"),
        ({"methods": "saliency"}, "methods is"),
        ({"methods": ["magic"]}, "methods is 'magic'"),
        ({"methods": [["saliency"]]}, "methods is"),
        ({"methods": ["deep-lift"]}, "DeepLift does not hold on this network"),
        ({"methods": ["grad-cam"]}, "none was named"),
        ({"methods": ["grad-cam"], "options": {"stage": "5b"}, "head": "aux2"}, "behind aux2"),
        ({"methods": ["grad-cam"], "options": {"stage": {"a": 1}}}, "no module"),
        ({"methods": ["integrated-gradients"], "options": {"steps": 0}}, "steps is 0"),
        ({"methods": ["integrated-gradients"], "options": {"steps": "many"}}, "steps is 'many'"),
        ({"methods": ["occlusion"], "options": {"patch": 65}}, "1 to 64, the picture's side"),
        ({"methods": ["occlusion"], "options": {"patch": 900}}, "1 to 64, the picture's side"),
        ({"methods": ["occlusion"], "options": {"stride": "-3"}}, "1 to 64, the picture's side"),
        ({"methods": list(METHODS)[:5]}, "allowed are 4 maps at once"),
        ({"methods": list(METHODS)[:3], "classes": 2}, "allowed are 4 maps at once"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(explorers, more, sentence):
    for ask in (read, explaining.price):
        if ask is explaining.price and ("class" in more or isinstance(more.get("head"), list)):
            continue  # the cost does not hang on the class
        with pytest.raises(GnetError) as caught:
            ask(explorers, asked(**more))
        if ask is read or "head" not in more:
            assert sentence in str(caught.value)
        assert str(caught.value).endswith(".") and len(str(caught.value)) < 400


@pytest.mark.parametrize("question", [None, "saliency", [], {"picture": 5}])
def test_a_question_of_another_form_is_refused(explorers, question):
    with pytest.raises(GnetError):
        read(explorers, question)


def test_speed_is_measured_on_the_network_itself():
    speed = cost.measure(random_network(), "main")
    assert 0 < speed.forward < speed.gradient


def test_a_method_that_needs_gradients_works_in_a_callers_inference_mode(explorers):
    with torch.inference_mode():
        found = answer(explorers, methods=["input-x-gradient"])
    assert found["cards"][0]["high"] > 0


def test_a_field_error_names_its_option(explorers):
    with pytest.raises(FieldError) as caught:
        read(explorers, asked(methods=["smooth-grad"], options={"noise": 2}))
    assert caught.value.field == "noise"
