"""Predict, then reveal: three questions about a picture, answered by the map of its branches.

Nothing is kept between questions. An answer travels only where a guess came with the question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from gnet.answers import examples
from gnet.answers.answer import short
from gnet.answers.explorer import Chosen, Explorer
from gnet.answers.recordings import Kept
from gnet.data import patterns
from gnet.errors import FieldError, GnetError
from gnet.explain.ablation import OFF, Branch, ablation_of, branch_words
from gnet.explain.belief import belief
from gnet.explain.branches import LABELS
from gnet.network.config import BRANCHES, STAGES
from gnet.words import cut, listed

PHOTOS: Final = ("boots", "coffee", "cat")
PATTERNS: Final = ("fine-stripes", "medium-dots", "coarse-crosses")
"""The pictures of the last round for a network that learned the built-in patterns."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """A question, what may be answered, and how far the answer falls for each."""

    question: str
    choices: dict[str, str]
    """Id → name."""
    falls: Callable[[], dict[str, float]]
    """Id → how far a probability falls, as a fraction; computed when somebody has guessed."""
    about: str
    """What falls, for the words after the guess."""


def play(
    explorer: Explorer, chosen: Chosen, *, turn: Any, stage: Any, guess: Any = None, key: Any = None
) -> dict[str, Any]:
    """The question of a round ("branch", "module" or "picture"), and with a guess its answer.

    Raises `GnetError` for a round, a module or a guess that there is not.
    """
    if turn not in tuple(_ROUNDS):
        raise FieldError("round", cut(turn), listed(_ROUNDS))
    if stage not in STAGES:
        raise FieldError("module", cut(stage), listed(STAGES))
    _, kept = explorer.found(chosen, key)
    asked = _ROUNDS[turn](explorer, kept, stage)
    described = {
        "round": turn,
        "number": list(_ROUNDS).index(turn) + 1,
        "of": len(_ROUNDS),
        "question": asked.question,
        "choices": [{"id": one, "name": name} for one, name in asked.choices.items()],
    }
    return described if guess is None else described | _revealed(asked, guess)


def _revealed(asked: Round, guess: Any) -> dict[str, Any]:
    if guess not in tuple(asked.choices):
        raise FieldError("guess", cut(guess), listed(asked.choices))
    falls = asked.falls()
    best = max(falls, key=lambda one: falls[one])
    right = falls[guess] == falls[best]
    name, points = asked.choices[best], _points(falls[best])
    told = f"It is {name}: {asked.about} falls by {points} points."
    if falls[best] <= 0:
        told = f"None makes {asked.about} fall; {name} comes nearest."
    return {
        "guess": guess,
        "right": right,
        "best": best,
        "falls": {one: short(100 * fall) for one, fall in falls.items()},
        "limit": short(100 * max(abs(fall) for fall in falls.values())),
        "sentence": f"Right. {told}" if right else f"Not {asked.choices[guess]}. {told}",
    }


def _branch(explorer: Explorer, kept: Kept, stage: str) -> Round:
    head, name = deepest_answer(kept)
    return Round(
        question=f"With all others on: which branch of {stage} does “{name}” need most?",
        choices=dict(LABELS),
        falls=lambda: {
            branch: falls_of(explorer, kept, head).get((stage, branch), 0.0) for branch in BRANCHES
        },
        about=f"“{name}” in {head} without it",
    )


def _module(explorer: Explorer, kept: Kept, _: str) -> Round:
    head, name = deepest_answer(kept)

    def falls() -> dict[str, float]:
        all_of_them = falls_of(explorer, kept, head)
        return {
            stage: max(all_of_them.get((stage, branch), 0.0) for branch in BRANCHES)
            for stage in STAGES
        }

    return Round(
        question=f"With all others on: which module holds the branch that “{name}” needs most?",
        choices={stage: stage for stage in STAGES},
        falls=falls,
        about=f"“{name}” in {head} without one of its branches",
    )


def _picture(explorer: Explorer, kept: Kept, stage: str) -> Round:
    head, _ = deepest_answer(kept)
    falls = falls_of(explorer, kept, head)
    branch = max(((stage, b) for b in BRANCHES), key=lambda one: falls.get(one, 0.0))
    names = _pictures(explorer)
    return Round(
        question=f"Which picture's answer suffers most when {branch_words(branch)} is off?",
        choices={name: examples.EXAMPLES[name].words for name in names},
        falls=lambda: {name: _fall_of(explorer, name, branch) for name in names},
        about=f"its answer in {head}",
    )


_ROUNDS: Final[dict[str, Callable[[Explorer, Kept, str], Round]]] = {
    "branch": _branch,
    "module": _module,
    "picture": _picture,
}


def deepest_answer(kept: Kept) -> tuple[str, str]:
    """The deepest trained head and the class that it puts first."""
    heads = belief(kept.recording, top=1).heads
    if not heads:
        raise GnetError("No head of this network is trained; choose a network with a trained one.")
    head = list(heads)[-1]
    return head, kept.recording.class_name(heads[head].top[0])


def falls_of(explorer: Explorer, kept: Kept, head: str) -> dict[Branch, float]:
    """How far the head's first class falls without each branch that it reads."""
    target = belief(kept.recording, top=1).heads[head].top[0]
    values = explorer.worth_of(kept).values(head, target)
    return {branch: value.probability for branch, value in values.items() if value}


def _fall_of(explorer: Explorer, name: str, branch: Branch) -> float:
    """How far an example's own answer falls without a branch."""
    recording = explorer.kept(explorer.view(examples.chosen(name))).recording
    ablation = ablation_of(explorer.model, recording, {branch: OFF})
    before, after = (belief(r, top=1).heads for r in (ablation.before, ablation.after))
    head = list(before)[-1]
    first = before[head].top[0]
    return before[head].probabilities[first] - after[head].probabilities[first]


def _pictures(explorer: Explorer) -> tuple[str, ...]:
    learned = set(explorer.model.info.classes) & set(patterns.CLASSES)
    return PATTERNS if learned else PHOTOS


def _points(fall: float) -> str:
    return f"{100 * fall:.{int(abs(fall) < 0.0995)}f}"
