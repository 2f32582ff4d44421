"""What the page shows of switched branches: belief before and after, and the 36-cell map."""

from typing import Any

from gnet.answers.answer import describe_recording, short
from gnet.answers.depth import describe_course
from gnet.explain.ablation import MEAN, OFF, Ablation, branch_name, branch_words, sentence
from gnet.explain.probes import Probes
from gnet.explain.worth import Value, Worth


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
        ),
    }


def _plain(value: Value | None) -> dict[str, float] | None:
    return value and {"logit": short(value.logit), "probability": short(value.probability)}


def _sentence(worth: Worth, head: str, target: int, values: dict[Any, Value | None]) -> str:
    """The branch that the class needs most, in words."""
    present = {branch: value for branch, value in values.items() if value}
    branch = max(present, key=lambda b: present[b].logit)
    name = worth.recording.class_name(target)
    if present[branch].logit <= 0:
        return f"No single branch helps {name} in {head}: each may be off without loss."
    points = 100 * present[branch].probability
    change = f" and {points:.0f} points of probability" if abs(points) >= 0.5 else ""
    return (
        f"Of these branches, switched off one at a time, {name} needs {branch_words(branch)} most: "
        f"without it, its logit in {head} falls by {present[branch].logit:.2f}{change}."
    )
