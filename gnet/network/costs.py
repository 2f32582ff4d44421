"""What every layer costs, counted from the live network: weights, parameters, multiply-adds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import nn

from gnet.network.config import BRANCHES, EXITS, HEADS, STAGES, ModelConfig, Widths
from gnet.network.hooks import watching
from gnet.network.model import ConvBlock, GoogLeNet, Inception, LeftOut

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
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }
    shapes = output_shapes(model.config, size, list(layers))
    return [_cost(model, name, module, shapes[name]) for name, module in layers.items()]


def output_shapes(config: ModelConfig, size: int, names: list[str]) -> dict[str, torch.Size]:
    """What the modules of these names put out for one square picture of `size` px: (1, …)."""
    # No picture is passed, so nothing is computed; and no hook is set on the live model. Norms
    # change no shape. To pass a picture on the device `meta` takes torch two seconds, in which it
    # imports its compiler.
    with torch.device("meta"):
        shadow = GoogLeNet(replace(config, norm="none")).eval()
    numbers = {name: torch.empty(value.shape) for name, value in shadow.state_dict().items()}
    shadow.load_state_dict(numbers, assign=True)  # `to_empty` would import as much
    modules = {name: shadow.get_submodule(name) for name in names}
    with watching(modules) as passed, torch.no_grad():
        shadow(torch.empty(0, 3, size, size))
    return {name: torch.Size((1, *seen.output.shape[1:])) for name, seen in passed.items()}


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


@dataclass(frozen=True, kw_only=True)
class HeadCost:
    """What it takes to answer with one head alone: `until(head)` for one picture."""

    head: str
    weights: int
    parameters: int
    """Those of all modules on the way to this head and of no other."""
    macs: int
    """Multiply-adds."""


def head_costs(model: GoogLeNet, size: int) -> dict[str, HeadCost]:
    """The cost of each head's own network for a square picture of `size` px, by head."""
    costs = layer_costs(model, size)
    found = {}
    for head in HEADS if model.config.aux else ("main",):
        way = ("stem", *STAGES[: STAGES.index(EXITS[head]) + 1], head)
        needed = [cost for cost in costs if cost.stage in way]
        found[head] = HeadCost(
            head=head,
            weights=sum(cost.weights for cost in needed),
            parameters=sum(p.numel() for p in model.until(head).parameters()),
            macs=sum(cost.macs for cost in needed),
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Part:
    """One convolution of a module, or the pooling in it."""

    name: str
    """`1x1`, `3x3_reduce` … `pool`, `pool_proj`."""
    branch: str
    shape: tuple[int, ...]
    """Of the weight: (outputs, inputs, kernel, kernel); empty for the pooling."""
    channels: int
    """Channels that it puts out."""
    parameters: int
    """Weights, bias and normalisation."""
    cells: int
    """Places of its output map."""

    @property
    def weights(self) -> int:
        """Weights alone; 0 for the pooling."""
        return math.prod(self.shape) if self.shape else 0

    @property
    def macs(self) -> int:
        """Multiply-adds for one picture."""
        return self.weights * self.cells


@dataclass(frozen=True, kw_only=True)
class ModuleCost:
    """What an inception module costs for one picture, part by part."""

    parts: tuple[Part, ...]

    @property
    def channels(self) -> int:
        """Channels of the concatenation."""
        return sum(lane[-1].channels for lane in self.lanes().values())

    @property
    def weights(self) -> int:
        return sum(part.weights for part in self.parts)

    @property
    def parameters(self) -> int:
        return sum(part.parameters for part in self.parts)

    @property
    def macs(self) -> int:
        """Multiply-adds."""
        return sum(part.macs for part in self.parts)

    @property
    def values(self) -> int:
        """Numbers that its parts put out: what a training step keeps of them."""
        return sum(part.channels * part.cells for part in self.parts)

    @property
    def bytes(self) -> int:
        """Memory of parameters and outputs at 4 bytes a number (float32)."""
        return 4 * (self.parameters + self.values)

    def lanes(self) -> dict[str, list[Part]]:
        """The parts of each branch, in the order they run."""
        lanes: dict[str, list[Part]] = {}
        for part in self.parts:
            lanes.setdefault(part.branch, []).append(part)
        return lanes


def module_cost(config: ModelConfig, in_channels: int, widths: Widths, side: int) -> ModuleCost:
    """The cost of a module as `Inception` builds it, on maps of `side` × `side` cells."""
    with torch.device("meta"):
        module = Inception(config, in_channels, widths)
    parts = []
    for (name, lane), branch in zip(module.named_children(), BRANCHES, strict=True):
        steps = list(lane.named_children()) if isinstance(lane, nn.Sequential) else [("", lane)]
        for step, block in steps:
            own = f"{name}.{step}" if step else name
            if isinstance(block, ConvBlock):
                parts.append(_part(block, _INCEPTION_UNITS[own], branch, side))
            elif not isinstance(block, LeftOut):
                parts.append(_pooling(in_channels, side))
    return ModuleCost(parts=tuple(parts))


def naive_module_cost(
    config: ModelConfig, in_channels: int, widths: Widths, side: int
) -> ModuleCost:
    """The naive module (Fig. 2a): every kernel on the whole input, the pooling passed on as it is.

    The same kernels, outputs and normalisation as in `module_cost`, with no 1×1 before or behind.
    """
    kernels = {"1x1": 1, "3x3": 3, "5x5": config.kernel_5x5}
    outputs = dict(zip(BRANCHES, widths.branches, strict=True))
    left_out = config.branches_left_out()
    parts = []
    for branch in BRANCHES:
        if branch in left_out:
            continue
        if branch == "pool":
            parts.append(_pooling(in_channels, side))
            continue
        with torch.device("meta"):
            block = ConvBlock(config, in_channels, outputs[branch], kernel=kernels[branch])
        parts.append(_part(block, branch, branch, side))
    return ModuleCost(parts=tuple(parts))


def _part(block: ConvBlock, name: str, branch: str, side: int) -> Part:
    return Part(
        name=name,
        branch=branch,
        shape=tuple(block.conv.weight.shape),
        channels=block.conv.out_channels,
        parameters=sum(p.numel() for p in block.parameters()),
        cells=side * side,
    )


def _pooling(channels: int, side: int) -> Part:
    return Part(
        name="pool", branch="pool", shape=(), channels=channels, parameters=0, cells=side * side
    )


def branch_units(last: str = "5b") -> dict[tuple[str, str], str]:
    """(stage, branch) → the unit whose output is the branch's, up to the module `last`."""
    return {
        (stage, branch): f"inception_{stage}/{_BRANCH_UNITS[branch][-1]}"
        for stage in STAGES[: STAGES.index(last) + 1]
        for branch in BRANCHES
    }


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
