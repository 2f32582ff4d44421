"""What an explanation takes: how often the network runs, and how long that is here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from gnet.explain.attribution.attribute import attribute
from gnet.explain.attribution.question import Cost
from gnet.network.hooks import evaluating
from gnet.network.model import GoogLeNet
from gnet.words import duration

QUICK = 10.0
"""Seconds up to which an explanation is begun without being asked for."""
_TURNS = 3
_AT_ONCE = 8
"""Pictures of the batch that a forward is timed with."""


class Speed(NamedTuple):
    """Seconds for one picture."""

    forward: float
    gradient: float


def measure(model: GoogLeNet, head: str) -> Speed:
    """Time a forward and a gradient of `head`."""
    size = model.info.preprocessing.size
    pixels = torch.full((_AT_ONCE, 3, size, size), 0.5)
    network, x = model.until(head), model.info.preprocessing.normalise(pixels)

    def gradient() -> None:
        attribute(model, pixels[:1], method="saliency", target=0, head=head)

    def forward() -> None:
        with evaluating(model), torch.no_grad():
            network(x)

    return Speed(forward=_fastest(forward) / _AT_ONCE, gradient=_fastest(gradient))


def _fastest(run: Callable[[], None]) -> float:
    """Seconds; the fastest of a few, since other work on the machine only makes it slower."""
    taken = []
    for _ in range(_TURNS):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return min(taken)


def seconds(work: Cost, speed: Speed) -> float:
    """How long that many runs of the network take."""
    return work.forwards * speed.forward + work.gradients * speed.gradient


def in_words(taken: float) -> str:
    """`about 4 s`; never less than one."""
    return f"about {duration(max(1.0, taken))}"
