"""What a person is told when something cannot be done."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import gradio as gr

from gnet.errors import GnetError
from gnet.system.paths import without_paths


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
