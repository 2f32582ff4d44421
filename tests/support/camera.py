"""A film for Chromium's fake camera, written by the tests: pictures one after another."""

from pathlib import Path

import numpy as np
from PIL import Image

RATE = 20
"""Pictures a second."""


def write_film(path: Path, pictures: list[Image.Image], *, each: int = RATE) -> Path:
    """A .y4m file that shows every picture for `each` frames; the browser plays it in a loop."""
    width, height = pictures[0].size
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for picture in pictures:
            frame = b"FRAME\n" + _planes(picture)
            for _ in range(each):
                file.write(frame)
    return path


def _planes(picture: Image.Image) -> bytes:
    """Luminance, and the two colours at half the size."""
    values = np.asarray(picture.convert("YCbCr"))
    halves = [values[::2, ::2, c].tobytes() for c in (1, 2)]
    return values[..., 0].tobytes() + b"".join(halves)
