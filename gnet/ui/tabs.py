"""The table of tabs, from which the page, its header and its style are made.

A new tab is a file in this folder, a folder in assets/components and one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnet import strict_json
from gnet.answers.explorers import Explorers
from gnet.serving.measuring import Measuring
from gnet.serving.offers import Offers
from gnet.serving.reviews import Reviews
from gnet.serving.runs import Runs
from gnet.ui import architecture_tab, branches_tab, depth_tab, explore_tab, why_tab
from gnet.ui.components import FOLDER, read
from gnet.ui.train import tab as train_tab


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a server has for training; a page without it has no Train tab."""

    runs: Runs
    reviews: Reviews
    offers: Offers
    measuring: Measuring


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One tab of the page."""

    name: str
    """As in the address, and the folder of its components."""
    label: str
    line: str
    """What it is about, beside the tabs."""
    build: Callable[[Explorers, Training | None], None]
    """Puts its components and events where the caller stands."""
    needs_training: bool = False
    about_picture: bool = False
    """Whether it is about the picture and the choices that Explore shows."""

    @property
    def drawings(self) -> int:
        """Drawings that must be there before the page is shown: header, lessons, and its own."""
        scripts = (FOLDER / self.name).glob("*/*.js")
        own = [path.relative_to(FOLDER).as_posix() for path in scripts]
        return 2 + sum("gnet.draw(" in read(name) for name in own)


def _train(_: Explorers, training: Training | None) -> None:
    assert training is not None
    train_tab.build(training.runs, training.reviews, training.offers, training.measuring)


TABS = (
    Tab(
        name="explore",
        label="Explore",
        line="Watch GoogLeNet make up its mind, branch by branch.",
        build=lambda explorers, _: explore_tab.build(explorers),
        about_picture=True,
    ),
    Tab(
        name="branches",
        label="Branch lab",
        line="Switch any branches, compare, predict, and see which scale each one answers.",
        build=lambda explorers, _: branches_tab.build(explorers),
        about_picture=True,
    ),
    Tab(
        name="depth",
        label="Depth",
        line="What each depth of the network knows, over many pictures.",
        build=lambda explorers, _: depth_tab.build(explorers),
        about_picture=True,
    ),
    Tab(
        name="why",
        label="Why",
        line="Reasons for an answer, and what could prove them wrong.",
        build=lambda explorers, _: why_tab.build(explorers),
        about_picture=True,
    ),
    Tab(
        name="train",
        label="Train",
        line="A GoogLeNet of your own, and what happens inside while it learns.",
        build=_train,
        needs_training=True,
    ),
    Tab(
        name="architecture",
        label="Architecture",
        line="What the network is made of, and what each part costs.",
        build=lambda explorers, _: architecture_tab.build(explorers),
        about_picture=True,
    ),
)
"""In the order they stand in the header; the first one is what the page opens on."""


def tabs(training: bool) -> list[Tab]:
    """The tabs of a page with or without training."""
    return [tab for tab in TABS if training or not tab.needs_training]


def script(shown: Sequence[Tab]) -> str:
    """The table as the page's scripts read it, before all others."""
    table = {
        tab.name: {
            "label": tab.label,
            "line": tab.line,
            "drawings": tab.drawings,
            "picture": tab.about_picture,
        }
        for tab in shown
    }
    return f"window.gnetTabs = {strict_json.dumps(table)};"


def style(shown: Sequence[Tab]) -> str:
    """The rules that hide every tab but the chosen one."""
    hidden = ", ".join(f'html:not([data-tab="{tab.name}"]) #{tab.name}-tab' for tab in shown)
    return f"{hidden} {{ display: none !important; }}"
