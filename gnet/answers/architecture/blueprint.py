"""The drawing of a network: where each block of the live modules stands, and what flows where.

Three rows: stem and 3a–3b, 4a–4e with the auxiliary heads below, 5a–5b and the classifier. Places
are in the drawing's own units. What a block is comes from the network's JSON description.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gnet.network.config import BRANCHES, EXITS, HEADS, STAGES
from gnet.network.export.description import to_json
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import Field, unit_fields

BLOCK, LANE, GAP, HEAD, PAD = 92, 36, 16, 28, 12
_FAN, _CONCAT = 18, 8
GROUP = 2 * PAD + _FAN + 2 * BLOCK + GAP + _FAN + _CONCAT
LANES = 4 * LANE + 3 * 8
TALL = HEAD + LANES + PAD
_BETWEEN = 44
_AUX = 58
_ROWS = {"3": 0.0, "4": TALL + _BETWEEN, "5": 2 * TALL + _AUX + 2 * _BETWEEN + 34}
_AUX_TOP = 2 * TALL + _BETWEEN + 34

Place = tuple[float, float, float, float]
"""Left, top, width, height."""


@dataclass
class _Drawing:
    """Filled from left to right, row by row."""

    record: dict[str, Any]
    fields: dict[str, Field]
    nodes: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)

    def node(
        self, layer: dict[str, Any], place: Place, heads: list[str], stage: str, branch: str = ""
    ) -> None:
        name = layer["module"]
        self.nodes.append(
            {
                "id": name,
                "place": list(place),
                "stage": stage,
                "branch": branch,
                "heads": heads,
                "kind": layer["kind"],
                "title": _title(layer) + _really(layer, branch),
                "sub": _below(layer),
                "steps": layer.get("steps", []),
                "facts": _facts(layer, self.fields.get(name)),
            }
        )

    def edge(self, path: str, heads: list[str], branch: str = "") -> None:
        self.edges.append({"path": path, "heads": heads, "branch": branch})


def blueprint(model: GoogLeNet, size: int) -> dict[str, Any]:
    """Nodes, edges and groups with their places, and the size of the whole.

    Each has the heads whose own network, `until(head)`, it belongs to.
    """
    drawing = _Drawing(record=to_json(model, size), fields=unit_fields(model))
    ends: dict[str, tuple[float, float]] = {}
    at = _chain(
        drawing, drawing.record["stem"]["layers"], (0.0, _middle("3")), _needing("3a"), "stem"
    )
    for stage in STAGES:
        left = 0.0 if stage in ("4a", "5a") else at[0] + GAP
        if stage in ("4a", "5a"):
            _turn(drawing, at, (left, _middle(stage)), _needing(stage))
        at = _module(drawing, stage, left)
        ends[stage] = at
    _classifier(drawing, at)
    for head in ("aux1", "aux2"):
        if head in drawing.record["heads"]:
            _auxiliary(drawing, head, ends[EXITS[head]])
    right = max(node["place"][0] + node["place"][2] for node in drawing.nodes)
    drawing.labels.append(
        {"text": f"picture, {size} px", "at": [0.0, _middle("3") - 36], "heads": list(HEADS)}
    )
    return {
        "width": max(right, *(g["place"][0] + g["place"][2] for g in drawing.groups)) + GAP,
        "height": _ROWS["5"] + TALL,
        "nodes": drawing.nodes,
        "edges": drawing.edges,
        "groups": drawing.groups,
        "labels": drawing.labels,
    }


def _needing(stage: str) -> list[str]:
    """The heads whose way passes a module."""
    return [head for head in HEADS if STAGES.index(EXITS[head]) >= STAGES.index(stage)]


def _middle(stage: str) -> float:
    return _ROWS[stage[0]] + HEAD + LANES / 2


def _chain(
    drawing: _Drawing,
    layers: list[dict[str, Any]],
    at: tuple[float, float],
    heads: list[str],
    stage: str,
) -> tuple[float, float]:
    """Layers one behind the other from `at` on; the point where the last one ends."""
    x, y = at
    tall = 52.0
    for layer in layers:
        if x > 0:
            drawing.edge(f"M{x} {y}H{x + GAP}", heads)
            x += GAP
        drawing.node(layer, (x, y - tall / 2, BLOCK, tall), heads, stage)
        x += BLOCK
    return x, y


def _module(drawing: _Drawing, stage: str, left: float) -> tuple[float, float]:
    """A module's four branches, and the pool behind it if there is one."""
    record, heads = drawing.record["modules"][stage], _needing(stage)
    top, middle = _ROWS[stage[0]], _middle(stage)
    inside = left + PAD + _FAN
    concat = inside + 2 * BLOCK + GAP + _FAN
    drawing.groups.append(
        {
            "id": stage,
            "place": [left, top, float(GROUP), float(TALL)],
            "heads": heads,
            "title": stage,
            "sub": f"{record['input_channels']} → {record['output_channels']}",
            "concat": [concat, top + HEAD, float(_CONCAT), float(LANES)],
            "facts": _group_facts(record),
        }
    )
    if left:
        drawing.edge(f"M{left - GAP} {middle}H{left + PAD}", heads)
    for index, branch in enumerate(BRANCHES):
        y = top + HEAD + index * (LANE + 8) + LANE / 2
        _lane(drawing, record["branches"][branch], (inside, y), middle, stage, branch)
    x = left + GROUP
    drawing.edge(f"M{concat + _CONCAT} {middle}H{x}", heads)
    if "then" not in record:
        return x, middle
    # Only heads behind the pool need it.
    behind = _needing(STAGES[STAGES.index(stage) + 1])
    return _chain(drawing, [record["then"]], (x, middle), behind, "")


