"""Whether a method holds on a network: measured or counted, never taken for granted."""

from __future__ import annotations

import torch
from torch import nn

from gnet.explain.attribution.gradients import deep_lift
from gnet.explain.attribution.options import Reference
from gnet.explain.attribution.question import Answering, Question, baseline_of
from gnet.network.hooks import differentiable, evaluating
from gnet.network.model import GoogLeNet
from gnet.words import fixed

_MOST = 0.02
"""An error of DeepLift's sum, as a fraction of the logits' difference, that rounding explains."""


def needs_relu(model: GoogLeNet, head: str) -> str | None:
    """Why Guided Backprop says nothing on this network; None where it may be used."""
    found = sum(isinstance(module, nn.ReLU) for module in model.until(head).modules())
    if found:
        return None
    return (
        f"It cuts gradients at ReLU modules, and there is none on the way to {head}: its map would "
        "be the plain gradient."
    )


def sums_up(model: GoogLeNet, head: str) -> str | None:
    """Why DeepLift does not hold here: its map must sum to the logits' difference.

    Measured on a picture of noise against the mean colour.
    """
    size = model.info.preprocessing.size
    pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    model = differentiable(model)
    answering = Answering(model, head, lambda count: None)
    with torch.inference_mode(False), evaluating(model), torch.enable_grad():
        x = pixels.to(next(model.parameters()).device).requires_grad_()
        baseline = baseline_of(model, x.detach(), "mean")
        with torch.no_grad():
            ends = answering(torch.cat([x, baseline]))
        target = int((ends[0] - ends[1]).abs().argmax())
        question = Question(
            model=model,
            head=head,
            answering=answering,
            pixels=x,
            baseline=baseline,
            target=target,
            options=Reference(),
            layer=None,
            channels=slice(None),
            told=lambda count: None,
        )
        summed = deep_lift(question).double().sum().item()
    difference = (ends[0] - ends[1])[target].item()
    if abs(summed - difference) <= _MOST * abs(difference):
        return None
    pools = _overlapping(model, head)
    return (
        f"Its map must sum to the difference of two logits. On this network, for a picture of "
        f"noise, the difference is {fixed(difference, 3)} and the sum is {fixed(summed, 3)}: "
        + (
            f"its rule holds where the windows of a max-pool do not overlap, and those of {pools} "
            f"max-pools on the way to {head} do."
            if pools
            else "its rules do not hold for a layer on the way."
        )
    )


def _overlapping(model: GoogLeNet, head: str) -> int:
    """Max-pools whose windows share cells."""
    pools = [one for one in model.until(head).modules() if isinstance(one, nn.MaxPool2d)]
    return sum(_side(pool.kernel_size) > _side(pool.stride) for pool in pools)


def _side(value: int | tuple[int, ...]) -> int:
    return value[0] if isinstance(value, tuple) else value
