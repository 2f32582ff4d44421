"""The page's own drawings: one `gr.HTML` each, made of a template, a style and a script.

The files are assets/components/<screen>/<part>/<part>.html, .css and .js; style and script may be
missing.
"""

import re
from functools import cache
from typing import Any

import gradio as gr

from gnet.system.assets import ASSETS

FOLDER = ASSETS / "components"


def drawing(name: str, value: Any = None, **props: Any) -> gr.HTML:
    """The component `name`, as "train/bar"; its value is what its script draws.

    A subclass would be neater, but for each one Gradio writes a .pyi beside the source.
    """
    files = f"{name}/{name.rpartition('/')[2]}"
    return gr.HTML(
        value,
        html_template=read(f"{files}.html"),
        css_template=read(f"{files}.css"),
        js_on_load=read(f"{files}.js"),
        apply_default_css=False,
        elem_id=id_of(name),
        **props,
    )


def id_of(name: str) -> str:
    """The id in the page of the component `name`.

    It is its own name on the first screen ("branches") and in the header, and bears the screen's
    name elsewhere ("train-bar").
    """
    screen, part = name.split("/")
    return part if screen in ("explore", "shared") else f"{screen}-{part}"


@cache
def read(name: str) -> str:
    """The text of one of the components' files; empty if there is none.

    Widths in a style sheet are those of the page, which is narrower than the window while a lesson
    stands beside it; only the lessons themselves go by the window.
    """
    path = FOLDER / name
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if name.startswith("lessons/"):
        return text
    return re.sub(r"@media (?=\((?:min|max)-width)", "@container page ", text)
