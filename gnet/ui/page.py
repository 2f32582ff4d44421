"""Assembles the page of its tabs, and says how it is launched."""

from typing import Any

import gradio as gr
from gradio.themes import Base
from starlette.middleware import Middleware

from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.data.pictures import LIMITS
from gnet.network.model import GoogLeNet
from gnet.serving.reviews import Reviews
from gnet.ui import explore_tab
from gnet.ui.components import drawing, read
from gnet.ui.http import downloads, zips
from gnet.ui.http.headers import SafeHeaders
from gnet.ui.http.uploads import sweep_also
from gnet.ui.train import tab as train_tab

SCRIPTS = (
    "shared/store.js",
    "shared/hearing.js",
    "train/tracks.js",
    "train/train.js",
    "shared/chart.js",
    "train/bars.js",
    "review/review.js",
)
"""What the drawings' scripts share, in the order it is loaded."""

STYLES = (
    "shared/style.css",
    "train/form.css",
    "train/form-states.css",
    "train/plots.css",
)
"""The style sheet: the page's own rules, those of the form, those of the plots."""


def build(model: GoogLeNet, runs: Any = None) -> gr.Blocks:
    """A fresh page for `model`, warmed up; with `runs`, networks can be trained in it."""
    explorer = Explorer(model)
    sweep_also(explorer.recordings)
    explorer.warm_up()
    reviews = Reviews() if runs is not None else None
    with gr.Blocks(title="gnet", analytics_enabled=False) as page:
        drawing("shared/header", tabs=["explore", "train"] if runs is not None else ["explore"])
        with gr.Column(elem_id="explore-tab", elem_classes="tab"):
            explore_tab.build(Explorers(explorer, runs, reviews))
        if runs is not None and reviews is not None:
            with gr.Column(elem_id="train-tab", elem_classes="tab"):
                train_tab.build(runs, reviews, runs.offers)
    page.queue(max_size=64)
    return page


def launch_options(runs: Any = None) -> dict[str, Any]:
    """What `launch` must be told; with the `runs` of the page, their files can be fetched."""
    style = "\n".join(read(name) for name in STYLES)
    scripts = "\n".join(read(name) for name in SCRIPTS)
    routes = downloads.routes(runs)
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
        "app_kwargs": {"middleware": [Middleware(SafeHeaders)], "routes": routes},
    }
