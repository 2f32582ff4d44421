"""What travels to the page, as plain values: a picture's answer, an attribution, the network.

Maps travel as raw bytes in base64, each on its own scale from 0 to its largest value (signed ones
from −limit to limit); the page colours them. Everything a click on a module or a hover shows is in
one answer, about 100 kB, so moving about asks the server nothing.
"""

import base64
import io
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gnet.answers.learning import of_network
from gnet.answers.wiring import briefly, describe_wiring, does
from gnet.data.pictures import to_image
from gnet.explain.attribution.attribute import Attribution
from gnet.explain.attribution.checks import stages_before
from gnet.explain.attribution.methods import FIRST, METHODS
from gnet.explain.belief import answer as answer_of
from gnet.explain.belief import belief, doubt, heads_compared
from gnet.explain.belief import sentence as belief_sentence
from gnet.explain.branches import LABELS, BranchStatistics, mean_map, sentence, statistics
from gnet.explain.recording import Recording
from gnet.figures.colours import DIVERGING, SEQUENTIAL, scale_limit
from gnet.network.config import BRANCHES, EXITS, HEADS, STAGES, UNTRAINED
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import box, middle_cell
from gnet.words import fixed, number

WHY = {
    "question": "Why {class}, which {head} gives {chance}?",
    "switched": "Why {class}, which {head} gives {chance} with every branch on?",
    "untrained": "{head} is untrained: it has no belief to explain.",
    "last": "Grad-CAM looks at module {stage}, the last one before {head}: there the network "
    "knows most about classes; the map of an early module shows edges and colours, not things.",
    "module": "Grad-CAM looks at module {stage}, the one chosen in the diagram.",
    "behind": "{stage} lies behind {head}, so Grad-CAM cannot look at it; choose one of {stages}.",
    "slow": "{method} computes many steps; this takes {time}.",
    "unmeasured": "{method} computes many steps; this takes a while.",
}
"""The sentences of Why; the page puts names into their places."""

ON_EXPLORE = ("grad-cam", "saliency", "integrated-gradients")
"""The methods that Explore offers beside its picture; the table has more."""

CHANNEL = {
    "title": "{stage} · channel {channel} of 0–{last} in {branch}, {place} of "
    "0–{end} in the module",
    "range": "min {low} · 0 is {zero} · max {high}",
    "about": "{rows}×{cols} cells, mean {mean}; on its own scale.",
    "silent": "{rows}×{cols} cells: all at 0 in this picture.",
}
"""The sentences of the channel opened; the page puts numbers into their places."""

_PREVIEW_SIDE, _PREVIEW_LENGTH = 240, 960
_LOSSLESS_SIDE = 160
_ZERO = {False: "black", True: "white"}
"""Whether responses are signed → the colour of 0."""


@dataclass(frozen=True, kw_only=True)
class View:
    """A picture and the square of it that the network saw."""

    key: str
    """sha256 of the file, the square and the weights."""
    name: str
    example: str | None
    """Name of the example it is, if it is one."""
    tile: str | None
    """The run and its number in the run's review, if it comes from there."""
    image: Image.Image
    box: tuple[int, int, int]
    """The square (x, y, side) in px of `image`."""
    pixels: Tensor
    """(1, 3, S, S) in [0, 1]."""
    exact: bool = False
    """Whether the picture is the square itself, so that nothing was cut or scaled."""


def describe_answer(recording: Recording, view: View) -> dict[str, Any]:
    """Everything the page shows of one picture."""
    return {
        "key": view.key,
        "name": view.name,
        "example": view.example,
        "tile": view.tile,
        "picture": _picture(view),
        "signed": recording.signed,
        **describe_recording(recording),
        "measured": {},
        "verdict": None,
        "why": None,
    }


def describe_recording(recording: Recording) -> dict[str, Any]:
    """What the heads believe, and the numbers and maps of all branches."""
    stages = {stage: describe_stage(recording, stage) for stage in STAGES}
    return {
        **describe_heads(recording),
        "stages": stages,
        "limits": _limits(
            *(max(stage["limits"][kind] for stage in stages.values()) for kind in LIMITED),
            signed=recording.signed,
            where="all nine modules",
        ),
    }


LIMITED = ("maps", "channels")
"""What has a scale of its own: the branches' mean maps, which are large, and single channels."""


def _limits(maps: float, channels: float, *, signed: bool, where: str) -> dict[str, Any]:
    """Where the scales end, in numbers and words."""
    large, small = (_span(limit, signed) for limit in (maps, channels))
    return {
        "maps": maps,
        "channels": channels,
        "words": f"Large maps {large}, small maps {small}; same scale in {where}",
        "tiles": small,
    }


