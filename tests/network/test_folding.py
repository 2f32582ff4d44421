"""Batch norm folded into the convolutions: the same answers from fewer layers."""

import pytest
import torch
from torch import nn

from gnet.network.folding import fold
from gnet.network.info import ModelInfo
from support.networks import network, side_for


@pytest.mark.parametrize("preset", ["batch-norm", "torchvision"])
def test_the_folded_network_computes_the_same(preset):
    model = network(preset, width=0.25, transform_input=True)
    x = torch.randn(2, 3, 96, 96)
    folded = fold(model)
    assert folded.config.norm == "none"
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert not folded.training
    assert folded.conv3.conv.weight.is_contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        for a, b in zip(model(x), folded(x), strict=True):
            scale = a.abs().max()
            assert ((a - b).abs().max() / scale).item() < 1e-4


@pytest.mark.parametrize("preset", ["paper", "pre-activation"])
def test_nothing_is_folded_where_no_norm_follows_its_convolution(preset):
    model = network(preset)
    folded = fold(model)
    assert folded.config == model.config
    for name, value in model.state_dict().items():
        assert torch.equal(folded.state_dict()[name], value), name
    side = side_for(model.config)
    x = torch.randn(1, 3, side, side)
    with torch.no_grad():
        for a, b in zip(model(x), folded(x), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_folding_twice_changes_nothing_more_and_leaves_the_original_alone():
    model = network("batch-norm").train()
    model.info = ModelInfo(name="kept", classes=("a", "b", "c", "d", "e"))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    once = fold(model)
    twice = fold(once)
    assert once.info == twice.info == model.info
    assert twice.config == once.config
    for name, value in once.state_dict().items():
        assert torch.equal(twice.state_dict()[name], value), name
    with torch.no_grad():
        for parameter in once.parameters():
            parameter.zero_()
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert any(p.abs().sum() > 0 for p in twice.parameters()), "copies share no memory"