def _lane(
    drawing: _Drawing,
    layers: list[dict[str, Any]],
    at: tuple[float, float],
    middle: float,
    stage: str,
    branch: str,
) -> None:
    (x, y), heads = at, _needing(stage)
    fan, last = x - _FAN, x + 2 * BLOCK + GAP
    drawing.edge(f"M{fan} {middle}C{x - 6} {middle} {fan + 6} {y} {x} {y}", heads, branch)
    if len(layers) == 1:
        drawing.edge(f"M{x} {y}H{x + BLOCK + GAP}", heads, branch)
        x += BLOCK + GAP
    for layer in layers:
        drawing.node(layer, (x, y - LANE / 2, BLOCK, LANE), heads, stage, branch)
        if x + BLOCK < last:
            drawing.edge(f"M{x + BLOCK} {y}H{x + BLOCK + GAP}", heads, branch)
        x += BLOCK + GAP
    drawing.edge(f"M{last} {y}H{last + _FAN}", heads, branch)


def _turn(
    drawing: _Drawing, start: tuple[float, float], end: tuple[float, float], heads: list[str]
) -> None:
    """From the end of a row to the start of the next one."""
    (x, y), (left, middle) = start, end
    between = middle - HEAD - LANES / 2 - 14
    drawing.edge(
        f"M{x} {y}h{GAP}V{between}H{left - 14}V{middle}H{left + PAD}",
        heads,
    )


def _classifier(drawing: _Drawing, at: tuple[float, float]) -> None:
    _, y = _chain(drawing, drawing.record["heads"]["main"]["layers"], at, ["main"], "main")
    drawing.labels.append({"text": "main", "at": [at[0] + GAP, y - 36], "heads": ["main"]})


def _auxiliary(drawing: _Drawing, head: str, at: tuple[float, float]) -> None:
    """An auxiliary head below the module it reads."""
    left = at[0] - GROUP
    x, y = left, _AUX_TOP + _AUX / 2
    bottom = _ROWS["4"] + TALL
    out = left + GROUP - PAD - _CONCAT / 2
    drawing.edge(f"M{out} {bottom - PAD}V{bottom + 16}H{x + BLOCK / 2}V{_AUX_TOP}", [head])
    layers = drawing.record["heads"][head]["layers"]
    drawing.labels.append({"text": head, "at": [x + BLOCK + 4, _AUX_TOP - 7], "heads": [head]})
    for index, layer in enumerate(layers):
        drawing.node(layer, (x, _AUX_TOP, BLOCK, _AUX), [head], head)
        if index < len(layers) - 1:
            drawing.edge(f"M{x + BLOCK} {y}h{GAP}", [head])
        x += BLOCK + GAP


def _title(layer: dict[str, Any]) -> str:
    if layer["kind"] == "convolutional block":
        return _window(layer)
    short = {
        "local response norm": "LRN",
        "left out, zeros in its place": "left out",
        "adaptive average pool": "avg pool",
        "average pool": "avg pool",
    }
    kind: str = layer["kind"]
    return short.get(kind, kind)


def _really(layer: dict[str, Any], branch: str) -> str:
    """A mark on the second convolution of a 5×5 branch whose kernel is another."""
    unit = layer.get("unit", "").endswith("/5x5")
    return " (“5×5”)" if branch == "5x5" and unit and layer["kernel"] != 5 else ""


def _window(layer: dict[str, Any]) -> str:
    """Kernel, and stride unless it is 1: `3×3/2`."""
    side, stride = layer["kernel"], layer["stride"]
    return f"{side}×{side}" + (f"/{stride}" if stride != 1 else "")


def _below(layer: dict[str, Any]) -> str:
    """The second line of a block: its channels, or what else there is to say."""
    if layer["kind"] == "adaptive average pool":
        return f"to {layer['output_side']}×{layer['output_side']}"
    if layer["kind"] == "dropout":
        return f"{100 * layer['share']:.0f} %"
    if layer["kind"].endswith("pool"):
        return _window(layer)
    return _channels(layer)


def _channels(layer: dict[str, Any]) -> str:
    channels = layer.get("channels")
    if isinstance(channels, list):
        return f"{channels[0]} → {channels[1]}"
    return "" if channels is None else str(channels)


def _facts(layer: dict[str, Any], seen: Field | None) -> list[list[str]]:
    """What is known of a block, as pairs of a name and a value."""
    found = [["Module", layer["module"]]]
    if "unit" in layer:
        found.append(["Unit", layer["unit"]])
    if layer.get("steps"):
        found.append(["Steps", " → ".join(layer["steps"])])
    if "kernel" in layer:
        side = layer["kernel"]
        found.append(
            ["Kernel, stride, padding", f"{side}×{side}, {layer['stride']}, {layer['padding']}"]
        )
    if layer.get("channels"):
        found.append(["Channels", _channels(layer)])
    if "output" in layer:
        channels, *sides = layer["output"]
        found.append(["Output", "×".join(str(n) for n in (*sides, channels))])
    for key, name in (
        ("weights", "Weights"),
        ("parameters", "Parameters"),
        ("macs", "Multiply-adds"),
    ):
        if key in layer:
            found.append([name, f"{layer[key]:,}"])
    if seen is not None:
        found.append(["A cell sees", f"{seen.size} px, every {seen.stride} px"])
    return found


def _group_facts(record: dict[str, Any]) -> list[list[str]]:
    return [
        ["Channels", f"{record['input_channels']} → {record['output_channels']}"],
        ["Weights", f"{record['weights']:,}"],
        ["Parameters", f"{record['parameters']:,}"],
        ["Multiply-adds", f"{record['macs']:,}"],
    ]
