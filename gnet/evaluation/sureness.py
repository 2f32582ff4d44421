"""When a head says "not sure": temperatures and thresholds, chosen on held-out pictures.

They are reported on other pictures. Knows nothing of weights files and cards.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from gnet.data.datasets import TUNE, Dataset, open_dataset
from gnet.errors import GnetError
from gnet.evaluation.accuracy import answers, evaluate
from gnet.evaluation.calibration import (
    Bin,
    calibration_error,
    certain_from,
    fit_temperature,
    reliability,
)
from gnet.evaluation.out_of_distribution import EACH, halves, out_of_distribution, photos_in
from gnet.explain.belief import probabilities
from gnet.explain.familiarity import SCORES, auroc, below, familiarity, threshold_for
from gnet.network.config import HEADS, UNTRAINED
from gnet.network.folding import fold
from gnet.network.info import ModelInfo, Sureness
from gnet.network.model import GoogLeNet
from gnet.system.progress import Progress

ALL = "all"
FALSE_ALARMS = 0.05
"""Share of the pictures of known classes that may be called "not sure"."""


@dataclass(frozen=True, kw_only=True)
class ScoreReport:
    """How well one score separates known classes from other pictures at one head."""

    threshold: float
    """Chosen on `tune`."""
    false_alarms: float
    """Fraction of the known pictures reported on that stay below it."""
    auroc: dict[str, float]
    """Kind of outside picture, and "all", → area under the ROC curve."""
    detected: dict[str, float]
    """Kind, and "all", → fraction that stays below the threshold."""


@dataclass(frozen=True, kw_only=True)
class HeadReport:
    """One head's calibration and its scores."""

    temperature: float
    ece_before: float
    """Expected calibration error at temperature 1, a fraction."""
    ece_after: float
    bins: tuple[Bin, ...]
    """Reliability with the temperature."""
    certain: float
    """Probability from which the head gives a class, chosen on `tune`; below, its family."""
    given: float
    """Fraction of the known pictures reported on that get a class."""
    given_wrong: float
    """Fraction of them that get a wrong one."""
    scores: dict[str, ScoreReport]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The choice, and its effect on pictures that took no part in choosing."""

    score: str
    """The score chosen, the same for all heads."""
    chosen_by: dict[str, float]
    """Score → fraction of the outside pictures it detects at the deepest head, where chosen."""
    split: str
    counts: dict[str, int]
    """`tune`, the split reported on, and the outside pictures chosen by."""
    outside: dict[str, int]
    """Kind → outside pictures reported on."""
    heads: dict[str, HeadReport]
    """Deepest first; untrained heads are left out."""

    def applied_to(self, info: ModelInfo) -> ModelInfo:
        """`info` with the temperatures and thresholds."""
        return replace(
            info,
            temperatures={head: row.temperature for head, row in self.heads.items()},
            sure={
                head: Sureness(
                    score=self.score,
                    threshold=row.scores[self.score].threshold,
                    false_alarms=row.scores[self.score].false_alarms,
                    detected=row.scores[self.score].detected[ALL],
                    certain=row.certain,
                )
                for head, row in self.heads.items()
            },
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def calibrate(
    model: GoogLeNet,
    data: str | Path,
    *,
    split: str = "val",
    photos: str | Path | None = None,
    each: int = EACH,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Choose temperatures, score and thresholds on `tune` of `data`, and report on its `split`.

    Outside pictures are made twice, of `tune` to choose by and of `split` to report on, `each` of
    every kind; `photos`, a folder or zip, gives every second of its pictures to either. `seed` is
    the run's, for data without split folders. Raises `GnetError`.
    """
    if model.config.rectified_outputs:
        raise GnetError("The network's outputs are rectified; only logits can be calibrated.")
    trained = [h for h in HEADS[::-1] if model.info.heads.get(h, UNTRAINED) != UNTRAINED]
    if not trained:
        raise GnetError("No head of this network is trained; at least one is needed.")
    folded, picture = fold(model), model.info.preprocessing
    given = halves(photos_in(photos, picture)) if photos else (None, None)
    found: list[_Answered] = []
    for turn, part in enumerate((TUNE, split)):
        known = open_dataset(data, part, size=picture.size, seed=seed, progress=progress)
        evaluated = evaluate(folded, known, picture, progress=progress)
        outside = out_of_distribution(known, picture, each=each, seed=turn, photos=given[turn])
        outside_logits = answers(folded, outside, picture, progress=progress)
        found.append(
            _Answered(
                known={head: evaluated.logits[head] for head in trained},
                labels=evaluated.labels,
                outside={head: outside_logits[head] for head in trained},
                pictures=outside,
            )
        )
    tune, reported = found
    temperatures = {head: fit_temperature(tune.known[head], tune.labels) for head in trained}
    scores = [name for name, score in SCORES.items() if len(trained) > 1 or not score.all_heads]

    def chosen(head: str, name: str) -> float:
        return threshold_for(familiarity(name, tune.known, head, temperatures[head]), FALSE_ALARMS)

    thresholds = {head: {name: chosen(head, name) for name in scores} for head in trained}
    deepest = trained[0]
    chosen_by = {
        name: below(familiarity(name, tune.outside, deepest, temperatures[deepest]), threshold)
        for name, threshold in thresholds[deepest].items()
    }
    certain = {
        head: certain_from(probabilities(tune.known[head], False, temperatures[head]), tune.labels)
        for head in trained
    }
    return Report(
        score=max(chosen_by, key=lambda name: chosen_by[name]),
        chosen_by=chosen_by,
        split=split,
        counts={
            TUNE: len(tune.labels),
            split: len(reported.labels),
            "outside": len(tune.pictures),
        },
        outside=dict(zip(reported.pictures.classes, reported.pictures.counts, strict=True)),
        heads={
            h: _head_report(reported, h, temperatures[h], thresholds[h], certain[h])
            for h in trained
        },
    )


@dataclass(frozen=True, kw_only=True)
class _Answered:
    """The trained heads' logits on known pictures and on out-of-distribution ones."""

    known: dict[str, Tensor]
    """Head → logits (n, classes)."""
    labels: Tensor
    """(n,) int64."""
    outside: dict[str, Tensor]
    """Head → logits (m, classes)."""
    pictures: Dataset
    """The m outside pictures, labelled by kind."""


def _head_report(
    answered: _Answered,
    head: str,
    temperature: float,
    thresholds: dict[str, float],
    certain: float,
) -> HeadReport:
    before, after = (probabilities(answered.known[head], False, t) for t in (1.0, temperature))
    scores = {}
    for name, threshold in thresholds.items():
        own = familiarity(name, answered.known, head, temperature)
        other = familiarity(name, answered.outside, head, temperature)
        labels = answered.pictures.labels
        kinds = {kind: other[labels == i] for i, kind in enumerate(answered.pictures.classes)}
        kinds |= {ALL: other}
        scores[name] = ScoreReport(
            threshold=threshold,
            false_alarms=below(own, threshold),
            auroc={kind: auroc(own, values) for kind, values in kinds.items()},
            detected={kind: below(values, threshold) for kind, values in kinds.items()},
        )
    confidence, first = after.max(dim=1)
    given = confidence >= certain
    return HeadReport(
        certain=certain,
        given=given.double().mean().item(),
        given_wrong=(given & (first != answered.labels)).double().mean().item(),
        temperature=temperature,
        ece_before=calibration_error(before, answered.labels),
        ece_after=calibration_error(after, answered.labels),
        bins=reliability(after, answered.labels),
        scores=scores,
    )
