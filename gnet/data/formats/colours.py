"""Any mode of Pillow → RGB, 8 bits a channel: transparency over white, full scale at 255."""

from __future__ import annotations

import numpy as np
from PIL import Image

_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339  # TIFF tags


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode to RGB; the picture is decoded already."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _wide(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _wide(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits to RGB."""
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})  # a TIFF's
    signed = tags.get(_SAMPLE_FORMAT, (1,))[0] == 2
    if values.dtype == np.int32 and tags.get(_BITS, (16,))[0] == 32 and not signed:
        values = values.view(np.uint32)  # Pillow has no numbers of 32 bits without a sign
    grey = _scaled(values, tags.get(_BITS, (16,))[0] - signed)
    if tags.get(_PHOTOMETRIC) == 0:  # 0 is white; Pillow turns that round for 8 bits only
        grey = 255 - grey
    key = image.info.get("transparency")
    if isinstance(key, int):
        grey = np.where(values == key, np.uint8(255), grey)
    return Image.fromarray(grey).convert("RGB")


def _scaled(values: np.ndarray, bits: int) -> np.ndarray:
    """Numbers to 0 … 255, by their full scale."""
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = min(0.0, float(finite.min())), float(finite.max())
    full = _full_of_fractions(high) if values.dtype.kind == "f" else _full_scale(high, bits)
    return ((finite - low) * (255.0 / (full - low))).round().clip(0, 255).astype(np.uint8)


def _full_of_fractions(high: float) -> float:
    return 1.0 if high <= 1.0 else (255.0 if high <= 255.0 else high)


def _full_scale(high: float, bits: int) -> float:
    """What is white: 255 if all data are within, else what `bits` can hold (16 at most)."""
    if high <= 255.0:
        return 255.0
    return max(2.0 ** min(bits, 16) - 1, high)
