"""The lessons beside the page: a panel that works the tabs, and a worksheet to print."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gnet import strict_json
from gnet.answers.explorers import Explorers
from gnet.answers.lessons.teaching import Learner, Lessons, list_lessons, take_step
from gnet.answers.lessons.worksheet import make_worksheet
from gnet.ui.components import drawing, id_of
from gnet.ui.events import MODEL, QUIET, as_new, endpoint, refusing, settle, spoken


class Handlers:
    """The panel's events; the value of the component that asks is the question."""

    def __init__(self, explorers: Explorers, lessons: Lessons) -> None:
        self.explorers = explorers
        self.lessons = lessons

    def take(self, question: Any) -> str:
        """One step of a lesson, and with an answer whether it is right."""
        with spoken():
            asked, learner = _asked(question)
            name, step, answer = (asked.get(one) for one in ("lesson", "step", "answer"))
            return as_new(take_step(self.explorers, self.lessons, name, step, learner, answer))

    def print_sheet(self, question: Any) -> str:
        """A lesson on one sheet, with the answers given so far."""
        with spoken():
            asked, learner = _asked(question)
            name, answers = asked.get("lesson"), asked.get("answers")
            return as_new(make_worksheet(self.explorers, self.lessons, name, learner, answers))

    def list_all(self) -> list[dict[str, Any]]:
        """The lessons that there are, and what their steps are about."""
        return list_lessons(self.lessons)


def build(explorers: Explorers, lessons: Lessons) -> None:
    """Put the panel, the worksheet and their endpoints where the caller stands."""
    handlers = Handlers(explorers, lessons)
    with gr.Column(visible=False):
        endpoint(refusing(handlers.list_all), "list_lessons")
    panel = drawing("lessons/panel")
    sheet = drawing("lessons/worksheet")
    for part, event, handler, name in (
        (panel, panel.taken, handlers.take, "take_step"),
        (sheet, sheet.printed, handlers.print_sheet, "make_worksheet"),
    ):
        asked = event(
            handler, part, part, api_name=name, trigger_mode="always_last", **MODEL, **QUIET
        )
        settle(asked, name)


def script(lessons: Lessons) -> str:
    """The lessons as the page's scripts read them, before all others."""
    text = strict_json.dumps(list_lessons(lessons)).replace("<", "\\u003c")
    return f"window.gnetLessons = {text};"


def style(lessons: Lessons) -> str:
    """The rules that hide a drawing from the first paint on, for each that a step hides."""
    hidden = {one for lesson in lessons.values() for step in lesson.steps for one in step.hide}
    return "\n".join(
        f'html[data-hides~="{one}"] #{id_of(one)} {{ visibility: hidden; position: relative; }}\n'
        f'html[data-hides~="{one}"] #{id_of(one)}::after {{ display: flex; visibility: visible; }}'
        for one in sorted(hidden)
    )


def _asked(question: Any) -> tuple[dict[str, Any], Learner]:
    asked = question if isinstance(question, dict) else {}
    learner = Learner(picture=asked.get("picture"), key=asked.get("key"), owner=asked.get("owner"))
    return asked, learner
