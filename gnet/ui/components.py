"""The page's own drawings: one `gr.HTML` each, made of a template, a style and a script.

The files are assets/components/<name>.html, .css and .js; style and script may be missing.
"""

from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).resolve().parents[2] / "assets"
FOLDER = ASSETS / "components"


class Drawing(gr.HTML):
    """A component whose value is a JSON record that its script draws."""

    def __init__(self, name: str = "", value: Any = None, **props: Any) -> None:
        super().__init__(
            value,
            html_template=read(f"{name}.html"),
            css_template=read(f"{name}.css"),
            js_on_load=read(f"{name}.js"),
            apply_default_css=False,
            elem_id=name,
            **props,
        )

    def api_info(self) -> dict[str, Any]:
        """JSON, whatever it is."""
        return {"type": {}, "description": "a JSON record"}


@cache
def read(name: str) -> str:
    """The text of one of the components' files; empty if there is none."""
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def template(name: str, **words: str) -> str:
    """A component's template with `[[word]]` replaced by its text, escaped."""
    text = read(name)
    for word, value in words.items():
        text = text.replace(f"[[{word}]]", escape(value))
    return text
