"""Belief at depth over many pictures: how often each head and each probe is right, and who agrees.

One `Depth` holds what a page shows of it, as plain values. Knows nothing of pages and figures.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gnet import strict_json
from gnet.data.datasets import Dataset
from gnet.errors import GnetError
from gnet.evaluation.exits import (
    THRESHOLDS,
    Rule,
    machine,
    measure_times,
    multiply_adds,
    rule_at,
)
from gnet.evaluation.probe_fitting import collect_features
from gnet.evaluation.review import Review
from gnet.explain.belief import probabilities
from gnet.explain.probes import Probes
from gnet.network.config import EXITS, HEADS, STAGES
from gnet.network.model import GoogLeNet
from gnet.network.weights import BUNDLED
from gnet.system.atomic import atomically
from gnet.system.paths import regular
from gnet.system.progress import Progress

FORMAT = "gnet depth 1"
SHIPPED = BUNDLED.with_name(f"{BUNDLED.stem}-depth.json")
"""Figures of the bundled network; pictures that may be shown stand beside them as a review."""
SHOWN = 24
"""Pictures kept of those that an early head gets right and the main head wrong."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One that answers from the output of a module: a probe or a trained head."""

    name: str
    """`3a` … `5b` for the module's probe, or the head's name."""
    stage: str
    """The module whose output it reads."""
    status: str
    """How it was trained."""
    top1: float
    """Fraction of the pictures it gets right."""
    confidence: float
    """Mean probability of its first class."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What it costs to answer one picture from one head alone, or with the heads before it."""

    macs: int
    macs_reached: int
    milliseconds: float
    """Median on the machine that measured."""
    milliseconds_reached: float


@dataclass(frozen=True, kw_only=True)
class Depth:
    """What each depth of one network says of the pictures of one data set."""

    digest: str
    """Of the weights."""
    data: str
    split: str
    count: int
    """Pictures looked at."""
    size: int
    """Side of the input in px."""
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    """Pictures of each class."""
    readers: tuple[Reader, ...]
    """From the shallowest to the deepest; only those that somebody trained."""
    agreement: tuple[tuple[float, ...], ...]
    """(readers, readers): fraction of the pictures to which two give the same first class."""
    courses: tuple[tuple[float, ...] | None, ...]
    """(classes, readers): mean probability of the right class; None without pictures of it."""
    earlier: dict[str, int]
    """Early head → number of pictures that it gets right and the main head wrong."""
    later: dict[str, int]
    """Early head → number of pictures that it gets wrong and the main head right."""
    gallery: tuple[int, ...]
    """Numbers, in the review, of pictures that an early head gets right and the main head wrong."""
    costs: dict[str, Cost]
    """Head → its cost; only trained heads."""
    rules: tuple[Rule, ...]
    """Leaving at the first head that is sure, by threshold; empty with fewer than two heads."""
    machine: dict[str, Any]
    """Where the milliseconds were measured."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The trained heads, in the order a picture meets them."""
        return tuple(self.costs)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT} | asdict(self)

    def save(self, path: str | Path) -> Path:
        """Write it as JSON, whole or not at all."""
        with atomically(path) as temporary:
            temporary.write_text(strict_json.dumps(self.to_json()), encoding="utf-8")
        return Path(path)

    @classmethod
    def read(cls, path: str | Path) -> Depth:
        """What `save` wrote; `GnetError` for anything else."""
        try:
            values = json.loads(regular(path).read_text(encoding="utf-8"))
            if values.pop("format") != FORMAT:
                raise ValueError("another format")
            found = cls(
                **values
                | {
                    "classes": tuple(values["classes"]),
                    "counts": tuple(values["counts"]),
                    "readers": tuple(Reader(**one) for one in values["readers"]),
                    "agreement": tuple(map(tuple, values["agreement"])),
                    "courses": tuple(one and tuple(one) for one in values["courses"]),
                    "gallery": tuple(values["gallery"]),
                    "costs": {head: Cost(**one) for head, one in values["costs"].items()},
                    "rules": tuple(Rule(**one) for one in values["rules"]),
                }
            )
            if len(found.classes) != len(found.courses) or len(found.agreement) != len(
                found.readers
            ):
                raise ValueError("lists of other lengths")
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise GnetError(
                f"{Path(path).name} is not readable as figures of depth; measure them with "
                "`python -m gnet measure-depth`."
            ) from error
        return found


def find_depth(digest: str, path: Path = SHIPPED) -> Depth | None:
    """The figures kept in `path` if they are of the weights of that digest, else None."""
    if not path.is_file():
        return None
    found = Depth.read(path)
    return found if found.digest == digest else None


def gallery_of(path: Path = SHIPPED) -> Review:
    """The pictures that stand beside the figures in `path`; `gallery` numbers them."""
    return Review.read(path.with_suffix(".safetensors"))


