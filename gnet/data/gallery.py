"""Pictures by number: the shipped gallery, and pictures kept as WebP.

The shipped gallery is a sheet of photos and drawings in the public domain or under CC0
(assets/channels/CREDITS.md) and patterns of the built-in set, generated when they are needed.
"""

import io
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from gnet import strict_json
from gnet.data import patterns
from gnet.data.formats.refusals import PictureError
from gnet.data.pictures import as_tensor, open_picture, resize, square, to_image
from gnet.errors import GnetError
from gnet.system.assets import ASSETS
from gnet.system.atomic import atomically
from gnet.system.paths import expanded, regular

FOLDER = ASSETS / "channels"
SIDE, COLUMNS = 144, 22
"""Side of a picture on the sheet in px; pictures in a row."""
PATTERNS_PER_CLASS = 12
QUALITY = 86
"""Of the sheet, as WebP."""
_SEED = 3  # of the patterns: pictures of none of the built-in set's splits


class Shipped(Sequence[Tensor]):
    """The pictures of the sheet and the patterns after them, uint8 (3, side, side) each."""

    def __init__(self, folder: Path = FOLDER) -> None:
        try:
            record = json.loads(regular(folder / "pictures.json").read_text(encoding="utf-8"))
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


def make_gallery(source: str | Path, folder: str | Path = FOLDER) -> tuple[str, ...]:
    """Write the sheet of the pictures under `source` into `folder`; their names, in its order.

    A picture's name is its path in `source` without the ending; they are sorted by it. Each is cut
    to its middle square. The files are pictures.webp and pictures.json. Raises `GnetError`.
    """
    source = expanded(source)
    paths = sorted(path for path in source.rglob("*") if path.is_file())
    if not paths:
        raise GnetError(f"{source} holds no pictures; allowed is a folder of pictures.")
    rows = -(-len(paths) // COLUMNS)
    sheet = torch.full((3, rows * SIDE, COLUMNS * SIDE), 128, dtype=torch.uint8)
    for number, path in enumerate(paths):
        try:
            picture = as_tensor(open_picture(path))
        except PictureError as error:
            raise GnetError(f"{path} is no picture that can be read: {error}") from error
        x, y, side = square((picture.shape[2], picture.shape[1]), 1.0)
        row, column = divmod(number, COLUMNS)
        tile = sheet[:, row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE]
        tile.copy_(resize(picture[:, y : y + side, x : x + side], SIDE))
    names = tuple(path.relative_to(source).with_suffix("").as_posix() for path in paths)
    record = {"side": SIDE, "columns": COLUMNS, "names": names}
    folder = expanded(folder)
    with atomically(folder / "pictures.webp") as temporary:
        to_image(sheet).save(temporary, "WEBP", quality=QUALITY, method=6)
    with atomically(folder / "pictures.json") as temporary:
        temporary.write_text(strict_json.dumps(record, indent=0), encoding="utf-8")
    return names


def encoded(picture: Tensor) -> Tensor:
    """A picture, uint8 (3, h, w), as the bytes of a WebP file, uint8 (n,)."""
    file = io.BytesIO()
    to_image(picture).save(file, "WEBP", quality=88, method=2)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def decoded(content: Tensor) -> Tensor:
    """The picture that `encoded` wrote, but for what WebP loses."""
    with Image.open(io.BytesIO(content.numpy().tobytes())) as image:
        return as_tensor(image.convert("RGB"))
