"""Which network the Architecture tab shows: the one chosen, or a preset nobody has trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from gnet.answers.explorers import Explorers
from gnet.errors import FieldError
from gnet.network.config import PRESETS, SIZES, ModelConfig
from gnet.network.info import ModelInfo
from gnet.network.model import GoogLeNet
from gnet.words import cut, listed

SEED = 0
"""Of a preset's first weights: the same at every call."""

ABOUT = {
    "paper": "Table 1 as it is printed: conv-ReLU, local response norm, no batch norm",
    "batch-norm": "conv-norm-relu: batch norm between each convolution and its ReLU",
    "pre-activation": "norm-relu-conv: batch norm and ReLU come before each convolution",
    "torchvision": "torchvision's class: batch norm, and a “5×5” whose kernel is 3×3",
}
"""Preset → what it is, in a line."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A network whose shape is known; a preset's has no weights in memory."""

    model: GoogLeNet
    preset: str = ""
    net: str = ""

    @property
    def name(self) -> str:
        return self.preset or self.model.info.name


def plan_of(explorers: Explorers, net: Any = "", preset: Any = "") -> Plan:
    """The preset if one is named, else the network `net`; raises `GnetError`."""
    if preset:
        return Plan(model=shape_of(check_preset(preset)), preset=preset)
    explorer = explorers.find(net)
    return Plan(model=explorer.built, net=explorer.net)


def check_preset(preset: Any) -> str:
    """The preset's name; raises `FieldError` for what is none."""
    if not isinstance(preset, str) or preset not in PRESETS:
        raise FieldError("preset", cut(preset), listed(PRESETS))
    return preset


def check_size(model: GoogLeNet, size: Any) -> int:
    """A side in px that the network takes; raises `GnetError`."""
    low, high = SIZES
    if isinstance(size, bool) or not isinstance(size, int) or not low <= size <= high:
        raise FieldError("size", cut(size), f"whole numbers from {low} to {high}")
    model.config.check_size(size, size)
    return size


@cache
def shape_of(preset: str) -> GoogLeNet:
    """A preset's network of shapes only: it takes no memory and computes nothing."""
    with torch.device("meta"):
        return GoogLeNet(ModelConfig.preset(preset), ModelInfo(name=preset)).eval()


def begun(preset: str) -> GoogLeNet:
    """A preset with the weights it starts from, drawn with a fixed seed: nobody trained it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return GoogLeNet(ModelConfig.preset(preset), ModelInfo(name=preset)).eval()
