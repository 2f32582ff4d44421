"""The form of the Why tab: each method with its options, its cost here, and whether it holds."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from gnet.answers.explorer import Explorer
from gnet.answers.why import cost, learning
from gnet.explain.attribution.checks import check_head, stages_before
from gnet.explain.attribution.methods import METHODS, Method
from gnet.explain.attribution.options import BASELINES, LENGTHS, PLACE, every_option
from gnet.network.config import EXITS, STAGES
from gnet.words import cut, opening

MOST = 4
"""Maps side by side."""


def describe_form(explorer: Explorer, head: Any) -> dict[str, Any]:
    """What can be asked about `head` of a network; its speed is measured when it is first asked."""
    head = cut(head)
    check_head(explorer.model, head)
    if explorer.speed is None:
        with explorer.reasoning() as model:
            explorer.speed = cost.measure(model, "main" if "main" in explorer.trained else head)
    side = explorer.model.info.preprocessing.size
    rows = [_row(explorer, method, head) for method in METHODS.values()]
    rows.sort(key=lambda row: row["reason"] is not None)
    return {
        "net": explorer.net,
        "head": head,
        "methods": rows,
        "options": [_option(name, side) for name in every_option() if name not in PLACE],
        "baselines": {name: opening(words) for name, words in BASELINES.items()},
        "stages": list(stages_before(head)),
        "most": MOST,
        "shallow": shallow(head),
        "branches": f"{opening(cost.in_words(explorer.speed.gradient))}, 1 run of the network",
        "learn": learning.text(explorer, head),
    }


def shallow(head: str) -> str:
    """What a map of an early head explains; empty for the main head."""
    if head == "main":
        return ""
    number = len(stages_before(head))
    return (
        f"{head} leaves after {EXITS[head]}: its maps explain a network of {number} modules, not "
        f"what the other {len(STAGES) - number} add."
    )


def _row(explorer: Explorer, method: Method, head: str) -> dict[str, Any]:
    options, side = method.options(), explorer.model.info.preprocessing.size
    assert explorer.speed is not None
    taken = cost.seconds(method.cost(options, side), explorer.speed)
    return {
        "name": method.name,
        "label": method.label,
        "sentence": method.sentence,
        "options": [f.name for f in fields(method.options) if f.name not in PLACE],
        "place": method.needs_stage,
        "reason": reason(explorer, method, head),
        "time": cost.in_words(taken),
    }


def reason(explorer: Explorer, method: Method, head: str) -> str | None:
    """Why a method is invalid on a network; measured once for a head."""
    key = (method.name, head)
    if key not in explorer.invalid:
        with explorer.reasoning() as model:
            explorer.invalid[key] = method.reason(model, head)
    return explorer.invalid[key]


def _option(name: str, side: int) -> dict[str, Any]:
    f = every_option()[name]
    most = f.metadata["max"]
    return {
        "name": name,
        "help": opening(f.metadata["help"]),
        "default": f.default,
        "choices": list(f.metadata["choices"]),
        "min": f.metadata["min"],
        "max": min(most, side) if name in LENGTHS else most,
        "whole": isinstance(f.default, int),
    }
