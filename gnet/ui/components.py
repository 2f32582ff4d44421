"""The page's own drawings: one `gr.HTML` each, made of a template, a style and a script.

The files are assets/components/<screen>/<part>/<part>.html, .css and .js; style and script may be
missing.
"""

from functools import cache
from typing import Any

import gradio as gr

from gnet.system.assets import ASSETS

FOLDER = ASSETS / "components"


def drawing(name: str, value: Any = None, **props: Any) -> gr.HTML:
    """The component `name`, as "train/bar"; its value is what its script draws.

    Its id in the page is its own name on the first screen ("branches") and in the header, and bears
    the screen's name elsewhere ("train-bar"). A subclass would be neater, but for each one Gradio
    writes a .pyi beside the source.
    """
    screen, part = name.split("/")
    files = f"{name}/{part}"
    return gr.HTML(
        value,
        html_template=read(f"{files}.html"),
        css_template=read(f"{files}.css"),
        js_on_load=read(f"{files}.js"),
        apply_default_css=False,
        elem_id=part if screen in ("explore", "shared") else f"{screen}-{part}",
        **props,
    )


@cache
def read(name: str) -> str:
    """The text of one of the components' files; empty if there is none."""
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""
