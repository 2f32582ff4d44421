"""What the page shows of one channel: its map, its strongest patches, a grown picture, one step.

It knows nothing of Gradio. What a viewer asks for comes from outside and is checked.
"""

from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from gnet.answers.answer import as_data_url, describe_map, short
from gnet.answers.explorer import Chosen, Explorer
from gnet.channels.arithmetic import Step, convolution_step, input_name
from gnet.channels.index import SHIPPED, Index, find_indexes
from gnet.channels.sprite import Place, from_sprite
from gnet.channels.visualization import (
    check_channels,
    keep_visualization,
    kept_visualization,
    visualization_path,
    visualizing,
)
from gnet.data.pictures import resize, to_image
from gnet.errors import GnetError
from gnet.explain.branches import LABELS, statistics
from gnet.explain.recording import Recording
from gnet.explain.relevance import relevance
from gnet.system.stamps import Stamp, stamp_of
from gnet.words import cut, number

TILE = 96
"""Side in px at which a patch travels to the page."""


def open_channel(explorer: Explorer, chosen: Chosen, request: Any) -> dict[str, Any]:
    """Everything the page shows of the requested channel, with the picture chosen.

    `request`: {"stage", "branch", "channel"} and perhaps "over": which index the patches are from.
    """
    stage, branch, channel = place = place_of(explorer, request)
    key, kept = explorer.found(chosen, None)
    recording = kept.recording
    values = recording.branches[stage][branch][channel]
    field = recording.fields[stage][branch]
    step = convolution_step(explorer.model, recording, *place)
    return {
        "kind": "channel",
        "key": key,
        "stage": stage,
        "branch": branch,
        "channel": channel,
        "map": describe_map(values, recording.signed),
        "grid": list(values.shape),
        "field": [field.size, field.stride, field.start],
        "step": _describe_step(recording, stage, branch, step),
        "patches": _patches(explorer, place, request.get("over")),
        "visualization": _grown(explorer, place),
    }


def list_channels(explorer: Explorer, chosen: Chosen, request: Any) -> dict[str, Any]:
    """All channels of a branch for the picture chosen, and three orders to show them in.

    `request`: {"stage", "branch", "head", "class_index"}; the class that relevance is for.
    """
    request = request if isinstance(request, dict) else {}
    stage, branch, _ = place_of(explorer, request | {"channel": 0})
    head, target = cut(request.get("head")), request.get("class_index")
    key, kept = explorer.found(chosen, None)
    recording = kept.recording
    values = recording.branches[stage][branch]
    start = statistics(recording, stage)[branch].offset
    by_class = _relevance(explorer, recording, (stage, head, target), start, len(values))
    means = values.mean((1, 2))
    channels = []
    for index, own in enumerate(values):
        words = f"channel {index} (concat {start + index}) · mean {number(float(means[index]))}"
        if by_class.values is not None:
            words += f" · relevance {_plus(float(by_class.values[index]))}"
        channels.append(describe_map(own, recording.signed) | {"words": words})
    return {
        "kind": "channels",
        "key": key,
        "stage": stage,
        "branch": branch,
        "head": head,
        "class_index": target,
        "title": f"{stage} · {LABELS[branch]} · all {len(values)} channels",
        "grid": list(values.shape[1:]),
        "limit": max(channel["limit"] for channel in channels),
        "channels": channels,
        "sorts": [
            {
                "name": "response",
                "label": "response",
                "order": means.argsort(descending=True, stable=True).tolist(),
                "sentence": "Strongest mean response in this picture first.",
            },
            {
                "name": "class",
                "label": "class relevance",
                "order": None
                if by_class.values is None
                else by_class.values.argsort(descending=True, stable=True).tolist(),
                "sentence": by_class.sentence,
            },
            {
                "name": "number",
                "label": "number",
                "order": list(range(len(values))),
                "sentence": "In the order of the weights.",
            },
        ],
    }


def grow(explorer: Explorer, request: Any) -> Generator[dict[str, Any], None, None]:
    """A picture for the requested channel while it grows; the last one is kept on disk.

    `request`: {"stage", "branch", "channel", "turn"}; the turn comes back with each state.
    """
    stage, branch, channel = place = place_of(explorer, request)
    about = {"kind": "visualization", "turn": cut(request.get("turn"))}
    digest = explorer.model.info.digest
    for state in visualizing(explorer.model, stage, branch, [channel]):
        done = state.step == state.steps
        if done and digest:
            keep_visualization(visualization_path(digest, *place), state.pictures[0])
        yield about | {
            "step": state.step,
            "steps": state.steps,
            "picture": as_data_url(to_image(state.pictures[0]), quality=90 if done else 75),
        }


def not_grown(request: Any) -> dict[str, Any]:
    """What ends a turn in which nothing could be grown."""
    turn = request.get("turn") if isinstance(request, dict) else None
    return {"kind": "visualization", "turn": cut(turn), "step": 0, "steps": 0, "picture": None}


