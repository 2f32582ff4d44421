"""The Depth tab: how often each depth is right on many pictures, and what leaving early saves."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gnet.answers.depths import pictures
from gnet.answers.explorers import Explorers
from gnet.ui.components import drawing
from gnet.ui.events import answered, endpoint, refusing


class Questions:
    """What the tab asks; a network is named as in the picture input."""

    def __init__(self, explorers: Explorers) -> None:
        self.explorers = explorers

    def look_deep(self, net: Any) -> dict[str, Any]:
        """A network's figures over its validation pictures, or how far they are."""
        return pictures.look_deep(self.explorers, net)


def build(explorers: Explorers) -> None:
    """Put the tab's components and its endpoint where the caller stands."""
    questions = Questions(explorers)
    # The figures are files: no model is asked, so no one waits in the model's line.
    drawing("depth/accuracy", server_functions=[answered(questions.look_deep, "net")])
    with gr.Row(elem_id="depth-pair"):
        drawing("depth/exits")
        drawing("depth/agreement")
    drawing("depth/early")
    drawing("depth/papers")
    endpoint(refusing(questions.look_deep), "look_deep", concurrency_limit=4)
