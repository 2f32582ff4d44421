"""Calibration: whether a head's confidence matches its accuracy, and the temperature to mend it.

A calibrated head that says 70 % is right in 70 % of such cases. Knows nothing of networks and data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gnet.errors import GnetError

BINS = 15
MOST_WRONG = 0.08
"""Largest share of all pictures that may be given a wrong class rather than their family."""
LOWEST, HIGHEST = 0.05, 20.0
"""Range of temperatures that are searched."""
_HALVINGS = 50


@dataclass(frozen=True, kw_only=True)
class Bin:
    """The pictures whose first class was given a probability in (low, high]."""

    low: float
    high: float
    count: int
    confidence: float | None
    """Mean probability of the first class; None for an empty bin."""
    accuracy: float | None
    """Fraction of them whose first class is the true one; None for an empty bin."""


def reliability(probabilities: Tensor, labels: Tensor, *, bins: int = BINS) -> tuple[Bin, ...]:
    """Confidence beside accuracy, in `bins` bins of equal width.

    `probabilities`: (n, classes) fractions; `labels`: (n,) int64. A probability of exactly 0 is
    counted in the lowest bin. Raises `GnetError` without a picture or with other shapes.
    """
    if len(labels) == 0 or probabilities.shape[:1] != labels.shape or probabilities.dim() != 2:
        raise GnetError(
            f"Probabilities of shape {tuple(probabilities.shape)} were given for {len(labels)} "
            "labels; allowed are (n, classes) for n labels, n at least 1."
        )
    confidence, first = probabilities.double().max(dim=1)
    right = (first == labels).double()
    place = (confidence * bins).ceil().long().sub(1).clamp(0, bins - 1)
    result = []
    for index in range(bins):
        own = place == index
        count = int(own.sum())
        result.append(
            Bin(
                low=index / bins,
                high=(index + 1) / bins,
                count=count,
                confidence=confidence[own].mean().item() if count else None,
                accuracy=right[own].mean().item() if count else None,
            )
        )
    return tuple(result)


def calibration_error(probabilities: Tensor, labels: Tensor, *, bins: int = BINS) -> float:
    """Expected calibration error, a fraction (arXiv 1706.04599, equation 3).

    Σ over the bins of (share of the pictures in it) · |accuracy − mean confidence|, where the
    confidence is the probability of the first class and the bins are those of `reliability`.
    """
    found = reliability(probabilities, labels, bins=bins)
    return sum(
        row.count / len(labels) * abs(row.accuracy - row.confidence)
        for row in found
        if row.accuracy is not None and row.confidence is not None
    )


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The T that minimises the mean cross-entropy of softmax(logits / T) (arXiv 1706.04599, §4.2).

    `logits`: (n, classes); `labels`: (n,) int64. The loss is convex in 1/T, so the one place where
    its slope is 0 is found by halving; T stays within `LOWEST` and `HIGHEST`.
    """
    if len(labels) == 0 or logits.shape[:1] != labels.shape or logits.dim() != 2:
        raise GnetError(
            f"Logits of shape {tuple(logits.shape)} were given for {len(labels)} labels; allowed "
            "are (n, classes) for n labels, n at least 1."
        )
    values = logits.double()
    true = values.gather(1, labels[:, None]).mean()

    def slope(inverse: float) -> float:
        """Of the loss along 1/T: mean logit as believed, less the mean logit of the truth."""
        believed = (values * inverse).softmax(1)
        return float((believed * values).sum(1).mean() - true)

    low, high = math.log(1 / HIGHEST), math.log(1 / LOWEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(math.exp(middle)) > 0 else (middle, high)
    return math.exp(-(low + high) / 2)


def certain_from(probabilities: Tensor, labels: Tensor, most_wrong: float = MOST_WRONG) -> float:
    """The lowest probability of the first class from which a head may give that class.

    From there on at most the share `most_wrong` of all pictures, (n, classes) fractions and (n,)
    labels, get a wrong one; 0 where that holds for all.
    """
    confidence, first = probabilities.double().max(dim=1)
    order = confidence.argsort(descending=True, stable=True)
    wrong = (first != labels)[order].cumsum(0)
    too_many = (wrong > most_wrong * len(labels)).nonzero()
    if len(too_many) == 0:
        return 0.0
    last = confidence[order][too_many[0, 0]]
    return torch.nextafter(last, last.new_tensor(2.0)).item()
