"""Whether the experiments' claims hold, and by how much: over threads, precisions and seeds.

A claim with a small margin may fail where numbers are added in another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gnet.runs.experiments import Experiment
from gnet.runs.outcomes import Outcome
from gnet.runs.train_config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Seed, threads and precision, which should not decide a claim."""

    seed: int
    threads: int
    precision: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One experiment, carried out in one setting."""

    experiment: str
    setting: Setting
    margin: float
    """By how much the claim holds, below 0 where it does not; see `runs.verdicts`."""

    @property
    def shown(self) -> bool:
        return self.margin > 0


def settings(seeds: int, threads: Sequence[int], precisions: Sequence[str]) -> tuple[Setting, ...]:
    """Every combination; all of the first seed come first."""
    return tuple(
        Setting(seed=seed, threads=count, precision=precision)
        for seed in range(seeds)
        for precision in precisions
        for count in threads
    )


def plan(experiments: Sequence[Experiment], within: Sequence[Setting]) -> dict[str, TrainConfig]:
    """Name of the run → its config, for `series.carry_out`."""
    return {
        name: config
        for setting in within
        for experiment in experiments
        for name, config in _runs(experiment, setting).values()
    }


def claims(
    experiments: Sequence[Experiment], within: Sequence[Setting], found: Mapping[str, Outcome]
) -> Iterator[Claim]:
    """The claims all of whose runs are in `found`, as `series.finished` gives it."""
    for experiment in experiments:
        for setting in within:
            runs = _runs(experiment, setting)
            outcomes = {part: found[name] for part, (name, _) in runs.items() if name in found}
            margin = experiment.margin_of(outcomes)
            if margin is not None:
                yield Claim(experiment=experiment.key, setting=setting, margin=margin)


def table(found: Sequence[Claim]) -> str:
    """Experiment × precision × threads: how often the claim held, and its margins, in Markdown."""
    rows: dict[tuple[str, str, int], list[Claim]] = {}
    for claim in found:
        at = (claim.experiment, claim.setting.precision, claim.setting.threads)
        rows.setdefault(at, []).append(claim)
    lines = [
        "| experiment | arithmetic | threads | shown | least margin | margin by seed |",
        "|---|---|---|---|---|---|",
    ]
    for (experiment, precision, threads), each in rows.items():
        margins = [claim.margin for claim in each]
        cells = (
            experiment,
            precision,
            str(threads),
            f"{sum(claim.shown for claim in each)} of {len(each)}",
            _signed(min(margins)),
            ", ".join(map(_signed, margins)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _runs(experiment: Experiment, setting: Setting) -> dict[str, tuple[str, TrainConfig]]:
    """Name within the experiment → name within the plan, and config."""
    changed = experiment.changed(
        seed=setting.seed,
        threads=setting.threads,
        precision=setting.precision,
        pinned=-1,
        gradients_every=0,
    )
    where = f"{setting.precision}-{setting.threads}-seed-{setting.seed}"
    return {
        part: (f"{experiment.key}-{where}-{part.replace(' ', '-')}", config)
        for part, config in changed.runs
    }


def _signed(margin: float) -> str:
    return f"{margin:+.3f}".replace("-", "−")
