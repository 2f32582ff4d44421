"""The page. Only what is in here knows Gradio, and Gradio is imported when a page is built."""

from typing import TYPE_CHECKING, Any

from gnet.model import GoogLeNet

if TYPE_CHECKING:
    import gradio as gr


def build(model: GoogLeNet) -> "gr.Blocks":
    """A fresh page for `model`; launch it with `launch_options()`."""
    from gnet.ui import page

    return page.build(model)


def launch_options() -> dict[str, Any]:
    """What `Blocks.launch` must be told for the page to look and behave as meant."""
    from gnet.ui import page

    return page.launch_options()
