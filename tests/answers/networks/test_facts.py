"""What is said of a network in a line: nothing that its config and header do not hold."""

import pytest

from gnet.answers.networks.facts import about, facts, kind
from gnet.network.config import HEADS, TRAINED, UNTRAINED, ModelConfig
from gnet.network.info import ModelInfo, Preprocessing


def config(**changes) -> ModelConfig:
    return ModelConfig.preset("batch-norm", **({"num_classes": 1200} | changes))


def info(*trained: str, **changes) -> ModelInfo:
    heads = {head: TRAINED if head in trained else UNTRAINED for head in HEADS}
    return ModelInfo(heads=heads, preprocessing=Preprocessing(size=64), **changes)


@pytest.mark.parametrize(
    ("changes", "trained", "words"),
    [
        ({}, HEADS, "1,200 classes, 64 px, true 5×5 kernels, 3 trained heads"),
        ({"kernel_5x5": 3}, HEADS, "“5×5” is really 3×3, 3 trained heads"),
        ({}, ("main",), "true 5×5 kernels, auxiliary heads untrained"),
        ({"aux": False}, ("main",), "true 5×5 kernels, no auxiliary heads"),
        ({"left_out": "5x5"}, ("main", "aux1"), "no 5×5 branch, 2 trained heads"),
        ({}, (), "0 trained heads"),
    ],
)
def test_the_facts_are_those_of_the_network(changes, trained, words: str) -> None:
    assert facts(config(**changes), info(*trained)).endswith(words)


def test_what_is_not_what_it_is_called_is_said() -> None:
    told = about(config(kernel_5x5=3), info("main"), "from afar")
    assert told == (
        "from afar: 1,200 classes, 64 px. Its 5×5 is really 3×3. Aux1 and aux2 are untrained."
    )
    assert about(config(), info(*HEADS), "here") == "here: 1,200 classes, 64 px."
    bare = about(config(aux=False), info("main"), "here")
    assert bare.endswith("px. It has no auxiliary heads.")
    left_out = about(config(kernel_5x5=3, left_out="5x5"), info(*HEADS), "here")
    assert "really" not in left_out


def test_how_often_it_is_right_is_said_where_it_was_measured() -> None:
    metrics = {"heads": {"main": {"top1": 0.698}, "aux1": {"top1": 0.5}}}
    told = about(config(), info(*HEADS, metrics=metrics), "here")
    assert "right in validation: main 70 %, aux1 50 %." in told


def test_a_name_bears_kernel_and_heads() -> None:
    assert kind(config(kernel_5x5=3)) == "3×3 kernels, with heads"
    assert kind(config(aux=False)) == "5×5 kernels, without heads"
