"""The wiring of a module in numbers and words."""

import re

from gnet.answers.wiring import describe_wiring, does
from gnet.network.config import STAGES
from support.networks import network
from support.pages import random_network


def test_a_module_is_described_from_its_input_to_its_stack() -> None:
    model = random_network(size=64)
    wiring = describe_wiring(model)
    assert list(wiring) == list(STAGES)
    one = wiring["3a"]
    widths = model.inceptions()["3a"].widths
    assert (one["input"], one["output"]) == (model.inceptions()["3a"].in_channels, widths.total)
    assert (one["from"], one["to"], one["grid"]) == ("from the stem", "to 3b", "8×8 cells")
    assert one["branches"]["3x3"]["steps"] == [
        {"name": "1×1 reduce", "channels": widths.reduce3},
        {"name": "3×3", "channels": widths.b3},
    ]
    assert one["branches"]["pool"]["steps"][0]["name"] == "max pool 3×3"
    assert len(one["branches"]["1x1"]["steps"]) == 1
    assert wiring["4a"]["from"] == "from 3b, halved"
    assert wiring["4a"]["to"] == "to 4b and aux1"
    assert wiring["5b"]["to"] == "to main"


def test_the_cost_is_told_with_and_without_the_reduce() -> None:
    model = network("batch-norm", width=1.0)
    sentence = describe_wiring(model)["3a"]["sentence"]
    assert re.fullmatch(
        r"At 224 px 3a costs \d+ million multiply-adds, \d+ million without the 1×1 reduce.",
        sentence,
    )
    branch = describe_wiring(model)["3a"]["branches"]["3x3"]
    assert re.fullmatch(r"\d+ million", branch["cost"])
    assert re.fullmatch(r"\d+ without the reduce", branch["direct"])
    only = describe_wiring(network("batch-norm", left_out="3x3,5x5"))["3a"]
    assert "without" not in only["sentence"]
    assert only["branches"]["3x3"]["steps"] == []
    assert only["branches"]["3x3"]["sees"] == "Zeros stand in its place."


def test_a_field_larger_than_the_picture_sees_the_whole_picture() -> None:
    wiring = describe_wiring(random_network(size=64))
    assert wiring["3a"]["branches"]["1x1"]["sees"] == (
        "Through earlier layers it can see 27 of 64 px."
    )
    assert wiring["5b"]["branches"]["1x1"]["sees"] == (
        "Through earlier layers it can see the whole picture (dotted)."
    )


def test_another_kernel_is_named_as_what_it_is() -> None:
    wiring = describe_wiring(network("batch-norm", kernel_5x5=3))
    assert wiring["3a"]["branches"]["5x5"]["steps"][1]["name"] == "3×3"
    assert "really 3×3" in wiring["3a"]["branches"]["5x5"]["heading"]
    assert "kernel is 3×3" in does("5x5", 3) and "5×5 convolution" in does("5x5", 5)


def test_a_small_network_costs_thousands_and_not_parts_of_a_million() -> None:
    model = network("batch-norm", width=0.0625)
    sentence = describe_wiring(model)["5b"]["sentence"]
    (cost, without) = re.findall(r"(?:costs|adds,) ([\d,.]+(?: million)?)", sentence)
    assert re.fullmatch(r"[\d,]+", cost) and not sentence.count("0.0"), sentence
    assert float(cost.replace(",", "")) > 1000 and without
