"""A question as the page poses it, and whether an answer fits the figure that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

from gnet.answers.lessons.figures import find, ids_of, parse_figure
from gnet.answers.lessons.found import Found, Number, Ranking, Scene
from gnet.answers.lessons.lesson import Question
from gnet.answers.lessons.of_picture import YES_NO
from gnet.errors import FieldError, GnetError
from gnet.words import cut, listed


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What an answer came to."""

    right: bool
    sentence: str


def found_for(scene: Scene, question: Question) -> Found:
    """The figure that a question is about, with the choices it offers.

    Raises `GnetError` where the figure cannot be had, or has fewer than two things to choose from.
    """
    found = find(scene, question.figure)
    if isinstance(found, Number):
        return found
    offered = found.only(question.choices)
    if len(offered.values) < 2:
        raise GnetError("There is nothing to choose between in this network.")
    return offered


def posed(found: Found, question: Question) -> dict[str, Any]:
    """The question without its answer."""
    choices = found.names if isinstance(found, Ranking) else {}
    return {
        "kind": question.kind,
        "about": parse_figure(question.figure, "figure")[0].about,
        "choices": [{"id": one, "name": name} for one, name in choices.items()],
        "unit": found.unit if isinstance(found, Number) else "",
    }


def posed_before(question: Question) -> dict[str, Any] | None:
    """The same while the run that it is about is still to come; None where it must be there.

    So a class can predict, start the run, and see the answer when it has ended.
    """
    figure, places = parse_figure(question.figure, "figure")
    ids = question.choices or ids_of(figure, places)
    if figure.about != "runs" or (figure.unit is None and not ids):
        return None
    if figure.unit is not None:
        return posed(Number(value=0.0, unit=figure.unit), question)
    names = {one: YES_NO.get(one, one) for one in ids}
    return posed(Ranking(names=names, values=dict.fromkeys(ids, 0.0)), question)


def check(found: Found, question: Question, given: Any) -> Verdict:
    """Whether an answer is right; raises `FieldError` for one that is none."""
    if isinstance(found, Number):
        return _number(found, given, question.tolerance)
    return (_order if question.kind == "order" else _choice)(found, given)


def _choice(found: Ranking, given: Any) -> Verdict:
    if not isinstance(given, str) or given not in found.names:
        raise FieldError("answer", cut(given), listed(found.names, "or"))
    best = [one for one in found.names if found.is_best(one)]
    told = f"{listed(found.named(one) for one in best)}."
    if given in best:
        return Verdict(right=True, sentence=f"Right: {told}")
    return Verdict(right=False, sentence=f"Not {found.named(given)}. The answer: {told}")


def _order(found: Ranking, given: Any) -> Verdict:
    if not isinstance(given, list) or sorted(map(str, given)) != sorted(found.names):
        raise FieldError("answer", cut(given), f"each once: {listed(found.names)}")
    right = all(found.reaches(first, second) for first, second in pairwise(given))
    ordered = sorted(found.names, key=lambda one: -found.values[one])
    told = f"{', '.join(found.named(one) for one in ordered)}."
    return Verdict(right=right, sentence=f"{'Right' if right else 'Not quite'}: {told}")


def _number(found: Number, given: Any, tolerance: float) -> Verdict:
    said = _read(given)
    distance = abs(said - found.value)
    if distance <= max(_rounding(found), 1e-9):
        return Verdict(right=True, sentence=f"Right: {found.words}.")
    if distance <= tolerance:
        return Verdict(right=True, sentence=f"Close enough: it is {found.words}.")
    mine = Number(value=said, unit=found.unit).words
    return Verdict(right=False, sentence=f"Not {mine}: it is {found.words}.")


def _rounding(found: Number) -> float:
    """Half of the last digit that the page shows: nobody can read it more exactly."""
    shown = found.words.split("\u00a0")[0].replace("−", "-").replace(",", "")
    return 0.5 * 10.0 ** -len(shown.partition(".")[2])


def _read(given: Any) -> float:
    try:
        said = float(str(given).strip().replace(",", ".").replace("−", "-").rstrip("% "))
    except ValueError:
        said = float("nan")
    if isinstance(given, bool) or not isfinite(said) or abs(said) > 1e12:
        raise FieldError("answer", cut(given), "numbers")
    return said
