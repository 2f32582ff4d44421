"""Gain and cost of leaving early: each head's accuracy, multiply-adds and milliseconds.

And the rule "leave at the first head that is sure", over all thresholds: a head is sure when the
probability of its first class, after its temperature, reaches the threshold; the main head answers
whatever is left. Knows nothing of figures and cards.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gnet.data.datasets import TUNE, open_dataset
from gnet.errors import GnetError
from gnet.evaluation.accuracy import Evaluation, evaluate
from gnet.evaluation.calibration import fit_temperature
from gnet.explain.belief import probabilities
from gnet.network.config import EXITS, HEADS, STAGES, TRAINED
from gnet.network.costs import layer_costs
from gnet.network.model import GoogLeNet
from gnet.system.progress import Progress
from gnet.words import listed

FORMAT = "gnet exits 1"
THRESHOLDS = tuple(index / 100 for index in range(101))
MARGINS = {"no loss": 0.0, "one point less": 0.01}
"""Name of a working point → how much of the main head's accuracy on `tune` it may cost."""
ROUNDS, LEAD_IN = 60, 5


@dataclass(frozen=True, kw_only=True)
class Exit:
    """One head as the network's only exit."""

    head: str
    stage: str
    """The module it reads."""
    top1: float
    top5: float
    sources_mean: float
    """Top-1, averaged over the sources of pictures, all weighted equally."""
    temperature: float
    macs: int
    """Multiply-adds from the picture to this head alone."""
    macs_reached: int
    """The same with the heads before it, which were not sure."""
    milliseconds: float
    """Median for one picture, the counterpart of `macs`."""
    milliseconds_reached: float
    """The counterpart of `macs_reached`."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The outcome when pictures leave at the first head that is sure to `threshold`."""

    threshold: float
    top1: float
    tune_top1: float | None = None
    """The same on `tune`, where thresholds are chosen; None where there is no such part."""
    leaving: dict[str, float]
    """Head → fraction of the pictures that leave there."""
    right: dict[str, float | None]
    """Head → fraction of those that it gets right; None where nobody leaves."""
    macs: float
    """Mean over the pictures."""
    milliseconds: float
    """Mean over the pictures, from the medians of each exit."""


@dataclass(frozen=True, kw_only=True)
class Exits:
    """The measured exits and rules of one network on one data set."""

    digest: str
    """Of the weights."""
    data: str
    split: str
    count: int
    size: int
    """Side of the input in px."""
    machine: dict[str, Any]
    exits: tuple[Exit, ...]
    rules: tuple[Rule, ...]
    """By threshold, the lowest first."""
    chosen: dict[str, float]
    """Working point → threshold, chosen on `tune`; a point no threshold reaches is left out."""

    def rule(self, threshold: float) -> Rule:
        """The rule of one of the thresholds."""
        return next(rule for rule in self.rules if rule.threshold == threshold)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT} | asdict(self)


def measure_exits(
    model: GoogLeNet,
    data: str | Path,
    *,
    split: str = "val",
    seed: int = 0,
    rounds: int = ROUNDS,
    progress: Progress | None = None,
) -> Exits:
    """Evaluate the heads of `model` (better folded) on `split` of a data set, and time them here.

    Temperatures are the model's own, or fitted on `tune` where it has none; thresholds are chosen
    on `tune` and reported on `split`. Raises `GnetError` for a network without trained heads, and
    for a data set without a `tune` part.
    """
    info = model.info
    heads = tuple(h for h in HEADS if info.heads.get(h) == TRAINED)
    if not model.config.aux or heads != HEADS:
        raise GnetError(
            f"The trained heads of this network are {listed(heads) or 'none'}; leaving early "
            "needs all three, aux1, aux2 and main."
        )
    size = info.preprocessing.size
    evaluated = []
    for part in (TUNE, split):
        dataset = open_dataset(data, part, size=size, seed=seed, progress=progress)
        evaluated.append(evaluate(model, dataset, info.preprocessing, progress=progress))
    tune, reported = evaluated
    temperatures = {
        head: info.temperatures.get(head) or fit_temperature(tune.logits[head], tune.labels)
        for head in HEADS
    }
    summary = reported.summary()
    macs, milliseconds = multiply_adds(model, size), measure_times(model, size, rounds=rounds)
    exits = tuple(
        Exit(
            head=head,
            stage=EXITS[head],
            top1=summary["heads"][head]["top1"],
            top5=summary["heads"][head]["top5"],
            sources_mean=summary["sources_mean"][head]["top1"],
            temperature=temperatures[head],
            macs=macs[head, False],
            macs_reached=macs[head, True],
            milliseconds=milliseconds[head, False],
            milliseconds_reached=milliseconds[head, True],
        )
        for head in HEADS
    )
    rectified = model.config.rectified_outputs
    rules = apply_rules(reported, tune, exits, rectified=rectified)
    return Exits(
        digest=info.digest,
        data=Path(data).name,
        split=split,
        count=len(reported.labels),
        size=size,
        machine=machine(),
        exits=exits,
        rules=rules,
        chosen=choose(rules, tune.accuracy()["main"]),
    )


