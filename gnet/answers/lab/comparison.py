"""Two sides compared on one scale: two pictures, two classes or two networks.

A side that cannot be shown says why, and the other one is shown all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from gnet.answers.answer import as_data_url, short
from gnet.answers.explorer import Chosen, Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.lab.notes import classes_note, heads_note, kernels_note
from gnet.answers.recordings import Kept
from gnet.data.pictures import to_image
from gnet.errors import GnetError
from gnet.explain.ablation import branch_words
from gnet.explain.belief import Belief, belief
from gnet.explain.branches import statistics
from gnet.explain.probes import course
from gnet.network.config import BRANCHES, HEADS, STAGES
from gnet.words import listed, number, rounded_percent

SIDES: Final = ("left", "right")
MOST: Final = 7
"""Classes with a bar."""
_THUMBNAIL = 96


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One picture in one network, and the class that is followed in it."""

    explorer: Explorer
    name: str
    key: str
    kept: Kept
    held: Belief
    head: str
    """The deepest trained head."""
    target: int

    @property
    def class_name(self) -> str:
        return self.explorer.model.info.class_name(self.target)

    @property
    def network(self) -> str:
        return self.explorer.model.info.name


def compare(explorers: Explorers, asked: Any) -> dict[str, Any]:
    """Both sides of a question {"left": {"picture", "key", "class"}, "right": …}.

    `picture` is a value of the picture input, `key` that of its answer if it is known, `class` a
    name or nothing for the side's own answer.
    """
    given = asked if isinstance(asked, dict) else {}
    sides: list[Side | None] = []
    errors: list[str] = []
    for which in SIDES:
        side, error = _opened(explorers, given.get(which), which)
        sides.append(side)
        errors.append(error)
    present = [side for side in sides if side]
    if not present:
        raise GnetError(errors[0])
    two_classes = len(present) == 2 and present[0].key == present[1].key
    shares = _worth(sides) if two_classes else _shares(sides)
    networks = [side.explorer for side in present]
    depth = _depth(sides)
    return {
        "asked": asked,
        "sides": [_described(*both) for both in zip(sides, errors, strict=True)],
        "bars": _bars(sides) | {"note": classes_note(networks)},
        "branches": shares | {"note": kernels_note(networks)},
        "depth": depth | {"note": " ".join(filter(None, [depth["note"], heads_note(networks)]))},
    }


def _opened(explorers: Explorers, given: Any, which: str) -> tuple[Side | None, str]:
    """A side, or why it cannot be shown."""
    given = given if isinstance(given, dict) else {}
    name = ""
    try:
        explorer, chosen = explorers.resolve(given.get("picture"))
        name = f", {chosen.name},"
        return _side(explorer, chosen, given), ""
    except GnetError as error:
        return None, f"The {which} picture{name} cannot be shown: {_lowered(str(error))}"


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _side(explorer: Explorer, chosen: Chosen, given: dict[str, Any]) -> Side:
    key, kept = explorer.found(chosen, given.get("key"))
    held = belief(kept.recording)
    if not held.heads:
        raise GnetError(f"No head of {explorer.model.info.name} is trained.")
    head = list(held.heads)[-1]
    named = given.get("class")
    own = held.heads[head].top[0]
    target = own if named is None else explorer.class_index(named)
    return Side(
        explorer=explorer,
        name=chosen.name,
        key=key,
        kept=kept,
        held=held,
        head=head,
        target=target,
    )


def _described(side: Side | None, error: str) -> dict[str, Any]:
    if side is None:
        return {"error": error}
    image = to_image(side.kept.recording.pixels)
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    return {
        "error": "",
        "name": side.name,
        "network": side.network,
        "class": side.class_name,
        "head": side.head,
        "picture": as_data_url(image, quality=85, method=1),
    }


def _bars(sides: list[Side | None]) -> dict[str, Any]:
    """The likeliest classes of both, by name: probability on each side, None where unknown."""
    found = [side and _probabilities(side) for side in sides]
    first: list[str] = [side.class_name for side in sides if side]
    for side in filter(None, sides):
        first += map(side.explorer.model.info.class_name, side.held.heads[side.head].top)
    likeliest = {name: max(_present(name, found)) for name in dict.fromkeys(first)}
    followed = {side.class_name for side in sides if side}
    ranked = sorted(likeliest, key=lambda name: (name not in followed, -likeliest[name]))
    shown = sorted(ranked[:MOST], key=lambda name: -likeliest[name])
    return {
        "limit": 1,
        "scale": "One scale, 0 to 100 %.",
        "rows": [
            {"class": name, "values": [one and one.get(name) for one in found]} for name in shown
        ],
    }


