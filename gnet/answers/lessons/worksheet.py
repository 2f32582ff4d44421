"""A lesson on one sheet of paper: the picture, the questions, and the answers given so far."""

from __future__ import annotations

from typing import Any

from gnet.answers.answer import as_data_url
from gnet.answers.explorers import Explorers
from gnet.answers.lessons.teaching import Learner, Lessons, find_lesson, scene_of, take_step
from gnet.data.pictures import to_image
from gnet.errors import FieldError
from gnet.words import cut

LINES = "Name:", "Class:", "Date:"
"""What stands above the lines at the head of the sheet."""


def make_worksheet(
    explorers: Explorers, lessons: Lessons, name: Any, learner: Learner, answers: Any
) -> dict[str, Any]:
    """All steps of a lesson; `answers`: step, as a text → what was given, for those answered.

    A step without an answer has its question and nothing that would tell it. Raises `GnetError`.
    """
    lesson = find_lesson(lessons, name)
    given = {} if answers is None else answers
    if not isinstance(given, dict):
        raise FieldError("answers", cut(given), 'as {"1": "3x3"}')
    scene = scene_of(explorers, learner)
    steps = [
        take_step(explorers, lessons, name, number, learner, given.get(str(number)))
        for number in range(1, len(lesson.steps) + 1)
    ]
    answered = [one["answered"] for one in steps if one["answered"]]
    right = sum(one.get("right", False) for one in answered)
    return {
        "lesson": name,
        "title": lesson.title,
        "intro": lesson.intro,
        "lines": list(LINES),
        "picture": as_data_url(to_image(scene.kept.recording.pixels), quality=88),
        "name": scene.chosen.name,
        "network": scene.explorer.model.info.name,
        "score": f"{right} of {len(answered)} right" if answered else "",
        "steps": [
            {key: one[key] for key in ("step", "heading", "question", "answered")} for one in steps
        ],
    }