def measure_depth(
    model: GoogLeNet,
    dataset: Dataset,
    review: Review,
    probes: Probes | None,
    *,
    data: str,
    split: str = "val",
    rounds: int = 20,
    progress: Progress | None = None,
) -> Depth:
    """What the heads (as in `review`, which was made of `dataset`) and the probes answer.

    `model` better comes from `fold`: its milliseconds are measured here, with `rounds` rounds.
    """
    heads = tuple(head for head in HEADS if head in review.heads)
    read = _heads_answers(review) | _probes_answers(model, dataset, probes, progress)
    order = [name for name in _by_depth() if name in read]
    first = torch.stack([read[name].first for name in order])
    truth = torch.stack([read[name].truth for name in order]).double()
    right = first == review.labels
    counts = torch.bincount(review.labels, minlength=len(review.classes))
    costs = _costs(model, review.size, heads, rounds)
    return Depth(
        digest=model.info.digest,
        data=data,
        split=split,
        count=len(review),
        size=review.size,
        classes=review.classes,
        counts=tuple(counts.tolist()),
        readers=tuple(
            Reader(
                name=name,
                stage=EXITS.get(name, name),
                status=read[name].status,
                top1=right[place].double().mean().item(),
                confidence=read[name].confidence.double().mean().item(),
            )
            for place, name in enumerate(order)
        ),
        agreement=_agreement(first),
        courses=tuple(
            tuple(truth[:, review.labels == label].mean(1).tolist()) if count else None
            for label, count in enumerate(counts.tolist())
        ),
        earlier=_against_main(review, heads, early=True),
        later=_against_main(review, heads, early=False),
        gallery=_early_right(review, heads),
        costs=costs,
        rules=_rules(review, costs),
        machine=machine(),
    )


def only_sources(
    depth: Depth,
    review: Review,
    dataset: Dataset,
    sources: Collection[str],
    without: Collection[int] = (),
) -> tuple[Depth, Review]:
    """The same figures with a gallery of these sources alone, and the review of that gallery.

    For figures that are handed on: not every picture that was measured may be. `without` are the
    places, among those, of pictures that somebody looked at and left out.
    """
    early = _early_right(review, depth.heads, most=len(review))
    of_these = [at for at in early if dataset.sources[at] in sources]
    kept = [at for place, at in enumerate(of_these) if place not in without][:SHOWN]
    return replace(depth, gallery=tuple(range(len(kept)))), review.only(kept)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Read:
    """One reader's answers to n pictures."""

    status: str
    first: Tensor
    """(n,) int64: the class it answers."""
    confidence: Tensor
    """(n,) float32: that class's probability."""
    truth: Tensor
    """(n,) float32: the right class's probability."""


def _by_depth() -> list[str]:
    """Probes and heads, from the shallowest to the deepest; a head after its module's probe."""
    return [name for s in STAGES for name in (s, *(h for h in HEADS if EXITS[h] == s))]


def _heads_answers(review: Review) -> dict[str, _Read]:
    return {
        head: _Read(status=a.status, first=a.first, confidence=a.confidence, truth=a.truth)
        for head, a in review.heads.items()
    }


def _probes_answers(
    model: GoogLeNet, dataset: Dataset, probes: Probes | None, progress: Progress | None
) -> dict[str, _Read]:
    if probes is None:
        return {}
    seen = collect_features(model, dataset, progress=progress)
    read = {}
    for stage, probe in probes.probes.items():
        shown = probabilities(probe(seen.by_stage[stage]))
        best, first = shown.max(1)
        right = shown.gather(1, seen.labels[:, None])[:, 0]
        read[stage] = _Read(status=probes.status, first=first, confidence=best, truth=right)
    return read


def _agreement(first: Tensor) -> tuple[tuple[float, ...], ...]:
    """`first`: (readers, n), each one's classes."""
    same = (first[:, None] == first[None]).double().mean(2)
    return tuple(tuple(row) for row in same.tolist())


def _against_main(review: Review, heads: tuple[str, ...], *, early: bool) -> dict[str, int]:
    """Early head → pictures that it alone of the two gets right, or that the main head does."""
    if "main" not in heads:
        return {}
    main = review.right("main")
    pairs = {head: (review.right(head), main) for head in heads if head != "main"}
    return {
        head: int((own & ~last).sum() if early else (~own & last).sum())
        for head, (own, last) in pairs.items()
    }


def _early_right(review: Review, heads: tuple[str, ...], *, most: int = SHOWN) -> tuple[int, ...]:
    """Pictures that an early head gets right and the main head wrong, its surest mistakes first."""
    early = [review.right(head) for head in heads if head != "main"]
    if "main" not in heads or not early:
        return ()
    found = torch.stack(early).any(0) & ~review.right("main")
    return tuple(at for at in review.chosen("main", right=False) if found[at])[:most]


def _costs(model: GoogLeNet, size: int, heads: tuple[str, ...], rounds: int) -> dict[str, Cost]:
    macs = multiply_adds(model, size, heads)
    times = measure_times(model, size, heads=heads, rounds=rounds)
    return {
        head: Cost(
            macs=macs[head, False],
            macs_reached=macs[head, True],
            milliseconds=times[head, False],
            milliseconds_reached=times[head, True],
        )
        for head in heads
    }


def _rules(review: Review, costs: dict[str, Cost]) -> tuple[Rule, ...]:
    heads = tuple(costs)
    if len(heads) < 2:
        return ()
    sure = torch.stack([review.heads[head].confidence for head in heads]).double()
    right = torch.stack([review.right(head) for head in heads]).double()
    macs = torch.tensor([costs[head].macs_reached for head in heads]).double()
    times = torch.tensor([costs[head].milliseconds_reached for head in heads]).double()
    return tuple(rule_at(t, sure, right, heads, macs, times) for t in THRESHOLDS)
