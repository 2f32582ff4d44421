"""What the page shows of belief from depth to depth: nine probes, the heads, a story in words."""

from typing import Any

from gnet.answers.answer import how_often_right, short
from gnet.explain.belief import belief
from gnet.explain.probes import Course, Probes, course, settled_from
from gnet.explain.recording import Recording
from gnet.network.config import HEADS
from gnet.words import listed, rounded_percent

NO_PROBES = "Probes exist only for the bundled network; only {} shown."
PLACE = "{class}"
"""Stands for a class's name where one sentence serves many classes."""


def describe_course(probes: Probes | None, recording: Recording) -> dict[str, Any]:
    """One picture's belief from module to module, and its story for each class.

    `stages` is empty for a network without probes.
    """
    taken = course(probes, recording) if probes else None
    readings = taken.readings if taken else {}
    return {
        "answer": taken.answer if taken else None,
        "first": taken.first if taken else None,
        "settled": taken.settled if taken else None,
        "stages": {
            stage: {
                "probabilities": [short(p) for p in reading.probabilities],
                "entropy": short(reading.entropy),
                "top": list(reading.top),
                "sentence": (
                    f"The probe at {stage} says {recording.class_name(reading.top[0])}, "
                    f"{rounded_percent(reading.probabilities[reading.top[0]])}."
                ),
            }
            for stage, reading in readings.items()
        },
        "story": describe_story(taken, recording),
    }


def describe_story(taken: Course | None, recording: Recording) -> dict[str, Any]:
    """The sentences about one class through the depths: of its own, or `others` for the rest."""
    heads = belief(recording, top=1).heads
    told = {held.top[0] for held in heads.values()}
    told |= {reading.top[0] for reading in taken.readings.values()} if taken else set()
    return {
        "classes": {str(c): story(taken, recording, c) for c in sorted(told)},
        "others": story(taken, recording, None),
    }


def story(taken: Course | None, recording: Recording, index: int | None) -> str:
    """How one class fares from depth to depth; with None, a class that nobody puts first."""
    name = PLACE if index is None else recording.class_name(index)
    return f"{_probes(taken, recording, index, name)} {_heads(taken, recording, index, name)}"


def describe_probes(probes: Probes | None) -> dict[str, Any] | None:
    """What holds of the probes whatever the picture."""
    if probes is None:
        return None
    measured = probes.metrics.get("stages", {})
    top1 = {stage: measured.get(stage, {}).get("top1") for stage in probes.probes}
    return {
        "status": probes.status,
        "top1": top1,
        "right": {stage: how_often_right(value) for stage, value in top1.items()},
    }


def _probes(taken: Course | None, recording: Recording, index: int | None, name: str) -> str:
    if taken is None:
        return _without_probes(list(belief(recording, top=1).heads))
    stages = list(taken.readings)
    last = stages[-1]
    first = [stage for stage in stages if taken.readings[stage].top[0] == index]
    end = recording.class_name(taken.readings[last].top[0])
    if not first:
        return f"No probe says {name}; at {last} it is {end}."
    settled = settled_from(stages, first)
    if settled is None:
        return f"The probe at {first[0]} says {name}, but the one at {last} {end}."
    if first[0] == settled == stages[0]:
        return f"Every probe says {name}, from {settled} to {last}."
    if first[0] == settled == last:
        return f"Only the last probe, at {last}, says {name}."
    if first[0] == settled:
        return f"The probes say {name} from {settled} on."
    again = f"again only at {last}" if settled == last else f"steadily from {settled} on"
    return f"The probes say {name} first at {first[0]}, and {again}."


def _without_probes(heads: list[str]) -> str:
    """Why there are only heads, and which: an untrained one is not shown."""
    if len(heads) == len(HEADS):
        return NO_PROBES.format("the three heads are")
    return NO_PROBES.format(f"{listed(heads) or 'maps'} {'is' if len(heads) == 1 else 'are'}")


def _heads(taken: Course | None, recording: Recording, index: int | None, name: str) -> str:
    heads = belief(recording, top=1).heads
    if not heads:
        return "No head of this network is trained."
    # "it" could be taken for the class named last.
    it = "it" if taken and [*taken.readings.values()][-1].top[0] == index else name
    agree = [head for head, held in heads.items() if held.top[0] == index]
    unsure = [head for head in agree if heads[head].sure is False]
    who = "" if unsure == agree else f"{listed(unsure)} "
    doubt = f", {who}without being sure" if unsure else ""
    if len(agree) == len(heads) > 1:
        return f"{'All three' if len(heads) == 3 else 'Both'} heads put {it} first{doubt}."
    if not agree:
        return f"No head puts {it} first."
    verb = "put" if len(agree) > 1 else "puts"
    only = "Of the heads, only " if len(agree) == 1 < len(heads) else ""
    return f"{only}{listed(agree)} {verb} {it} first{doubt}."
