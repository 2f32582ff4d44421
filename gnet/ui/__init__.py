"""The page. Only what is in here knows Gradio, and Gradio is imported when a page is built."""

from types import ModuleType
from typing import TYPE_CHECKING, Any

from gnet.answers.lessons.teaching import Lessons
from gnet.network.model import GoogLeNet
from gnet.serving.measuring import Measuring
from gnet.serving.networks.offered import NetworkOffers

if TYPE_CHECKING:
    import gradio as gr

    from gnet.ui.http.rates import RateLimits


def build(
    model: GoogLeNet,
    runs: Any = None,
    measuring: Measuring | None = None,
    offers: NetworkOffers | None = None,
    lessons: Lessons | None = None,
) -> "gr.Blocks":
    """A fresh page for `model`; with `runs`, networks can be trained in it.

    Launch it with `launch_options()`. `measuring` says what an epoch takes, by default by trying;
    `offers` are the other networks that can be chosen, `lessons` the guided ones.
    """
    return _page().build(model, runs, measuring, offers, lessons)


def launch_options(
    runs: Any = None,
    offers: NetworkOffers | None = None,
    lessons: Lessons | None = None,
    login: str = "",
    *,
    mcp: bool = False,
    rates: "RateLimits | None" = None,
    log: bool = False,
) -> dict[str, Any]:
    """What `Blocks.launch` must be told for the page to look and behave as meant.

    `runs`, `offers` and `lessons` are those given to `build`: their files can be fetched then.
    `login`: NAME:PASSWORD that everybody has to give; empty for none. `mcp`: whether other programs
    may ask the tools by the Model Context Protocol. `rates`: how much a person and an address may
    ask in a minute; without it nobody is limited. `log`: whether a line of JSON on each request
    goes to stderr.
    """
    return _page().launch_options(runs, offers, lessons, login, mcp=mcp, rates=rates, log=log)


def _page() -> ModuleType:
    from gnet.ui.environment import without_stubs

    with without_stubs():
        from gnet.ui import page

    return page
