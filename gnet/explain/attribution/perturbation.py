"""The methods that change something and watch the logit: squares of the picture, whole branches.

They need no gradient. A square changes early maps only where their cells see it: there a window
around it is computed, and the rest is taken from the picture's own forward.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gnet.explain.attribution.checks import stages_before
from gnet.explain.attribution.question import Question
from gnet.explain.recording import record
from gnet.explain.worth import branch_worth
from gnet.network.config import BRANCHES, EXITS
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import Field, receptive_fields

_Square = tuple[slice, slice]
"""Rows and columns."""
BATCH = 16
"""Changed pictures run at once."""


def feature_ablation(q: Question) -> Tensor:
    """(stages, 4): logits lost without each branch of each module before the head.

    captum's FeatureAblation with a branch as feature, at the cost of `branch_worth`.
    """
    q.told(1)
    recording = record(q.model, q.pixels.detach())
    q.told(1)
    values = branch_worth(q.model, recording).values(q.head, q.target)
    rows = []
    for stage in stages_before(q.head):
        found = [values[stage, branch] for branch in BRANCHES]
        rows.append([value.logit if value else 0.0 for value in found])
    return torch.tensor(rows)


def occlusion(q: Question) -> Tensor:
    """(H, W): logits lost when a square over the pixel is replaced, the mean over its squares.

    Equal to captum's Occlusion (arXiv 1311.2901 §2): the last square of a row may hang over.
    """
    pixels, baseline = q.pixels.detach(), q.baseline.detach()
    height, width = pixels.shape[2:]
    squares = list(
        itertools.product(
            _spans(height, q.options.patch, q.options.stride),
            _spans(width, q.options.patch, q.options.stride),
        )
    )
    total, count = pixels.new_zeros(height, width), pixels.new_zeros(height, width)
    with torch.no_grad():
        others = _Pictures(q, (q.options.patch, q.options.patch))
        for start in range(0, len(squares), BATCH):
            part = squares[start : start + BATCH]
            q.told(len(part))
            changed = pixels.expand(len(part), -1, -1, -1).clone()
            for picture, (rows, cols) in zip(changed, part, strict=True):
                picture[:, rows, cols] = baseline[0, :, rows, cols]
            logits = others.logits(changed, part)[:, q.target]
            for lost, (rows, cols) in zip(others.whole[q.target] - logits, part, strict=True):
                total[rows, cols] += lost
                count[rows, cols] += 1
    return total / count.clamp_min(1)


def squares_of(side: int, patch: int, stride: int) -> int:
    """How many squares cover one side of a picture."""
    return len(_spans(side, patch, stride))


def _spans(side: int, patch: int, stride: int) -> list[slice]:
    number = 1 + max(0, math.ceil((side - patch) / stride))
    return [slice(i * stride, min(i * stride + patch, side)) for i in range(number)]


@dataclass(frozen=True)
class _Side:
    """Along one side of the picture: the window that is computed, and the cells taken from it."""

    field: Field
    pixels: int
    cells: int
    span: int
    """Px of the window; the same for all squares, so that they make one batch."""

    @classmethod
    def of(cls, field: Field, pixels: int, cells: int, patch: int) -> _Side:
        most = (patch - 1 + field.size - 1) // field.stride + 2
        needed = min(pixels, (most - 1) * field.stride + field.size + field.stride)
        # What is left beside the window is whole strides, so that its cells fall on the picture's.
        span = pixels - field.stride * ((pixels - needed) // field.stride)
        return cls(field, pixels, cells, span)

    def place(self, square: slice) -> tuple[int, slice, slice]:
        """Where the window begins; the cells that see the square, in the picture and in it."""
        field, reach = self.field, (self.field.size - 1) / 2
        first = max(0, math.ceil((square.start - reach - field.start) / field.stride))
        last = math.floor((square.stop - 1 + reach - field.start) / field.stride)
        last = min(self.cells - 1, last)
        begin = math.floor((field.start + first * field.stride - reach) / field.stride)
        begin = min(max(0, begin), (self.pixels - self.span) // field.stride)
        cells = slice(first, last + 1)
        return begin * field.stride, cells, slice(first - begin, last + 1 - begin)


class _Part:
    """Layers behind each other, computed only where a square of their input has changed."""

    def __init__(
        self, layers: list[nn.Module], field: Field, given: Tensor, square: tuple[int, int]
    ) -> None:
        """`field` is what a cell of the output sees of the input `given`, (1, C, H, W)."""
        self.layers = layers
        self.output = self._run(given)
        along = zip(given.shape[2:], self.output.shape[2:], square, strict=True)
        self.sides = [_Side.of(field, *one) for one in along]
        down, across = ((one - 1 + field.size - 1) // field.stride + 1 for one in square)
        self.most = down, across
        """Cells of the output that can see a square, down and across."""

    def _run(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            x = layer(x)
        return x

    def changed(self, given: Tensor, squares: list[_Square]) -> tuple[Tensor, list[_Square]]:
        """The outputs of inputs (N, C, H, W) that differ in a square each, and where they do."""
        down, across = self.sides
        places = [(down.place(rows), across.place(cols)) for rows, cols in squares]
        windows = [
            one[:, top : top + down.span, left : left + across.span]
            for one, ((top, *_), (left, *_)) in zip(given, places, strict=True)
        ]
        computed = self._run(torch.stack(windows))
        x = self.output.repeat(len(given), 1, 1, 1)
        x = x.contiguous(memory_format=torch.channels_last)
        for one, own, ((_, rows, own_rows), (_, cols, own_cols)) in zip(
            x, computed, places, strict=True
        ):
            one[:, rows, cols] = own[:, own_rows, own_cols]
        return x, [(rows, cols) for (_, rows, _), (_, cols, _) in places]


class _Pictures:
    """The logits of pictures that differ from one in a square each."""

    def __init__(self, q: Question, square: tuple[int, int]) -> None:
        self.model, self.head = q.model, q.head
        layers = list(q.model.trunk(EXITS[q.head]))
        fields = _fields(q.model)
        self.parts: list[_Part] = []
        x, local = self._input(q.pixels.detach()), 0
        for stages, field in fields:
            modules = [layer.module for layer in layers if layer.stage in stages]
            part = _Part(modules, field, x, square)
            self.parts.append(part)
            x, square, local = part.output, part.most, local + len(modules)
        self.rest = [layer.module for layer in layers[local:]]
        self.whole = self._behind(x)[0]

    def _input(self, pixels: Tensor) -> Tensor:
        weights = next(self.model.parameters())
        x = self.model.info.preprocessing.normalise(pixels).to(weights.dtype)
        return self.model.renormalised(x)

    def _behind(self, x: Tensor) -> Tensor:
        for layer in self.rest:
            x = layer(x)
        return self.model.head(self.head, x).float()

    def logits(self, changed: Tensor, squares: list[_Square]) -> Tensor:
        """(N, classes) of the pictures (N, 3, H, W)."""
        x = self._input(changed)
        for part in self.parts:
            x, squares = part.changed(x, squares)
        return self._behind(x)


def _fields(model: GoogLeNet) -> list[tuple[tuple[str, ...], Field]]:
    """The parts that are computed in a window: their stages, and what a cell sees of their input.

    The stem's output is what 3a's 1×1 sees; 3a and 3b together see as far around a cell as the
    widest of their branches. Without a 1×1 branch nothing is computed in windows.
    """
    fields = receptive_fields(model)
    stem = fields["3a"]["1x1"]
    if not stem.size:
        return []
    widest = max(field.size for field in fields["3b"].values())
    return [
        (("stem",), stem),
        (("3a", "3b"), Field(size=(widest - stem.size) // stem.stride + 1)),
    ]
