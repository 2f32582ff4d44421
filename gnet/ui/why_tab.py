"""The Why tab: methods and their options, maps side by side, and what could prove them wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from gnet.answers import examples
from gnet.answers.explorers import Explorers
from gnet.answers.why import explaining
from gnet.answers.why.branches import explain_branches
from gnet.answers.why.form import describe_form
from gnet.answers.why.jobs import Jobs
from gnet.answers.why.question import read, read_class
from gnet.ui.components import drawing
from gnet.ui.events import QUIET, REASONS, answered, as_new, endpoint, settle, spoken


class Handlers:
    """The tab's events; the value of the component that asks is the question."""

    def __init__(self, explorers: Explorers) -> None:
        self.explorers = explorers
        self.jobs = Jobs()

    def form(self, question: Any) -> str:
        with spoken():
            given = question if isinstance(question, dict) else {}
            explorer = self.explorers.find(given.get("net"))
            return as_new(describe_form(explorer, given.get("head") or "main"))

    def explain(self, question: Any) -> Iterator[str]:
        with spoken():
            wanted = read(self.explorers, question)
            for state in self.jobs.run(
                _ticket(question), lambda heard: explaining.explain(wanted, heard)
            ):
                yield as_new(state)

    def map_branches(self, question: Any) -> Iterator[str]:
        with spoken():
            asked = read_class(self.explorers, question)
            for state in self.jobs.run(
                _ticket(question), lambda heard: explain_branches(asked, heard)
            ):
                yield as_new(state)

    def check(self, question: Any) -> Iterator[str]:
        with spoken():
            wanted = read(self.explorers, question)
            for state in self.jobs.run(
                _ticket(question), lambda heard: explaining.check(wanted, heard)
            ):
                yield as_new(state)

    def price(self, question: Any) -> dict[str, Any]:
        """What the maps of a question will take, or why they cannot be had."""
        return explaining.price(self.explorers, question)

    def cancel(self, ticket: Any) -> dict[str, Any]:
        """End the work that was given this ticket."""
        return {"cancelled": self.jobs.cancel(ticket)}

    def cancel_explanation(self, ticket: Any) -> dict[str, Any]:
        """End the explanation or check that was given this ticket."""
        with spoken():
            return self.cancel(ticket)


def build(explorers: Explorers) -> None:
    """Put the tab's components and events where the caller stands."""
    handlers = Handlers(explorers)
    known = [{"name": one["name"], "words": one["words"]} for one in examples.thumbnails()]
    methods = drawing(
        "why/methods",
        examples=known,
        server_functions=[answered(handlers.price, "question")],
    )
    maps = drawing("why/map", server_functions=[answered(handlers.cancel, "ticket")])
    curves = drawing("why/curves", server_functions=[answered(handlers.cancel, "ticket")])
    branches = drawing("why/branches", server_functions=[answered(handlers.cancel, "ticket")])
    for part, event, handler, name in (
        (methods, methods.formed, handlers.form, "list_methods"),
        (maps, maps.explained, handlers.explain, "explain_picture"),
        (curves, curves.checked, handlers.check, "check_explanation"),
        (branches, branches.mapped, handlers.map_branches, "map_branches"),
    ):
        asked = event(
            handler, part, part, api_name=name, trigger_mode="always_last", **REASONS, **QUIET
        )
        settle(asked, name)
    with gr.Column(visible=False):
        endpoint(handlers.cancel_explanation, "cancel_explanation", concurrency_limit=4)


def _ticket(question: Any) -> Any:
    """What names the work, so that it can be cancelled; a script may leave it out."""
    given = question if isinstance(question, dict) else {}
    return given.get("ticket") or "of a script"
