"""A frame: exactly the square that a network sees, as a small picture file; never cut or scaled."""

from __future__ import annotations

from PIL import Image
from torch import Tensor

from gnet.data.pictures import PictureLimits, as_tensor, open_picture
from gnet.errors import GnetError
from gnet.network.info import Preprocessing

MOST_BYTES = 500_000
"""Of a frame's file; the largest square that a network may see has 307,200 bytes uncompressed."""
_LIMITS = PictureLimits(file_bytes=MOST_BYTES, pixels=1_000_000, jpeg_pixels=1_000_000)


class TooLarge(GnetError):
    """A frame of more bytes than any square has."""


def check_length(length: int) -> None:
    """Raise `TooLarge` for more than `MOST_BYTES` bytes."""
    if length > MOST_BYTES:
        raise TooLarge(f"The frame has more than {MOST_BYTES:,} bytes; allowed are up to as many.")


def read_frame(content: bytes, preprocessing: Preprocessing) -> Tensor:
    """The pixels (1, 3, S, S) in [0, 1] of a picture file that shows the square itself.

    Raises `GnetError` for anything else; S is `preprocessing.size`.
    """
    check_length(len(content))
    return exact_pixels(open_picture(content, limits=_LIMITS), preprocessing)


def exact_pixels(square: Image.Image, preprocessing: Preprocessing) -> Tensor:
    """The same of an RGB picture that was read already."""
    side = preprocessing.size
    if not is_exact(square, preprocessing):
        raise GnetError(
            f"The square has {square.width}×{square.height} px; allowed are {side}×{side} px, "
            "as this network sees it."
        )
    return as_tensor(square)[None].float().div(255).contiguous()


def is_exact(square: Image.Image, preprocessing: Preprocessing) -> bool:
    """Whether a picture has the very size that a network sees."""
    return square.size == (preprocessing.size, preprocessing.size)
