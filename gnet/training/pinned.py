"""One pinned validation picture, looked at after each epoch: how branches come to specialise."""

from __future__ import annotations

import base64

import torch
from torch import Tensor

from gnet.data.batches import in_order
from gnet.data.datasets import Dataset, chosen
from gnet.explain.recording import belief, mean_map, record, statistics
from gnet.network.config import Preprocessing
from gnet.network.model import GoogLeNet
from gnet.runs.events import BranchesSeen

TOP = 3
"""Classes told of each head's belief."""


def pinned_picture(data: Dataset, index: int, preprocessing: Preprocessing) -> Tensor:
    """What the network sees of one picture, (3, S, S) uint8."""
    pixels, _ = next(in_order(chosen(data, [index]), preprocessing, batch=1))
    return pixels[0]


def look(model: GoogLeNet, picture: Tensor, *, step: int, epoch: int) -> BranchesSeen:
    """What `model` makes of `picture`, (3, S, S) uint8; an untrained head believes nothing."""
    device = next(model.parameters()).device
    recording = record(model, picture[None].to(device, torch.float32) / 255)
    return BranchesSeen(
        step=step,
        epoch=epoch,
        shares={
            stage: {branch: n.share for branch, n in statistics(recording, stage).items()}
            for stage in recording.branches
        },
        maps={
            stage: {branch: _bytes(mean_map(recording, stage, branch)) for branch in branches}
            for stage, branches in recording.branches.items()
        },
        belief={
            head: [[label, believed.probabilities[label]] for label in believed.top]
            for head, believed in belief(recording, top=TOP).heads.items()
        },
    )


def _bytes(values: Tensor) -> dict[str, object]:
    """A map (h, w) as bytes, from the lesser of 0 and its least value to its greatest."""
    low, high = min(0.0, float(values.min())), float(values.max())
    span = (high - low) or 1.0
    whole = ((values - low) * (255 / span)).round().to(torch.uint8)
    return {
        "size": list(values.shape),
        "low": low,
        "high": high,
        "data": base64.b64encode(whole.contiguous().numpy().tobytes()).decode(),
    }
