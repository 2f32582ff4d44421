"""A viewer's session on the server, kept light: the page holds what it shows, not the server.

Gradio describes every component anew for each session, and keeps the last answer of each, for links
to a state of the page. The page's own address does that here.
"""

from typing import Any

import gradio as gr
from gradio.blocks import BlocksConfig


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
