"""What an attribution method is given: one logit of one head as a function of the pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gnet.network.model import GoogLeNet

BATCH = 4
"""Pictures differentiated at once; bounds the memory and changes the result by rounding alone."""


class Cost(NamedTuple):
    """How often a method runs the network on one picture."""

    forwards: int = 0
    """Without gradients."""
    gradients: int = 0
    """With gradients: a forward and the way back."""


class Answering(nn.Module):
    """Pixels (N, 3, H, W) in [0, 1] → logits (N, classes) of one head; tells of each call."""

    def __init__(self, model: GoogLeNet, head: str, told: Callable[[int], None]) -> None:
        super().__init__()
        self.network = model.until(head)
        self._model = (model,)  # in a tuple: no submodule
        self._told = told

    def forward(self, x: Tensor) -> Tensor:
        self._told(len(x))
        model = self._model[0]
        weights = next(model.parameters())
        return self.network(model.info.preprocessing.normalise(x).to(weights.dtype)).float()


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """The input of a method, already checked."""

    model: GoogLeNet
    head: str
    answering: Answering
    pixels: Tensor
    """(1, 3, H, W), requires gradient."""
    baseline: Tensor
    """(1, 3, H, W)."""
    target: int
    options: Any
    """The method's own record."""
    layer: nn.Module | None
    """The chosen module, for a method that looks at one."""
    channels: slice
    """The channels of `layer` that belong to the chosen branch, or all of them."""
    told: Callable[[int], None]
    """Is told of each picture that the network was run on, where `answering` is not called."""


def baseline_of(model: GoogLeNet, pixels: Tensor, name: str) -> Tensor:
    """A plain picture (1, 3, H, W): "mean" (the network is given 0), "black" or "blurred"."""
    if name == "black":
        return torch.zeros_like(pixels)
    if name == "blurred":
        from torchvision.transforms.functional import gaussian_blur  # here: it takes two seconds

        sigma = min(pixels.shape[-2:]) / 16
        reach = min(2 * round(3 * sigma) + 1, 2 * min(pixels.shape[-2:]) - 1)
        return gaussian_blur(pixels, [reach, reach], [sigma, sigma]).clamp(0, 1)
    mean = pixels.new_tensor(model.info.preprocessing.mean)
    return mean.view(1, 3, 1, 1).expand_as(pixels)


def counting(total: int, heard: Callable[[float], None] | None) -> Callable[[int], None]:
    """What is told of each picture run, and tells `heard` what share of `total` is behind it."""
    done = 0

    def told(count: int) -> None:
        nonlocal done
        if heard:
            heard(min(1.0, done / max(1, total)))
        done += count

    return told
