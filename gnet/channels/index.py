"""The index of channels: for each channel of the 36 branches, its nine best pictures.

A picture counts once, by the cell where the channel's response is highest. An index is made over
any pictures in one forward each and knows nothing of where they came from but a name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from gnet.data.gallery import FOLDER, decoded, encoded, shipped
from gnet.data.pictures import as_seen, square
from gnet.errors import GnetError
from gnet.network.config import BRANCHES, STAGES
from gnet.network.hooks import evaluating, watching
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import Field, box, effective_fields, receptive_fields
from gnet.system.cache import cache_folder
from gnet.system.progress import Progress
from gnet.system.tensor_file import Kind

KIND = Kind(
    name="index",
    called="an index",
    remedy="create one with `python -m gnet index`",
)
NINE = 9
BATCH = 16
MEASURED = 8
"""Pictures over which a window's side is measured; its median is taken."""
SHIPPED = "the shipped pictures"

Box = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Patch:
    """The place of one picture where a channel answers most. Boxes are (top, left, bottom, right)
    in px of the picture as the network saw it, half-open."""

    value: float
    picture: int
    """Its number in the pictures the index was made over."""
    cell: tuple[int, int]
    """Row and column in the channel's map."""
    box: Box
    """Everything the cell can see, clipped to the picture."""
    window: Box
    """The part to show, which counts most: a square about the cell, moved into the picture.
    Its side is that of the square holding 90 % of the gradient, as measured, or of the box where
    that is smaller: from 4b on a cell can see more or less the whole picture."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Index:
    """Every channel's strongest patches over a set of pictures."""

    digest: str
    """Of the weights."""
    data: str
    """Name of the set of pictures."""
    count: int
    """Pictures in the set."""
    size: int
    """Side in px of what the network saw of each."""
    crop: float
    """Share of a picture's short side that this is."""
    signed: bool
    """True when responses may be negative; else 0 is silence and no patch."""
    widths: dict[str, tuple[int, ...]]
    """Stage → channels of its four branches."""
    fields: dict[str, dict[str, Field]]
    sides: dict[str, dict[str, int]]
    """Stage → branch → measured side in px of what counts for a cell; 0 where nothing does."""
    values: dict[str, Tensor]
    """Stage → (C, 9) float32, the highest response first."""
    pictures: dict[str, Tensor]
    """Stage → (C, 9) int32, −1 where the channel answers fewer than nine pictures."""
    cells: dict[str, Tensor]
    """Stage → (C, 9, 2) uint8: row and column."""
    means: dict[str, Tensor]
    """Stage → (C,) float32: mean response over all pictures and cells."""
    kept: dict[int, Tensor] = field(default_factory=dict, repr=False)
    """Number → WebP file of the picture as the network saw it; empty for the shipped gallery."""

    def offset(self, stage: str, branch: str) -> int:
        """Where the branch starts among the stage's channels."""
        return sum(self.widths[stage][: BRANCHES.index(branch)])

    def patches(self, stage: str, branch: str, channel: int) -> tuple[Patch, ...]:
        """Up to nine patches of the branch's channel, strongest first."""
        row = self.offset(stage, branch) + channel
        found = zip(
            self.values[stage][row].tolist(),
            self.pictures[stage][row].tolist(),
            self.cells[stage][row].tolist(),
            strict=True,
        )
        return tuple(
            Patch(
                value=value,
                picture=picture,
                cell=(cell[0], cell[1]),
                box=box(self.fields[stage][branch], cell[0], cell[1], (self.size, self.size)),
                window=self._window(stage, branch, cell),
            )
            for value, picture, cell in found
            if picture >= 0
        )

    def window_side(self, stage: str, branch: str) -> int:
        """Side in px of the windows that are shown."""
        seen = self.fields[stage][branch].size
        return max(1, min(seen, self.sides[stage][branch] or seen, self.size))

    def _window(self, stage: str, branch: str, cell: Sequence[int]) -> Box:
        seen, side = self.fields[stage][branch], self.window_side(stage, branch)
        top, left = (
            min(max(round(seen.start + at * seen.stride - (side - 1) / 2), 0), self.size - side)
            for at in cell
        )
        return top, left, top + side, left + side

    def strongest(self, stage: str, branch: str, count: int) -> tuple[int, ...]:
        """The branch's channels that answer most over all pictures, the most active first."""
        start = self.offset(stage, branch)
        own = self.means[stage][start : start + self.widths[stage][BRANCHES.index(branch)]]
        return tuple(own.argsort(descending=True, stable=True)[:count].tolist())

    def crop_of(self, patch: Patch) -> Tensor:
        """The pixels of a patch's window, uint8 (3, h, w), as sharp as the picture is kept."""
        picture = decoded(self.kept[patch.picture]) if self.kept else shipped()[patch.picture]
        crop = 1.0 if self.kept else self.crop  # kept as seen, shipped as a whole
        x, y, side = square((picture.shape[2], picture.shape[1]), crop)
        top, left, bottom, right = (round(v * side / self.size) for v in patch.window)
        return picture[:, y + top : y + bottom, x + left : x + right]

    def save(self, path: str | Path) -> None:
        """Write the index as safetensors; raises `GnetError` when that is impossible."""
        tensors: dict[str, Tensor] = {}
        for name in _TABLES:
            table = getattr(self, name)
            tensors |= {f"{name}/{stage}": values for stage, values in table.items()}
        numbers = sorted(self.kept)
        if numbers:
            tensors["kept"] = torch.cat([self.kept[number] for number in numbers])
        header = {
            "fields": {s: {b: asdict(f) for b, f in fs.items()} for s, fs in self.fields.items()},
            "kept": [[number, len(self.kept[number])] for number in numbers],
        } | {name: getattr(self, name) for name in _PLAIN}
        KIND.write(path, header, tensors)

    @classmethod
    def load(cls, path: str | Path) -> Index:
        """The index `save` wrote; raises `GnetError` for any other file."""
        with KIND.reading(path) as (header, tensors):
            tables = {
                name: {stage: tensors[f"{name}/{stage}"] for stage in STAGES} for name in _TABLES
            }
            lengths = [length for _, length in header["kept"]]
            parts = tensors["kept"].split(lengths) if lengths else ()
            return cls._from_file(header, tables, parts)

    @classmethod
    def _from_file(
        cls, header: dict[str, Any], tables: dict[str, dict[str, Tensor]], parts: Sequence[Tensor]
    ) -> Index:
        return cls(
            digest=str(header["digest"]),
            data=str(header["data"]),
            count=int(header["count"]),
            size=int(header["size"]),
            crop=float(header["crop"]),
            signed=bool(header["signed"]),
            widths={stage: tuple(header["widths"][stage]) for stage in STAGES},
            fields={
                stage: {branch: Field(**header["fields"][stage][branch]) for branch in BRANCHES}
                for stage in STAGES
            },
            sides={stage: dict(header["sides"][stage]) for stage in STAGES},
            values=tables["values"],
            pictures=tables["pictures"],
            cells=tables["cells"],
            means=tables["means"],
            kept=dict(zip((number for number, _ in header["kept"]), parts, strict=True)),
        )