def _present(name: str, found: Iterable[dict[str, float] | None]) -> list[float]:
    return [one[name] for one in found if one and name in one]


def _probabilities(side: Side) -> dict[str, float]:
    name = side.explorer.model.info.class_name
    fractions = side.held.heads[side.head].probabilities
    return {name(index): short(fraction) for index, fraction in enumerate(fractions)}


def _shares(sides: list[Side | None]) -> dict[str, Any]:
    """The branches' shares of each module's activation."""

    def of(side: Side) -> dict[str, dict[str, float]]:
        return {
            stage: {b: one.share for b, one in statistics(side.kept.recording, stage).items()}
            for stage in STAGES
        }

    table = _table(sides, of, "share")
    limit = rounded_percent(table["limit"])
    table["title"] = "Share of each module's activity"
    table["scale"] = f"One scale for all 36 branches, 0 to {limit}."
    table["sentence"] = _widest(table, rounded_percent, "it carries")
    return table


def _worth(sides: list[Side | None]) -> dict[str, Any]:
    """What each branch is worth for two classes of one picture; its activation is the same."""

    def of(side: Side) -> dict[str, dict[str, float]]:
        values = side.explorer.worth_of(side.kept).values(side.head, side.target)
        return {
            stage: {b: value.logit for b in BRANCHES if (value := values.get((stage, b)))}
            for stage in STAGES
        }

    table = _table(sides, of, "worth")
    table["title"] = "Logits that each class loses without the branch"
    table["scale"] = (
        f"One scale for all 36 branches, −{number(table['limit'])} to {number(table['limit'])}."
    )
    table["sentence"] = _widest(table, number, "without it the logit loses")
    return table


def _table(
    sides: list[Side | None], of: Callable[[Side], dict[str, dict[str, float]]], measure: str
) -> dict[str, Any]:
    """Stage → branch → the two sides' values, and where the common scale ends."""
    found = [of(side) if side else {} for side in sides]
    cells = {
        stage: {
            branch: [_short(one.get(stage, {}).get(branch)) for one in found] for branch in BRANCHES
        }
        for stage in STAGES
    }
    values = [v for row in cells.values() for pair in row.values() for v in pair if v is not None]
    return {
        "measure": measure,
        "signed": measure == "worth",
        "limit": max(map(abs, values), default=0.0),
        "cells": cells,
    }


def _short(value: float | None) -> float | None:
    return None if value is None else short(value)


def _widest(table: dict[str, Any], words: Callable[[float], str], says: str) -> str:
    """Where the two sides differ most; empty with one side."""
    apart = {
        (stage, branch): abs(pair[0] - pair[1])
        for stage, row in table["cells"].items()
        for branch, pair in row.items()
        if None not in pair
    }
    if not apart or not max(apart.values()):
        return ""
    place = max(apart, key=lambda one: apart[one])
    left, right = table["cells"][place[0]][place[1]]
    return (
        f"They differ most in {branch_words(place)}: {says} {words(left)} on the left and "
        f"{words(right)} on the right."
    )


def _depth(sides: list[Side | None]) -> dict[str, Any]:
    """Each side's class from depth to depth: probes where the network has some, and heads."""
    probes = [side and _probed(side) for side in sides]
    heads = {
        head: [
            short(side.held.heads[head].probabilities[side.target])
            if side and head in side.held.heads
            else None
            for side in sides
        ]
        for head in HEADS
    }
    without = {side.network for side, read in zip(sides, probes, strict=True) if side and not read}
    note = (
        f"There are no probes for {listed(sorted(without))}; only heads are shown."
        if without
        else ""
    )
    return {
        "stages": {stage: [(read or {}).get(stage) for read in probes] for stage in STAGES},
        "heads": {head: values for head, values in heads.items() if values != [None, None]},
        "scale": "One scale, 0 to 100 %.",
        "note": note,
    }


def _probed(side: Side) -> dict[str, float]:
    """Stage → the class's probability by the probe there; empty without probes."""
    if side.explorer.probes is None:
        return {}
    readings = course(side.explorer.probes, side.kept.recording).readings
    return {stage: short(one.probabilities[side.target]) for stage, one in readings.items()}
