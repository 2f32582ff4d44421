"""The Explore tab: one picture, nine modules, four roads, and why."""

import itertools
from collections.abc import Iterator
from typing import Any

import gradio as gr

from gnet.answers import channel as channels
from gnet.answers import examples
from gnet.answers.explorers import Explorers
from gnet.data.pictures import LIMITS
from gnet.errors import GnetError
from gnet.explain.methods import METHODS
from gnet.ui.components import drawing
from gnet.ui.events import MODEL, QUIET, as_text, settle, spoken

QUESTION = ("head", "target", "stage")
"""What is asked besides picture and method; the page's script fills it in."""


def build(explorers: Explorers) -> None:
    """Put the tab's components and events where the caller stands."""
    explorer = explorers.served
    first = examples.answer(explorer, next(iter(examples.EXAMPLES)))

    turns = itertools.count(1)

    def explore(picture: Any) -> str:
        with spoken():
            explorer, chosen = explorers.asked(picture)
            known = chosen.example if chosen.box is None and not explorer.net else None
            answer = examples.answer(explorer, known) if known else explorer.explore(chosen)
            # The page draws what has changed, and the same picture twice is two answers.
            return as_text(answer | {"turn": next(turns)})

    def measure(picture: Any, event: gr.EventData) -> dict[str, Any]:
        with spoken():
            asked = event._data if isinstance(event._data, dict) else {}
            explorer, chosen = explorers.asked(picture)
            return explorer.measure(chosen, asked.get("stage"), asked.get("key"))

    def open_channel(picture: Any, event: gr.EventData) -> dict[str, Any]:
        with spoken():
            explorer, chosen = explorers.asked(picture)
            return channels.open_channel(explorer, chosen, event._data)

    def grow(picture: Any, event: gr.EventData) -> Iterator[dict[str, Any]]:
        with spoken():
            try:
                yield from channels.grow(explorers.asked(picture)[0], event._data)
            except GnetError:
                yield channels.not_grown(event._data)
                raise

    def attribute(picture: Any, method: str, head: str, target: str, stage: str) -> str:
        with spoken():
            explorer, chosen = explorers.asked(picture)
            return as_text(explorer.attribute(chosen, method, head, target, stage))

    drawing("explore/network")
    with gr.Row(elem_id="top"):
        picture = drawing(
            "explore/picture",
            {"example": next(iter(examples.EXAMPLES))},
            examples=examples.thumbnails(),
            megabytes=LIMITS.file_bytes // 1_000_000,
        )
        drawing("explore/diagram")
        drawing("explore/belief")
    roads = drawing("explore/roads")
    channel = drawing("explore/channel")
    drawing("explore/depth")
    with gr.Column(elem_id="why"):
        drawing("explore/question")
        with gr.Row(elem_id="ask"):
            method = gr.Radio(
                [(m.label, m.name) for m in METHODS.values()],
                value=examples.FIRST_METHOD,
                label="Method",
                show_label=False,
                container=False,
                interactive=True,
                elem_id="method",
            )
            ask = gr.Button("Ask why", variant="primary", elem_id="ask-why")
        why = drawing("explore/reason")
    answer = drawing("explore/answer", as_text(first), network=explorer.network, visible="hidden")
    head, target, stage = (gr.Textbox(visible=False, label=name) for name in QUESTION)

    seen = picture.chosen(
        explore,
        picture,
        answer,
        api_name="explore",
        trigger_mode="multiple",
        **MODEL,
        **QUIET,
    )
    settle(seen, "answer")
    looked = roads.looked(
        measure,
        picture,
        roads,
        api_visibility="private",
        trigger_mode="always_last",
        **MODEL,
        **QUIET,
    )
    settle(looked, "measured")
    opened = channel.opened(
        open_channel,
        picture,
        channel,
        api_visibility="private",
        trigger_mode="multiple",
        **MODEL,
        **QUIET,
    )
    settle(opened, "channel")
    grown = channel.grown(
        grow,
        picture,
        channel,
        api_visibility="private",
        trigger_mode="multiple",  # a new one begins while the one that was stopped still ends
        **MODEL,
        **QUIET,
    )
    channel.stopped(None, cancels=[grown], api_visibility="private")
    asked = ask.click(
        attribute,
        [picture, method, head, target, stage],
        why,
        trigger_mode="always_last",
        js="(picture, method) => gnet.question(picture, method)",
        api_name="attribute",
        **MODEL,
        **QUIET,
    )
    settle(asked, "why")
