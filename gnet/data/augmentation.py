"""How training pictures are varied: crops, flips, thumbnails, softer and crisper detail.

Knows one batch at a time; its random numbers are given to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from gnet.data.datasets import Dataset
from gnet.data.pictures import compressed, resize
from gnet.settings import check_fields, option

SCALE = (0.35, 1.0)
"""Share of the picture's area in a random crop."""
RATIO = (3 / 4, 4 / 3)
"""Width / height of a random crop."""
SHARP_ABOVE, THUMBNAIL = 96, 64
"""Pictures with a longer short side (px) are sharp; thumbnails of them have this short side."""
QUALITY = (50, 95)
"""JPEG quality of thumbnails."""
SOFTEST, SHARPEST = 0.45, 2.5
"""Varied detail: a crop is shrunk to at least this share and back, or its edges are added again
up to this many times."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How often training pictures are varied in each way, beside a random crop and a flip.

    Where some classes have only small pictures, all three keep a network from telling classes
    apart by how their pictures were made.
    """

    thumbnails: float = option(
        0.0, "share of sharp pictures first made a 64 px JPEG", low=0.0, high=1.0
    )
    aliased: float = option(
        0.0, "share of sharp pictures that are shrunk without smoothing", low=0.0, high=1.0
    )
    """Such pictures have false detail, as those of Tiny-ImageNet do."""
    vary_detail: float = option(0.0, "share of crops made softer or crisper", low=0.0, high=1.0)

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class FixedCrops:
    """Crops that are shown in place of random ones, for the pictures that have some."""

    numbers: dict[int, np.ndarray] = field(repr=False)
    """Picture's number in the data set → the numbers of its crops."""
    boxes: torch.Tensor = field(repr=False)
    """(crops, 4) int64: y, x, height and width of each in the picture's px."""


class View(NamedTuple):
    """The crop and the changes of one picture in one step; sizes and places in px."""

    height: int
    width: int
    """Of the picture, shrunk if it is to be a thumbnail."""
    quality: int
    """JPEG quality of a thumbnail; 0: not compressed."""
    y: int
    x: int
    down: int
    across: int
    """The crop."""
    flip: bool
    detail: float
    """Below 0: softer, shrunk to this share and back; above: crisper; 0: as it is."""
    antialias: bool
    """Whether the picture is smoothed where it is shrunk."""
    fixed: int
    """Number of the fixed crop that is shown; -1: a random one."""


def choose_views(
    random: np.random.Generator,
    dataset: Dataset,
    indices: np.ndarray,
    how: Augmentation,
    crops: FixedCrops | None = None,
) -> list[View]:
    """One view for each of the pictures at `indices`; of `crops` where they have the picture."""
    n, tries = len(indices), 10
    sizes = np.array([dataset.pictures[i].shape[1:] for i in indices], dtype=np.int64)
    short = sizes.min(axis=1)
    reduced = (random.random(n) < how.thumbnails) & (short > SHARP_ABOVE)
    factor = np.where(reduced, THUMBNAIL / short, 1.0)
    sizes = np.maximum(np.round(sizes * factor[:, None]).astype(np.int64), 1)
    height, width = sizes[:, 0], sizes[:, 1]

    share = random.uniform(*SCALE, (n, tries)) * (height * width)[:, None]
    ratio = np.exp(random.uniform(np.log(RATIO[0]), np.log(RATIO[1]), (n, tries)))
    across = np.round(np.sqrt(share * ratio)).astype(np.int64)
    down = np.round(np.sqrt(share / ratio)).astype(np.int64)
    fits = (across >= 1) & (across <= width[:, None]) & (down >= 1) & (down <= height[:, None])
    first, rows = fits.argmax(axis=1), np.arange(n)
    side = np.minimum(height, width)  # where none fits (very long pictures): a square
    across = np.where(fits.any(axis=1), across[rows, first], side)
    down = np.where(fits.any(axis=1), down[rows, first], side)
    x = (random.random(n) * (width - across + 1)).astype(np.int64)
    y = (random.random(n) * (height - down + 1)).astype(np.int64)
    flip = random.random(n) < 0.5
    quality = np.where(reduced, random.integers(QUALITY[0], QUALITY[1] + 1, n), 0)
    softer = random.random(n) < 0.5
    detail = np.where(softer, -random.uniform(SOFTEST, 1, n), random.uniform(0, SHARPEST, n))
    detail = np.where(random.random(n) < how.vary_detail, detail, 0.0)
    smooth = (random.random(n) >= how.aliased) | (short <= SHARP_ABOVE)
    fixed = np.full(n, -1)
    if crops:
        pick = random.random(n)
        for row, index in enumerate(indices.tolist()):
            own = crops.numbers.get(index)
            if own is not None:
                fixed[row] = own[int(pick[row] * len(own))]
                box = crops.boxes[fixed[row]].numpy() * factor[row]
                down[row], across[row] = np.maximum(np.round(box[2:]).astype(np.int64), 1)
                y[row] = min(round(box[0]), height[row] - down[row])
                x[row] = min(round(box[1]), width[row] - across[row])
    columns = (height, width, quality, y, x, down, across, flip, detail, smooth, fixed)
    return [View(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def augmented(dataset: Dataset, indices: np.ndarray, views: list[View], size: int) -> torch.Tensor:
    """The pictures at `indices` as their views show them, (n, 3, size, size) uint8."""
    pixels = empty(len(indices), size)
    for row, (index, view) in enumerate(zip(indices.tolist(), views, strict=True)):
        picture = dataset.pictures[index]
        if view.quality:
            small = resize(picture, (view.height, view.width), antialias=view.antialias)
            picture = compressed(small, view.quality)
        y, x = view.y, view.x
        part = picture[:, y : y + view.down, x : x + view.across]
        part = resize(part, size, antialias=view.antialias)
        part = _with_detail(part, view.detail)
        pixels[row] = part.flip(2) if view.flip else part
    return pixels


def _with_detail(part: torch.Tensor, detail: float) -> torch.Tensor:
    if detail == 0:
        return part
    if detail < 0:
        size = part.shape[-1]
        return resize(resize(part, max(1, round(-detail * size))), size)
    values = part[None].float()
    smooth = F.avg_pool2d(values, 3, 1, 1, count_include_pad=False)
    return (values + detail * (values - smooth)).round_().clamp_(0, 255).byte()[0]


def empty(n: int, size: int) -> torch.Tensor:
    """Room for `n` square pictures, uint8 (n, 3, size, size), channels-last."""
    return torch.empty((n, 3, size, size), dtype=torch.uint8, memory_format=torch.channels_last)
