"""What the page shows of switched branches: belief before and after, the map and the account."""

from typing import Any

from gnet.answers.answer import describe_recording, short
from gnet.answers.depths.course import describe_course
from gnet.explain.ablation import (
    MEAN,
    OFF,
    Ablation,
    Branch,
    Change,
    branch_name,
    branch_words,
    changes,
    sentence,
    switches_words,
)
from gnet.explain.account import Account
from gnet.explain.probes import Probes
from gnet.explain.recording import Recording
from gnet.explain.worth import Value, Worth
from gnet.words import fixed, opening, rounded_percent

_SPARED = "When it is off, the others make up for it, at least in part."
_OUTDONE = "When it is off, the others more than make up for it."
_NEEDED = (
    "When it is off, more is lost than went through it: what comes after it then works less well."
)
_UNSEEN = 0.0005
"""A change of probability that the page would round to nothing."""


def describe_ablation(ablation: Ablation, probes: Probes | None) -> dict[str, Any]:
    """What an answer holds of a recording, with the switches as they are, and what they did."""
    return {
        **describe_recording(ablation.after),
        "depth": describe_course(probes, ablation.after),
        "switched": {
            "switches": {branch_name(b): setting for b, setting in ablation.switches.items()},
            "sentence": sentence(ablation),
            "reference": ablation.reference,
            "reached": list(ablation.reached),
            "named": switches_words(ablation.switches),
            **_changes(ablation),
        },
    }


def describe_worth(worth: Worth, head: str, target: int) -> dict[str, Any]:
    """The map for a class of a head, each branch off and at its mean, and the scale's end."""
    maps = {
        ("off" if setting == OFF else MEAN): worth.values(head, target, setting)
        for setting in worth.logits
    }
    present = [value for values in maps.values() for value in values.values() if value]
    return {
        "head": head,
        "target": target,
        "class": worth.recording.class_name(target),
        "reference": worth.reference,
        "limit": short(max((abs(value.logit) for value in present), default=0.0)),
        "branches": {
            branch_name(branch): {name: _plain(values[branch]) for name, values in maps.items()}
            for branch in maps["off"]
        },
        "sentence": _sentence(worth, head, target, maps["off"]),
        "note": (
            f"Logits that {head} loses without the branch. Red helps the class, blue speaks "
            "against it. A logit may rise while the probability falls, where other classes rise "
            "more. Choose a cell to switch that branch."
            f"{_milder(worth, head, target)}"
        ),
    }


def _milder(worth: Worth, head: str, target: int) -> str:
    """In how many branches the mean changes the logit less than zero does; empty without means."""
    if MEAN not in worth.logits:
        return ""
    off, mean = (worth.values(head, target, setting) for setting in (OFF, MEAN))
    pairs = [
        (abs(one.logit), abs(two.logit))
        for one, two in zip(off.values(), mean.values(), strict=True)
        if one and two
    ]
    milder = sum(second < first for first, second in pairs)
    return f" Here the mean was the milder one in {milder} of {len(pairs)} branches."


def describe_account(account: Account, worth: Worth) -> dict[str, Any]:
    """What each branch carries of a class's logit, and where its worth says something else."""
    values, errors = account.values, account.errors
    lost = worth.values(account.head, account.target)
    return {
        "head": account.head,
        "target": account.target,
        "class": account.target_name,
        "limit": short(max(map(abs, values.values()))),
        "branches": {
            branch_name(branch): short(values[branch]) if branch in values else None
            for branch in lost
        },
        "errors": {stage: short(error) for stage, error in errors.items()},
        "from": short(account.baseline_score),
        "to": short(account.score),
        "words": {"from": "plain picture", "error": "error of the sum", "to": "this picture"},
        "sentence": f"{_carried(account)} {_disagreement(account, lost)}",
        "note": (
            "What each branch adds to the logit on the way from a plain picture of the mean colour "
            f"to this one, in {account.steps} steps. This is the layer conductance: at each step, "
            "how far a branch's output changes, times how strongly the logit reacts to it. Red "
            "helps the class, blue speaks against it. The four branches of a module sum to the "
            "whole way."
        ),
    }


