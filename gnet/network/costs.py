"""What every layer costs, counted from the live network: weights, parameters, multiply-adds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from gnet.network.config import BRANCHES, STAGES
from gnet.network.hooks import watching
from gnet.network.model import ConvBlock, GoogLeNet

_UNITS = {
    "conv1": ("conv1/7x7_s2", "stem"),
    "conv2": ("conv2/3x3_reduce", "stem"),
    "conv3": ("conv2/3x3", "stem"),
    "fc": ("loss3/classifier", "main"),
}
_INCEPTION_UNITS = {
    "branch1": "1x1",
    "branch2.0": "3x3_reduce",
    "branch2.1": "3x3",
    "branch3.0": "5x5_reduce",
    "branch3.1": "5x5",
    "branch4.1": "pool_proj",
}
_BRANCH_UNITS = {
    "1x1": ("1x1",),
    "3x3": ("3x3_reduce", "3x3"),
    "5x5": ("5x5_reduce", "5x5"),
    "pool": ("pool_proj",),
}
"""The convolutions of a branch, in the order they run."""
_AUX_UNITS = {"conv": "conv", "fc1": "fc", "fc2": "classifier"}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one convolution or linear layer costs for one picture."""

    unit: str
    """Name as in the released Caffe model, `inception_3a/3x3_reduce`."""
    stage: str
    """`stem`, a stage, or a head."""
    weights: int
    """Weights without bias and without normalisation."""
    parameters: int
    """Weights, bias and the parameters of the normalisation that belongs to it."""
    macs: int
    """Multiply-adds."""
    output: tuple[int, ...]
    """Shape of the output without the batch dimension."""
    kernel: int
    """Side of the convolution's window; 1 for a linear layer."""


def layer_costs(model: GoogLeNet, size: int) -> list[Cost]:
    """Parameters and multiply-adds of every layer for one square picture of `size` px."""
    with torch.device("meta"):  # shapes only: nothing is computed, no hook on the live model
        shadow = GoogLeNet(model.config).eval()
        x = torch.empty(1, 3, size, size)
    names = {
        name: module
        for name, module in shadow.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }
    with watching(names) as passed:
        shadow(x)
    return [
        _cost(shadow, name, module, passed[name].output.shape) for name, module in names.items()
    ]


@dataclass(frozen=True, kw_only=True)
class BranchCost:
    """What one branch of a module costs for one picture; nothing where it is left out."""

    layers: tuple[Cost, ...]
    """Its convolutions, in the order they run."""
    direct: int | None
    """Multiply-adds of its last convolution on the module's whole input, with no 1×1 reduce before
    it; None where there is no reduce."""

    @property
    def macs(self) -> int:
        """Multiply-adds."""
        return sum(layer.macs for layer in self.layers)


def branch_costs(model: GoogLeNet, size: int) -> dict[str, dict[str, BranchCost]]:
    """The cost of every branch for one square picture of `size` px: stage → branch → cost."""
    costs = {cost.unit: cost for cost in layer_costs(model, size)}
    found: dict[str, dict[str, BranchCost]] = {stage: {} for stage in STAGES}
    for stage, module in model.inceptions().items():
        for branch in BRANCHES:
            units = (f"inception_{stage}/{unit}" for unit in _BRANCH_UNITS[branch])
            layers = tuple(costs[unit] for unit in units if unit in costs)
            direct = None
            if len(layers) == 2:
                reduce, last = layers
                direct = last.macs // reduce.output[0] * module.in_channels
            found[stage][branch] = BranchCost(layers=layers, direct=direct)
    return found


def unit_name(module_name: str) -> tuple[str, str]:
    """(unit as in the released Caffe model, stage or head) of a layer's module name."""
    block = module_name.removesuffix(".conv") if module_name.count(".") else module_name
    if block in _UNITS:
        return _UNITS[block]
    owner, _, rest = block.partition(".")
    if owner.startswith("inception"):
        stage = owner.removeprefix("inception")
        return f"inception_{stage}/{_INCEPTION_UNITS[rest]}", stage
    return f"loss{owner[-1]}/{_AUX_UNITS[rest.partition('.')[0] or 'conv']}", owner


def _cost(model: GoogLeNet, name: str, module: nn.Module, shape: torch.Size) -> Cost:
    assert isinstance(module, nn.Conv2d | nn.Linear)
    unit, stage = unit_name(name)
    owner = model.get_submodule(name.rpartition(".")[0])
    parameters = sum(p.numel() for p in module.parameters())
    if isinstance(owner, ConvBlock):
        parameters += sum(p.numel() for p in owner.bn.parameters())
    positions = shape[2] * shape[3] if len(shape) == 4 else 1
    return Cost(
        unit=unit,
        stage=stage,
        weights=module.weight.numel(),
        parameters=parameters,
        macs=module.weight.numel() * positions,
        output=tuple(shape[1:]),
        kernel=module.kernel_size[0] if isinstance(module, nn.Conv2d) else 1,
    )
