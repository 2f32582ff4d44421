"""Assembles the page of its tabs, and says how it is launched."""

import json
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.themes import Base
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from gnet.answers import terms
from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.data.pictures import LIMITS
from gnet.network.model import GoogLeNet
from gnet.serving.measuring import Measuring
from gnet.serving.reviews import Reviews
from gnet.ui import tabs
from gnet.ui.components import drawing, read
from gnet.ui.http import card, downloads, zips
from gnet.ui.http.calls import CheckedCalls
from gnet.ui.http.compression import CompressedPage
from gnet.ui.http.headers import SafeHeaders
from gnet.ui.http.uploads import BoundedUploads, sweep_also
from gnet.ui.labels import LABELS

SCRIPTS = (
    "shared/store.js",
    "shared/terms.js",
    "shared/maps.js",
    "shared/hearing.js",
    "explore/fields.js",
    "explore/spots.js",
    "explore/switching.js",
    "explore/cells.js",
    "train/tracks.js",
    "train/train.js",
    "shared/chart.js",
    "train/bars.js",
    "review/review.js",
)
"""What the drawings' scripts share, in the order it is loaded."""

STYLES = (
    "shared/style.css",
    "explore/explore.css",
    "train/form.css",
    "train/form-choices.css",
    "train/form-states.css",
    "train/plots.css",
    "train/touch.css",
)
"""The style sheet: the page's own rules, those of the form, those of the plots."""


def build(model: GoogLeNet, runs: Any = None, measuring: Measuring | None = None) -> gr.Blocks:
    """A fresh page for `model`, warmed up; with `runs`, networks can be trained in it.

    `measuring` measures what an epoch takes; by default in processes of their own.
    """
    explorer = Explorer(model)
    sweep_also(explorer.recordings)
    explorer.warm_up()
    training = None
    if runs is not None:
        training = tabs.Training(
            runs=runs,
            reviews=Reviews(),
            offers=runs.offers,
            measuring=measuring or Measuring(lambda: runs.shelf.counts()["running"]),
        )
    shelf = runs.shelf if runs is not None else None
    reviews = training.reviews if training else None
    explorers = Explorers(explorer, shelf, reviews, uploads=Path(get_upload_folder()))
    with gr.Blocks(title="gnet", analytics_enabled=False) as page:
        drawing("shared/header")
        for tab in tabs.tabs(runs is not None):
            with gr.Column(elem_id=f"{tab.name}-tab", elem_classes="tab"):
                tab.build(explorers, training)
    page.queue(max_size=64)
    return page


def launch_options(runs: Any = None) -> dict[str, Any]:
    """What `launch` must be told; with the `runs` of the page, their files can be fetched."""
    shown = tabs.tabs(runs is not None)
    style = "\n".join([*map(read, STYLES), tabs.style(shown)])
    table = f"window.gnetTerms = {json.dumps([terms.rows(), terms.by_word(), terms.PAPER])};"
    words = f"window.gnetLabels = {json.dumps(LABELS)};"
    scripts = "\n".join([tabs.script(shown), table, words, *map(read, SCRIPTS)])
    routes = card.routes() + downloads.routes(runs.shelf if runs is not None else None)
    if runs is not None and runs.limits.enabled:
        routes += zips.routes(runs.offers)
    return {
        "theme": Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        # Not as `css`: Gradio would rewrite the selectors, and lose those within @media.
        "head": f"<style>{style}</style><script>{scripts}</script>",
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "max_file_size": LIMITS.file_bytes,
        "state_session_capacity": 500,
        "ssr_mode": False,
        "share": False,
        "app_kwargs": {
            "middleware": [
                Middleware(CompressedPage),
                Middleware(SafeHeaders),
                Middleware(CheckedCalls),
                Middleware(BoundedUploads, folder=Path(get_upload_folder())),
            ],
            "routes": routes,
        },
    }
