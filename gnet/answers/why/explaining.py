"""Questions of the Why tab answered: maps with their curves, what they cost, the sanity check."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from gnet.answers.answer import describe_attribution, short
from gnet.answers.explorers import Explorers
from gnet.answers.why import cost
from gnet.answers.why.form import MOST
from gnet.answers.why.jobs import Heard
from gnet.answers.why.question import Card, Wanted, cards_of, kept_class
from gnet.answers.why.question import wanted as wanted_of
from gnet.explain.attribution import curves
from gnet.explain.attribution.attribute import Attribution, attribute
from gnet.explain.attribution.checks import stages_before
from gnet.explain.attribution.curves import Curves, curves_of
from gnet.explain.attribution.methods import METHODS, PICTURE
from gnet.explain.attribution.question import Cost
from gnet.explain.attribution.redrawn import levels, sanity
from gnet.explain.belief import trained_head
from gnet.figures.colours import scale_limit
from gnet.network.config import BRANCHES
from gnet.network.folding import twin
from gnet.network.model import GoogLeNet
from gnet.words import cut, opening

_KEPT = 2 * MOST
"""Maps kept of one picture."""


def price(explorers: Explorers, question: Any) -> dict[str, Any]:
    """What the maps of a question will take, in words; refuses what `explain` would refuse.

    It runs no network, so that it can be asked at every change of the form.
    """
    given = question if isinstance(question, dict) else {}
    explorer = explorers.resolve(given.get("picture"))[0]
    side = explorer.model.info.preprocessing.size
    if asked := kept_class(explorer, given):
        wanted = wanted_of(asked, given)
        works = _works(wanted.cards, side, _made_before(wanted))
    else:
        targets = list(range(2 if given.get("classes") == 2 else 1))
        head = cut(given.get("head") or "main")
        works = _works(
            cards_of(explorer, torch.zeros(1, 3, side, side), head, targets, given), side
        )
    runs = sum(sum(one.mapped) + one.curves for one in works)
    if not runs:
        return {"words": "Computed already, 0 runs of the network", "quick": True}
    if explorer.speed is None:
        return {"words": f"{runs} runs of the network", "quick": False}
    taken = sum(sum(one.seconds(explorer.speed)) for one in works)
    words = f"{cost.in_words(taken)}, {runs} runs of the network"
    return {"words": opening(words), "quick": taken <= cost.QUICK}


class _Work(NamedTuple):
    """What one map takes: the map itself, and its curves in forwards."""

    mapped: Cost
    curves: int

    def seconds(self, speed: cost.Speed) -> tuple[float, float]:
        return cost.seconds(self.mapped, speed), self.curves * speed.forward


Made = dict[Card, tuple[Attribution, Curves]]


def _made_before(wanted: Wanted) -> Made:
    """Those of the maps that are kept."""
    kept = {card: wanted.kept.maps.get((wanted.head, card)) for card in wanted.cards}
    return {card: made for card, made in kept.items() if made}


def _works(cards: list[Card], side: int, made: Made | None = None) -> list[_Work]:
    """What each map takes; maps of one class share the random orders, `made` ones take nothing."""
    made = made or {}
    seen = {card.orders for card in made}
    works = []
    for card in cards:
        if card in made:
            works.append(_Work(mapped=Cost(), curves=0))
            continue
        shared = card.orders in seen
        seen.add(card.orders)
        mapped = card.method.cost(card.options, side)
        works.append(_Work(mapped=mapped, curves=curves.cost(random=not shared)))
    return works


def explain(wanted: Wanted, heard: Heard) -> dict[str, Any]:
    """The maps with their curves; those of one method share a scale."""
    speed = wanted.explorer.speed or cost.Speed(1.0, 3.0)
    with wanted.explorer.reasoning() as model:
        made = _made(model, wanted, speed, heard)
    limits = _limits([answer for answer, _ in made])
    return {
        "key": wanted.key,
        "net": wanted.explorer.net,
        "head": wanted.head,
        "cards": [
            _described(wanted, answer, limits[answer.label])
            | {"curves": found.to_json(), "check": _check_time(wanted, card, speed)}
            for card, (answer, found) in zip(wanted.cards, made, strict=True)
        ],
    }


def _made(
    model: GoogLeNet, wanted: Wanted, speed: cost.Speed, heard: Heard
) -> list[tuple[Attribution, Curves]]:
    pixels = wanted.kept.recording.pixels
    before = _made_before(wanted)
    works = [one.seconds(speed) for one in _works(wanted.cards, wanted.side, before)]
    total = sum(map(sum, works))
    done, made = 0.0, list[tuple[Attribution, Curves]]()
    known = {card.orders: found for card, (_, found) in before.items()}
    for card, (mapped, measured) in zip(wanted.cards, works, strict=True):
        if card in before:
            made.append(before[card])
            continue
        parts = [one / total for one in (mapped, measured)]
        answer = _attributed(model, wanted, card, _within(heard, done, parts[0]))
        found = curves_of(
            model,
            pixels,
            answer,
            _within(heard, done + parts[0], parts[1]),
            random=known.get(card.orders),
        )
        known[card.orders] = found
        made.append((answer, found))
        _keep(wanted, card, (answer, found))
        done += sum(parts)
    return made


def explained(
    wanted: Wanted, card: Card, *, curved: bool = True
) -> tuple[Attribution, Curves | None]:
    """One map as a record with its curves; as it was shown, where that is kept."""
    known = wanted.kept.maps.get((wanted.head, card))
    if known is None:
        # On a copy of its own: `reasoning` may be at work on another question for long.
        model, pixels = twin(wanted.explorer.model), wanted.kept.recording.pixels
        answer = _attributed(model, wanted, card, lambda done: None)
        if not curved:
            return answer, None
        known = answer, curves_of(model, pixels, answer)
        _keep(wanted, card, known)
    return known[0], known[1] if curved else None


def _keep(wanted: Wanted, card: Card, made: tuple[Attribution, Curves]) -> None:
    """Keep a map to be saved; of the maps of one picture, the newest few."""
    maps = wanted.kept.maps
    maps[wanted.head, card] = made
    while len(maps) > _KEPT:
        maps.pop(next(iter(maps)), None)


def _check_time(wanted: Wanted, card: Card, speed: cost.Speed) -> str:
    """How long the sanity check of a map takes, in words; empty where no speed was measured."""
    if wanted.explorer.speed is None:
        return ""
    once = cost.seconds(card.method.cost(card.options, wanted.side), speed)
    return cost.in_words((1 + len(levels(wanted.head))) * once)


def _attributed(model: GoogLeNet, wanted: Wanted, card: Card, heard: Heard) -> Attribution:
    options = {name: getattr(card.options, name) for name in card.options.__dataclass_fields__}
    return attribute(
        model,
        wanted.kept.recording.pixels,
        method=card.method.name,
        target=card.target,
        head=wanted.head,
        heard=heard,
        **options,
    )


def _within(heard: Heard, start: float, share: float) -> Heard:
    """What tells of a part of the work as of the whole."""
    return lambda done: heard(min(1.0, start + share * done))


def _limits(answers: list[Attribution]) -> dict[str, float]:
    """Label → where the common scale of its maps ends."""
    limits: dict[str, float] = {}
    for answer in answers:
        limits[answer.label] = max(limits.get(answer.label, 0.0), scale_limit(answer.map))
    return limits


def _described(wanted: Wanted, answer: Attribution, limit: float) -> dict[str, Any]:
    """One map as the page draws it."""
    card = describe_attribution(answer, wanted.key, limit)
    held = trained_head(wanted.kept.recording, wanted.head)
    card["chance"] = short(held.probabilities[answer.target])
    card["cells"] = None
    if METHODS[answer.method].about != PICTURE:
        stages = stages_before(wanted.head)
        card["cells"] = {
            f"{stage}/{branch}": short(float(answer.map[row, column]))
            for row, stage in enumerate(stages)
            for column, branch in enumerate(BRANCHES)
        }
    return card


def check(wanted: Wanted, heard: Heard) -> dict[str, Any]:
    """The sanity check of the question's first map."""
    card = wanted.cards[0]
    share = 1 / 12
    with wanted.explorer.reasoning() as model:
        answer = _attributed(model, wanted, card, _within(heard, 0.0, share))
        told = _within(heard, share, 1 - share)
        found = sanity(model, wanted.kept.recording.pixels, answer, heard=told)
    return {"method": answer.method, "target": answer.target, "key": wanted.key} | found.to_json()
