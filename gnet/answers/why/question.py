"""A question of the Why tab, read and checked: which maps, of which class, with which options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.recordings import Kept
from gnet.answers.why.form import MOST, reason
from gnet.errors import FieldError, GnetError
from gnet.explain.attribution.attribute import asked as checked
from gnet.explain.attribution.methods import METHODS, Method
from gnet.explain.attribution.options import every_option
from gnet.explain.belief import trained_head
from gnet.words import cut, listed


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
class Asked:
    """What a question is about, checked."""

    explorer: Explorer
    key: str
    kept: Kept
    head: str
    targets: list[int]
    """The class; and the likeliest other one, where it is asked for, too."""

    @property
    def side(self) -> int:
        return self.explorer.model.info.preprocessing.size


@dataclass(frozen=True, kw_only=True, eq=False)
class Wanted(Asked):
    """A question about that: maps of some methods."""

    cards: list[Card]


def read_class(explorers: Explorers, question: Any) -> Asked:
    """Check a question's {"picture", "key", "head", "class", "classes"}; raises `GnetError`.

    `class` is a name or a number, or nothing for the head's answer; `classes` 2 also asks for the
    likeliest other class.
    """
    given = question if isinstance(question, dict) else {}
    explorer, chosen = explorers.resolve(given.get("picture"))
    key, kept = explorer.found(chosen, given.get("key"))
    return _about(explorer, key, kept, given)


def kept_class(explorer: Explorer, question: dict[str, Any]) -> Asked | None:
    """The same while the picture's recording is kept, else None; runs no network."""
    key = str(question.get("key"))
    kept = explorer.recordings.find(key, explorer.model.info.digest)
    return _about(explorer, key, kept, question) if kept else None


def _about(explorer: Explorer, key: str, kept: Kept, given: dict[str, Any]) -> Asked:
    head = cut(given.get("head") or "main")
    held = trained_head(kept.recording, head)
    named = given.get("class")
    targets = [held.top[0] if named is None else explorer.class_index(named)]
    if given.get("classes") == 2:
        targets += [index for index in held.top if index != targets[0]][:1]
    return Asked(explorer=explorer, key=key, kept=kept, head=head, targets=targets)


def read(explorers: Explorers, question: Any) -> Wanted:
    """The same with its {"methods", "options"}; a method that is invalid here is refused."""
    asked = read_class(explorers, question)
    return wanted(asked, question if isinstance(question, dict) else {})


def wanted(asked: Asked, given: dict[str, Any]) -> Wanted:
    """The maps of `given` methods and options, for what was asked about."""
    pixels = asked.kept.recording.pixels
    cards = cards_of(asked.explorer, pixels, asked.head, asked.targets, given)
    return Wanted(**vars(asked), cards=cards)


def cards_of(
    explorer: Explorer, pixels: Tensor, head: str, targets: list[int], given: dict[str, Any]
) -> list[Card]:
    """A map of each method for each class; the methods and their options are checked."""
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
        record = checked(explorer.model, pixels, method.name, targets[0], head, options)[1]
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
