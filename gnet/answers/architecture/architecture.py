"""What the Architecture tab shows of a network first: its table, its drawing, its three models."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gnet.answers.architecture import learning, paper
from gnet.answers.architecture.blueprint import blueprint
from gnet.answers.architecture.differences import differences
from gnet.answers.architecture.plans import ABOUT, Plan, check_size
from gnet.answers.architecture.table import table_rows
from gnet.network.config import EXITS, PRESETS, ModelConfig
from gnet.network.costs import HeadCost, head_costs, layer_costs
from gnet.network.model import GoogLeNet
from gnet.words import listed, percent

WIDTHS = ("1×1", "3×3 reduce", "3×3", "5×5 reduce", "5×5", "pool proj")
"""Headings of the table's six columns of widths."""


def describe_architecture(plan: Plan, size: Any = None) -> dict[str, Any]:
    """The table, the differences and the cost of each head; all at `size` px.

    `size`: 224 as in the paper where nothing is given. Raises `GnetError` for a size that the
    network cannot take.
    """
    model = plan.model
    size = check_size(model, paper.SIDE if size is None else size)
    own = model.info.preprocessing.size
    return {
        "net": plan.net,
        "preset": plan.preset,
        "name": plan.name,
        "about": _about(plan),
        "size": size,
        "sizes": _sizes(model, own),
        "presets": [{"id": name, "about": ABOUT[name]} for name in PRESETS],
        "widths": list(WIDTHS),
    } | _counted(model.config, size)


@lru_cache(maxsize=32)
def _counted(config: ModelConfig, size: int) -> dict[str, Any]:
    """What follows from the config alone."""
    import torch

    with torch.device("meta"):
        model = GoogLeNet(config).eval()
    costs = head_costs(model, size)
    return {
        "rows": table_rows(model, size),
        "differences": differences(config, size),
        "models": [_model(cost, costs["main"], size) for cost in costs.values()],
        "together": _together(model, costs),
        "whole": _whole(model, size),
        "drawing": blueprint(model, size),
        "learn": learning.text(model, size),
    }


def _about(plan: Plan) -> str:
    if plan.preset:
        return f"{ABOUT[plan.preset]}. Nobody trained it; its shape is shown at 1000 classes."
    config = plan.model.config
    return (
        f"It knows {config.num_classes:,} classes, looks at pictures of "
        f"{plan.model.info.preprocessing.size} px. Each block: {_block(config)}."
    )


def _block(config: ModelConfig) -> str:
    """A block's layers in words, in the order they run."""
    words = {"conv": "convolution", "norm": "batch norm", "relu": "ReLU"}
    if config.norm == "none":
        del words["norm"]
    return ", ".join(words[part] for part in config.order.split("-") if part in words)


def _sizes(model: GoogLeNet, own: int) -> list[dict[str, Any]]:
    """The sizes on offer: the paper's and the network's own, if it takes them."""
    words = {own: f"{own} px, its own"} | {paper.SIDE: f"{paper.SIDE} px, as in the paper"}
    return [{"size": size, "words": text} for size, text in words.items()]


def _model(cost: HeadCost, main: HeadCost, size: int) -> dict[str, Any]:
    return {
        "head": cost.head,
        "title": f"{cost.head} alone",
        "reads": EXITS[cost.head],
        "weights": cost.weights,
        "parameters": cost.parameters,
        "macs": cost.macs,
        "words": {
            "parameters": f"{cost.parameters:,}",
            "macs": f"{cost.macs:,}",
            "part": _share(cost, main, size),
        },
    }


def _share(cost: HeadCost, main: HeadCost, size: int) -> str:
    if cost.head == main.head:
        return "what is left when it only answers"
    return f"{percent(cost.macs / main.macs, 0)} of main’s multiply-adds at {size} px"


def _whole(model: GoogLeNet, size: int) -> dict[str, str]:
    """All heads together, as in training."""
    parameters = sum(p.numel() for p in model.parameters())
    macs = sum(cost.macs for cost in layer_costs(model, size))
    return {"parameters": f"{parameters:,}", "macs": f"{macs:,}"}


def _together(model: GoogLeNet, costs: dict[str, HeadCost]) -> str:
    """Why three models are not three times the parameters."""
    total = sum(p.numel() for p in model.parameters())
    if len(costs) == 1:
        return f"There is one head, and the network has {total:,} parameters."
    separate = sum(cost.parameters for cost in costs.values())
    parts = listed(f"{cost.parameters:,} ({head})" for head, cost in costs.items())
    return (
        f"Three models in one: they have {parts} parameters. Built apart that would be "
        f"{separate:,}; because they share the trunk, it is {total:,}."
    )