def _span(limit: float, signed: bool) -> str:
    end = fixed(limit) if 0.1 <= limit < 100 else number(limit)
    return f"−{end} to {end}" if signed else f"0–{end}"


def describe_attribution(
    attribution: Attribution, key: str, limit: float | None = None
) -> dict[str, Any]:
    """One attribution map and the numbers beside it; its scale ends at `limit`, or its own end."""
    limit = scale_limit(attribution.map) if limit is None else limit
    record = attribution.to_json() | {"key": key}
    shown = _as_bytes(
        attribution.map.numpy(), np.array(limit, np.float32), signed=attribution.signed
    )
    record["map"] = _base64(shown.tobytes())
    record["limit"] = short(limit)
    record["range"] = _range(attribution, limit)
    return record


def _range(attribution: Attribution, limit: float) -> str:
    """Where the values of a map that sums to something end, or what the unit of another one is."""
    low, high = number(attribution.low), number(attribution.high)
    parts, unit = [], METHODS[attribution.method].unit
    if attribution.completeness_error is not None:
        parts.append(f"From {low} (against the class) to {high} (for it), in {unit}.")
    else:
        parts.append(f"Its unit: {unit}.")
    if float(attribution.map.abs().max()) > limit:
        parts.append("One in two hundred values lies outside the scale.")
    return " ".join(parts)


def describe_network(model: GoogLeNet) -> dict[str, Any]:
    """What the page has to know of the network whatever the picture."""
    info = model.info
    present = [head for head in HEADS if head == "main" or model.config.aux]
    return {
        "name": info.name,
        "families": list(info.families),
        "classes": [info.class_name(index) for index in range(model.config.num_classes)],
        "size": info.preprocessing.size,
        "thumbnail": info.preprocessing.thumbnail,
        "branches": [
            {
                "name": b,
                "label": LABELS[b],
                "does": does(b, model.config.kernel_5x5),
                "brief": briefly(b, model.config.kernel_5x5),
            }
            for b in BRANCHES
        ],
        "left_out": list(model.config.branches_left_out()),
        "heads": [
            {
                "name": head,
                "exit": EXITS[head],
                "status": info.heads.get(head, UNTRAINED),
                "stages": list(stages_before(head)),
                "sure": asdict(info.sure[head]) if head in info.sure else None,
                **_measured(info.metrics.get("heads", {}).get(head, {})),
            }
            for head in present
        ],
        "widths": {
            stage: list(module.widths.branches) for stage, module in model.inceptions().items()
        },
        "modules": describe_wiring(model),
        "methods": [
            {
                "name": m.name,
                "label": m.label,
                "sentence": m.sentence,
                "needs_stage": m.needs_stage,
                "slow": m.slow,
            }
            for m in map(METHODS.__getitem__, ON_EXPLORE)
        ],
        "known_methods": list(METHODS),
        "no_class": "This network knows no class with “{given}” in its name.",
        "first_method": FIRST,
        "learn": of_network(model),
        "why": WHY,
        "channel": CHANNEL | {"zero": _ZERO[model.config.order == "norm-relu-conv"]},
        "colours": {
            "sequential": _base64(SEQUENTIAL.tobytes()),
            "diverging": _base64(DIVERGING.tobytes()),
        },
    }


def how_often_right(top1: float | None, family: float | None = None) -> str:
    """How often a head or probe is right, in words that need no statistics; empty if unknown."""
    if top1 is None:
        return ""
    also = "" if family is None else f", in the right family for {100 * family:.0f}"
    return f"Right for {100 * top1:.0f} of 100 new pictures{also}."


def _measured(top: dict[str, float]) -> dict[str, Any]:
    return {
        "top1": top.get("top1"),
        "right": how_often_right(top.get("top1"), top.get("family")),
    }


