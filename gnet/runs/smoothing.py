"""How noisy curves of a run are smoothed, on the page and in figures alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

SMOOTHING = {"share": 1 / 40, "shortest": 8.0, "longest": 40.0}
"""The span of the mean: this share of the run's steps, within these bounds (steps)."""


def span_of(steps: int) -> float:
    """The span (steps) for a run of so many steps."""
    return min(SMOOTHING["longest"], max(SMOOTHING["shortest"], SMOOTHING["share"] * steps))


def smoothed(values: Sequence[float], span: float) -> list[float]:
    """Exponential moving average over about `span` values, unbiased from the first one on.

    Value number n counts 1 − 1/span times as much as number n + 1; the weights add up to 1. A gap
    (NaN) stays a gap and takes no part.
    """
    kept = 1 - 1 / span
    means: list[float] = []
    total = weight = 0.0
    for value in values:
        if math.isnan(value):
            means.append(math.nan)
            continue
        total, weight = kept * total + (1 - kept) * value, kept * weight + (1 - kept)
        means.append(total / weight)
    return means
