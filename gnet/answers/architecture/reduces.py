"""The what-if of the 1×1 reduces: a module with other widths, and the naive one beside it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from gnet.answers.architecture.plans import Plan, check_size
from gnet.answers.architecture.table import shapes
from gnet.errors import FieldError
from gnet.explain.branches import LABELS
from gnet.network.config import STAGES
from gnet.network.costs import ModuleCost, Part, module_cost, naive_module_cost
from gnet.network.model import GoogLeNet
from gnet.settings import option
from gnet.words import cut, listed, number

MOST = 1024
"""Channels that a reduce may have at most, whatever the module is given."""


@dataclass(frozen=True, kw_only=True)
class Reduces:
    """Outputs of a module's three 1×1 convolutions that stand before or behind something else."""

    reduce3: int = option(1, "channels before the 3×3", low=1, high=MOST)
    reduce5: int = option(1, "channels before the 5×5", low=1, high=MOST)
    pool: int = option(1, "channels behind the max pool", low=1, high=MOST)


NAMES = {f.name: f.metadata["help"] for f in fields(Reduces)}
_BRANCH = {"reduce3": "3x3", "reduce5": "5x5", "pool": "pool"}
_UNIT = {
    "1x1": "1×1",
    "3x3_reduce": "1×1 before it",
    "5x5_reduce": "1×1 before it",
    "pool": "max pool 3×3",
    "pool_proj": "1×1 behind it",
}


def check_stage(stage: Any) -> str:
    """The module's name; raises `FieldError` for what is none."""
    if not isinstance(stage, str) or stage not in STAGES:
        raise FieldError("stage", cut(stage), listed(STAGES))
    return stage


def describe_reduces(plan: Plan, stage: Any, given: Any, size: Any) -> dict[str, Any]:
    """A module with the widths given, as it is, and naive; each with its exact sums.

    `given`: a dict with any of `NAMES`, whole numbers up to the module's input channels. Raises
    `FieldError`.
    """
    model, stage, size = plan.model, check_stage(stage), check_size(plan.model, size)
    module = model.inceptions()[stage]
    own, side = module.widths, shapes(model, size)[f"inception{stage}"][1]
    present = [name for name in NAMES if _BRANCH[name] not in model.config.branches_left_out()]
    chosen = _checked(given, present, module.in_channels)
    widths = own._replace(**chosen)
    asked = (model.config, module.in_channels)
    built, changed = (module_cost(*asked, one, side) for one in (own, widths))
    naive = naive_module_cost(*asked, own, side)
    kernel = model.config.kernel_5x5
    return {
        "preset": plan.preset,
        "net": plan.net,
        "stage": stage,
        "size": size,
        "input": f"{side}×{side}×{module.in_channels}",
        "sliders": [
            {
                "name": name,
                "label": NAMES[name],
                "branch": _BRANCH[name],
                "value": getattr(widths, name),
                "own": getattr(own, name),
                "most": module.in_channels,
            }
            for name in present
        ],
        "modules": {
            "built": _module("As it is", built, naive, kernel),
            "changed": _module("With your widths", changed, naive, kernel),
            "naive": _module("Naive (Fig. 2a)", naive, naive, kernel),
        },
        "limits": {
            name: max(getattr(one, name) for one in (built, changed, naive))
            for name in ("parameters", "macs", "bytes")
        },
        "same": widths == own,
        "sentence": _sentence(stage, built, changed, naive, same=widths == own),
        "next": _next(model, stage, naive),
    }


def _checked(given: Any, present: list[str], channels: int) -> dict[str, int]:
    values = {} if given is None else given
    if not isinstance(values, dict):
        raise FieldError("reduces", cut(values), f"names and widths, of {listed(present)}")
    for name, value in values.items():
        if name not in present:
            raise FieldError("reduces", cut(name), listed(present))
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not 1 <= value <= min(channels, MOST):
            most = min(channels, MOST)
            raise FieldError(name, cut(value), f"whole numbers from 1 to {most}")
    return dict(values)


def _module(title: str, cost: ModuleCost, naive: ModuleCost, kernel: int) -> dict[str, Any]:
    return {
        "title": title,
        "channels": cost.channels,
        "weights": cost.weights,
        "parameters": cost.parameters,
        "macs": cost.macs,
        "bytes": cost.bytes,
        "values": cost.values,
        "words": {
            "parameters": f"{cost.parameters:,}",
            "macs": f"{cost.macs:,}",
            "bytes": f"{cost.bytes / 1e6:.2f} MB",
            "weights": f"{cost.weights:,}",
            "channels": f"{cost.channels:,}",
        },
        "times": f"{naive.weights / cost.weights:.2f}",
        "lanes": [
            {
                "branch": branch,
                "label": _label(branch, kernel),
                "parts": [_part(part) for part in parts],
            }
            for branch, parts in cost.lanes().items()
        ],
    }


def _label(branch: str, kernel: int) -> str:
    """The branch's name; a 5×5 whose kernel is another says so."""
    really = f", really {kernel}×{kernel}" if branch == "5x5" and kernel != 5 else ""
    return LABELS[branch] + really


def _part(part: Part) -> dict[str, Any]:
    """A part with its sum: inputs × outputs × kernel × kernel, and that times the cells."""
    name = _UNIT.get(part.name) or f"{part.shape[2]}×{part.shape[3]}"
    if not part.shape:
        return {"name": name, "channels": part.channels, "sum": "no weights", "work": ""}
    outputs, inputs, height, width = part.shape
    return {
        "name": name,
        "channels": part.channels,
        "sum": f"{inputs} · {outputs} · {height} · {width} = {part.weights:,}",
        "work": f"× {part.cells} cells = {part.macs:,}",
    }


def _sentence(
    stage: str, built: ModuleCost, changed: ModuleCost, naive: ModuleCost, *, same: bool
) -> str:
    saved = (
        f"The naive {stage} would have {naive.weights / built.weights:.2f} times the weights and "
        f"{naive.macs / built.macs:.2f} times the multiply-adds of {stage} as it is."
    )
    if same:
        return saved
    return (
        f"With your widths {stage} has {_times(changed.weights, built.weights)} the weights and "
        f"{_times(changed.macs, built.macs)} the multiply-adds of {stage} as it is. {saved}"
    )


def _times(value: int, of: int) -> str:
    return f"{number(value / of)} times"


def _next(model: GoogLeNet, stage: str, naive: ModuleCost) -> str:
    """What the naive module's pooling does to the one behind it."""
    channels = model.inceptions()[stage].widths.total
    return (
        f"The naive module passes its pooled input on as it is: {naive.channels:,} channels go on "
        f"instead of {channels:,}, and the next layer pays for each of them."
    )
