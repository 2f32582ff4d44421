"""A viewer's page and session, kept light, and the line of requests, looked at less often.

Gradio describes every component anew for each session, and keeps the last answer of each, for links
to a state of the page. The page's own address does that here. Gradio also has the browser make a
component of each argument and answer of an endpoint, which only programs ask.
"""

from typing import Any

import gradio as gr
from gradio.blocks import BlocksConfig

LOOKS, TOLD = 0.01, 0.1
"""Seconds between two looks at the line, and at how far each request is. Gradio looks every 1 and
10 ms where it is not on Windows, also while nobody asks."""


class _OfSession(BlocksConfig):
    """A session's components, described nowhere."""

    @staticmethod
    def config_for_block(*_: Any, **__: Any) -> dict:
        return {}  # which Gradio passes over


class _OfPage(BlocksConfig):
    """The page's own, of which each session takes a copy."""

    def get_config(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """All that there is, for programs; of the endpoints nothing is the browser's page's."""
        config = super().get_config(*args, **kwargs)
        components = {part["id"] for part in config["components"] if part["type"] == "api"}
        endpoints = {
            event["id"]
            for event in config["dependencies"]
            if event["backend_fn"] and not event["targets"]
        }
        for page in config["page"].values():
            page["components"] = [it for it in page["components"] if it not in components]
            page["dependencies"] = [it for it in page["dependencies"] if it not in endpoints]
            page["layout"] = _without(components, page["layout"])
        return config

    def __copy__(self) -> BlocksConfig:
        session = super().__copy__()
        session.__class__ = _OfSession
        return session


def _without(components: set[int], node: dict[str, Any]) -> dict[str, Any]:
    """A part of a page's layout, a copy, without these components."""
    if "children" not in node:
        return node
    kept = [child for child in node["children"] if child["id"] not in components]
    return node | {"children": [_without(components, child) for child in kept]}


def keep_light(page: gr.Blocks) -> None:
    """Spare a finished page's sessions the description of all components, browsers the endpoints'.

    Programs read about the endpoints as before, at `/config` and `/gradio_api/info`.
    """
    page.default_config.__class__ = _OfPage


def look_less_often(page: gr.Blocks) -> None:
    """Let the line of a page rest between two looks: `LOOKS` and `TOLD` at least."""
    line = page._queue
    line.sleep_when_free = max(LOOKS, line.sleep_when_free)
    line.progress_update_sleep_when_free = max(TOLD, line.progress_update_sleep_when_free)
