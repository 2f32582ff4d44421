"""Checks the pixels and the network that a forward is given; each mistake is one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from gnet.errors import GnetError
from gnet.network.model import GoogLeNet


def as_array(pixels: Tensor) -> np.ndarray:
    """`pixels` as float32 for numpy, of the same shape."""
    return pixels.detach().cpu().float().numpy()


def check_pixels(model: GoogLeNet, pixels: Any) -> None:
    """Raise `GnetError` unless `pixels` are one picture, (1, 3, H, W) floats in [0, 1].

    `model` decides which sizes are allowed; a network inside a wrapper is refused, too.
    """
    if not isinstance(model, GoogLeNet):
        remedy = "give its `.module`" if hasattr(model, "module") else "give that of `gnet.load`"
        raise GnetError(
            f"The network is a {type(model).__name__}; allowed is a GoogLeNet, so {remedy}."
        )
    if not isinstance(pixels, Tensor):
        raise GnetError(
            f"The pixels are a {type(pixels).__name__}; allowed is a tensor of one picture, "
            "(1, 3, height, width), as `gnet.data.pictures.to_pixels` makes it."
        )
    if pixels.dim() != 4 or tuple(pixels.shape[:2]) != (1, 3):
        raise GnetError(
            f"The pixels have shape {tuple(pixels.shape)}; allowed is one picture, "
            "(1, 3, height, width)."
        )
    model.config.check_size(pixels.shape[2], pixels.shape[3])
    values = as_array(pixels)
    low, high = float(values.min()), float(values.max())
    if not (pixels.is_floating_point() and low >= -1e-6 and high <= 1 + 1e-6):
        kind = str(pixels.dtype).removeprefix("torch.")
        raise GnetError(
            f"The pixels are {kind} from {low:.4g} to {high:.4g}; allowed are floats from 0 to 1."
        )
