"""Questions to an attribution that have no answer: each gets one sentence instead."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.explain.attribution.attribute import attribute
from gnet.network.config import PROBE, TRAINED, UNTRAINED
from gnet.network.info import ModelInfo
from gnet.network.model import GoogLeNet
from support.networks import network

INFO = ModelInfo(classes=tuple("abcdefg"), heads={"main": TRAINED, "aux1": TRAINED, "aux2": PROBE})


def described(info: ModelInfo = INFO, **changes) -> GoogLeNet:
    model = network("batch-norm", num_classes=7, **changes)
    model.info = info
    return model


@pytest.fixture(scope="module")
def model() -> GoogLeNet:
    return described()


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    torch.manual_seed(5)
    return torch.rand(1, 3, 64, 64)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "magic"}, "no method 'magic'; there are grad-cam, saliency, smooth-grad,"),
        ({"head": "aux3"}, "no head 'aux3'; there are aux1, aux2 and main"),
        ({"target": 7}, "class is 7; allowed are numbers from 0 to 6"),
        ({"target": -1}, "class is -1"),
        ({"target": True}, "class is True"),
        (
            {"method": "integrated-gradients", "steps": 1},
            "steps is 1; allowed are whole numbers from 2 to",
        ),
        ({"method": "grad-cam"}, "explains one module and none was named; choose 3a, 3b,"),
        ({"method": "grad-cam", "stage": "6a"}, "no module '6a'; choose 3a"),
        (
            {"method": "grad-cam", "stage": "5a", "head": "aux1"},
            "5a lies behind aux1, which leaves after 4a; choose 3a, 3b or 4a.",
        ),
        (
            {"method": "grad-cam", "stage": "4a", "branch": "7x7"},
            "no branch '7x7'; there are 1x1, 3x3, 5x5 and pool",
        ),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(model, pixels, arguments, sentence):
    with pytest.raises(GnetError) as caught:
        attribute(model, pixels, **({"method": "saliency", "target": 0} | arguments))
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_head_without_training_is_not_explained(pixels):
    heads = {"main": TRAINED, "aux1": UNTRAINED, "aux2": UNTRAINED}
    model = described(info=replace(INFO, heads=heads))
    with pytest.raises(GnetError, match=r"aux1 of this network is untrained.*; choose main"):
        attribute(model, pixels, method="saliency", head="aux1", target=0)
    nothing = described(info=ModelInfo())
    with pytest.raises(GnetError, match="train the network first"):
        attribute(nothing, pixels, method="saliency", target=0)


def test_a_network_without_heads_has_only_its_main_one(pixels):
    model = described(aux=False)
    with pytest.raises(GnetError, match="built without aux2; its only head is main"):
        attribute(model, pixels, method="saliency", head="aux2", target=0)
    assert attribute(model, pixels, method="saliency", target=0).high > 0


def test_a_diverged_network_is_answered_with_a_sentence(pixels):
    model = described()
    with torch.no_grad():
        model.fc.bias.fill_(math.nan)
    with pytest.raises(GnetError, match="logit for class 0 is nan"):
        attribute(model, pixels, method="saliency", target=0)