_TABLES = ("values", "pictures", "cells", "means")
_PLAIN = ("digest", "data", "count", "size", "crop", "signed", "widths", "sides")


def make_index(
    model: GoogLeNet,
    pictures: Sequence[Tensor],
    *,
    data: str,
    keep: bool = True,
    progress: Progress | None = None,
) -> Index:
    """Run the network on `pictures`, uint8 (3, h, w) of any size; keep each channel's best nine.

    One forward a batch; of all pictures seen so far only the nine best of each channel are held.
    `keep` stores the pictures that are among any channel's nine in the index.
    `progress(done, total)` counts pictures. A model from `fold` gives the same to 1e-4, faster.
    """
    if not len(pictures):
        raise GnetError("There are no pictures to look at; at least one is needed.")
    preprocessing = model.info.preprocessing
    widths = {stage: module.widths.branches for stage, module in model.inceptions().items()}
    best = {stage: _Best(sum(own)) for stage, own in widths.items()}
    with evaluating(model), torch.no_grad(), watching(model.inceptions()) as passed:
        for start in range(0, len(pictures), BATCH):
            numbers = range(start, min(start + BATCH, len(pictures)))
            batch = torch.stack([as_seen(pictures[number], preprocessing) for number in numbers])
            model(preprocessing.normalise_bytes(batch))
            for stage in STAGES:
                best[stage].take(passed[stage].output, start)
            if progress is not None:
                progress(numbers.stop, len(pictures))
    signed = model.config.order == "norm-relu-conv"
    for stage in STAGES:
        best[stage].leave_out_silence(signed)
    chosen = {number for held in best.values() for number in held.pictures.unique().tolist()}
    return Index(
        digest=model.info.digest,
        data=data,
        count=len(pictures),
        size=preprocessing.size,
        crop=preprocessing.crop,
        signed=signed,
        widths=widths,
        fields=receptive_fields(model),
        sides=_sides(model, [as_seen(pictures[n], preprocessing) for n in _spread(len(pictures))]),
        values={stage: held.values for stage, held in best.items()},
        pictures={stage: held.pictures for stage, held in best.items()},
        cells={stage: held.cells for stage, held in best.items()},
        means={stage: (held.sums / held.cell_count).float() for stage, held in best.items()},
        kept={n: encoded(as_seen(pictures[n], preprocessing)) for n in sorted(chosen - {-1})}
        if keep
        else {},
    )


