"""What the experiments' runs have shown: by how much each kept its promise, and two sentences.

Each experiment has two functions. The first gives the margin of its claim: the least distance to a
bound, above 0 where the claim holds. It is a difference of accuracies (fractions), where a loss is
compared of losses (nats); `bar` is the accuracy from which on a head counts as having learned. The
second says it with the runs' numbers, whether the claim holds or not.
"""

from __future__ import annotations

from collections.abc import Mapping

from gnet.runs.outcomes import NEAR_CHANCE, Outcome, sampling_error
from gnet.words import listed, percent

Outcomes = Mapping[str, Outcome]
"""Run name → how the run came out."""
LEAD = 0.05
"""A head that is more than this ahead of another has learned earlier than it."""
STUCK = 0.01
"""A loss (nats) no further than this from ln(classes) has stayed there."""


def _below_dead(run: Outcome) -> float:
    """How far the main head is below the accuracy at which it counts as having learned."""
    return run.chance + NEAR_CHANCE - run.main


# First run


def first_margin(runs: Outcomes, bar: float) -> float:
    return runs["first run"].main - bar


def first_after(runs: Outcomes, shown: bool) -> str:
    run = runs["first run"]
    early = listed(f"{h} {percent(v)}" for h, v in run.accuracy.items() if h != "main")
    text = (
        f"After {run.seconds:.0f} s and {run.epochs} passes the main head is right in "
        f"{percent(run.main)} of {run.pictures} pictures it never learned from; guessing "
        f"gives {percent(run.chance)}"
    )
    if not shown:
        text += ", and more was promised"
    text += ". "
    if not early:
        return text + "There were no early classifiers in this network."
    return text + f"The early classifiers, which see less of the network, reach {early}."


# With and without heads


def heads_margin(runs: Outcomes, bar: float) -> float:
    return min(run.main for run in runs.values()) - bar


def heads_after(runs: Outcomes, shown: bool) -> str:
    with_, without = runs["with heads"], runs["without heads"]
    first = (
        f"The main head is right in {percent(with_.main)} with the early classifiers and in "
        f"{percent(without.main)} without them: {_apart(with_, without)}"
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
    more = "more" if abs(difference) > 2 * error else "no more"
    return (
        f"{100 * difference:+.1f} points, {more} than twice what the choice of "
        f"{one.pictures} pictures does by chance (±{100 * error:.1f})"
    )


# Depth without batch norm


def depth_margin(runs: Outcomes, bar: float) -> float:
    bare, normed = runs["no norm"], runs["batch norm"]
    early = bare.accuracy.get("aux1", 0.0)
    return min(early - bar, early - bare.main - LEAD, normed.main - bar)


def depth_after(runs: Outcomes, shown: bool) -> str:
    bare, normed = runs["no norm"], runs["batch norm"]
    reached = listed(f"{head} {percent(value)}" for head, value in bare.accuracy.items())
    if not shown:
        verdict = "this time the head near the input was not ahead"
    elif _below_dead(bare) >= 0:
        verdict = "the head near the input learned and the deep one did not"
    else:
        verdict = "the head near the input is ahead of the deep one"
    return (
        f"Without a norm the heads reach {reached}, where guessing gives "
        f"{percent(bare.chance)}: {verdict}. "
        f"With batch norm, and nothing else changed, the main head reaches "
        f"{percent(normed.main)}."
    )


# The collapse

_CURES = {
    "loss cured": "the loss alone",
    "outputs cured": "the outputs alone",
    "both cured": "both",
}


def collapse_margin(runs: Outcomes, bar: float) -> float:
    wrong = runs["as published"]
    moved = abs(wrong.train_loss["main"] - wrong.uniform_loss)
    return min(STUCK - moved, _below_dead(wrong), runs["both cured"].main - bar)


def collapse_after(runs: Outcomes, shown: bool) -> str:
    wrong = runs["as published"]
    reached = listed(f"{_CURES[name]} {percent(runs[name].main)}" for name in _CURES)
    verdict = "" if shown else ", not the clear difference that is expected"
    return (
        f"As published it ends at loss {wrong.train_loss['main']:.3f}, where "
        f"ln {wrong.classes} = {wrong.uniform_loss:.3f}, and accuracy {percent(wrong.main)}, "
        f"where guessing gives {percent(wrong.chance)}. "
        f"Cured, the main head reaches: {reached}{verdict}."
    )


# What the 5×5 branch buys


def window_margin(runs: Outcomes, bar: float) -> float:
    return min(run.main for run in runs.values()) - bar


def window_after(runs: Outcomes, shown: bool) -> str:
    out, small, large = (runs[name] for name in ("left out", "3×3", "5×5"))
    reached = listed(f"{percent(run.main)} ({name})" for name, run in runs.items())
    first = f"The main head reaches {reached}; 5×5 against none is {_apart(large, out)}"
    first += ". " if shown else "; not all three have learned. "
    return first + (
        f"The branch costs {small.parameters - out.parameters:,} parameters with 3×3 kernels and "
        f"{large.parameters - out.parameters:,} with 5×5."
    )


# Fine-tune on my pictures


def tune_margin(runs: Outcomes, bar: float) -> float:
    tuned, scratch = runs["from the bundled network"], runs["from scratch"]
    return tuned.main - max(bar, scratch.main)


def tune_after(runs: Outcomes, shown: bool) -> str:
    tuned, scratch = runs["from the bundled network"], runs["from scratch"]
    verdict = "What the network knew before helps"
    if not tuned.main > scratch.main:
        verdict = "What the network knew before does not help here"
    elif not shown:
        verdict = "Neither has learned these classes well"
    return (
        f"Begun from the bundled network the main head is right in {percent(tuned.main)} of "
        f"{tuned.pictures} pictures after {tuned.epochs} passes, begun from scratch in "
        f"{percent(scratch.main)}. "
        f"{verdict}: {_apart(tuned, scratch)}.{_no_further(scratch)}"
    )


def _no_further(run: Outcome) -> str:
    if run.main > run.chance:
        return ""
    return f" The one from scratch got no further than guessing ({percent(run.chance)})."
