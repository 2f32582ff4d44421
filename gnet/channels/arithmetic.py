"""One convolution step as the sum it is: a cell of a channel from its inputs, kernels and bias."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from gnet.channels.visualization import lane_of
from gnet.errors import GnetError
from gnet.explain.recording import Recording
from gnet.network.config import BRANCHES
from gnet.network.hooks import evaluating
from gnet.network.model import GoogLeNet


@dataclass(frozen=True, kw_only=True, eq=False)
class Term:
    """What one input channel adds to the sum."""

    channel: int
    """Of the last convolution's input: of the module's input, pooled or not, or of the 1×1
    reduction before."""
    patch: Tensor
    """(k, k): the input under the kernel; 0 beyond the map's edge."""
    kernel: Tensor
    """(k, k): the weights."""
    sum: float
    """Σ patch · kernel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """A cell's value: the terms, the rest of the inputs, the bias, and what the ReLU leaves."""

    cell: tuple[int, int]
    """Row and column in the channel's map."""
    inputs: int
    """How many input channels the convolution has."""
    terms: tuple[Term, ...]
    """Those with the largest |sum|, the largest first."""
    rest: float
    """What all other input channels add."""
    bias: float
    total: float
    """Terms + rest + bias."""
    value: float
    """What becomes of the total: cut at 0 by a ReLU, if one stands there."""
    recorded: float
    """The cell as it was recorded, which `value` must equal."""
    rectified: bool
    """Whether a ReLU follows the convolution; in a pre-activation network it stands before."""


def convolution_step(
    model: GoogLeNet, recording: Recording, stage: str, branch: str, channel: int, *, top: int = 3
) -> Step:
    """How the last convolution of a branch makes the strongest cell of one of its channels.

    `model` must be from `fold` and have made the recording: then norm is part of kernel and bias.
    `top`: how many input channels are named. Raises `GnetError`.
    """
    front, block = lane_of(model, stage, branch, [channel])
    if not (block.pre_activation or isinstance(block.bn, torch.nn.Identity)):
        raise GnetError(
            "The network's norms stand apart from its convolutions; allowed is a folded network."
        )
    recorded = recording.branches[stage][branch][channel]
    row, col = divmod(int(recorded.flatten().argmax()), recorded.shape[1])
    with evaluating(model), torch.no_grad():
        x = front(recording.inputs[stage][None])  # (1, inputs, h, w)
        if block.pre_activation:
            x = block.relu(block.bn(x))
        kernel = block.conv.weight[channel].double()  # (inputs, k, k)
        bias = 0.0 if block.conv.bias is None else float(block.conv.bias[channel])
        side = kernel.shape[-1]
        around = F.pad(x[0], [side // 2] * 4).double()
        patch = around[:, row : row + side, col : col + side]  # (inputs, k, k)
    sums = (patch * kernel).sum((1, 2))
    order = sums.abs().argsort(descending=True, stable=True)[:top].tolist()
    total = float(sums.sum()) + bias
    return Step(
        cell=(row, col),
        inputs=len(sums),
        terms=tuple(
            Term(channel=at, patch=patch[at], kernel=kernel[at], sum=float(sums[at]))
            for at in order
        ),
        rest=float(sums.sum() - sums[order].sum()),
        bias=bias,
        total=total,
        value=total if block.pre_activation else max(0.0, total),
        recorded=float(recorded[row, col]),
        rectified=not block.pre_activation,
    )


def input_name(recording: Recording, stage: str, branch: str, channel: int) -> tuple[str, str, int]:
    """Where an input channel of the branch's last convolution comes from: (stage, branch, channel).

    ("stem", "", n) where no module stands before; (stage, "reduce", n) for the 1×1 reduction.
    """
    if branch in ("3x3", "5x5"):
        return stage, "reduce", channel
    stages = list(recording.branches)
    at = stages.index(stage)
    if at == 0:
        return "stem", "", channel
    before = recording.branches[stages[at - 1]]
    start = 0
    for name in BRANCHES:
        if channel < start + len(before[name]):
            return stages[at - 1], name, channel - start
        start += len(before[name])
    raise GnetError(f"The input of {stage} has no channel {channel}; allowed are 0 to {start - 1}.")
