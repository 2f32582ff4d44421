"""What the tabs' events have in common: one line before the model, no overlays, records as text."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import gradio as gr

from gnet.errors import GnetError
from gnet.system.paths import without_paths

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
"""Everything that runs the network waits in one line."""
QUIET: dict[str, Any] = {"show_progress": "hidden"}


def as_text(record: Any) -> str:
    """A record as JSON text: Gradio's page takes a long text much faster than a deep record."""
    return json.dumps(record, separators=(",", ":")).replace("<", "\\u003c")


def settle(event: Any, what: str) -> None:
    """Tell the page's script when `event` is over, and whether it was answered or refused."""
    # `.then` is not told of failures.
    event.success(None, js=f"() => gnet.settle('{what}', true)", api_visibility="private")
    event.failure(None, js=f"() => gnet.settle('{what}', false)", api_visibility="private")


@contextmanager
def spoken() -> Iterator[None]:
    """Turns a `GnetError` into a toast with its sentence; nothing is logged."""
    try:
        yield
    except GnetError as error:
        # The toast shows HTML, and sentences quote names of files.
        raise gr.Error(
            escape(without_paths(str(error))), title="That cannot be done", print_exception=False
        ) from None
