"""Table 1, the paper's columns beside a live network's: widths, output, weights, work, windows."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import torch
from torch import nn

from gnet.answers.architecture import paper
from gnet.answers.architecture.differences import QUOTED, reasons
from gnet.answers.architecture.plans import shape_of
from gnet.network.config import BRANCHES, EXITS, STAGES, ModelConfig
from gnet.network.costs import Cost, layer_costs, output_shapes, unit_name
from gnet.network.model import CLASSIFIER, TRUNK, ConvBlock, GoogLeNet
from gnet.network.receptive_field import Field, unit_fields

_ROUNDING = 0.005
"""A quoted figure may differ by this much, or by one in its last digit, and still follow."""
_COUNTED = {"conv1": ("conv1",), "conv3": ("conv2", "conv3")}
"""Layers whose cost a line of the table sums; elsewhere it is the line's own layer."""


def shapes(model: GoogLeNet, size: int) -> dict[str, tuple[int, ...]]:
    """The output of each layer of the trunk and of the classifier: (channels, height, width)."""
    return _shapes(model.config, size)


@lru_cache(maxsize=64)
def _shapes(config: ModelConfig, size: int) -> dict[str, tuple[int, ...]]:
    found = output_shapes(config, size, [*TRUNK, *CLASSIFIER])
    return {name: _volume(shape) for name, shape in found.items()}


def _volume(shape: torch.Size) -> tuple[int, ...]:
    return tuple(shape[1:]) if len(shape) == 4 else (shape[1], 1, 1)


def table_rows(model: GoogLeNet, size: int) -> list[dict[str, Any]]:
    """The lines of Table 1, the paper's and the live network's side by side.

    A compared cell is `{"paper", "live", "why"}`, its text in both and the ids of the differences
    that explain it; `why` is empty where they agree.
    """
    live, printed = _Counted(model, size), _paper()
    rows = [_row(row, live, printed) for row in paper.ROWS]
    heads = [_head_row(head, live) for head in ("aux1", "aux2") if model.config.aux]
    return [*rows, *heads, _total(live)]


class _Counted:
    """What a network is counted to have at one input size."""

    def __init__(self, model: GoogLeNet, size: int) -> None:
        self.model, self.size = model, size
        self.shapes = shapes(model, size)
        self.fields = unit_fields(model)
        self.costs: dict[str, list[Cost]] = {}
        for cost in layer_costs(model, size):
            self.costs.setdefault(cost.stage, []).append(cost)

    def of(self, layer: str) -> list[Cost]:
        """The costs that a line of the table sums."""
        if layer in _COUNTED:
            units = [unit_name(f"{one}.conv")[0] for one in _COUNTED[layer]]
            return [cost for cost in self.costs["stem"] if cost.unit in units]
        stage = layer.removeprefix("inception")
        return self.costs.get({"fc": "main"}.get(layer, stage), [])

    def field(self, layer: str) -> list[Field]:
        """The fields behind a layer; those of four branches for a module."""
        own = [field for name, field in self.fields.items() if name == layer]
        ends: dict[str, Field] = {}
        for name, field in self.fields.items():
            if name.startswith(f"{layer}."):
                ends[name.split(".")[1]] = field  # the last of a branch stays
        return own or list(ends.values())


@cache
def _paper() -> _Counted:
    return _Counted(shape_of("paper"), paper.SIDE)


def _row(row: paper.PaperRow, live: _Counted, printed: _Counted) -> dict[str, Any]:
    config, size, layer = live.model.config, live.size, row.layer

    def cell(what: str, quoted: str, own: str, *, same: bool | None = None) -> dict[str, Any]:
        equal = quoted == own if same is None else same
        return {
            "paper": quoted,
            "live": own,
            "why": [] if equal else reasons(config, layer, size, what),
        }

    stage = layer.removeprefix("inception")
    return {
        "layer": layer,
        "type": row.type,
        "stage": stage if stage in STAGES else "",
        "patch": cell("patch", row.patch, _patch(row, live)),
        "output": cell("output", row.output, _output(layer, live)),
        "widths": [
            cell("widths", _text(quoted), _text(own))
            for quoted, own in zip(row.widths, _widths(row, live), strict=True)
        ],
        "weights": _compared(row.params, layer, live, printed, "weights"),
        "macs": _compared(row.ops, layer, live, printed, "macs"),
        "field": cell(
            "field",
            " / ".join(str(field.size) for field in printed.field(layer)),
            " / ".join(str(field.size) for field in live.field(layer)),
        ),
        "stride": "".join(str(field.stride) for field in live.field(layer)[:1]),
        "units": _units(layer, live),
    }


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _patch(row: paper.PaperRow, live: _Counted) -> str:
    layer = getattr(live.model, row.layer, None)
    if isinstance(layer, ConvBlock):
        return f"{layer.conv.kernel_size[0]}×{layer.conv.kernel_size[0]}/{layer.conv.stride[0]}"
    if isinstance(layer, nn.MaxPool2d):
        return f"{layer.kernel_size}×{layer.kernel_size}/{layer.stride}"
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        height, width = live.shapes["inception5b"][1:]
        return f"{height}×{width}/1"
    if isinstance(layer, nn.Dropout):
        return f"{100 * layer.p:.0f} %"
    return "none" if isinstance(layer, nn.Identity) else row.patch


def _output(layer: str, live: _Counted) -> str:
    channels, height, width = live.shapes["fc" if layer == "softmax" else layer]
    return f"{height}×{width}×{channels}"


