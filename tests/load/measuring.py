"""What the load client measures: one viewer, many at once, the same answers again, a full line."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from load.served import Served
from load.viewers import Answered, Viewer

ALONE = 50
"""Photos that the viewer gives who is alone, about as many as the server keeps recordings of: so
memory before the others come is that of a server that has been asked for a while."""
PHOTO, CLICKS = ("photo",), ("module", "switch", "channel")
PHOTOS = 5
"""Photos that each viewer of a long while gives, in turn."""
SAME = 1e-4
"""Largest difference of a probability between two answers for one photo."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """How many look at the page, and what they do."""

    viewers: int = 50
    clicks: int = 10
    pause: float = 2.0
    """Seconds between a viewer's clicks, about."""
    crowd: int = 100
    """Viewers that ask one thing at the same moment, to fill the line; 0 for none."""


async def measure(page: Served, load: Load) -> dict[str, Any]:
    """One viewer alone, then many at once, then each photo once more, then a full line."""
    first = await _alone(page)
    before = page.megabytes()
    viewers = [Viewer(number=n, address=page.address) for n in range(1, load.viewers + 1)]
    computed, begun = page.processor_seconds(), time.perf_counter()
    await asyncio.gather(*(viewer.visit(load.clicks, load.pause) for viewer in viewers))
    took = time.perf_counter() - begun
    computed = page.processor_seconds() - computed
    answers = [answer for viewer in viewers for answer in viewer.answers]
    after = page.megabytes()
    strayed = await _strayed(viewers)
    outcomes = Counter(answer.outcome for answer in answers)
    wrong = {name: count for name, count in outcomes.items() if name != "right"}
    if strayed:
        wrong["another answer"] = strayed
    return {
        "viewers": load.viewers,
        "clicks": load.clicks,
        "alone": _times(first),
        "together": _times(answers),
        "ratio": _ratio(first, answers),
        "photo_ratio": _ratio(_only(first, PHOTO), _only(answers, PHOTO)),
        "click_ratio": _ratio(_only(first, CLICKS), _only(answers, CLICKS)),
        "seconds": took,
        "per_second": len(answers) / took,
        "processor_seconds": computed / len(answers),
        "megabytes": {"before": before, "after": after, "later": page.megabytes()},
        "files_and_threads": page.files_and_threads(),
        "wrong": wrong,
        "details": sorted({answer.detail for answer in answers if answer.detail})[:5],
        "crowd": await _crowd(page, load.crowd),
    }


async def soak(page: Served, load: Load, minutes: float) -> dict[str, Any]:
    """The same viewers over and over for so long; what the server holds at its start and end.

    The start is taken after a first round, when everything is loaded that is loaded once.
    """
    rounds: list[list[Answered]] = []
    held = []
    end = time.monotonic() + 60 * minutes
    while not rounds or time.monotonic() < end:
        first = 1 + load.viewers * (len(rounds) % PHOTOS)
        viewers = [
            Viewer(number=number, address=page.address, side=800)
            for number in range(first, first + load.viewers)
        ]
        await asyncio.gather(*(viewer.visit(load.clicks, load.pause) for viewer in viewers))
        rounds.append([answer for viewer in viewers for answer in viewer.answers])
        held.append({"megabytes": page.megabytes(), "files_and_threads": page.files_and_threads()})
    outcomes = Counter(answer.outcome for answers in rounds for answer in answers)
    return {
        "minutes": minutes,
        "rounds": len(rounds),
        "answers": outcomes.total(),
        "wrong": {name: count for name, count in outcomes.items() if name != "right"},
        "start": held[0],
        "end": held[-1],
        "most": max(one["megabytes"] for one in held),
    }


async def _alone(page: Served) -> list[Answered]:
    """What one viewer waits for: photos of its own, and clicks in each."""
    viewers = [Viewer(number=400 + n, address=page.address) for n in range(ALONE)]
    for viewer in viewers:
        await viewer.visit(clicks=4)
    return [answer for viewer in viewers[2:] for answer in viewer.answers]  # two to warm up


async def _strayed(viewers: Sequence[Viewer]) -> int:
    """How many were told something else than they are told when nobody else asks."""
    strayed = 0
    for viewer in viewers:
        told = viewer.belief
        await viewer.visit(clicks=0)
        pairs = zip(told, viewer.belief, strict=True) if told else [(0.0, 1.0)]
        strayed += max(abs(one - other) for one, other in pairs) > SAME
    return strayed


async def _crowd(page: Served, count: int) -> dict[str, int]:
    """How those were answered who asked at the same moment: right, or that the line is full."""
    viewers = [Viewer(number=n, address=page.address, side=320) for n in range(1, count + 1)]
    await asyncio.gather(*(viewer.visit(clicks=0) for viewer in viewers))
    return dict(Counter(answer.outcome for viewer in viewers for answer in viewer.answers))


def _only(answers: Sequence[Answered], actions: Sequence[str]) -> list[Answered]:
    return [answer for answer in answers if answer.action in actions]


def _times(answers: Sequence[Answered]) -> dict[str, dict[str, float]]:
    actions = ["all", *sorted({answer.action for answer in answers})]
    return {
        action: _summary([a.seconds for a in answers if action in ("all", a.action)])
        for action in actions
    }


def _summary(seconds: list[float]) -> dict[str, float]:
    return {
        "count": len(seconds),
        "median": statistics.median(seconds),
        "p95": quantile(seconds, 0.95),
        "longest": max(seconds),
    }


def quantile(values: Sequence[float], fraction: float) -> float:
    """The smallest value that at least `fraction` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(1000 * fraction) * len(ordered) // 1000) - 1)]


def _ratio(alone: Sequence[Answered], together: Sequence[Answered]) -> float:
    """p95 of many viewers by the median of one."""
    p95 = quantile([answer.seconds for answer in together], 0.95)
    return p95 / statistics.median(answer.seconds for answer in alone)
