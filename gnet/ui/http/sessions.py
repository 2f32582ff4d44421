"""A viewer's session on the server, kept light, and the line of requests, looked at less often.

Gradio describes every component anew for each session, and keeps the last answer of each, for links
to a state of the page. The page's own address does that here.
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

    def __copy__(self) -> BlocksConfig:
        session = super().__copy__()
        session.__class__ = _OfSession
        return session


def keep_light(page: gr.Blocks) -> None:
    """Spare each new session of a finished page the description of all components."""
    page.default_config.__class__ = _OfPage


def look_less_often(page: gr.Blocks) -> None:
    """Let the line of a page rest between two looks: `LOOKS` and `TOLD` at least."""
    line = page._queue
    line.sleep_when_free = max(LOOKS, line.sleep_when_free)
    line.progress_update_sleep_when_free = max(TOLD, line.progress_update_sleep_when_free)
