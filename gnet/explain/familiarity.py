"""Scores that separate known classes from out-of-distribution pictures, and how well they do.

A high score means familiar. Knows nothing of networks and pictures: it is given logits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gnet.errors import GnetError
from gnet.network.info import FAMILIARITY


@dataclass(frozen=True, kw_only=True)
class Score:
    """One way to tell familiar from unfamiliar."""

    name: str
    sentence: str
    compute: Callable[[Tensor, float], Tensor]
    """Logits (…, classes) of one head and its temperature → (…)."""
    all_heads: bool = False
    """Whether the values of all trained heads are added up: one verdict for the whole network."""


SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        Score(
            name=FAMILIARITY[0],
            sentence="the calibrated probability of the first class (arXiv 1610.02136)",
            compute=lambda logits, temperature: (logits / temperature).softmax(-1).amax(-1),
        ),
        Score(
            name=FAMILIARITY[1],
            sentence="the largest logit (arXiv 1911.11132)",
            compute=lambda logits, temperature: logits.amax(-1),
        ),
        Score(
            name=FAMILIARITY[2],
            sentence="log Σ exp of the logits, the negative of the energy of arXiv 2010.03759",
            compute=lambda logits, temperature: logits.logsumexp(-1),
        ),
        Score(
            name=FAMILIARITY[3],
            sentence="the energies of all trained heads added up",
            compute=lambda logits, temperature: logits.logsumexp(-1),
            all_heads=True,
        ),
    )
}


def familiarity(
    name: str, logits: Mapping[str, Tensor], head: str, temperature: float = 1.0
) -> Tensor:
    """The score `name` of `head` as (…), float64; the higher, the more familiar.

    `logits`: trained head → (…, classes); `temperature` is that of `head`.
    """
    if name not in SCORES:
        raise GnetError(f"There is no score {name!r}; there are {', '.join(SCORES)}.")
    score = SCORES[name]
    read = list(logits.values()) if score.all_heads else [logits[head]]
    values = [score.compute(one.double(), temperature) for one in read]
    return torch.stack(values).sum(0)


def threshold_for(known: Tensor, false_alarms: float) -> float:
    """The highest threshold with at most the share `false_alarms` of `known` scores (n,) below it.

    Raises `GnetError` without scores.
    """
    if len(known) == 0:
        raise GnetError("No score of a known picture was given; at least one is needed.")
    return known.double().sort().values[int(false_alarms * len(known))].item()


def below(scores: Tensor, threshold: float) -> float:
    """Fraction of `scores` (n,) below the threshold: false alarms of known ones, else detection."""
    return (scores < threshold).double().mean().item()


def auroc(known: Tensor, outside: Tensor) -> float:
    """Chance that a known picture's score is above an outside one's, a tie counted as a half.

    The area under the ROC curve, from scores (n,) and (m,), by ranks rather than by all pairs.
    """
    if len(known) == 0 or len(outside) == 0:
        raise GnetError(
            f"{len(known)} scores of known and {len(outside)} of outside pictures were given; at "
            "least one of each is needed."
        )
    ordered = outside.double().sort().values
    values = known.double()
    lower = torch.searchsorted(ordered, values, side="left")
    not_higher = torch.searchsorted(ordered, values, side="right")
    return ((lower + not_higher).double() / 2).sum().item() / (len(known) * len(outside))
