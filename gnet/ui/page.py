"""Assembles the page: which component stands where, and which event asks the lab what."""

from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from gnet.attribution import METHODS
from gnet.model import GoogLeNet
from gnet.pictures import LIMITS
from gnet.ui import examples
from gnet.ui.components import ASSETS, Drawing, read
from gnet.ui.headers import SafeHeaders
from gnet.ui.lab import Chosen, Lab
from gnet.ui.picture import Picture
from gnet.ui.speech import spoken

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
"""Everything that runs the network waits in one line."""
QUIET: dict[str, Any] = {"show_progress": "hidden"}


def build(model: GoogLeNet) -> gr.Blocks:
    """A fresh page for `model`, warmed up."""
    lab = Lab(model)
    lab.warm_up()
    first = examples.answer(lab, next(iter(examples.EXAMPLES)))

    def explore(picture: Chosen) -> dict[str, Any]:
        with spoken():
            if picture.example and not picture.box:
                return examples.answer(lab, picture.example)
            return lab.explore(picture)

    def measure(picture: Chosen, event: gr.EventData) -> dict[str, Any]:
        with spoken():
            return lab.measure(picture, event._data.get("stage"))

    def attribute(picture: Chosen, method: str, head: str, target: str, stage: str):
        with spoken():
            return lab.attribute(picture, method, head, target, stage)

    with gr.Blocks(title="gnet", analytics_enabled=False) as page:
        Drawing("header", network=lab.network)
        with gr.Row(elem_id="top"):
            picture = Picture(
                "picture",
                {"example": next(iter(examples.EXAMPLES))},
                examples=examples.thumbnails(),
                megabytes=LIMITS.file_bytes // 1_000_000,
            )
            Drawing("diagram")
            Drawing("belief")
        roads = Drawing("roads")
        with gr.Column(elem_id="why"):
            Drawing("question")
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
            why = Drawing("reason", first.get("why"))
        answer = Drawing("answer", first, network=lab.network, visible="hidden")
        head, target, stage = (gr.Textbox(visible=False, label=name) for name in QUESTION)

        seen = picture.chosen(
            explore,
            picture,
            answer,
            api_name="explore",
            trigger_mode="always_last",
            **MODEL,
            **QUIET,
        )
        seen.then(None, js="() => gnet.settle('answer')")
        roads.looked(
            measure,
            picture,
            roads,
            api_visibility="private",
            trigger_mode="always_last",
            **MODEL,
            **QUIET,
        )
        asked = ask.click(
            attribute,
            [picture, method, head, target, stage],
            why,
            js="(picture, method) => gnet.question(picture, method)",
            api_name="attribute",
            **MODEL,
            **QUIET,
        )
        asked.then(None, js="() => gnet.settle('why')")
    page.queue(max_size=64)
    return page


QUESTION = ("head", "target", "stage")
"""What is asked besides picture and method; the page's script fills it in."""


def launch_options() -> dict[str, Any]:
    """What `launch` must be told."""
    return {
        "theme": gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        "css": (ASSETS / "style.css").read_text(encoding="utf-8"),
        "head": f"<script>{read('page.js')}</script>",
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
