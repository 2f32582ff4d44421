"""Whether the lessons' claims hold, and by how much: over threads, precisions and seeds.

A claim with a small margin may fail where numbers are added in another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gnet.runs.lessons import Lesson
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
    """One lesson, carried out in one setting."""

    lesson: str
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


def plan(lessons: Sequence[Lesson], within: Sequence[Setting]) -> dict[str, TrainConfig]:
    """Name of the run → its config, for `series.carry_out`."""
    return {
        name: config
        for setting in within
        for lesson in lessons
        for name, config in _runs(lesson, setting).values()
    }


def claims(
    lessons: Sequence[Lesson], within: Sequence[Setting], found: Mapping[str, Outcome]
) -> Iterator[Claim]:
    """The claims all of whose runs are in `found`, as `series.finished` gives it."""
    for lesson in lessons:
        for setting in within:
            runs = _runs(lesson, setting)
            outcomes = {part: found[name] for part, (name, _) in runs.items() if name in found}
            margin = lesson.margin_of(outcomes)
            if margin is not None:
                yield Claim(lesson=lesson.key, setting=setting, margin=margin)


def table(found: Sequence[Claim]) -> str:
    """Lesson × precision × threads: how often the claim held, and its margins, in Markdown."""
    rows: dict[tuple[str, str, int], list[Claim]] = {}
    for claim in found:
        at = (claim.lesson, claim.setting.precision, claim.setting.threads)
        rows.setdefault(at, []).append(claim)
    lines = [
        "| lesson | arithmetic | threads | shown | least margin | margin by seed |",
        "|---|---|---|---|---|---|",
    ]
    for (lesson, precision, threads), each in rows.items():
        margins = [claim.margin for claim in each]
        cells = (
            lesson,
            precision,
            str(threads),
            f"{sum(claim.shown for claim in each)} of {len(each)}",
            _signed(min(margins)),
            ", ".join(map(_signed, margins)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _runs(lesson: Lesson, setting: Setting) -> dict[str, tuple[str, TrainConfig]]:
    """Name within the lesson → name within the plan, and config."""
    changed = lesson.changed(
        seed=setting.seed,
        threads=setting.threads,
        precision=setting.precision,
        pinned=-1,
        gradients_every=0,
    )
    where = f"{setting.precision}-{setting.threads}-seed-{setting.seed}"
    return {
        part: (f"{lesson.key}-{where}-{part.replace(' ', '-')}", config)
        for part, config in changed.runs
    }


def _signed(margin: float) -> str:
    return f"{margin:+.3f}".replace("-", "−")
