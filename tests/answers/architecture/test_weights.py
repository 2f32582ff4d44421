"""Kernels as bytes and distributions of weights, against the weights themselves."""

import base64

import numpy as np
import pytest
import torch

from gnet.answers.architecture.plans import Plan, shape_of
from gnet.answers.architecture.weights import BINS, describe_weights
from support.networks import network


def test_kernels_are_scaled_by_the_largest_weight_and_grey_is_zero():
    model = network("batch-norm")
    with torch.no_grad():
        model.conv1.conv.weight[0, :, 0, 0] = 0.0
    weight = model.conv1.conv.weight.detach()
    told = describe_weights(Plan(model=model))["kernels"]
    data = np.frombuffer(base64.b64decode(told["data"]), np.uint8)
    pixels = data.reshape(told["count"], told["side"], told["side"], 3)
    assert (told["count"], told["side"]) == (weight.shape[0], 7)
    assert pixels[0, 0, 0].tolist() == [128, 128, 128]
    values = (pixels.astype(float) - 127.5) / 127.5 * float(weight.abs().max())
    expected = weight.permute(0, 2, 3, 1).numpy()
    assert np.abs(values - expected).max() <= float(weight.abs().max()) / 127.5


def test_a_distribution_counts_each_weight_and_is_symmetric_about_zero():
    model = network("batch-norm")
    units = {unit["unit"]: unit for unit in describe_weights(Plan(model=model))["units"]}
    assert len(units) == 3 + 9 * 6 + 2 * 3 + 1
    weight = model.get_parameter("inception4b.branch1.conv.weight").detach()
    told = units["inception_4b/1x1"]
    limit = float(weight.abs().max())
    counts, _ = np.histogram(weight.numpy(), BINS, (-limit, limit))
    assert told["bars"] == pytest.approx(counts / counts.max(), abs=0.02)
    assert len(told["bars"]) == BINS and max(told["bars"]) == 1
    assert told["count"] == f"{weight.numel():,}"


def test_a_presets_weights_are_said_to_be_untrained():
    told = describe_weights(Plan(model=shape_of("torchvision"), preset="torchvision"))
    assert "nobody has trained" in told["about"]
    conv = next(unit for unit in told["units"] if unit["unit"] == "inception_4b/3x3")
    assert float(conv["spread"]) == pytest.approx(0.01, rel=0.01), "normal, deviation 0.01"
