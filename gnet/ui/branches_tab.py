"""The Branch lab tab: branches switched with a history, compared, predicted, seen by scale."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gnet.answers import examples
from gnet.answers.explorers import Explorers
from gnet.answers.lab import comparison, rounds, scales
from gnet.ui.components import drawing
from gnet.ui.events import MODEL, QUIET, as_new, settle, spoken


class Handlers:
    """The tab's events; the value of the component that asks is the question."""

    def __init__(self, explorers: Explorers) -> None:
        self.explorers = explorers

    def compare(self, question: Any) -> str:
        with spoken():
            return as_new(comparison.compare(self.explorers, question))

    def predict(self, question: Any) -> str:
        with spoken():
            asked = _fields(question)
            explorer, chosen = self.explorers.resolve(asked.get("picture"))
            parts = {name: asked.get(name) for name in ("stage", "guess", "key")}
            return as_new(rounds.play(explorer, chosen, turn=asked.get("round"), **parts))

    def scales(self, question: Any) -> str:
        with spoken():
            asked = _fields(question)
            explorer = self.explorers.find(asked.get("net"))
            return as_new(scales.describe_scales(explorer, asked.get("stage")))


def build(explorers: Explorers) -> None:
    """Put the tab's components and events where the caller stands."""
    handlers = Handlers(explorers)
    known = examples.thumbnails()
    names = [{"name": one["name"], "words": one["words"]} for one in known]
    drawing("branches/shown", examples=names)
    drawing("branches/switchboard")
    beside = drawing("branches/beside", examples=names)
    predict = drawing("branches/predict")
    waves = drawing("branches/scales")
    drawing("branches/learn")
    for part, event, handler, name in (
        (beside, beside.compared, handlers.compare, "compare"),
        (predict, predict.played, handlers.predict, "predict"),
        (waves, waves.measured, handlers.scales, "scales"),
    ):
        settle(_asks(part, event, handler, name), name)


def _asks(part: gr.HTML, event: Any, handler: Any, name: str) -> Any:
    return event(handler, part, part, api_name=name, trigger_mode="always_last", **MODEL, **QUIET)


def _fields(question: Any) -> dict[str, Any]:
    return question if isinstance(question, dict) else {}
