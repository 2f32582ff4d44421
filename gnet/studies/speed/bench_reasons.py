"""Speed of attribution against captum on one thread: whole maps, and Grad-CAM of all branches.

Both sides explain the same class of the same picture with the same weights.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import cycle
from typing import Any

import torch
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion
from torch import Tensor, nn

from gnet.explain.attribution.all_branches import grad_cams
from gnet.explain.attribution.attribute import attribute
from gnet.network.config import BRANCHES, STAGES
from gnet.network.hooks import evaluating
from gnet.network.model import GoogLeNet
from gnet.studies.speed.bench_forward import threads

GOALS = {"grad_cams": 28.0, "integrated": 1.5, "occlusion": 3.0}
STEPS, BATCH = 50, 4
"""Points of Integrated Gradients, and how many captum takes at once."""
PATCH, STRIDE = 32, 16
TARGET = 0


def bench_reasons(
    theirs: nn.Module, model: GoogLeNet, folded: GoogLeNet, pixels: Tensor, *, rounds: int = 1
) -> dict[str, dict[str, float]]:
    """Ratios of medians over turns that alternate.

    `grad_cams`: Grad-CAM of all 36 branches in one pass against 36 calls of captum's LayerGradCam,
    of which nine are made, one for each module. `integrated`: Integrated Gradients of 50 steps;
    `occlusion`: a square of 32 px moved by 16; both against captum on `theirs`, torchvision's own
    network.
    """
    sides: dict[str, tuple[Callable[[], Any], Callable[[], Any], float]] = {
        "grad_cams": (
            lambda: grad_cams(folded, pixels, target=TARGET),
            lambda: called(model, pixels),
            len(BRANCHES),
        ),
        "integrated": (
            lambda: attribute(
                folded, pixels, method="integrated-gradients", target=TARGET, steps=STEPS
            ),
            lambda: integrated(theirs, model, pixels),
            1.0,
        ),
        "occlusion": (
            lambda: attribute(
                folded, pixels, method="occlusion", target=TARGET, patch=PATCH, stride=STRIDE
            ),
            lambda: occluded(theirs, model, pixels),
            1.0,
        ),
    }
    result = {}
    with threads(1):
        for name, (ours, captums, factor) in sides.items():
            ours()  # to warm up; captum's side is long enough not to need it
            mine, reference = [], []
            for _ in range(rounds):
                reference.append(_seconds(captums))
                mine.append(_seconds(ours))
            taken = statistics.median(mine)
            result[name] = {
                "ratio": factor * statistics.median(reference) / taken,
                "milliseconds": 1000 * taken,
                "goal": GOALS[name],
            }
    return result


def lines(result: dict[str, dict[str, float]]) -> list[str]:
    """The result as lines for a terminal."""
    against = {
        "grad_cams": "36 calls of captum's LayerGradCam",
        "integrated": f"captum's Integrated Gradients of {STEPS} steps on torchvision's network",
        "occlusion": "captum's Occlusion on torchvision's network",
    }
    return [
        f"{name:<10}  {row['ratio']:5.2f} times {against[name]} "
        f"({row['milliseconds']:.0f} ms on one thread; goal {row['goal']})"
        for name, row in result.items()
    ]


def called(model: GoogLeNet, pixels: Tensor) -> list[Tensor]:
    """captum's Grad-CAM of one branch of each module, each branch in turn."""
    normalise, network = model.info.preprocessing.normalise, model.until("main")
    found = []
    for stage, branch in zip(STAGES, cycle(BRANCHES), strict=False):
        layer = model.inceptions()[stage].branch_modules()[branch]
        with evaluating(model):
            values = LayerGradCam(lambda x: network(normalise(x)), layer).attribute(
                pixels, target=TARGET, relu_attributions=True
            )
        assert isinstance(values, Tensor)
        found.append(values[0, 0].detach())
    return found


def integrated(theirs: nn.Module, model: GoogLeNet, pixels: Tensor) -> Tensor:
    """captum's map on torchvision's network, (H, W)."""
    normalise = model.info.preprocessing.normalise
    values = IntegratedGradients(lambda x: theirs(normalise(x))).attribute(
        pixels,
        baselines=_mean(model, pixels),
        target=TARGET,
        n_steps=STEPS,
        method="riemann_middle",
        internal_batch_size=BATCH,
    )
    return values[0].sum(0).detach()


@torch.no_grad()
def occluded(theirs: nn.Module, model: GoogLeNet, pixels: Tensor) -> Tensor:
    """captum's map on torchvision's network, (H, W)."""
    normalise = model.info.preprocessing.normalise
    return Occlusion(lambda x: theirs(normalise(x))).attribute(
        pixels,
        strides=(3, STRIDE, STRIDE),
        sliding_window_shapes=(3, PATCH, PATCH),
        baselines=_mean(model, pixels),
        target=TARGET,
    )[0, 0]


def _mean(model: GoogLeNet, pixels: Tensor) -> Tensor:
    mean = pixels.new_tensor(model.info.preprocessing.mean)
    return mean.view(1, 3, 1, 1).expand_as(pixels)


def _seconds(call: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun
