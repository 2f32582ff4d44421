"""One forward of a network: every module's input and output, and the heads' logits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.inference.pixels import check_pixels
from gnet.network.hooks import evaluating, watching
from gnet.network.model import GoogLeNet
from gnet.words import listed


@dataclass(frozen=True, kw_only=True, eq=False)
class Forward:
    """One picture's way through the network. All tensors are float32 on the CPU."""

    inputs: dict[str, Tensor]
    """Stage → (C, h, w)."""
    outputs: dict[str, Tensor]
    """Stage → (C, h, w), the branches concatenated."""
    logits: dict[str, Tensor]
    """Head → (classes,); only the heads the network has."""


def forward(model: GoogLeNet, pixels: Tensor) -> Forward:
    """Run the network once on one picture, in eval mode and without a graph.

    `pixels`: (1, 3, H, W) in [0, 1]; they are normalised here, and take the device and the
    precision of the weights. The model's mode and hooks are afterwards as they were.
    """
    check_pixels(model, pixels)
    weights = next(model.parameters())
    x = model.info.preprocessing.normalise(pixels.to(weights.device)).to(weights.dtype)
    with evaluating(model), torch.no_grad(), watching(model.inceptions()) as passed:
        logits = model(x)
    kept = {
        head: as_kept(values[0]) for head, values in logits._asdict().items() if values is not None
    }
    check_logits(kept)
    return Forward(
        inputs={stage: as_kept(seen.input[0]) for stage, seen in passed.items()},
        outputs={stage: as_kept(seen.output[0]) for stage, seen in passed.items()},
        logits=kept,
    )


def check_logits(logits: dict[str, Tensor]) -> None:
    """Raise `GnetError` unless all logits are finite: nothing could be shown of others."""
    if damaged := [head for head, values in logits.items() if not values.isfinite().all()]:
        raise GnetError(
            f"The network's logits of {listed(damaged)} are NaN or infinite for this picture; its "
            "training diverged, or its numbers are too large for the precision of its weights."
        )


def as_kept(tensor: Tensor) -> Tensor:
    """The tensor without its graph, float32 on the CPU; not copied where it is that already."""
    return tensor.detach().to(device="cpu", dtype=torch.float32)