def multiply_adds(
    model: GoogLeNet, size: int, heads: tuple[str, ...] = HEADS
) -> dict[tuple[str, bool], int]:
    """(head, with the heads before it?) → multiply-adds for one square picture of `size` px."""
    costs = layer_costs(model, size)
    result = {}
    for place, head in enumerate(heads):
        body = {"stem", *STAGES[: STAGES.index(EXITS[head]) + 1], head}
        for reached in (False, True):
            counted = body | set(heads[:place] if reached else ())
            result[head, reached] = sum(cost.macs for cost in costs if cost.stage in counted)
    return result


def measure_times(
    model: GoogLeNet, size: int, *, heads: tuple[str, ...] = HEADS, rounds: int = ROUNDS
) -> dict[tuple[str, bool], float]:
    """(head, with the heads before it?) → median milliseconds for one picture, on this machine.

    The ways take turns, so that other work of the machine slows all of them alike.
    """
    ways = {
        (head, reached): (heads[: heads.index(head) + 1] if reached else (head,))
        for head in heads
        for reached in (False, True)
    }
    x = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    x = x.to(memory_format=torch.channels_last)
    taken: dict[tuple[str, bool], list[float]] = {way: [] for way in ways}
    with torch.inference_mode():
        for turn in range(LEAD_IN + rounds):
            for way, heads in ways.items():
                start = time.perf_counter()
                model.run(x, heads)
                if turn >= LEAD_IN:
                    taken[way].append(1000 * (time.perf_counter() - start))
    return {way: statistics.median(times) for way, times in taken.items()}


def apply_rules(
    reported: Evaluation, tune: Evaluation, exits: tuple[Exit, ...], *, rectified: bool = False
) -> tuple[Rule, ...]:
    """The rule "leave at the first head that is sure" for every one of `THRESHOLDS`."""
    temperatures = {each.head: each.temperature for each in exits}
    sure, right = _answers(reported, temperatures, rectified)
    tune_sure, tune_right = _answers(tune, temperatures, rectified)
    macs = torch.tensor([each.macs_reached for each in exits], dtype=torch.float64)
    times = torch.tensor([each.milliseconds_reached for each in exits], dtype=torch.float64)
    rules = []
    for threshold in THRESHOLDS:
        at = _leaving(tune_sure, threshold)
        tuned = tune_right.gather(0, at[None])[0].mean().item()
        rule = rule_at(threshold, sure, right, HEADS, macs, times)
        rules.append(replace(rule, tune_top1=tuned))
    return tuple(rules)


def rule_at(
    threshold: float,
    sure: Tensor,
    right: Tensor,
    heads: tuple[str, ...],
    macs: Tensor,
    milliseconds: Tensor,
) -> Rule:
    """The outcome of one threshold.

    `sure` and `right`: (heads, n) float64, how sure each head is and whether it is right; `macs`
    and `milliseconds`: (heads,) float64, the cost of leaving there, earlier heads included.
    """
    at = _leaving(sure, threshold)
    hits = right.gather(0, at[None])[0]
    shares = torch.bincount(at, minlength=len(heads)).double() / len(at)
    return Rule(
        threshold=threshold,
        top1=hits.mean().item(),
        leaving=dict(zip(heads, shares.tolist(), strict=True)),
        right={
            head: hits[at == index].mean().item() if (at == index).any() else None
            for index, head in enumerate(heads)
        },
        macs=(shares * macs).sum().item(),
        milliseconds=(shares * milliseconds).sum().item(),
    )


def choose(rules: tuple[Rule, ...], whole: float) -> dict[str, float]:
    """Working point → the cheapest threshold that keeps its margin to `whole` on `tune`.

    Cheapest is lowest: the lower the threshold, the earlier pictures leave. All higher thresholds
    must keep the margin, too, so that no lucky one is taken.
    """
    chosen: dict[str, float] = {}
    for name, margin in MARGINS.items():
        for rule in reversed(rules):
            if (rule.tune_top1 or 0.0) < whole - margin - 1e-9:
                break
            chosen[name] = rule.threshold
    return chosen


def machine() -> dict[str, Any]:
    """The machine and settings that the milliseconds were measured with."""
    return {
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }


def _answers(
    evaluation: Evaluation, temperatures: Mapping[str, float], rectified: bool
) -> tuple[Tensor, Tensor]:
    """How sure each head is of its first class, and whether it is right: (heads, n) float64."""
    sure, right = [], []
    for head in HEADS:
        fractions = probabilities(evaluation.logits[head], rectified, temperatures[head])
        best, first = fractions.max(1)
        sure.append(best)
        right.append((first == evaluation.labels).double())
    return torch.stack(sure), torch.stack(right)


def _leaving(sure: Tensor, threshold: float) -> Tensor:
    """The place among the heads where each picture leaves, (n,) int64."""
    ready = sure >= threshold
    ready[-1] = True  # the last head takes the rest
    return ready.int().argmax(0)
