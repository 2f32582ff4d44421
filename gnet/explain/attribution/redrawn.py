"""The sanity check: the same method on a network whose weights are drawn anew, from the top down.

A map that explains what the network has learned must change when that is lost. A method whose maps
stay alike shows the picture's edges instead (arXiv 1810.03292).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gnet.explain.attribution.attribute import Attribution, attribute
from gnet.explain.attribution.checks import stages_before
from gnet.network.model import GoogLeNet
from gnet.words import minus

STEM = "stem"
ALIKE = 0.5
"""A similarity from which on two maps look alike."""


@dataclass(frozen=True, kw_only=True)
class Sanity:
    """How alike the maps stay while more and more of the network is drawn anew."""

    label: str
    similarities: dict[str, float | None]
    """What was drawn anew last, from the head down to the stem → rank correlation with the trained
    network's map, from −1 to 1; None where a map is the same everywhere."""
    empty: bool = False
    """Whether the trained network's own map is the same everywhere: then nothing can be tested."""

    @property
    def half(self) -> str:
        """The level at which the head and the upper half of the layers are drawn anew."""
        return list(self.similarities)[len(self.similarities) // 2]

    @property
    def passed(self) -> bool:
        """Whether the map is no longer alike once the upper half is drawn anew."""
        if self.empty:
            return False
        left = self.similarities[self.half]
        return left is None or left < ALIKE

    @property
    def sentence(self) -> str:
        """What is left of the map in a network that has lost what it learned, in words."""
        if self.empty:
            return f"The map of {self.label} is empty already, so there is nothing to compare."
        left = self.similarities[self.half]
        done = f"With everything from the head down to {self.half} drawn anew"
        if left is None:
            return f"{done}, {self.label} gives an empty map: it passes."
        verdict = (
            "the map depends on what the network has learned"
            if self.passed
            else "the map shows the picture more than what the network has learned"
        )
        return minus(
            f"{done}, the map of {self.label} has a rank correlation of {left:.2f} with this one "
            f"(1 is the same, 0 unrelated): {verdict}."
        )

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "similarities": self.similarities,
            "passed": self.passed,
            "sentence": self.sentence,
        }


def sanity(
    model: GoogLeNet,
    pixels: Tensor,
    attribution: Attribution,
    *,
    seed: int = 0,
    heard: Callable[[float], None] | None = None,
) -> Sanity:
    """Draw the weights anew layer by layer from the head down, and compare the maps.

    The model is left as it is. `heard` is told how far it is.
    """
    redrawn = copy.deepcopy(model)
    layers = levels(attribution.head)
    generator = torch.Generator().manual_seed(seed)
    similarities: dict[str, float | None] = {}
    for index, level in enumerate(layers):

        def further(done: float, index: int = index) -> None:
            if heard:
                heard((index + done) / len(layers))

        for module in _modules(redrawn, attribution.head, level):
            redraw(module, generator)
        again = attribute(
            redrawn,
            pixels,
            method=attribution.method,
            target=attribution.target,
            head=attribution.head,
            heard=further,
            **attribution.options,
        )
        similarities[level] = similarity(attribution.map, again.map)
    first = attribution.map
    empty = bool((first == first.flatten()[0]).all())
    return Sanity(label=attribution.label, similarities=similarities, empty=empty)


def levels(head: str) -> tuple[str, ...]:
    """What is drawn anew, in order: the head, the modules before it from the last on, the stem."""
    return (head, *reversed(stages_before(head)), STEM)


def _modules(model: GoogLeNet, head: str, level: str) -> list[nn.Module]:
    if level == head:
        return list(model.head_modules(head).values())
    return [layer.module for layer in model.trunk() if layer.stage == level]


def redraw(module: nn.Module, generator: torch.Generator) -> None:
    """Weights from a normal of the same mean and deviation, so that responses keep their size.

    What has one number per channel (biases, norms) is shuffled.
    """
    with torch.no_grad():
        for weights in module.parameters():
            if weights.dim() > 1:
                drawn = torch.randn(weights.shape, generator=generator).to(weights)
                weights.copy_(drawn * weights.std() + weights.mean())
            else:
                order = torch.randperm(len(weights), generator=generator)
                weights.copy_(weights[order])


def similarity(one: Tensor, other: Tensor) -> float | None:
    """Spearman's rank correlation of two maps; None where one is the same everywhere."""
    ranks = torch.stack([_ranks(one), _ranks(other)])
    ranks = ranks - ranks.mean(1, keepdim=True)
    lengths = ranks.norm(dim=1)
    if not lengths.all():
        return None
    return float((ranks[0] @ ranks[1]) / lengths.prod())


def _ranks(values: Tensor) -> Tensor:
    """Of equal values each has their mean rank."""
    _, place, count = values.flatten().unique(return_inverse=True, return_counts=True)
    last = count.double().cumsum(0)
    return (last - (count - 1) / 2)[place]
