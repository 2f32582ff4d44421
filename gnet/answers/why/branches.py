"""Grad-CAM of all branches for one class, as the Why tab draws it."""

from __future__ import annotations

from typing import Any

import torch

from gnet.answers.answer import describe_maps, short
from gnet.answers.why.jobs import Heard
from gnet.answers.why.question import Asked
from gnet.explain.attribution.all_branches import GradCams, grad_cams
from gnet.network.config import BRANCHES


def cams_of(asked: Asked) -> GradCams:
    """The maps of the question's class, by one gradient."""
    pixels, target = asked.kept.recording.pixels, asked.targets[0]
    return grad_cams(asked.explorer.model, pixels, target=target, head=asked.head)


def explain_branches(asked: Asked, heard: Heard) -> dict[str, Any]:
    """The same as the page draws it: stage → branch → its cells, and where one scale ends."""
    heard(0.0)
    found = cams_of(asked)
    heard(1.0)
    return {
        "key": asked.key,
        "net": asked.explorer.net,
        "head": found.head,
        "target": found.target,
        "target_name": found.target_name,
        "limit": short(found.limit),
        "sentence": found.sentence,
        "stages": {stage: _stage(found, stage) for stage in found.limits},
    }


def _stage(found: GradCams, stage: str) -> dict[str, Any]:
    maps = torch.stack([found.maps[stage, branch] for branch in BRANCHES])
    return {
        "grid": list(maps.shape[1:]),
        "limit": short(found.limits[stage]),
        "branches": dict(zip(BRANCHES, describe_maps(maps, signed=False), strict=True)),
    }
