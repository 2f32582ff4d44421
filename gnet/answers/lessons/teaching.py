"""A lesson as the page gets it: the list, and one step with its figures and its question.

The answer, and what is said after it, come only once an answer was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gnet.answers.explorers import Explorers
from gnet.answers.lessons.figures import fill
from gnet.answers.lessons.found import Scene
from gnet.answers.lessons.lesson import Lesson, Step
from gnet.answers.lessons.questions import check, found_for, posed, posed_before
from gnet.errors import FieldError, GnetError
from gnet.words import cut, listed

Lessons = Mapping[str, Lesson]
"""Name → lesson, as `read_lessons` gives them."""


@dataclass(frozen=True, kw_only=True)
class Learner:
    """Who takes a lesson: the picture they look at and the token of their browser."""

    picture: Any
    key: Any = None
    owner: Any = ""


def list_lessons(lessons: Lessons) -> list[dict[str, Any]]:
    """What the page knows of the lessons before one is opened."""
    return [
        {
            "name": lesson.name,
            "title": lesson.title,
            "minutes": lesson.minutes,
            "intro": lesson.intro,
            "trains": any("tab=train" in step.go for step in lesson.steps),
            "steps": [
                {
                    "heading": step.heading,
                    "go": step.go,
                    "look": step.look,
                    "hide": list(step.hide),
                    "asks": step.question is not None,
                }
                for step in lesson.steps
            ],
        }
        for lesson in lessons.values()
    ]


def find_lesson(lessons: Lessons, name: Any) -> Lesson:
    """The lesson of that name; raises `FieldError`."""
    if not isinstance(name, str) or name not in lessons:
        raise FieldError("lesson", cut(name), listed(lessons, "or"))
    return lessons[name]


def take_step(
    explorers: Explorers, lessons: Lessons, name: Any, number: Any, learner: Learner, answer: Any
) -> dict[str, Any]:
    """Step `number` (from 1) of a lesson, and with an `answer` whether it is right.

    Raises `GnetError` for a lesson, a step or an answer that there is not. A figure that cannot be
    had is no error: then `blocked` says why, and nothing is asked.
    """
    lesson = find_lesson(lessons, name)
    last = len(lesson.steps)
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= last:
        raise FieldError("step", cut(number), f"whole numbers from 1 to {last}")
    scene = scene_of(explorers, learner)
    step = lesson.steps[number - 1]
    place = {"lesson": name, "step": number, "of": last, "key": scene.key}
    return place | {"heading": step.heading} | _described(scene, step, answer)


def scene_of(explorers: Explorers, learner: Learner) -> Scene:
    """What the learner has before them; raises `GnetError` where the picture is gone."""
    explorer, chosen = explorers.resolve(learner.picture)
    key, kept = explorer.found(chosen, learner.key)
    owner = learner.owner if isinstance(learner.owner, str) else ""
    return Scene(
        explorer=explorer, chosen=chosen, key=key, kept=kept, runs=explorers.runs, owner=owner
    )


def _described(scene: Scene, step: Step, answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"text": [], "question": None, "answered": None, "blocked": ""}
    question = step.question
    try:
        told["text"] = paragraphs(fill(scene, step.text))
        if question is None:
            return told
        ask = fill(scene, question.ask)
    except GnetError as error:
        return told | {"blocked": str(error)}
    try:
        found = found_for(scene, question)
    except GnetError as error:
        before = posed_before(question)
        asked = before and before | {"ask": ask}
        kept = {"given": answer} if before and answer is not None else None
        return told | {"question": asked, "answered": kept, "blocked": str(error)}
    told["question"] = posed(found, question) | {"ask": ask}
    if answer is not None:
        verdict = check(found, question, answer)
        told["answered"] = {
            "given": answer,
            "right": verdict.right,
            "sentence": verdict.sentence,
            "after": _after(scene, step.after),
        }
    return told


def _after(scene: Scene, text: str) -> list[str]:
    try:
        return paragraphs(fill(scene, text))
    except GnetError as error:
        return [str(error)]


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a lesson's text."""
    return [part.strip() for part in text.split("\n\n") if part.strip()]
