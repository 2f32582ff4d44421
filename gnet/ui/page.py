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
from gnet.answers.lessons.reader import read_lessons
from gnet.answers.lessons.teaching import Lessons
from gnet.answers.live.viewing import Viewing
from gnet.data.pictures import LIMITS
from gnet.network.model import GoogLeNet
from gnet.serving.measuring import Measuring
from gnet.serving.networks.offered import NetworkOffers
from gnet.serving.reviews import Reviews
from gnet.ui import networks_menu, saving, tabs
from gnet.ui.components import drawing, read
from gnet.ui.events import TURNS
from gnet.ui.http import card, downloads, frames, health, receiving
from gnet.ui.http.calls import CheckedCalls
from gnet.ui.http.document import CompressedPage, OwnHead
from gnet.ui.http.headers import SafeHeaders, share_with_nobody
from gnet.ui.http.login import Login
from gnet.ui.http.rates import LimitedRates, RateLimits
from gnet.ui.http.sessions import keep_light, look_less_often
from gnet.ui.http.uploads import BoundedUploads, sweep_also
from gnet.ui.labels.table import LABELS
from gnet.ui.labels.touch import TOUCH_LABELS
from gnet.ui.lessons import panel
from gnet.ui.log.requests import LoggedRequests
from gnet.ui.tools import endpoint as tools

SCRIPTS = (
    "lessons/early.js",
    "shared/store.js",
    "shared/words.js",
    "shared/leading.js",
    "shared/lost.js",
    "shared/toasts.js",
    "shared/copying.js",
    "shared/missing.js",
    "shared/nets.js",
    "shared/sending.js",
    "shared/terms.js",
    "shared/learning.js",
    "shared/asking.js",
    "shared/maps.js",
    "shared/hearing.js",
    "shared/views.js",
    "explore/fields.js",
    "explore/spots.js",
    "explore/switching.js",
    "explore/light.js",
    "explore/painting.js",
    "explore/cells.js",
    "explore/reasons.js",
    "architecture/architecture.js",
    "depth/over.js",
    "why/why.js",
    "train/tracks.js",
    "train/train.js",
    "shared/chart.js",
    "train/bars.js",
    "review/review.js",
    "lessons/lessons.js",
)
"""What the drawings' scripts share, in the order it is loaded."""

STYLES = (
    "shared/style.css",
    "shared/parts.css",
    "explore/explore.css",
    "explore/light.css",
    "why/why.css",
    "depth/depth.css",
    "train/form.css",
    "train/form-choices.css",
    "train/form-states.css",
    "train/plots.css",
    "train/touch.css",
    "lessons/lessons.css",
    "lessons/questions.css",
    "lessons/worksheet.css",
)
"""The style sheet: the page's own rules, those of the form, those of the plots."""


def build(
    model: GoogLeNet,
    runs: Any = None,
    measuring: Measuring | None = None,
    offers: NetworkOffers | None = None,
    lessons: Lessons | None = None,
) -> gr.Blocks:
    """A fresh page for `model`, warmed up; with `runs`, networks can be trained in it.

    `measuring` measures what an epoch takes; by default in processes of their own. `offers` are
    the other networks that can be chosen, `lessons` the guided ones, by default those shipped.
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
    uploads = Path(get_upload_folder())
    explorers = Explorers(explorer, shelf, reviews, uploads=uploads, offers=offers)
    with gr.Blocks(title="gnet", analytics_enabled=False) as page:
        drawing("shared/header")
        networks_menu.build(explorers)
        saving.build(explorers)
        panel.build(explorers, read_lessons() if lessons is None else lessons)
        for tab in tabs.tabs(runs is not None):
            with gr.Column(elem_id=f"{tab.name}-tab", elem_classes="tab"):
                tab.build(explorers, training)
    frames.view(page, Viewing(explorers, TURNS))
    tools.answer(page, tools.Questions(explorers, TURNS))
    page.queue(max_size=64)
    keep_light(page)
    look_less_often(page)
    share_with_nobody()
    return page


def launch_options(
    runs: Any = None,
    offers: NetworkOffers | None = None,
    lessons: Lessons | None = None,
    login: str = "",
    *,
    mcp: bool = False,
    rates: RateLimits | None = None,
    log: bool = False,
) -> dict[str, Any]:
    """What `launch` must be told; `runs`, `offers` and `lessons` are those given to `build`.

    `login`: NAME:PASSWORD that everybody has to give; empty for none. `mcp`: whether the tools
    can be asked over http; `rates`: how much a person and an address may ask in a minute; `log`:
    whether a line of JSON on each request goes to stderr.
    """
    lessons = read_lessons() if lessons is None else lessons
    shown = tabs.tabs(runs is not None)
    style = "\n".join([*map(read, STYLES), tabs.style(shown), panel.style(lessons)])
    table = f"window.gnetTerms = {json.dumps([terms.rows(), terms.by_word(), terms.PAPER])};"
    words = f"window.gnetLabels = {json.dumps([LABELS, TOUCH_LABELS])};"
    tables = [tabs.script(shown), panel.script(lessons), table, words]
    scripts = "\n".join([*tables, *map(read, SCRIPTS)])
    shelf = runs.shelf if runs is not None else None
    routes = health.routes() + card.routes() + frames.routes() + downloads.routes(shelf)
    if mcp:
        routes += tools.routes()
    if runs is not None and runs.limits.enabled:
        routes.append(receiving.zips(runs.offers))
    if offers is not None and offers.own.takes_files:
        routes.append(receiving.networks(offers.own))
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
                *(
                    [Middleware(LoggedRequests, proxies=rates.proxies if rates else 0)]
                    if log
                    else []
                ),
                Middleware(CompressedPage),
                Middleware(OwnHead, script=read("shared/still.js")),
                Middleware(SafeHeaders),
                *([Middleware(Login, login=login)] if login else []),
                Middleware(CheckedCalls),
                *([Middleware(LimitedRates, limits=rates)] if rates else []),
                Middleware(BoundedUploads, folder=Path(get_upload_folder())),
            ],
            "routes": routes,
        },
    }
