"""Colours as people see them whose eyes lack one kind of cone, and how far two colours are apart.

Matrices: Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. Distances: OKLab (Björn
Ottosson, 2020), in which equal distances look about equally large; black and white are 1 apart.
"""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray

MISSING: dict[str, NDArray[np.float64]] = {
    "red cones": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "green cones": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "blue cones": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""What is missing → matrix from linear RGB to the linear RGB that looks the same to such eyes."""
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colours: ArrayLike) -> NDArray[np.float64]:
    """sRGB from 0 to 1, (..., 3), as amounts of light."""
    values = np.asarray(colours, dtype=np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def gamma(light: ArrayLike) -> NDArray[np.float64]:
    """The inverse of `linear`; what lies outside 0 to 1 is cut off."""
    values = np.clip(light, 0, 1)
    return np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055)


def seen(colours: ArrayLike, missing: str | None) -> NDArray[np.float64]:
    """sRGB (..., 3) from 0 to 1 as it looks without one kind of cone; None: as it is."""
    values = np.asarray(colours, dtype=np.float64)
    return values if missing is None else gamma(linear(values) @ MISSING[missing].T)


def lab(colours: ArrayLike) -> NDArray[np.float64]:
    """sRGB (..., 3) from 0 to 1 → OKLab: lightness, green to red, blue to yellow."""
    return np.cbrt(linear(colours) @ _TO_CONES.T) @ _TO_LAB.T


def apart(one: str, other: str, missing: str | None) -> float:
    """The distance of two hexes in OKLab, as they look without one kind of cone."""
    first, second = (lab(seen(to_rgb(colour), missing)) for colour in (one, other))
    return float(np.linalg.norm(first - second))
