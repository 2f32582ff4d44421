"""Assembles the page: which component stands where, and which event asks the lab what."""

import itertools
import json
from typing import Any

import gradio as gr
from gradio.themes import Base
from starlette.middleware import Middleware

from gnet.attribution import METHODS
from gnet.model import GoogLeNet
from gnet.pictures import LIMITS
from gnet.ui import examples
from gnet.ui.components import ASSETS, drawing, read
from gnet.ui.headers import SafeHeaders
from gnet.ui.lab import Lab
from gnet.ui.picture import meant
from gnet.ui.speech import spoken
from gnet.ui.uploads import sweep_also

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
"""Everything that runs the network waits in one line."""
QUIET: dict[str, Any] = {"show_progress": "hidden"}


def build(model: GoogLeNet) -> gr.Blocks:
    """A fresh page for `model`, warmed up."""
    lab = Lab(model)
    sweep_also(lab.recordings)
    lab.warm_up()
    first = examples.answer(lab, next(iter(examples.EXAMPLES)))

    turns = itertools.count(1)

    def explore(picture: Any) -> str:
        with spoken():
            chosen = meant(picture)
            known = chosen.example if chosen.box is None else None
            answer = examples.answer(lab, known) if known else lab.explore(chosen)
            # The page draws what has changed, and the same picture twice is two answers.
            return as_text(answer | {"turn": next(turns)})

    def measure(picture: Any, event: gr.EventData) -> dict[str, Any]:
        with spoken():
            asked = event._data if isinstance(event._data, dict) else {}
            return lab.measure(meant(picture), asked.get("stage"), asked.get("key"))

    def attribute(picture: Any, method: str, head: str, target: str, stage: str) -> str:
        with spoken():
            return as_text(lab.attribute(meant(picture), method, head, target, stage))

    with gr.Blocks(title="gnet", analytics_enabled=False) as page:
        drawing("header")
        with gr.Row(elem_id="top"):
            picture = drawing(
                "picture",
                {"example": next(iter(examples.EXAMPLES))},
                examples=examples.thumbnails(),
                megabytes=LIMITS.file_bytes // 1_000_000,
            )
            drawing("diagram")
            drawing("belief")
        roads = drawing("roads")
        with gr.Column(elem_id="why"):
            drawing("question")
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
            why = drawing("reason")
        answer = drawing("answer", as_text(first), network=lab.network, visible="hidden")
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
    page.queue(max_size=64)
    return page


def as_text(record: dict[str, Any]) -> str:
    """A record as JSON text: Gradio's page takes a long text much faster than a deep record."""
    return json.dumps(record, separators=(",", ":")).replace("<", "\\u003c")


def settle(event: Any, what: str) -> None:
    """Tell the page's script when `event` is over, and whether it was answered or refused."""
    # `.then` is not told of failures.
    event.success(None, js=f"() => gnet.settle('{what}', true)", api_visibility="private")
    event.failure(None, js=f"() => gnet.settle('{what}', false)", api_visibility="private")


QUESTION = ("head", "target", "stage")
"""What is asked besides picture and method; the page's script fills it in."""


def launch_options() -> dict[str, Any]:
    """What `launch` must be told."""
    style = (ASSETS / "style.css").read_text(encoding="utf-8")
    return {
        "theme": Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        # Not as `css`: Gradio would rewrite the selectors, and lose those within @media.
        "head": f"<style>{style}</style><script>{read('page.js')}</script>",
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "max_file_size": LIMITS.file_bytes,
        "state_session_capacity": 500,
        "ssr_mode": False,
        "share": False,
        "app_kwargs": {"middleware": [Middleware(SafeHeaders)]},
    }
