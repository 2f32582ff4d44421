"""Makes the shipped sheet of grown pictures, of the channels of each branch that answer most.

Each picture is kept in the cache as soon as its branch is done, so a command that was killed goes
on with the next branch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from gnet import strict_json
from gnet.channels.index import Index
from gnet.channels.visualization import (
    VisualizationConfig,
    keep_visualization,
    kept_visualization,
    visualization_path,
    visualize,
)
from gnet.data.gallery import FOLDER
from gnet.data.pictures import as_tensor, resize, to_image
from gnet.errors import GnetError
from gnet.network.config import BRANCHES, STAGES
from gnet.network.model import GoogLeNet
from gnet.system.atomic import atomically
from gnet.system.progress import Progress
from gnet.system.stamps import Stamp, stamp_of

PER_BRANCH, SIDE, COLUMNS = 16, 96, 24
"""Channels of each branch; side of a picture on the sheet in px; pictures in a row."""
LARGEST = 6_000_000
"""Bytes the sheet may have."""
QUALITIES = (92, 88, 82, 76, 70, 60, 50)
"""Of WebP, tried one after another until the sheet is small enough."""

Place = tuple[str, str, int]
"""Stage, branch, channel."""


@dataclass(frozen=True, kw_only=True)
class Sprite:
    """Which channels' pictures a sheet shows."""

    digest: str
    """Of the weights."""
    config: VisualizationConfig
    side: int
    columns: int
    places: tuple[Place, ...]
    """In the order of the sheet, row by row."""


def make_sprite(
    model: GoogLeNet,
    index: Index,
    folder: Path = FOLDER,
    *,
    count: int = PER_BRANCH,
    config: VisualizationConfig | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Sprite | None:
    """Grow what is missing in the cache, then write the sheet into `folder`.

    Its files are visualizations.webp and visualizations.json. The channels are the `count` of each
    branch that answer most over the index's pictures.
    `progress(done, total)` counts pictures; None once `stop` returns True: call again to go on.
    """
    digest, config = model.info.digest, config or VisualizationConfig()
    if index.digest != digest or not digest:
        raise GnetError(
            "The index was made by other weights; allowed is one of these: `python -m gnet index` "
            "makes it."
        )
    branches = {(s, b): index.strongest(s, b, count) for s in STAGES for b in BRANCHES}
    places = tuple((s, b, c) for (s, b), channels in branches.items() for c in channels)
    done = 0
    for (stage, branch), channels in branches.items():
        paths = {c: visualization_path(digest, stage, branch, c, config) for c in channels}
        missing = [c for c, path in paths.items() if kept_visualization(path) is None]
        if missing and index.fields[stage][branch].size:  # none where the branch is left out
            grown = visualize(model, stage, branch, missing, config, stop=stop)
            if grown is None:
                return None
            for channel, picture in zip(missing, grown, strict=True):
                keep_visualization(paths[channel], picture)
        done += len(channels)
        if progress is not None:
            progress(done, len(places))
    found = {p: kept_visualization(visualization_path(digest, *p, config)) for p in places}
    pictures = {place: picture for place, picture in found.items() if picture is not None}
    sprite = Sprite(
        digest=digest, config=config, side=SIDE, columns=COLUMNS, places=tuple(pictures)
    )
    _write(sprite, [resize(picture, SIDE) for picture in pictures.values()], folder)
    return sprite


def _write(sprite: Sprite, pictures: list[Tensor], folder: Path) -> None:
    rows = math.ceil(len(pictures) / sprite.columns)
    sheet = torch.full((3, rows * sprite.side, sprite.columns * sprite.side), 128).byte()
    for number, picture in enumerate(pictures):
        top, left = _corner(sprite, number)
        sheet[:, top : top + sprite.side, left : left + sprite.side] = picture
    image = to_image(sheet)
    with atomically(folder / "visualizations.webp") as temporary:
        for quality in QUALITIES:
            image.save(temporary, "WEBP", quality=quality, method=6)
            if temporary.stat().st_size <= LARGEST:
                break
    with atomically(folder / "visualizations.json") as temporary:
        temporary.write_text(strict_json.dumps(asdict(sprite)), encoding="utf-8")


def _corner(sprite: Sprite, number: int) -> tuple[int, int]:
    row, column = divmod(number, sprite.columns)
    return row * sprite.side, column * sprite.side


def from_sprite(digest: str, place: Place, folder: Path = FOLDER) -> Tensor | None:
    """A channel's picture from the sheet in `folder`, uint8 (3, side, side), if it is there.

    Only pictures of the weights with that digest are given.
    """
    path = folder / "visualizations.json"
    if not digest or not path.is_file():
        return None
    sprite, numbers, sheet = _read(folder, stamp_of(path))
    if sprite.digest != digest or place not in numbers:
        return None
    top, left = _corner(sprite, numbers[place])
    return sheet[:, top : top + sprite.side, left : left + sprite.side]


@lru_cache(maxsize=1)
def _read(folder: Path, _: Stamp) -> tuple[Sprite, dict[Place, int], Tensor]:
    try:
        record = json.loads((folder / "visualizations.json").read_text(encoding="utf-8"))
        config = VisualizationConfig(**record.pop("config"))
        places = tuple((str(s), str(b), int(c)) for s, b, c in record.pop("places"))
        sprite = Sprite(**record, config=config, places=places)
        with Image.open(folder / "visualizations.webp") as image:
            sheet = as_tensor(image.convert("RGB"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GnetError(
            f"The sheet of grown pictures in {folder} is damaged ({error}); "
            "`python -m gnet visualize --sprite` makes it again."
        ) from error
    return sprite, {place: number for number, place in enumerate(places)}, sheet