def place_of(explorer: Explorer, request: Any) -> Place:
    request = request if isinstance(request, dict) else {}
    channel = request.get("channel")
    if not isinstance(channel, int) or isinstance(channel, bool):
        raise GnetError(f"The channel is {cut(channel)!r}; allowed is a whole number from 0.")
    stage, branch = cut(request.get("stage")), cut(request.get("branch"))
    check_channels(explorer.model, stage, branch, [channel])
    return stage, branch, channel


def _patches(explorer: Explorer, place: Place, over: Any) -> dict[str, Any] | None:
    """The nine patches as one strip of pictures, or None where there is no index."""
    stage, branch, channel = place
    indexes = find_indexes(explorer.model.info.digest)
    if not indexes:
        return None
    data = over if isinstance(over, str) and over in indexes else next(iter(indexes))
    path = indexes[data]
    stamp = stamp_of(path)
    index = _index(path, stamp)
    patches = index.patches(stage, branch, channel)
    return {
        "over": data,
        "overs": list(indexes),
        "shipped": data == SHIPPED,
        "count": index.count,
        "size": index.size,
        "sees": index.fields[stage][branch].size,
        "side": index.window_side(stage, branch),
        "values": [short(patch.value) for patch in patches],
        "strip": _strip(path, stamp, place) if patches else None,
    }


@lru_cache(maxsize=4)
def _index(path: Path, _: Stamp) -> Index:
    return Index.load(path)


@lru_cache(maxsize=256)
def _strip(path: Path, stamp: Stamp, place: Place) -> str:
    crops = _crops(_index(path, stamp), place)
    return as_data_url(to_image(torch.cat(crops, dim=2)), quality=86)


def _crops(index: Index, place: Place) -> list[torch.Tensor]:
    """The strongest patches, uint8 (3, TILE, TILE) each."""
    return [resize(index.crop_of(patch), TILE) for patch in index.patches(*place)]


def strongest_patches(digest: str, place: Place) -> list[torch.Tensor]:
    """The patches that the page shows first; none where there is no index for the weights."""
    path = next(iter(find_indexes(digest).values()), None)
    return _crops(_index(path, stamp_of(path)), place) if path else []


def _grown(explorer: Explorer, place: Place) -> str | None:
    """The channel's grown picture, shipped or kept, if there is one."""
    digest = explorer.model.info.digest
    if not digest:
        return None
    picture = from_sprite(digest, place)
    if picture is None:
        picture = kept_visualization(visualization_path(digest, *place))
    return None if picture is None else as_data_url(to_image(picture), quality=90)


@dataclass(frozen=True, kw_only=True)
class _ByClass:
    """The relevance of a branch's channels, or why there is none, in a sentence."""

    values: torch.Tensor | None
    sentence: str


def _relevance(
    explorer: Explorer, recording: Recording, asked: tuple[str, str, Any], start: int, count: int
) -> _ByClass:
    stage, head, target = asked
    try:
        found = relevance(explorer.model, recording, stage, head=head, target=target)
    except GnetError as error:
        return _ByClass(values=None, sentence=str(error))
    name = recording.class_name(target)
    own = found.values[start : start + count]
    total = f"This branch adds {_plus(float(own.sum()))} to the logit of {name}"
    if found.exact:
        sentence = f"Weight of {name} for the channel × its mean response. {total}, exactly."
    else:
        sentence = (
            f"Gradient × mean response of each channel, for {name} at {head}. {total}. "
            "That is the sum over its channels, an estimate."
        )
    return _ByClass(values=own, sentence=sentence)


def _plus(value: float) -> str:
    """A number that bears its sign."""
    return f"{'+' if value > 0 else ''}{number(value)}"


def _describe_step(recording: Recording, stage: str, branch: str, step: Step) -> dict[str, Any]:
    def table(values: torch.Tensor) -> list[list[float]]:
        return [[short(v) for v in row] for row in values.tolist()]

    return {
        "cell": list(step.cell),
        "inputs": step.inputs,
        "terms": [
            {
                "name": _name(recording, stage, branch, term.channel),
                "patch": table(term.patch),
                "kernel": table(term.kernel),
                "sum": short(term.sum),
            }
            for term in step.terms
        ],
        "pooled": branch == "pool",
        "rest": short(step.rest),
        "bias": short(step.bias),
        "total": short(step.total),
        "value": short(step.value),
        "recorded": short(step.recorded),
        "rectified": step.rectified,
    }


def _name(recording: Recording, stage: str, branch: str, channel: int) -> str:
    origin, lane, number = input_name(recording, stage, branch, channel)
    if lane == "reduce":
        return f"{LABELS[branch]} reduce · channel {number}"
    return f"{origin} · {LABELS[lane]} · channel {number}" if lane else f"stem · channel {number}"
