"""A lesson's figures of the network whatever the picture: sizes, channels, costs, heads."""

from __future__ import annotations

from gnet.answers.lessons.found import Number, Ranking, Scene
from gnet.errors import GnetError
from gnet.evaluation.exits import multiply_adds
from gnet.network.config import BRANCHES, HEADS
from gnet.network.model import GoogLeNet


def size(scene: Scene) -> Number:
    return Number(value=scene.explorer.model.info.preprocessing.size, unit="px")


def classes(scene: Scene) -> Number:
    return Number(value=scene.explorer.model.config.num_classes, unit="classes")


def cells(scene: Scene, stage: str) -> Number:
    return Number(value=scene.kept.recording.outputs[stage].shape[-1], unit="cells")


def channels(scene: Scene, stage: str, branch: str) -> Number:
    widths = scene.explorer.model.inceptions()[stage].widths.branches
    return Number(value=widths[BRANCHES.index(branch)], unit="channels")


def cost(scene: Scene, head: str) -> Number:
    macs = _macs(scene.explorer.model)
    if head not in macs:
        raise GnetError(f"This network has no head {head}; choose one with auxiliary heads.")
    return Number(value=100 * macs[head] / macs["main"], unit="%")


def right(scene: Scene, head: str) -> Number:
    return Number(value=_right(scene)[head], unit="%")


def best_head(scene: Scene) -> Ranking:
    values = _right(scene)
    return Ranking(names={head: head for head in values}, values=values, unit="%")


def _right(scene: Scene) -> dict[str, float]:
    measured = scene.explorer.model.info.metrics.get("heads", {})
    values = {h: 100 * measured[h]["top1"] for h in HEADS if measured.get(h, {}).get("top1")}
    if len(values) < len(HEADS):
        raise GnetError(
            "It is not known how often each head of this network is right; choose the bundled one."
        )
    return values


def _macs(model: GoogLeNet) -> dict[str, int]:
    """Head → multiply-adds from the picture to it alone."""
    every = multiply_adds(model, model.info.preprocessing.size)
    return {h: every[h, False] for h in HEADS if model.config.aux or h == "main"}
