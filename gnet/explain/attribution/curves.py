"""What a map must stand up to: parts are taken away, or shown, in its order and in random ones.

If the map is right, the class falls sooner when the parts with the largest values go first
(deletion), and rises sooner when they come first (insertion), than in a random order
(arXiv 1806.07421 §3.2). A part is a cell of a grid over the picture, or one of the branches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from gnet.explain.attribution.attribute import Attribution
from gnet.explain.attribution.checks import stages_before
from gnet.explain.attribution.methods import METHODS, PICTURE
from gnet.explain.attribution.question import baseline_of, counting
from gnet.explain.belief import probabilities
from gnet.network.config import BRANCHES
from gnet.network.hooks import evaluating
from gnet.network.model import GoogLeNet
from gnet.words import listed

GRID = 12
"""Cells along a side of the picture."""
POINTS = 12
"""Steps of a curve."""
ORDERS = 3
"""Random orders; their mean is shown."""
_CLEARLY = 0.01
"""By how much an area, from 0 to 1, must differ from the random orders' to be called better."""
_BATCH = 16


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The class's probability while parts go or come, one by one."""

    values: tuple[float, ...]

    @property
    def area(self) -> float:
        """Under the curve, by trapezes; the way from none to all has length 1."""
        steps = [(one + other) / 2 for one, other in pairwise(self.values)]
        return sum(steps) / len(steps)


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Deletion and insertion in the map's order, and the mean of random orders."""

    shares: tuple[float, ...]
    """How many of the parts are gone, or shown, as fractions."""
    parts: str
    """What the parts are, in words."""
    deletion: Curve
    random_deletion: Curve
    insertion: Curve
    random_insertion: Curve

    @property
    def stands(self) -> bool:
        """Whether both curves are clearly better than the random ones."""
        return len(self._better) == 2

    @property
    def _gains(self) -> dict[str, float]:
        """By how much each curve's area is better than the random one's; negative: worse."""
        return {
            "deletion": self.random_deletion.area - self.deletion.area,
            "insertion": self.insertion.area - self.random_insertion.area,
        }

    @property
    def _better(self) -> list[str]:
        """The curves that are better than the random ones by more than nothing."""
        return [name for name, gain in self._gains.items() if gain >= _CLEARLY]

    @property
    def _worse(self) -> list[str]:
        """The curves that are worse than the random ones by more than nothing."""
        return [name for name, gain in self._gains.items() if gain <= -_CLEARLY]

    @property
    def verdict(self) -> str:
        """Where the map's order beats a random one, in words."""
        where, worse = self._better, self._worse
        better = "Both curves are" if len(where) == 2 else f"Only {listed(where)} is"
        told = f"{better} clearly better than a random order."
        if not where:
            told = "Neither curve is clearly better than a random order: the map may mean little."
        if worse:
            verb = "are" if len(worse) == 2 else "is"
            told += f" {listed(worse).capitalize()} {verb} clearly worse."
        return told

    @property
    def sentence(self) -> str:
        """Both areas beside those of the random order, and the verdict."""
        return (
            f"Deletion: area {self.deletion.area:.3f}, random {self.random_deletion.area:.3f} "
            f"(smaller is better). Insertion: area {self.insertion.area:.3f}, random "
            f"{self.random_insertion.area:.3f} (larger is better). "
            f"{self.verdict}"
        )

    def to_json(self) -> dict[str, Any]:
        """All four curves with their areas, as plain values."""
        names = ("deletion", "random_deletion", "insertion", "random_insertion")
        curves = {
            name: {"values": list(getattr(self, name).values), "area": getattr(self, name).area}
            for name in names
        }
        return {
            "shares": list(self.shares),
            "parts": self.parts,
            **curves,
            "stands": self.stands,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


Score = Callable[[Tensor, bool], Tensor]
"""Which parts are kept (N, parts), and whether the others are as in insertion → probabilities."""


def measure(
    score: Score,
    values: Tensor,
    parts: str,
    *,
    points: int = POINTS,
    seed: int = 0,
    random: Curves | None = None,
) -> Curves:
    """The curves of a map whose parts have these `values` (parts,).

    `random` are the curves of another map of the same parts and class, whose random orders hold.
    """
    count = len(values)
    generator = torch.Generator().manual_seed(seed)
    own = values.argsort(descending=True, stable=True)
    orders = [torch.randperm(count, generator=generator) for _ in range(ORDERS)]
    sizes = sorted({round(count * step / points) for step in range(points + 1)})

    def curve(order: Tensor, insertion: bool) -> list[float]:
        kept = torch.full((len(sizes), count), not insertion)
        for row, size in zip(kept, sizes, strict=True):
            row[order[:size]] = insertion
        return score(kept, insertion).tolist()

    def mean(insertion: bool) -> Curve:
        others = [curve(order, insertion) for order in orders]
        return Curve(values=tuple(sum(one) / len(one) for one in zip(*others, strict=True)))

    return Curves(
        shares=tuple(size / count for size in sizes),
        parts=parts,
        deletion=Curve(values=tuple(curve(own, False))),
        random_deletion=random.random_deletion if random else mean(False),
        insertion=Curve(values=tuple(curve(own, True))),
        random_insertion=random.random_insertion if random else mean(True),
    )


def cost(*, random: bool = True) -> int:
    """How often `curves_of` runs the network on a picture; less where random orders are known."""
    return 2 * (1 + ORDERS * random) * (POINTS + 1)


def curves_of(
    model: GoogLeNet,
    pixels: Tensor,
    attribution: Attribution,
    heard: Callable[[float], None] | None = None,
    *,
    random: Curves | None = None,
) -> Curves:
    """The curves of one map; `heard` is told how far it is, `random` as in `measure`.

    Cells that are gone have the mean colour in deletion and are blurred in insertion. Branches that
    are gone are 0.
    """
    told = counting(cost(random=random is None), heard)
    if METHODS[attribution.method].about == PICTURE:
        score = _picture_score(model, pixels, attribution, told)
        cells = f"{GRID * GRID} cells of the picture"
        return measure(score, on_grid(attribution.map), cells, random=random)
    stages = stages_before(attribution.head)
    score = _branch_score(model, pixels, attribution, stages, told)
    values = attribution.map.flatten()
    return measure(score, values, f"{len(values)} branches", random=random)


def on_grid(values: Tensor) -> Tensor:
    """A map (H, W) as the mean of each cell of the grid, (cells,), row by row."""
    rows, cols = (_share(side) for side in values.shape)
    return (rows @ values.float() @ cols.T).flatten()


def _share(side: int) -> Tensor:
    """(GRID, side): what each px counts in its cell's mean."""
    cell = torch.arange(side) * GRID // side
    own = (cell[None] == torch.arange(GRID)[:, None]).float()
    return own / own.sum(1, keepdim=True).clamp_min(1)


def _picture_score(
    model: GoogLeNet, pixels: Tensor, about: Attribution, told: Callable[[int], None]
) -> Score:
    weights = next(model.parameters())
    x = pixels.detach().float()
    gone = {False: baseline_of(model, x, "mean"), True: baseline_of(model, x, "blurred")}
    rows, cols = (torch.arange(side) * GRID // side for side in x.shape[2:])

    def score(kept: Tensor, insertion: bool) -> Tensor:
        found = []
        for part in kept.view(-1, GRID, GRID).split(_BATCH):
            told(len(part))
            mask = part[:, rows][:, :, cols][:, None]
            pictures = torch.where(mask, x, gone[insertion]).to(weights)
            found.append(_answer(model, model.info.preprocessing.normalise(pictures), about))
        return torch.cat(found)

    return score


def _branch_score(
    model: GoogLeNet,
    pixels: Tensor,
    about: Attribution,
    stages: tuple[str, ...],
    told: Callable[[int], None],
) -> Score:
    x = model.info.preprocessing.normalise(pixels.detach().float()).to(next(model.parameters()))
    inceptions = model.inceptions()

    def score(kept: Tensor, insertion: bool) -> Tensor:
        found = []
        for part in kept.view(-1, len(stages), len(BRANCHES)).split(_BATCH):
            told(len(part))
            handles = []
            try:
                for index, stage in enumerate(stages):
                    widths = torch.tensor(inceptions[stage].widths.branches)
                    mask = part[:, index].repeat_interleave(widths, dim=1)[:, :, None, None]

                    def hide(_module: Any, _given: Any, output: Tensor, mask: Tensor = mask) -> Any:
                        return output * mask.to(output)

                    handles.append(inceptions[stage].register_forward_hook(hide))
                found.append(_answer(model, x.expand(len(part), -1, -1, -1), about))
            finally:
                for handle in handles:
                    handle.remove()
        return torch.cat(found)

    return score


def _answer(model: GoogLeNet, x: Tensor, about: Attribution) -> Tensor:
    """The class's probability in the head for normalised pictures (N, 3, H, W), (N,)."""
    with evaluating(model), torch.no_grad():
        logits = model.until(about.head)(x).float().cpu()
    temperature = model.info.temperatures.get(about.head, 1.0)
    rectified = model.config.rectified_outputs
    return torch.stack([probabilities(row, rectified, temperature)[about.target] for row in logits])
