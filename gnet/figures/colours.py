"""Which colour means what, and values as colours: two colour maps, four branches, three heads.

The hexes are those of the page's style sheet. One hue per branch everywhere; nothing else wears it.
"""

import math

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gnet.network.receptive_field import Field, spread

Colours = NDArray[np.uint8]
"""An image, (h, w, 3)."""


def _table(name: str) -> Colours:
    table = (matplotlib.colormaps[name](np.linspace(0, 1, 256))[:, :3] * 255).round()
    table = table.astype(np.uint8)
    table.setflags(write=False)
    return table


SEQUENTIAL = _table("magma")
"""(256, 3) uint8: responses from 0, dark, to the maximum, light."""
DIVERGING = _table("RdBu_r")
"""(256, 3) uint8: signed values, blue below 0, white at 0, red above; limits must be symmetric."""

INK = {
    "light": {"paper": "#ffffff", "ink": "#1c1e21", "sub": "#5c6168", "line": "#e4e4e0"},
    "dark": {"paper": "#1c1e21", "ink": "#eceae6", "sub": "#a3a7ad", "line": "#303338"},
}
"""Theme → paper, text, lesser text and thin lines."""
BRANCH_COLOURS = {
    "light": {"1x1": "#0a72c7", "3x3": "#bf4c0a", "5x5": "#1f6e5b", "pool": "#8e4d98"},
    "dark": {"1x1": "#5a9cf3", "3x3": "#f0894c", "5x5": "#38ccab", "pool": "#c97dbb"},
}
"""Theme → branch → hex."""
HEAD_COLOURS = {
    "light": {"aux1": "#d9a520", "aux2": "#a06c08", "main": "#1c1e21"},
    "dark": {"aux1": "#f0c75a", "aux2": "#c4923a", "main": "#eceae6"},
}
"""Theme → head → hex."""
RIGHT_WRONG = {
    "light": {"right": "#4d7c0f", "wrong": "#be123c"},
    "dark": {"right": "#a5cf5c", "wrong": "#fb7a8e"},
}
"""Theme → right or wrong → hex; always beside a tick or a cross and a word."""


def paint(values: Tensor, limit: float, *, signed: bool) -> Colours:
    """`values` (h, w) as colours (h, w, 3) uint8, on a scale that ends at `limit` > 0.

    Unsigned values run from 0 to the limit on the sequential map, signed ones from −limit to limit
    on the diverging map; what lies outside takes the end's colour. A limit of 0 paints all as 0.
    """
    fraction = values.float() / limit if limit > 0 else values.float() * 0
    if signed:
        fraction = (fraction + 1) / 2
    table = DIVERGING if signed else SEQUENTIAL
    return table[(fraction.clamp(0, 1) * 255).round().byte().numpy()]


def scale_limit(values: Tensor, share: float = 0.995) -> float:
    """Where a scale should end: the largest |value|, or the `share` quantile if it is under half.

    So a few extreme pixels do not turn the rest of an attribution into one flat colour.
    """
    sizes = values.abs().flatten().float()
    largest = float(sizes.max())
    usual = float(sizes.kthvalue(max(1, math.ceil(share * len(sizes)))).values)
    return usual if 0 < usual < largest / 2 else largest


def as_colours(pixels: Tensor) -> Colours:
    """Pixels (1, 3, H, W) in [0, 1] → (H, W, 3) uint8."""
    return (pixels[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def enlarged(colours: Colours, side: int = 256) -> Colours:
    """Whole-number enlargement with hard cells, so that no viewer smooths a small map."""
    times = max(1, side // max(colours.shape[:2]))
    return colours.repeat(times, 0).repeat(times, 1)


def over_picture(
    pixels: Tensor, values: Tensor, field: Field, limit: float, *, signed: bool
) -> Colours:
    """A branch's map (h, w) over the grey picture, every cell where its field's centre lies."""
    large = spread(values, field, (pixels.shape[2], pixels.shape[3]), mode="bicubic")
    return mixed(pixels, large, limit, signed=signed)


def mixed(
    pixels: Tensor, values: Tensor, limit: float, *, signed: bool, fading: bool = False
) -> Colours:
    """A map (H, W) of the picture's size, 72 % over 28 % of the grey picture.

    With `fading` the map is the more opaque the further a value is from 0, so that the picture
    stays visible where the map says nothing.
    """
    times = max(1, 384 // max(values.shape))
    size = [times * side for side in values.shape]
    grey = F.interpolate(pixels.mean(1, keepdim=True), size, mode="bicubic").clamp(0, 1)[0, 0]
    large = F.interpolate(values[None, None].float(), size, mode="bilinear")[0, 0]
    colours = torch.from_numpy(paint(large, limit, signed=signed).copy())
    opacity = torch.full_like(large, 0.72)
    if fading:
        opacity = 0.85 * (large.abs() / limit if limit > 0 else large * 0).clamp(0, 1)
        grey = 0.35 + 0.65 * grey
    opacity = opacity[..., None]
    blend = opacity * colours + (1 - opacity) * 0.9 * 255 * grey[..., None]
    return blend.round().clamp(0, 255).byte().numpy()
