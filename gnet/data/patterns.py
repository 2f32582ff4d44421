"""The pictures of the built-in data set: ten patterns that differ in scale and shape only.

Colour, contrast, orientation, phase, bending, light and noise are drawn for each picture and say
nothing of its class, so a network has to look at form: how far apart the edges are (fine against
coarse stripes, small against large dots) or what they enclose (checkerboard, grid, rings, crosses,
triangles, clouds). Scales are shares of the picture's side, so the classes are the same at any
size; the two kinds of stripes, and of dots, are so far apart that no random crop takes one for the
other. That makes it visible which branch of a module answers which scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from gnet.errors import GnetError
from gnet.network.config import SIZES

Random = np.random.Generator
_CONTRAST = (0.3, 0.6)
"""How much lighter the figure is than its ground, as a share of black to white."""


def pattern(class_index: int, size: int, seed: int | Sequence[int]) -> torch.Tensor:
    """One picture of class `class_index`, uint8 (3, size, size), channels-last in memory.

    The same class, size and seed (whole numbers from 0) give the same picture.
    """
    if not 0 <= class_index < len(CLASSES):
        raise GnetError(f"There is no pattern {class_index}; allowed are 0 to {len(CLASSES) - 1}.")
    if not SIZES[0] <= size <= SIZES[1]:
        raise GnetError(
            f"The pattern's size is {size} px; allowed are {SIZES[0]} to {SIZES[1]} px."
        )
    seeds = [seed] if isinstance(seed, int) else list(seed)
    random = np.random.default_rng([*seeds, class_index])
    figure = _DRAWN[CLASSES[class_index]](random, *_plane(random, size))
    return _coloured(random, figure)


def pattern_at(name: str, repeats: float, size: int, seed: int) -> torch.Tensor:
    """A pattern at a scale of one's own: stripes, dots or crosses, `repeats` times along the side.

    uint8 (3, size, size). The same name and seed give the same colours and turn at any scale.
    """
    shapes = {"dots": _disc, "crosses": _cross}
    random = np.random.default_rng([seed, sorted(("stripes", *shapes)).index(name)])
    plane = _plane(random, size)
    exactly = (repeats, repeats)
    draw = _shapes(*exactly, shapes[name]) if name in shapes else _stripes(*exactly)
    return _coloured(random, draw(random, *plane))


def soft_stripes(period: float, turn: float, size: int, *, swapped: bool = False) -> torch.Tensor:
    """Grey stripes that fade into each other: a wave of `period` px, turned by `turn` degrees.

    uint8 (3, size, size). Nothing but scale and direction tells two of them apart: a soft edge
    holds no finer scale than its period. `swapped` exchanges light and dark.
    """
    axis = np.arange(size, dtype=np.float64) - (size - 1) / 2
    angle = np.deg2rad(turn)
    along = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
    wave = np.cos(2 * np.pi * along / period) * (-1 if swapped else 1)
    grey = (255 * (0.5 + _CONTRAST[1] / 2 * wave) + 0.5).astype(np.uint8)
    return torch.from_numpy(np.repeat(grey[None], 3, axis=0))


def _plane(random: Random, size: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Coordinates (size, size) in shares of the side, turned, shifted and bent; and one px."""
    px = 1.0 / size
    axis = (np.arange(size, dtype=np.float32) + 0.5) * np.float32(px) - np.float32(0.5)
    y, x = axis[:, None], axis[None, :]
    turn = random.uniform(0, 2 * np.pi)
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = cos * x + sin * y, cos * y - sin * x
    bend, wave, phase = random.uniform(0, 0.02), random.uniform(5, 9), random.uniform(0, 6.3)
    u = u + np.float32(bend) * np.sin(np.float32(wave) * v + np.float32(phase))
    shift = random.uniform(-0.5, 0.5, 2).astype(np.float32)
    return u + shift[0], v + shift[1], px


