"""What a forward refuses: the same sentences for a recording and for an attribution."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gnet.errors import GnetError
from gnet.explain.attribution.attribute import attribute
from gnet.explain.recording import record
from gnet.network.config import HEADS, TRAINED
from gnet.network.info import ModelInfo
from gnet.network.model import GoogLeNet
from support.networks import network


@pytest.fixture(scope="module")
def model() -> GoogLeNet:
    model = network("batch-norm", num_classes=7)
    model.info = ModelInfo(heads=dict.fromkeys(HEADS, TRAINED))
    return model


def refusals(model, pixels) -> set[str]:
    said = set()
    for question in (record, lambda m, p: attribute(m, p, method="saliency", target=0)):
        with pytest.raises(GnetError) as caught:
            question(model, pixels)
        said.add(str(caught.value))
    return said


@pytest.mark.parametrize(
    ("pixels", "word"),
    [
        (torch.rand(3, 64, 64), "shape (3, 64, 64)"),
        (torch.rand(2, 3, 64, 64), "shape (2, 3, 64, 64)"),
        (torch.rand(1, 1, 64, 64), "shape (1, 1, 64, 64)"),
        (torch.rand(1, 3, 0, 0), "0×0 px"),
        (torch.rand(1, 3, 16, 16), "16×16 px"),
        (torch.zeros(1, 3, 64, 64, dtype=torch.uint8), "uint8 from 0 to 0"),
        (torch.full((1, 3, 64, 64), 255.0), "from 255 to 255"),
        (torch.full((1, 3, 64, 64), math.nan), "from nan to nan"),
        ("cat.jpg", "are a str"),
        (np.zeros((1, 3, 64, 64)), "are a ndarray"),
        (Image.new("RGB", (64, 64)), "are a Image"),
        (None, "are a NoneType"),
    ],
)
def test_pixels_of_another_kind_shape_or_range_are_one_sentence(model, pixels, word):
    (sentence,) = refusals(model, pixels)
    assert word in sentence and "allowed" in sentence and sentence.endswith(".")


def test_a_network_in_a_wrapper_is_one_sentence_that_names_the_network_inside(model):
    (sentence,) = refusals(nn.DataParallel(model), torch.rand(1, 3, 64, 64))
    assert "DataParallel" in sentence and ".module" in sentence


def test_something_else_than_a_network_is_one_sentence():
    (sentence,) = refusals(nn.Identity(), torch.rand(1, 3, 64, 64))
    assert "Identity" in sentence
