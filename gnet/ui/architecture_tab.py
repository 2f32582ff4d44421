"""The Architecture tab: Table 1, a drawing, the 1×1 reduces as a what-if, weights, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradio.data_classes import FileData
from gradio.utils import get_upload_folder

from gnet.answers.architecture.architecture import describe_architecture
from gnet.answers.architecture.plans import Plan, plan_of
from gnet.answers.architecture.reduces import describe_reduces
from gnet.answers.architecture.saving import architecture_file
from gnet.answers.architecture.weights import describe_weights
from gnet.answers.explorers import Explorers
from gnet.ui.components import drawing
from gnet.ui.events import MODEL, QUIET, as_new, numbered, settle, spoken
from gnet.ui.http.uploads import keep

EXPORT: dict[str, Any] = {"concurrency_id": "export", "concurrency_limit": 1}
"""One file is made at a time, beside what runs the network."""


class Handlers:
    """The tab's events; the value of the component that asks is the question.

    It names a network (`net`) or a preset (`preset`).
    """

    def __init__(self, explorers: Explorers) -> None:
        self.explorers = explorers

    def show(self, question: Any) -> str:
        with spoken():
            plan, asked = self._plan(question)
            return as_new(describe_architecture(plan, asked.get("size")))

    def change(self, question: Any) -> str:
        with spoken():
            plan, asked = self._plan(question)
            named = (asked.get(name) for name in ("stage", "reduces", "size"))
            return as_new(describe_reduces(plan, *named))

    def weights(self, question: Any) -> str:
        with spoken():
            return as_new(describe_weights(self._plan(question)[0]))

    def save(self, question: Any) -> dict[str, Any]:
        with spoken():
            plan, asked = self._plan(question)
            named = (asked.get(name) for name in ("format", "head", "size"))
            branches = asked.get("branches", False)
            name, content, said = architecture_file(plan, *named, branches=branches)
            path = keep(Path(get_upload_folder()), name, content)
            file = FileData(path=str(path), orig_name=name).model_dump()
            return numbered(file | {"said": said})

    def _plan(self, question: Any) -> tuple[Plan, dict[str, Any]]:
        asked = question if isinstance(question, dict) else {}
        return plan_of(self.explorers, asked.get("net"), asked.get("preset")), asked


def build(explorers: Explorers) -> None:
    """Put the tab's components and events where the caller stands."""
    handlers = Handlers(explorers)
    plan = drawing("architecture/plan")
    drawing("architecture/network")
    drawing("architecture/table")
    module = drawing("architecture/module")
    weights = drawing("architecture/weights")
    for part, event, handler, name, line in (
        (plan, plan.asked, handlers.show, "show_architecture", MODEL),
        (module, module.changed, handlers.change, "change_reduces", MODEL),
        (weights, weights.looked, handlers.weights, "show_weights", MODEL),
        (plan, plan.saved, handlers.save, "save_architecture", EXPORT),
    ):
        options: dict[str, Any] = {"trigger_mode": "multiple", **line, **QUIET}
        settle(event(handler, part, part, api_name=name, **options), name)