def _coloured(random: Random, figure: np.ndarray) -> torch.Tensor:
    """Two colours, a slope of light and noise over a figure (H, W) in [0, 1]."""
    height, width = figure.shape
    back, front = random.uniform(0, 1, (2, 3)).astype(np.float32)
    contrast = np.float32(random.uniform(*_CONTRAST))
    # Both keep their hue; their lightness is moved to either side of a common middle.
    middle = np.float32(random.uniform(0.4, 0.6))
    back += middle - contrast / 2 - back.mean()
    front += middle + contrast / 2 - front.mean()
    picture = back + figure[:, :, None] * (front - back)
    slope = random.uniform(-0.15, 0.15, 2).astype(np.float32)
    light = 1 + slope[0] * np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    light = light + slope[1] * np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    picture *= light[:, :, None]
    noise = np.float32(random.uniform(0.01, 0.08))
    picture += noise * random.standard_normal(picture.shape, dtype=np.float32)
    bytes_ = (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return torch.from_numpy(bytes_).permute(2, 0, 1)


def _filled(distance: np.ndarray, px: float) -> np.ndarray:
    """A figure from the signed distance to its edge (negative inside), its edge one px soft."""
    return (0.5 - distance / np.float32(px)).clip(0, 1)


def _stripes(low: float, high: float) -> Callable[..., np.ndarray]:
    def draw(random: Random, u: np.ndarray, v: np.ndarray, px: float) -> np.ndarray:
        period = 1 / random.uniform(low, high)
        half = random.uniform(0.2, 0.3)
        return _filled((np.abs(u / period % 1 - 0.5) - half) * period, px)

    return draw


def _shapes(low: float, high: float, distance: Callable[..., np.ndarray]):
    """One shape per cell of a square lattice, each moved and turned a little by itself."""

    def draw(random: Random, u: np.ndarray, v: np.ndarray, px: float) -> np.ndarray:
        period = 1 / random.uniform(low, high)
        table = random.uniform(-1, 1, (3, 16, 16)).astype(np.float32)
        column, row = np.floor(u / period), np.floor(v / period)
        moved, lifted, turned = table[:, row.astype(int) % 16, column.astype(int) % 16]
        x = u / period - column - 0.5 - 0.06 * moved
        y = v / period - row - 0.5 - 0.06 * lifted
        cos, sin = np.cos(np.pi * turned), np.sin(np.pi * turned)
        size = np.float32(random.uniform(0.9, 1.1))
        return _filled(distance(cos * x + sin * y, cos * y - sin * x, size) * period, px)

    return draw


def _disc(x: np.ndarray, y: np.ndarray, size: float) -> np.ndarray:
    return np.hypot(x, y) - 0.3 * size


def _cross(x: np.ndarray, y: np.ndarray, size: float) -> np.ndarray:
    x, y, long, thick = np.abs(x), np.abs(y), 0.42 * size, 0.11 * size
    return np.minimum(np.maximum(x - long, y - thick), np.maximum(y - long, x - thick))


def _triangle(x: np.ndarray, y: np.ndarray, size: float) -> np.ndarray:
    slanted = np.float32(np.sqrt(3) / 2) * np.abs(x) + 0.5 * y
    return np.maximum(slanted, -y) - 0.22 * size


def _checkerboard(random: Random, u: np.ndarray, v: np.ndarray, px: float) -> np.ndarray:
    period = 2 / random.uniform(3.5, 5)
    x, y = (np.abs(side / period % 1 - 0.5) - 0.25 for side in (u, v))
    nearest = np.minimum(np.abs(x), np.abs(y)) * np.sign(x * y)
    return _filled(nearest * period, px)


def _grid(random: Random, u: np.ndarray, v: np.ndarray, px: float) -> np.ndarray:
    period = 1 / random.uniform(3, 5)
    half = max(random.uniform(0.06, 0.1) * period, 0.6 * px)
    x, y = (np.abs(side / period % 1 - 0.5) * period for side in (u, v))
    return _filled(np.minimum(x, y) - half, px)


def _rings(random: Random, u: np.ndarray, v: np.ndarray, px: float) -> np.ndarray:
    period = 1 / random.uniform(4, 6)
    middle = random.uniform(-0.15, 0.15, 2).astype(np.float32)
    # The plane was shifted; rings are drawn around a point near the picture's middle.
    x, y = u - u.mean() - middle[0], v - v.mean() - middle[1]
    away = np.hypot(x, y) / period + random.uniform(0, 1)
    return _filled((np.abs(away % 1 - 0.5) - random.uniform(0.2, 0.3)) * period, px)


def _clouds(random: Random, u: np.ndarray, v: np.ndarray, px: float) -> np.ndarray:
    total = np.zeros_like(u)
    for _ in range(12):
        turn, phase = random.uniform(0, 2 * np.pi, 2)
        wave = 2 * np.pi * random.uniform(1.5, 4.5)
        total += np.cos(wave * (np.cos(turn) * u + np.sin(turn) * v) + phase, dtype=np.float32)
    return (0.5 + 0.25 * total).clip(0, 1)


_DRAWN: dict[str, Callable[..., np.ndarray]] = {
    "fine stripes": _stripes(6, 8),
    "coarse stripes": _stripes(1.8, 2.6),
    "small dots": _shapes(5, 6.5, _disc),
    "large dots": _shapes(1.5, 2, _disc),
    "checkerboard": _checkerboard,
    "grid": _grid,
    "rings": _rings,
    "crosses": _shapes(1.8, 2.4, _cross),
    "triangles": _shapes(1.8, 2.4, _triangle),
    "clouds": _clouds,
}

CLASSES: tuple[str, ...] = tuple(_DRAWN)
"""Ten names, in the order of their labels."""