def _carried(account: Account) -> str:
    """How far the logit moves, and which branch carries most of it, in words."""
    values, errors = account.values, account.errors
    most = max(values, key=lambda branch: values[branch])
    worst = max(errors, key=lambda stage: abs(errors[stage]))
    return (
        f"From a plain picture to this one, the logit of {account.target_name} in {account.head} "
        f"goes from {fixed(account.baseline_score)} to {fixed(account.score)}. "
        f"{opening(branch_words(most))} adds most: {fixed(values[most])}. "
        f"The sums of the {len(errors)} modules differ from the true change by at most "
        f"{fixed(abs(errors[worst]))} ({worst})."
    )


def _disagreement(account: Account, lost: dict[Branch, Value | None]) -> str:
    """Where account and worth differ most, and where most the other way round, in words."""
    values = account.values
    gaps = {b: values[b] - value.logit for b, value in lost.items() if value and b in values}
    first = max(gaps, key=lambda b: abs(gaps[b]))
    said = (
        f"What a branch adds and what is lost without it differ most for {branch_words(first)}: it "
    )
    said += _apart(values[first], lost[first])
    other = (min if gaps[first] > 0 else max)(gaps, key=lambda b: gaps[b])
    if gaps[first] * gaps[other] < 0:
        said += f" The other way round, {branch_words(other)} {_apart(values[other], lost[other])}"
    return said


def _apart(carried: float, lost: Value | None) -> str:
    """What a branch carries, what is lost without it, and what follows."""
    assert lost
    moves = "falls" if lost.logit >= 0 else "rises"
    return (
        f"adds {fixed(carried)}, and without it the logit {moves} by {fixed(abs(lost.logit))}. "
        f"{_outcome(carried, lost.logit)}"
    )


def _outcome(carried: float, lost: float) -> str:
    """What the others do without a branch, by what it carries and what is lost without it."""
    if lost >= carried:
        return _NEEDED
    return _OUTDONE if lost < 0 < carried else _SPARED


def _changes(ablation: Ablation) -> dict[str, Any]:
    """What changed most: in words, and for each head."""
    found = changes(ablation)
    name = ablation.before.class_name
    return {
        "changes": [f"{one.head}: {name(one.target)} {_moved(one, '→')}" for one in found],
        "most": _most(found[0], name(found[0].target)) if found else "",
    }


def describe_changes(before: Recording, after: Recording) -> dict[str, Any]:
    """What changed most from one picture to another: in words, and for each head."""
    heads = tuple(after.logits)
    return _changes(Ablation(before=before, after=after, switches={}, reached=heads))


def _most(change: Change, name: str) -> str:
    if change.size < _UNSEEN:
        return "No probability changed by 0.1 points or more."
    points, less = 100 * change.size, "less" if change.after < change.before else "more"
    return (
        f"What changed most: {name} in {change.head}, from {_moved(change, 'to')}, "
        f"{points:.{int(points < 9.95 or points >= 99.5)}f} points {less}."
    )


def _moved(change: Change, to: str) -> str:
    return f"{rounded_percent(change.before)} {to} {rounded_percent(change.after)}"


def _plain(value: Value | None) -> dict[str, float] | None:
    return value and {"logit": short(value.logit), "probability": short(value.probability)}


def _sentence(worth: Worth, head: str, target: int, values: dict[Any, Value | None]) -> str:
    """Without which branch the class's logit falls most, and its probability, in words."""
    present = {branch: value for branch, value in values.items() if value}
    branch = max(present, key=lambda b: present[b].logit)
    name = worth.recording.class_name(target)
    if present[branch].logit <= 0:
        return f"No single branch helps {name} in {head}: each may be off without loss."
    said = (
        f"Switched off one at a time: the logit of {name} in {head} falls most without "
        f"{branch_words(branch)}, by {fixed(present[branch].logit)}"
    )
    likely = max(present, key=lambda b: present[b].probability)
    points = f"by {100 * present[likely].probability:.0f} points"
    if 100 * present[likely].probability < 0.5:
        return f"{said}."
    if likely == branch:
        return f"{said}, and so does its probability, {points}."
    return f"{said}. Its probability falls most without {branch_words(likely)}, {points}."
