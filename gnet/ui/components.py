"""The page's own drawings: one `gr.HTML` each, made of a template, a style and a script.

The files are assets/components/<name>.html, .css and .js; style and script may be missing.
"""

from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).resolve().parents[2] / "assets"
FOLDER = ASSETS / "components"


def drawing(name: str, value: Any = None, **props: Any) -> gr.HTML:
    """The component `name`; its value is what its script draws.

    A subclass would be neater, but for each one Gradio writes a .pyi beside the source.
    """
    return gr.HTML(
        value,
        html_template=read(f"{name}.html"),
        css_template=read(f"{name}.css"),
        js_on_load=read(f"{name}.js"),
        apply_default_css=False,
        elem_id=name,
        **props,
    )


@cache
def read(name: str) -> str:
    """The text of one of the components' files; empty if there is none."""
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""