class _Best:
    """The nine highest responses so far of each of `channels`, of at most one cell a picture."""

    def __init__(self, channels: int) -> None:
        self.values = torch.full((channels, NINE), -math.inf)
        self.pictures = torch.full((channels, NINE), -1, dtype=torch.int32)
        self.cells = torch.zeros(channels, NINE, 2, dtype=torch.uint8)
        self.sums = torch.zeros(channels, dtype=torch.float64)
        self.cell_count = 0

    def take(self, output: Tensor, first: int) -> None:
        """`output`: (N, C, h, w) of the pictures `first`, `first` + 1, …"""
        n, _, h, w = output.shape
        by_cell = output.float().permute(0, 2, 3, 1).flatten(1, 2)  # (N, h·w, C)
        self.sums += by_cell.sum((0, 1), dtype=torch.float64)
        self.cell_count += n * h * w
        values, cells = by_cell.max(dim=1)  # (N, C)
        numbers = torch.arange(first, first + n, dtype=torch.int32).expand(len(self.values), n)
        places = torch.stack([cells.T // w, cells.T % w], dim=2).to(torch.uint8)  # (C, N, 2)
        values = torch.cat([self.values, values.T], dim=1)
        # Stable: of equal responses the earlier picture's stays, however the batches were cut.
        order = values.argsort(dim=1, descending=True, stable=True)[:, :NINE]
        self.values = values.gather(1, order)
        self.pictures = torch.cat([self.pictures, numbers], dim=1).gather(1, order)
        both = order[:, :, None].expand(-1, -1, 2)
        self.cells = torch.cat([self.cells, places], dim=1).gather(1, both)

    def leave_out_silence(self, signed: bool) -> None:
        """Drop responses of 0 behind a ReLU, and those that are not numbers."""
        silent = ~self.values.isfinite() if signed else ~(self.values > 0)
        self.pictures[silent] = -1
        self.values[silent] = 0.0
        self.cells[silent] = 0


def _spread(count: int) -> list[int]:
    """Up to `MEASURED` numbers below `count`, evenly apart."""
    some = min(MEASURED, count)
    return [(2 * k + 1) * count // (2 * some) for k in range(some)]


def _sides(model: GoogLeNet, pictures: list[Tensor]) -> dict[str, dict[str, int]]:
    measured = [effective_fields(model, picture[None].float() / 255) for picture in pictures]
    return {
        stage: {
            branch: round(median(sides[stage][branch] for sides in measured)) for branch in BRANCHES
        }
        for stage in STAGES
    }


def index_path(digest: str, data: str) -> Path:
    """Where the index over `data` by the weights of that digest is kept."""
    name = "".join(letter if letter.isalnum() else "-" for letter in data)[:60]
    return cache_folder("channels", digest[:16]) / f"{name}.safetensors"


def find_indexes(digest: str) -> dict[str, Path]:
    """Name of the pictures → file of each index by those weights: shipped ones, then cached."""
    if not digest:
        return {}
    found: dict[str, Path] = {}
    cached = sorted(cache_folder("channels", digest[:16]).glob("*.safetensors"))
    for path in (FOLDER / "index.safetensors", *cached):
        if not path.is_file():
            continue
        try:
            header = KIND.header(path)
            if header["digest"] == digest:
                found.setdefault(str(header["data"]), path)
        except (GnetError, KeyError):
            continue  # a damaged file offers nothing; the command that makes it says so
    return found
