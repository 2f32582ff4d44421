"""Small networks for the tests: narrow ones that compute, and ones of shapes only."""

import torch
from torch import nn

from gnet.network.config import ModelConfig
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet


def network(preset: str, **changes) -> GoogLeNet:
    """A narrow network with weights and norm statistics that no default could pass for."""
    torch.manual_seed(0)
    settings = {"width": 0.0625, "num_classes": 5, "init": "he"} | changes
    model = GoogLeNet(ModelConfig.preset(preset, **settings)).eval()
    unsettle(model)
    return model


def unsettle(model: nn.Module) -> None:
    """Give every batch norm weights, biases and statistics of its own."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(std=0.1)
                module.running_mean.normal_(std=0.3)
                module.running_var.uniform_(0.5, 1.5)


def without_memory(preset: str, **changes) -> GoogLeNet:
    """A network of shapes only."""
    with torch.device("meta"):
        return GoogLeNet(ModelConfig.preset(preset, **changes))


def side_for(config: ModelConfig) -> int:
    return 224 if config.aux_pool == "paper" else 64


EXPORTED = ModelInfo(name="small", classes=("a", "b", "ü"), preprocessing=Preprocessing(size=64))


def exported(preset: str, **changes) -> GoogLeNet:
    """A narrow network of three classes, for exports."""
    torch.manual_seed(0)
    config = ModelConfig.preset(preset, width=0.0625, num_classes=3, init="he", **changes)
    model = GoogLeNet(config, EXPORTED)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features) / 4
    return model.eval()
