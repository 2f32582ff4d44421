"""Questions of the Why tab answered: maps with their curves, what they cost, the sanity check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gnet.answers.answer import describe_attribution, short
from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.recordings import Kept
from gnet.answers.why import cost
from gnet.answers.why.form import MOST, reason
from gnet.errors import FieldError, GnetError
from gnet.explain.attribution import curves
from gnet.explain.attribution.attribute import Attribution, asked, attribute
from gnet.explain.attribution.checks import stages_before
from gnet.explain.attribution.curves import Curves, curves_of
from gnet.explain.attribution.methods import METHODS, PICTURE, Method
from gnet.explain.attribution.options import every_option
from gnet.explain.attribution.question import Cost
from gnet.explain.attribution.redrawn import levels, sanity
from gnet.explain.belief import trained_head
from gnet.figures.colours import scale_limit
from gnet.network.config import BRANCHES
from gnet.words import cut, listed, opening

Heard = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class Card:
    """One map that is wanted."""

    method: Method
    options: Any
    """The method's own record."""
    target: int

    @property
    def orders(self) -> tuple[int, str]:
        """Maps that are the same in this are tested against the same random orders."""
        return self.target, self.method.about


@dataclass(frozen=True, kw_only=True, eq=False)
class Wanted:
    """A question of the tab, checked."""

    explorer: Explorer
    key: str
    kept: Kept
    head: str
    cards: list[Card]

    @property
    def side(self) -> int:
        return self.explorer.model.info.preprocessing.size


def read(explorers: Explorers, question: Any) -> Wanted:
    """Check a question {"picture", "key", "head", "class", "methods", "options", "classes"}.

    `class` is a name or a number, or nothing for the head's answer; `classes` 2 also asks for the
    likeliest other class. Raises `GnetError`, also for a method that is invalid on the network.
    """
    given = question if isinstance(question, dict) else {}
    explorer, chosen = explorers.resolve(given.get("picture"))
    key, kept = explorer.found(chosen, given.get("key"))
    head = cut(given.get("head") or "main")
    held = trained_head(kept.recording, head)
    named = given.get("class")
    target = held.top[0] if named is None else explorer.class_index(named)
    targets = [target]
    if given.get("classes") == 2:
        targets += [index for index in held.top if index != target][:1]
    cards = _cards(explorer, kept.recording.pixels, head, targets, given)
    return Wanted(explorer=explorer, key=key, kept=kept, head=head, cards=cards)


def _cards(
    explorer: Explorer, pixels: Tensor, head: str, targets: list[int], given: dict[str, Any]
) -> list[Card]:
    """A map of each method for each class."""
    methods = _methods(given.get("methods"))
    if len(methods) * len(targets) > MOST:
        raise GnetError(
            f"{len(methods)} methods for {len(targets)} classes were asked for; allowed are "
            f"{MOST} maps at once."
        )
    options = _options(given.get("options"))
    cards = []
    for method in methods:
        if why := reason(explorer, method, head):
            raise GnetError(f"{method.label} does not hold on this network. {why}")
        record = asked(explorer.model, pixels, method.name, targets[0], head, options)[1]
        cards += [Card(method=method, options=record, target=one) for one in targets]
    return cards


def _methods(names: Any) -> list[Method]:
    wanted = list(dict.fromkeys(names)) if _texts(names) else []
    if not wanted:
        raise FieldError("methods", cut(names), f"lists of names, as {listed(list(METHODS)[:2])}")
    for name in wanted:
        if name not in METHODS:
            raise FieldError("methods", cut(name), listed(METHODS))
    return [METHODS[name] for name in wanted]


def _texts(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def _options(given: Any) -> dict[str, Any]:
    """The options of known names; a text stands for its number, as a form's field gives it."""
    options = given if isinstance(given, dict) else {}
    return {
        name: _number(options[name], f.default)
        for name, f in every_option().items()
        if options.get(name) not in (None, "")
    }


def _number(value: Any, default: Any) -> Any:
    """The number that a text stands for, or the value as it is; its own check refuses it then."""
    if not isinstance(value, str) or isinstance(default, str):
        return cut(value) if isinstance(default, str) else value
    try:
        return type(default)(value)
    except ValueError:
        return cut(value)


def price(explorers: Explorers, question: Any) -> dict[str, Any]:
    """What the maps of a question will take, in words; refuses what `explain` would refuse.

    It runs no network, so that it can be asked at every change of the form.
    """
    given = question if isinstance(question, dict) else {}
    explorer = explorers.resolve(given.get("picture"))[0]
    side = explorer.model.info.preprocessing.size
    targets = list(range(2 if given.get("classes") == 2 else 1))
    head = cut(given.get("head") or "main")
    cards = _cards(explorer, torch.zeros(1, 3, side, side), head, targets, given)
    works = _works(cards, side)
    runs = sum(sum(one.mapped) + one.curves for one in works)
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


def _works(cards: list[Card], side: int) -> list[_Work]:
    """What each map takes; maps of one class share the random orders."""
    seen: set[tuple[int, str]] = set()
    works = []
    for card in cards:
        shared = card.orders in seen
        seen.add(card.orders)
        mapped = card.method.cost(card.options, side)
        works.append(_Work(mapped=mapped, curves=curves.cost(random=not shared)))
    return works


def explain(wanted: Wanted, heard: Heard) -> dict[str, Any]:
    """The maps with their curves; those of one method share a scale."""
    speed = wanted.explorer.speed or cost.Speed(1.0, 3.0)
    model, pixels = wanted.explorer.model, wanted.kept.recording.pixels
    works = [one.seconds(speed) for one in _works(wanted.cards, wanted.side)]
    total = sum(map(sum, works))
    done, made = 0.0, []
    known: dict[tuple[int, str], Curves] = {}
    for card, (mapped, measured) in zip(wanted.cards, works, strict=True):
        parts = [one / total for one in (mapped, measured)]
        answer = _attributed(wanted, card, _within(heard, done, parts[0]))
        found = curves_of(
            model,
            pixels,
            answer,
            _within(heard, done + parts[0], parts[1]),
            random=known.get(card.orders),
        )
        known[card.orders] = found
        made.append((answer, found))
        done += sum(parts)
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


def _check_time(wanted: Wanted, card: Card, speed: cost.Speed) -> str:
    """How long the sanity check of a map takes, in words; empty where no speed was measured."""
    if wanted.explorer.speed is None:
        return ""
    once = cost.seconds(card.method.cost(card.options, wanted.side), speed)
    return cost.in_words((1 + len(levels(wanted.head))) * once)


def _attributed(wanted: Wanted, card: Card, heard: Heard) -> Attribution:
    options = {name: getattr(card.options, name) for name in card.options.__dataclass_fields__}
    return attribute(
        wanted.explorer.model,
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
    answer = _attributed(wanted, card, _within(heard, 0.0, share))
    found = sanity(
        wanted.explorer.model,
        wanted.kept.recording.pixels,
        answer,
        heard=_within(heard, share, 1 - share),
    )
    return {"method": answer.method, "target": answer.target, "key": wanted.key} | found.to_json()
