"""Which pattern scale a branch answers: soft stripes from fine to coarse, through all nine modules.

Stripes are the plainest picture with a scale of its own: the distance from one to the next, its
period. Each period is shown in several directions, twice each, with light and dark exchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gnet.data.patterns import soft_stripes
from gnet.errors import FieldError
from gnet.explain.branches import LABELS
from gnet.explain.recording import split
from gnet.inference.forward import as_kept
from gnet.network.config import STAGES
from gnet.network.hooks import evaluating, watching
from gnet.network.model import GoogLeNet
from gnet.words import cut, listed, number

PERIODS: Final = 10
"""Scales from fine to coarse, each coarser by the same factor."""
FINEST: Final = 3.0
"""The finest period in px; below 2 px no picture can hold stripes."""
DIRECTIONS: Final = (0, 45, 90, 135)
"""Degrees by which the stripes are turned."""
FLAT: Final = 0.15
"""A curve that varies by less than this share of its top prefers no scale."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One branch's response at each period, over all directions."""

    mean: tuple[float, ...]
    low: tuple[float, ...]
    """The least of the directions."""
    high: tuple[float, ...]

    @property
    def peak(self) -> int | None:
        """The number of the period with the strongest response; None for no preference."""
        top = max(self.mean)
        return None if top - min(self.mean) <= FLAT * top else self.mean.index(top)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleResponses:
    """How strongly every branch of a network answers stripes of every period and direction."""

    size: int
    """Side of the pictures in px."""
    periods: tuple[float, ...]
    """In px, from fine to coarse."""
    directions: tuple[int, ...]
    """In degrees."""
    responses: dict[str, dict[str, Tensor]]
    """Stage → branch → (periods, directions): the mean of |a| over channels and cells."""
    kernel_5x5: int
    """Kernel of the branch called 5×5."""

    def curves(self, stage: str) -> dict[str, Curve]:
        """The four curves of a module; raises `FieldError` for one that there is not."""
        if stage not in tuple(self.responses):
            raise FieldError("module", cut(stage), listed(STAGES))
        return {branch: _curve(values) for branch, values in self.responses[stage].items()}


def scale_periods(size: int) -> tuple[float, ...]:
    """From the finest period to half the side, each coarser by the same factor."""
    step = (size / 2 / FINEST) ** (1 / (PERIODS - 1))
    return tuple(FINEST * step**index for index in range(PERIODS))


def measure_scales(model: GoogLeNet) -> ScaleResponses:
    """Show the network all stripes; one forward for the pictures of one period."""
    size = model.info.preprocessing.size
    periods = scale_periods(size)
    parts: dict[str, dict[str, list[Tensor]]] = {}
    for period in periods:
        for stage, branches in _responses(model, stripes(period, size)).items():
            for branch, values in branches.items():
                parts.setdefault(stage, {}).setdefault(branch, []).append(values)
    return ScaleResponses(
        size=size,
        periods=periods,
        directions=DIRECTIONS,
        responses={
            stage: {branch: torch.stack(values) for branch, values in branches.items()}
            for stage, branches in parts.items()
        },
        kernel_5x5=model.config.kernel_5x5,
    )


def stripes(period: float, size: int) -> Tensor:
    """One period in all directions, twice each: (2 · directions, 3, size, size) in [0, 1]."""
    made = [
        soft_stripes(period, turn, size, swapped=swapped)
        for turn in DIRECTIONS
        for swapped in (False, True)
    ]
    return torch.stack(made).float() / 255


def sentence(found: ScaleResponses, stage: str) -> str:
    """Which branch of a module peaks at which scale, and whether 5×5 is the coarser one."""
    curves = found.curves(stage)
    speaking = {branch: curve for branch, curve in curves.items() if max(curve.mean) > 0}
    if not speaking:
        return f"All four branches of {stage} are 0 everywhere."
    peaks = [
        f"{LABELS[branch]} at {_px(found.periods[curve.peak])}"
        for branch, curve in speaking.items()
        if curve.peak is not None
    ]
    level = [LABELS[branch] for branch, curve in speaking.items() if curve.peak is None]
    parts = [f"Strongest responses in {stage}: {listed(peaks)}."] if peaks else []
    if level:
        verb = "answers" if len(level) == 1 else "answer"
        parts.append(f"{listed(level)} {verb} all scales about alike.")
    if {"3x3", "5x5"} <= speaking.keys():
        parts.append(_against_textbooks(found, stage))
    return " ".join(parts)


def _px(period: float) -> str:
    return f"{number(round(period, 0 if period >= 10 else 1))} px"


def _against_textbooks(found: ScaleResponses, stage: str) -> str:
    """Whether 5×5 prefers coarser patterns than 3×3, as textbooks say."""
    if found.kernel_5x5 == 3:
        return "The branch called 5×5 has 3×3 kernels in this network."
    curves = found.curves(stage)
    small, large = (curves[branch].peak for branch in ("3x3", "5x5"))
    if small is None or large is None:
        level = [LABELS[b] for b, peak in (("3x3", small), ("5x5", large)) if peak is None]
        here = f"{listed(level)} {'prefer' if len(level) > 1 else 'prefers'} no scale"
    elif large > small:
        here = "it does"
    else:
        what = "finer ones" if large < small else "the same scale"
        here = f"it does not: it prefers {what}"
    return f"Textbooks say that 5×5 prefers coarser patterns than 3×3. Here {here}."


def _responses(model: GoogLeNet, pixels: Tensor) -> dict[str, dict[str, Tensor]]:
    """Stage → branch → (directions,), from pictures (2 · directions, 3, H, W)."""
    weights = next(model.parameters())
    x = model.info.preprocessing.normalise(pixels.to(weights.device)).to(weights.dtype)
    with evaluating(model), torch.no_grad(), watching(model.inceptions()) as passed:
        model.run(x, ("main",))
    found: dict[str, dict[str, Tensor]] = {}
    for stage, module in model.inceptions().items():
        parts = split(as_kept(passed[stage].output).abs(), module.widths.branches, axis=1)
        found[stage] = {
            branch: values.mean((1, 2, 3)).view(-1, 2).mean(1) for branch, values in parts.items()
        }
    return found


def _curve(values: Tensor) -> Curve:
    """From (periods, directions)."""
    return Curve(
        mean=tuple(values.mean(1).tolist()),
        low=tuple(values.amin(1).tolist()),
        high=tuple(values.amax(1).tolist()),
    )