def _widths(row: paper.PaperRow, live: _Counted) -> list[int | None]:
    if row.layer == "conv3":
        outputs = [live.shapes[name][0] for name in ("conv2", "conv3")]
        return [None, *outputs, None, None, None]
    stage = row.layer.removeprefix("inception")
    if stage not in STAGES:
        return [None] * 6
    units = {cost.unit.partition("/")[2]: cost.output[0] for cost in live.of(row.layer)}
    names = ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj")
    return [units.get(name, 0) for name in names]


def _compared(
    quoted: str, layer: str, live: _Counted, printed: _Counted, what: str
) -> dict[str, Any]:
    """A quoted figure beside the live one, and whether it follows from the paper's own widths."""
    own = sum(getattr(cost, what) for cost in live.of(layer))
    derived = sum(getattr(cost, what) for cost in printed.of(layer))
    if not quoted and not own:
        return {"paper": "", "live": "", "why": []}
    why = reasons(live.model.config, layer, live.size, what) if own != derived else []
    if quoted and not follows(quoted, derived):
        why.append(QUOTED)
    return _sum(own, what) | {"paper": quoted, "derived": f"{derived:,}", "why": why}


def _sum(value: int, what: str) -> dict[str, Any]:
    """A counted figure; multiply-adds also as the paper writes them, in K and M."""
    short = f"{value / 1e6:,.1f}M" if value >= 1e6 else f"{value / 1e3:,.1f}K"
    text = short if what == "macs" else f"{value:,}"
    return {"paper": "", "live": f"{value:,}", "short": text, "why": []}


def follows(quoted: str, derived: int) -> bool:
    """Whether a figure that the paper prints is the one its widths give, but for rounding."""
    value, step = paper.quantity(quoted), paper.quantity("1" + quoted[-1])
    assert value is not None and step is not None
    return abs(value - derived) <= max(step, _ROUNDING * derived)


def _units(layer: str, live: _Counted) -> list[dict[str, Any]]:
    """Each convolution and pooling of a line, with all that is counted of it."""
    costs = {cost.unit: cost for cost in live.of(layer)}
    names = _COUNTED.get(layer, (layer,))
    found = []
    for name, field in live.fields.items():
        if not any(name == one or name.startswith(f"{one}.") for one in names):
            continue
        block = live.model.get_submodule(name)
        if isinstance(block, ConvBlock):
            found.append(_convolution(name, block, costs[unit_name(f"{name}.conv")[0]], field))
        else:
            inside = layer.startswith("inception")
            unit = f"inception_{layer.removeprefix('inception')}/pool" if inside else name
            found.append(_seen(unit, "pool" if inside else "", _pool(block), field))
    if layer == "fc":
        found += [_counted(cost, "") for cost in live.of(layer)]
    return found


def _convolution(name: str, block: ConvBlock, cost: Cost, field: Field) -> dict[str, Any]:
    parts = name.split(".")
    inside = len(parts) > 1
    branch = BRANCHES[int(parts[1].removeprefix("branch")) - 1] if inside else ""
    side, stride = block.conv.kernel_size[0], block.conv.stride[0]
    return _seen(cost.unit, branch, f"{side}×{side}/{stride}", field) | _numbers(cost)


def _seen(unit: str, branch: str, patch: str, field: Field) -> dict[str, Any]:
    return {
        "unit": unit,
        "branch": branch,
        "patch": patch,
        "field": str(field.size),
        "stride": str(field.stride),
    }


def _counted(cost: Cost, branch: str) -> dict[str, Any]:
    """A layer of a head: it sees the whole map."""
    none = {"patch": "", "field": "", "stride": ""}
    return {"unit": cost.unit, "branch": branch} | none | _numbers(cost)


def _numbers(cost: Cost) -> dict[str, Any]:
    return {
        "output": "×".join(str(side) for side in (*cost.output[1:], cost.output[0])),
        "weights": f"{cost.weights:,}",
        "parameters": f"{cost.parameters:,}",
        "macs": f"{cost.macs:,}",
    }


def _pool(layer: nn.Module) -> str:
    assert isinstance(layer, nn.MaxPool2d)
    return f"{layer.kernel_size}×{layer.kernel_size}/{layer.stride}"


def _head_row(head: str, live: _Counted) -> dict[str, Any]:
    """An auxiliary head; the paper tells it in section 5, not in its table."""
    costs = live.costs[head]
    empty = {"paper": "", "live": "", "why": []}
    return {
        "layer": head,
        "type": f"{head} (reads {EXITS[head]})",
        "stage": "",
        "patch": empty,
        "output": empty | {"live": f"1×1×{costs[-1].output[0]}"},
        "widths": [empty] * 6,
        "weights": _sum(sum(cost.weights for cost in costs), "weights"),
        "macs": _sum(sum(cost.macs for cost in costs), "macs"),
        "field": empty,
        "stride": "",
        "units": [_counted(cost, "") for cost in costs],
    }


def _total(live: _Counted) -> dict[str, Any]:
    """The sum without the auxiliary heads, which are discarded when it answers."""
    empty = {"paper": "", "live": "", "why": []}
    kept = [c for stage, costs in live.costs.items() if stage[:3] != "aux" for c in costs]
    return {
        "layer": "total",
        "type": "without auxiliary heads",
        "stage": "",
        "patch": empty,
        "output": empty,
        "widths": [empty] * 6,
        "weights": _sum(sum(cost.weights for cost in kept), "weights"),
        "macs": _sum(sum(cost.macs for cost in kept), "macs"),
        "field": empty,
        "stride": "",
        "units": [],
    }
