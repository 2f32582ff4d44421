"""Texts for learners beside the screens: what is seen, what to try, what it cannot show.

Each figure in them is counted from the network or from an experiment's settings.
"""

from __future__ import annotations

from typing import Any

from gnet.channels.scales import DIRECTIONS, PERIODS
from gnet.data.patterns import CLASSES
from gnet.network.config import BRANCHES, STAGES
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import receptive_fields
from gnet.runs.experiments import EXPERIMENTS
from gnet.words import listed, number


def of_network(model: GoogLeNet) -> dict[str, dict[str, str]]:
    """Screen → its text, for the screens that look at one network."""
    return {"explore": _explore(model), "branches": _branches()}


def of_training() -> dict[str, str]:
    """The text of the Train tab."""
    first, heads = EXPERIMENTS["first-run"], EXPERIMENTS["heads"]
    config = first.runs[0][1]
    return {
        "see": f"A GoogLeNet learns from scratch. “{first.title}” shows it {len(CLASSES)} patterns "
        f"at {config.size} px, {config.per_class} pictures of each, {config.epochs} times over, "
        f"and is {number(config.model.width)} times as wide as the paper's network. The loss falls "
        "where the network becomes surer of the right class; validation pictures are never "
        "learned from.",
        "try": f"Run “{first.title}” and guess before each epoch where the accuracy will be. Then "
        f"run “{heads.title}”: its {len(heads.runs)} runs differ in nothing but the heads.",
        "limits": "One run is one draw of random numbers: with another seed the curves lie "
        "elsewhere. A difference of two runs means something only if it is larger than that.",
    }


def _explore(model: GoogLeNet) -> dict[str, str]:
    size, fields = model.info.preprocessing.size, receptive_fields(model)
    early, late = _sides(fields, STAGES[0]), _sides(fields, STAGES[-1])
    return {
        "see": f"One picture on its way through {len(STAGES)} modules. Each has {len(BRANCHES)} "
        f"branches side by side, {len(STAGES) * len(BRANCHES)} in all. A cell of {STAGES[0]} sees "
        f"{early} px of the picture in the four branches, a cell of {STAGES[-1]} {late} px; the "
        f"picture has {size}.",
        "try": f"Switch off one branch of {STAGES[0]}, then one of {STAGES[-1]}, and compare how "
        "far the belief moves. Give two photos of one thing and look which channels stay the "
        "strongest ones.",
        "limits": "A bright map says where a branch responds, not what it stands for. A branch "
        "that is off is a state the network never learned from, so a part of what moves is "
        "surprise and no loss of knowledge.",
    }


def _branches() -> dict[str, str]:
    return {
        "see": f"A grid of {len(STAGES)} modules by {len(BRANCHES)} branches. Each can be off, at "
        "its mean, or scaled; the history keeps every step. Two sides, of "
        "two pictures, classes or networks, stand on one scale.",
        "try": "Guess which branch of a module matters most before you reveal it. Then look for "
        "two branches that can each be spared alone, but not together.",
        "limits": f"The stripes have {PERIODS} distances in {len(DIRECTIONS)} directions; a photo "
        "holds many at once, so a branch may answer differently there. One picture says little "
        "about others.",
    }


def _sides(fields: dict[str, dict[str, Any]], stage: str) -> str:
    """The four branches' receptive fields in px."""
    return listed(fields[stage][branch].size for branch in BRANCHES)
