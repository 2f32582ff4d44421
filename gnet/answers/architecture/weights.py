"""A network's weights to look at: the first layer's kernels, and how each unit's are spread."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import torch
from torch import nn

from gnet.answers.answer import short
from gnet.answers.architecture.plans import Plan, begun
from gnet.network.costs import unit_name
from gnet.network.model import GoogLeNet
from gnet.words import number

BINS = 41
"""Bars of a distribution; the middle one holds the values about 0."""


def describe_weights(plan: Plan) -> dict[str, Any]:
    """Kernels as pictures and a distribution for each convolution and linear layer.

    A preset's weights are those it starts from. A kernel's colours are scaled by the largest
    absolute value of all kernels: grey is 0, `limit` full colour.
    """
    told = _of_preset(plan.preset) if plan.preset else _told(plan.model)
    about = "As drawn at the start: nobody has trained them." if plan.preset else ""
    return {"preset": plan.preset, "net": plan.net, "about": about} | told


@cache
def _of_preset(preset: str) -> dict[str, Any]:
    return _told(begun(preset))


def _told(model: GoogLeNet) -> dict[str, Any]:
    kernels = model.conv1.conv.weight.detach().float()
    return {
        "kernels": _kernels(kernels),
        "units": _units(model),
        "bins": BINS,
    }


def _kernels(weight: torch.Tensor) -> dict[str, Any]:
    """`weight`: (outputs, 3, k, k) → bytes in the order kernel, row, column, colour."""
    limit = float(weight.abs().max())
    scaled = weight / limit if limit else weight
    pixels = (127.5 + 127.5 * scaled).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    return {
        "count": weight.shape[0],
        "side": weight.shape[2],
        "limit": number(limit),
        "data": base64.b64encode(pixels.numpy().tobytes()).decode(),
        "ranges": [
            f"{number(low)} to {number(high)}"
            for low, high in zip(
                weight.flatten(1).amin(1).tolist(), weight.flatten(1).amax(1).tolist(), strict=True
            )
        ],
    }


def _units(model: GoogLeNet) -> list[dict[str, Any]]:
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }
    return [_unit(name, module.weight.detach().float()) for name, module in layers.items()]


def _unit(name: str, weight: torch.Tensor) -> dict[str, Any]:
    unit, stage = unit_name(name)
    limit = float(weight.abs().max())
    counts = torch.histc(weight, BINS, -limit, limit) if limit else torch.zeros(BINS)
    mean, spread = float(weight.mean()), float(weight.std(correction=0))
    return {
        "unit": unit,
        "stage": stage,
        "count": f"{weight.numel():,}",
        "limit": number(limit),
        "bars": [short(value) for value in (counts / counts.max().clamp_min(1)).tolist()],
        "mean": number(mean),
        "spread": number(spread),
        "words": f"{weight.numel():,} weights from {number(float(weight.min()))} to "
        f"{number(float(weight.max()))}, mean {number(mean)}, deviation {number(spread)}",
    }
