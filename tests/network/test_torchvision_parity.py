"""The preset `torchvision` against torchvision's network: the same names, bits and gradients."""

import pytest
import torch
from torch import nn
from torchvision.models import GoogLeNet as TorchvisionGoogLeNet

from gnet.network.config import ModelConfig
from gnet.network.model import GoogLeNet
from support.networks import unsettle


@pytest.fixture(scope="module")
def pair() -> tuple[GoogLeNet, TorchvisionGoogLeNet]:
    """Ours and torchvision's with the same weights, handed over strictly."""
    torch.manual_seed(0)
    ours = GoogLeNet(ModelConfig.preset("torchvision", num_classes=6, init="he"))
    unsettle(ours)
    theirs = TorchvisionGoogLeNet(num_classes=6, init_weights=False)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    return ours, theirs


def test_names_order_and_shapes_are_torchvisions(pair):
    ours, theirs = (model.state_dict() for model in pair)
    assert list(ours) == list(theirs)
    assert [value.shape for value in ours.values()] == [value.shape for value in theirs.values()]
    names = [name for name, _ in pair[0].named_parameters()]
    assert names == [name for name, _ in pair[1].named_parameters()]


def test_torchvisions_state_dict_loads_strictly(pair):
    ours = GoogLeNet(ModelConfig.preset("torchvision", num_classes=6))
    ours.load_state_dict(pair[1].state_dict(), strict=True)


def test_the_preset_holds_torchvisions_defaults():
    theirs = TorchvisionGoogLeNet(init_weights=False)
    config = ModelConfig.preset("torchvision")
    assert config.transform_input is theirs.transform_input is False
    assert config.aux is theirs.aux_logits is True
    assert config.dropout == theirs.dropout.p
    aux_dropout = theirs.get_submodule("aux1.dropout")
    assert isinstance(aux_dropout, nn.Dropout)
    assert config.dropout_aux == aux_dropout.p
    norm = theirs.get_submodule("conv1.bn")
    assert isinstance(norm, nn.BatchNorm2d)
    assert config.norm_eps == norm.eps
    assert config.num_classes == theirs.fc.out_features


@pytest.mark.parametrize("side", [32, 64, 97, 224])
@pytest.mark.parametrize("transform_input", [False, True])
def test_eval_outputs_equal_torchvisions_to_the_bit(pair, side, transform_input):
    ours, theirs = (model.eval() for model in pair)
    x = torch.randn(2, 3, side, side)
    if transform_input:
        config = ModelConfig.preset("torchvision", num_classes=6, transform_input=True)
        with torch.device("meta"):
            ours = GoogLeNet(config)
        ours.load_state_dict(theirs.state_dict(), assign=True)
        ours.eval()
    theirs.transform_input = transform_input
    try:
        with torch.no_grad():
            assert torch.equal(ours(x).main, theirs(x))
    finally:
        theirs.transform_input = False


def test_training_outputs_of_all_heads_equal_torchvisions_to_the_bit(pair):
    ours, theirs = (model.train() for model in pair)
    x = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        torch.manual_seed(7)
        a = ours(x)
        torch.manual_seed(7)
        b = theirs(x)
    assert torch.equal(a.main, b.logits)
    assert torch.equal(a.aux1, b.aux_logits1)
    assert torch.equal(a.aux2, b.aux_logits2)
    for name, value in ours.state_dict().items():
        assert torch.equal(value, theirs.state_dict()[name]), name
    for model in pair:
        model.eval()


def test_gradients_equal_torchvisions(pair):
    ours, theirs = (model.eval() for model in pair)
    x = torch.randn(2, 3, 32, 32)
    a = torch.autograd.grad(ours(x).main.square().sum(), list(ours.inception3a.parameters()))
    b = torch.autograd.grad(theirs(x).square().sum(), list(theirs.inception3a.parameters()))
    assert all(torch.equal(g, h) for g, h in zip(a, b, strict=True))
