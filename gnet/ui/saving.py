"""The menu that saves what a tab shows: figures and their numbers as files."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder

from gnet.answers.explorers import Explorers
from gnet.answers.exports import request as exports
from gnet.answers.exports.export import FORMATS
from gnet.ui.components import drawing
from gnet.ui.events import MODEL, QUIET, endpoint, numbered, sent, settle, spoken
from gnet.ui.http.uploads import keep


class Handlers:
    """The menu's event, for the page and for scripts."""

    def __init__(self, explorers: Explorers) -> None:
        self.explorers = explorers

    def save(self, picture: Any, view: Any, format: Any, request: Any = None) -> dict[str, Any]:
        """A file of one view: its figure as png, svg or pdf, its numbers as csv or json."""
        with spoken():
            name, content = exports.file_of(self.explorers, picture, view, format, request)
            path = keep(Path(get_upload_folder()), name, content)
            return numbered(FileData(path=str(path), orig_name=name).model_dump())

    def save_asked(self, event: gr.EventData) -> dict[str, Any]:
        """The same for the page, whose script sends which picture it shows."""
        return self.save(**sent(event, "picture", "view", "format", "request"))


def build(explorers: Explorers) -> None:
    """Put the menu and its endpoint where the caller stands."""
    handlers = Handlers(explorers)
    with gr.Column(visible=False):
        endpoint(handlers.save, "save_view", **MODEL)
    views = {"explore": exports.VIEWS, "depth": exports.DEPTH_VIEWS}
    menu = drawing("shared/saving", views=views, formats=list(FORMATS))
    options: dict[str, Any] = {**MODEL, **QUIET, "trigger_mode": "always_last"}
    saved = menu.saved(handlers.save_asked, None, menu, api_visibility="private", **options)
    settle(saved, "saved")