def as_data_url(image: Image.Image, kind: str = "WEBP", **options: Any) -> str:
    """A picture as the address of itself."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{_base64(file.getvalue())}"


def _picture(view: View) -> dict[str, Any]:
    width, height = view.image.size
    x, y, side = view.box
    movable = side < max(width, height)
    return {
        "square": _square(to_image(view.pixels), lossless=view.exact),
        "size": view.pixels.shape[-1],
        "whole": _preview(view.image) if movable else None,
        "width": width,
        "height": height,
        "box": [x, y, side],
    }


def _square(image: Image.Image, *, lossless: bool = False) -> str:
    """What the network saw: exact where that is small, else so that no eye sees a difference."""
    if lossless or image.width <= _LOSSLESS_SIDE:
        return as_data_url(image, lossless=True, method=0)
    return as_data_url(image, quality=92, method=1)


def _preview(image: Image.Image) -> str:
    """The whole picture, small: what is seen while the square is moved."""
    scale = min(1, _PREVIEW_SIDE / min(image.size), _PREVIEW_LENGTH / max(image.size))
    size = [max(1, round(side * scale)) for side in image.size]
    small = image.resize((size[0], size[1]), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return as_data_url(small, "JPEG", quality=82)


def describe_heads(recording: Recording) -> dict[str, Any]:
    """What each head believes, whether they agree, and that in words."""
    held = belief(recording)
    heads: dict[str, Any] = {head: {"status": UNTRAINED} for head in held.untrained}
    for head, believed in held.heads.items():
        heads[head] = {
            "status": believed.status,
            "probabilities": [short(p) for p in believed.probabilities],
            "entropy": short(believed.entropy),
            "top": list(believed.top),
            "familiarity": None if believed.familiarity is None else short(believed.familiarity),
            "sure": believed.sure,
            "answer": answer_of(recording, believed),
            "doubt": doubt(recording, head),
        }
    for head, described in heads.items():
        described["sentence"] = belief_sentence(recording, head)
    return {"heads": heads, "agree": held.agree, "compared": heads_compared(recording)}


def describe_stage(recording: Recording, stage: str) -> dict[str, Any]:
    """A module's four branches: their numbers, mean maps and strongest channels."""
    size = recording.pixels.shape[2], recording.pixels.shape[3]
    branches: dict[str, Any] = {}
    every = statistics(recording, stage)
    maps = _stage_maps(recording, stage, every)
    for branch, numbers in every.items():
        values = recording.branches[stage][branch]
        field = recording.fields[stage][branch]
        height, width = values.shape[1:]
        row, col = middle_cell(field, height, size[0]), middle_cell(field, width, size[1])
        mean, *top = maps[branch]
        branches[branch] = {
            "channels": numbers.channels,
            "offset": numbers.offset,
            "share": short(numbers.share),
            "mean": short(numbers.mean),
            "sparsity": None if numbers.sparsity is None else short(numbers.sparsity),
            "grid": [height, width],
            "field": [field.size, field.stride, field.start],
            "cell": [row, col],
            "strongest": f"{len(numbers.top)} strongest of {numbers.channels}",
            "box": list(box(field, row, col, size)),
            "map": mean,
            "top": [{"channel": c} | one for c, one in zip(numbers.top, top, strict=True)],
        }
    return {
        "branches": branches,
        "channels": sum(branch["channels"] for branch in branches.values()),
        "sentence": sentence(stage, every),
        "limits": _limits(
            max(branch["map"]["limit"] for branch in branches.values()),
            max(top["limit"] for b in branches.values() for top in b["top"]),
            signed=recording.signed,
            where="all four branches",
        ),
    }


def _stage_maps(
    recording: Recording, stage: str, every: dict[str, BranchStatistics]
) -> dict[str, list[dict[str, Any]]]:
    """Branch → its mean map and those of its strongest channels; all of a module at once."""
    shown = [
        torch.cat([mean_map(recording, stage, branch)[None], values[list(every[branch].top)]])
        for branch, values in recording.branches[stage].items()
    ]
    described = iter(describe_maps(torch.cat(shown), recording.signed))
    return {
        branch: list(islice(described, len(maps)))
        for branch, maps in zip(every, shown, strict=True)
    }


def describe_map(values: Tensor, signed: bool) -> dict[str, Any]:
    """A map (h, w) as the page reads it: bytes on its own scale, and its range."""
    return describe_maps(values[None], signed)[0]


def describe_maps(values: Tensor, signed: bool) -> list[dict[str, Any]]:
    """The same of several maps (n, h, w) at once."""
    maps = values.float().numpy()
    low, high, mean = maps.min((1, 2)), maps.max((1, 2)), maps.mean((1, 2))
    limits = np.maximum(-low, high)
    shown = _as_bytes(maps, limits[:, None, None], signed=signed)
    numbers = zip(*(each.tolist() for each in (low, high, mean, limits)), strict=True)
    return [
        {
            "data": _base64(one.tobytes()),
            "low": short(least),
            "high": short(most),
            "mean": short(middle),
            "limit": short(limit),
        }
        for one, (least, most, middle, limit) in zip(shown, numbers, strict=True)
    ]


def _as_bytes(maps: np.ndarray, limits: np.ndarray, *, signed: bool) -> np.ndarray:
    """Values from 0 (signed: −limit) to limit as 0 to 255; a limit of 0 belongs to a silent map."""
    fraction = maps / np.where(limits > 0, limits, 1)
    if signed:
        fraction = (fraction + 1) / 2
    return (fraction.clip(0, 1) * 255).round().astype(np.uint8)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def short(value: float) -> float:
    """Six digits are more than the page shows, and the ones that it rounds by."""
    return float(f"{value:.6g}")
