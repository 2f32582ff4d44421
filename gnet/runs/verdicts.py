"""What the lessons' runs have shown: whether it is what was promised, and two sentences on it.

Each lesson has a function that judges, given the accuracy from which on a head counts as having
learned, and one that says it with the runs' numbers, the promise kept or not.
"""

from __future__ import annotations

from collections.abc import Mapping

from gnet.runs.outcomes import Outcome, as_percent, in_words, sampling_error

Outcomes = Mapping[str, Outcome]
"""Run name → how the run came out."""
NEAR_CHANCE = 0.05
"""A main head that is no more than this above chance has learned nothing."""

LEAD = 0.05
"""A head that is more than this ahead of another has learned earlier than it."""


def _dead(run: Outcome) -> bool:
    return run.main <= run.chance + NEAR_CHANCE


# First run


def first_shown(runs: Outcomes, bar: float) -> bool:
    return runs["first run"].main > bar


def first_said(runs: Outcomes, shown: bool) -> str:
    run = runs["first run"]
    early = in_words([f"{h} {as_percent(v)}" for h, v in run.accuracy.items() if h != "main"])
    said = (
        f"After {run.seconds:.0f} s and {run.epochs} passes the main head is right in "
        f"{as_percent(run.main)} of {run.pictures} pictures it never learned from; guessing "
        f"gives {as_percent(run.chance)}"
    )
    if not shown:
        said += ", and more was promised"
    elif run.seconds > 60:
        said += ", and the promise was a minute"
    said += ". "
    if not early:
        return said + "There were no early classifiers in this network."
    return said + f"The early classifiers, which see less of the network, reach {early}."


# With and without heads


def heads_shown(runs: Outcomes, bar: float) -> bool:
    return all(run.main > bar for run in runs.values())


def heads_said(runs: Outcomes, shown: bool) -> str:
    with_, without = runs["with heads"], runs["without heads"]
    first = (
        f"The main head is right in {as_percent(with_.main)} with the early classifiers and in "
        f"{as_percent(without.main)} without them: {_apart(with_, without)}"
    )
    first += ". " if shown else "; one of the two has not learned. "
    return first + (
        f"In training they cost {with_.parameters - without.parameters:,} parameters more, and "
        f"{with_.pictures_per_second:.0f} pictures per second instead of "
        f"{without.pictures_per_second:.0f}."
    )


def _apart(one: Outcome, other: Outcome) -> str:
    """How far apart two runs are, and whether so many pictures can tell them apart."""
    difference, error = one.main - other.main, sampling_error(one, other)
    told = "more" if abs(difference) > 2 * error else "no more"
    return (
        f"{100 * difference:+.1f} points, {told} than twice what the choice of "
        f"{one.pictures} pictures does by chance (±{100 * error:.1f})"
    )


# Depth without batch norm


def depth_shown(runs: Outcomes, bar: float) -> bool:
    bare, normed = runs["no norm"], runs["batch norm"]
    early = bare.accuracy.get("aux1", 0.0)
    return early > bar and early - bare.main > LEAD and normed.main > bar


def depth_said(runs: Outcomes, shown: bool) -> str:
    bare, normed = runs["no norm"], runs["batch norm"]
    reached = in_words([f"{head} {as_percent(value)}" for head, value in bare.accuracy.items()])
    if not shown:
        verdict = "this time the head near the input was not ahead"
    elif _dead(bare):
        verdict = "the head near the input learned and the deep one did not"
    else:
        verdict = "the head near the input is ahead of the deep one"
    return (
        f"Without a norm the heads reach {reached}, where guessing gives "
        f"{as_percent(bare.chance)}: {verdict}. "
        f"With batch norm, and nothing else changed, the main head reaches "
        f"{as_percent(normed.main)}."
    )


# The collapse

_CURES = {
    "loss cured": "the loss alone",
    "outputs cured": "the outputs alone",
    "both cured": "both",
}


def collapse_shown(runs: Outcomes, bar: float) -> bool:
    wrong = runs["as published"]
    stuck = abs(wrong.train_loss["main"] - wrong.uniform_loss) < 0.01
    return stuck and _dead(wrong) and runs["both cured"].main > bar


def collapse_said(runs: Outcomes, shown: bool) -> str:
    wrong = runs["as published"]
    reached = [f"{_CURES[name]} {as_percent(runs[name].main)}" for name in _CURES]
    verdict = "" if shown else ", which is not the collapse and cure this lesson is there to show"
    return (
        f"As published it ends at loss {wrong.train_loss['main']:.3f}, where "
        f"ln {wrong.classes} = {wrong.uniform_loss:.3f}, and accuracy {as_percent(wrong.main)}, "
        f"where guessing gives {as_percent(wrong.chance)}. "
        f"Cured one by one the main head reaches: {in_words(reached)}{verdict}."
    )


# What the 5×5 branch buys


def window_shown(runs: Outcomes, bar: float) -> bool:
    return all(run.main > bar for run in runs.values())


def window_said(runs: Outcomes, shown: bool) -> str:
    out, small, large = (runs[name] for name in ("left out", "3×3", "5×5"))
    reached = in_words([f"{as_percent(run.main)} ({name})" for name, run in runs.items()])
    first = f"The main head reaches {reached}; 5×5 against none is {_apart(large, out)}"
    first += ". " if shown else "; not all three have learned. "
    return first + (
        f"The branch costs {small.parameters - out.parameters:,} parameters with 3×3 kernels and "
        f"{large.parameters - out.parameters:,} with 5×5."
    )


# Fine-tune on my pictures


def tune_shown(runs: Outcomes, bar: float) -> bool:
    tuned, scratch = runs["from the bundled network"], runs["from scratch"]
    return tuned.main > max(bar, scratch.main)


def tune_said(runs: Outcomes, shown: bool) -> str:
    tuned, scratch = runs["from the bundled network"], runs["from scratch"]
    verdict = "What the network knew before helps"
    if not tuned.main > scratch.main:
        verdict = "What the network knew before does not help here"
    elif not shown:
        verdict = "Neither has learned these classes well"
    return (
        f"Begun from the bundled network the main head is right in {as_percent(tuned.main)} of "
        f"{tuned.pictures} pictures after {tuned.epochs} passes, begun from scratch in "
        f"{as_percent(scratch.main)}. "
        f"{verdict}: {_apart(tuned, scratch)}.{_no_further(scratch)}"
    )


def _no_further(run: Outcome) -> str:
    if run.main > run.chance:
        return ""
    return f" The one from scratch got no further than guessing ({as_percent(run.chance)})."
