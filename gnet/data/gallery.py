"""Pictures by number: the shipped gallery, and pictures kept as WebP.

The shipped gallery is a sheet of CC0 photos (assets/channels/CREDITS.md) and patterns of the
built-in set, generated when they are needed.
"""

import io
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from gnet.data import patterns
from gnet.data.pictures import as_tensor, to_image
from gnet.errors import GnetError
from gnet.system.assets import ASSETS

FOLDER = ASSETS / "channels"
PATTERNS_PER_CLASS = 12
_SEED = 3  # of the patterns: pictures of none of the built-in set's splits


class Shipped(Sequence[Tensor]):
    """The photos of the sheet and the patterns after them, uint8 (3, side, side) each."""

    def __init__(self, folder: Path = FOLDER) -> None:
        try:
            record = json.loads((folder / "pictures.json").read_text(encoding="utf-8"))
            with Image.open(folder / "pictures.webp") as sheet:
                self._sheet = as_tensor(sheet.convert("RGB"))
        except (OSError, ValueError) as error:
            raise GnetError(
                f"The shipped pictures in {folder} cannot be read ({error}); restore the folder."
            ) from error
        self.side: int = record["side"]
        self.columns: int = record["columns"]
        self.names: tuple[str, ...] = tuple(record["names"])

    def __len__(self) -> int:
        return len(self.names) + PATTERNS_PER_CLASS * len(patterns.CLASSES)

    def __getitem__(self, number):  # pyright: ignore[reportIncompatibleMethodOverride]
        """The picture of that number."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        side, generated = self.side, number - len(self.names)
        if generated >= 0:
            label, index = divmod(generated, PATTERNS_PER_CLASS)
            return patterns.pattern(label, side, (_SEED, index))
        row, column = divmod(number, self.columns)
        top, left = row * side, column * side
        return self._sheet[:, top : top + side, left : left + side]


@cache
def shipped() -> Shipped:
    """The shipped gallery, read once."""
    return Shipped()


def encoded(picture: Tensor) -> Tensor:
    """A picture, uint8 (3, h, w), as the bytes of a WebP file, uint8 (n,)."""
    file = io.BytesIO()
    to_image(picture).save(file, "WEBP", quality=88, method=2)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def decoded(content: Tensor) -> Tensor:
    """The picture that `encoded` wrote, but for what WebP loses."""
    with Image.open(io.BytesIO(content.numpy().tobytes())) as image:
        return as_tensor(image.convert("RGB"))
