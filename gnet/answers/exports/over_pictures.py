"""The views of the Depth tab as exports: many pictures' figures as a figure and as a table."""

from typing import Any

from gnet.answers.depths.pictures import accuracy_sentence, agreement_sentence
from gnet.answers.explorers import Explorers
from gnet.answers.exports.export import Export
from gnet.errors import FieldError, GnetError
from gnet.evaluation.depth import Depth
from gnet.figures.depths import accuracy_figure, agreement_figure, classes_figure, early_figure
from gnet.words import cut, listed

DEPTH_VIEWS = {
    "accuracy": "Accuracy of heads and probes",
    "agreement": "Agreement of the depths",
    "classes": "Each class from depth to depth",
    "early": "Leaving early",
}
"""View → its name in the menu of Depth."""


def depth_view(explorers: Explorers, view: str, request: Any) -> tuple[str, Export]:
    """A network's name and a view of its figures over many pictures; raises `GnetError`.

    `request`: {"net", "class", "leave"}, each as the tab's address has it or nothing.
    """
    given = request if isinstance(request, dict) else {}
    found = explorers.depth(given.get("net"))
    if not isinstance(found, Depth):
        raise GnetError("This network's figures over many pictures are not measured yet.")
    named, leave = cut(given.get("class") or ""), given.get("leave")
    if leave is not None and (isinstance(leave, bool) or not isinstance(leave, int | float)):
        raise FieldError("leave", cut(leave), "numbers from 0 to 1")
    name = explorers.find(given.get("net")).model.info.name or "network"
    return name, export_depths(found, view, named, leave)


def export_depths(depth: Depth, view: str, named: str = "", leave: float | None = None) -> Export:
    """One of DEPTH_VIEWS; `named` is a class to show, `leave` a threshold to mark."""
    if view not in DEPTH_VIEWS:
        raise FieldError("view", cut(view), listed(DEPTH_VIEWS))
    if named and named not in depth.classes:
        raise FieldError("class", named, f"names of the {len(depth.classes)} classes measured")
    if leave is not None and not 0 <= leave <= 1:
        raise FieldError("leave", leave, "numbers from 0 to 1")
    about = {"data": depth.data, "split": depth.split, "count": depth.count, "size": depth.size}
    rows, figure, more = {
        "accuracy": lambda: _accuracy(depth, named),
        "agreement": lambda: _agreement(depth),
        "classes": lambda: _classes(depth, named),
        "early": lambda: _early(depth, leave),
    }[view]()
    return Export(name=f"depth-{view}", about=about | more, rows=rows, figure=figure)


def _accuracy(depth: Depth, named: str) -> tuple[Any, ...]:
    words = accuracy_sentence(depth)
    rows = [
        {
            "reader": reader.name,
            "module": reader.stage,
            "trained": reader.status,
            "right": reader.top1,
            "mean_confidence": reader.confidence,
        }
        for reader in depth.readers
    ]
    return rows, lambda: accuracy_figure(depth, words, named), {"sentence": words}


def _agreement(depth: Depth) -> tuple[Any, ...]:
    words, names = agreement_sentence(depth), [reader.name for reader in depth.readers]
    rows = [
        {"reader": name} | dict(zip(names, shares, strict=True))
        for name, shares in zip(names, depth.agreement, strict=True)
    ]
    return rows, lambda: agreement_figure(depth, words), {"sentence": words}


def _classes(depth: Depth, named: str) -> tuple[Any, ...]:
    names = [reader.name for reader in depth.readers]
    rows = [
        {"class": name, "count": count} | dict(zip(names, course, strict=True))
        for name, count, course in zip(depth.classes, depth.counts, depth.courses, strict=True)
        if course is not None
    ]
    return rows, lambda: classes_figure(depth, named), {}


def _early(depth: Depth, leave: float | None) -> tuple[Any, ...]:
    rows = [
        {
            "threshold": rule.threshold,
            "right": rule.top1,
            "multiply_adds": rule.macs,
            "milliseconds": rule.milliseconds,
        }
        | {f"leave_at_{head}": share for head, share in rule.leaving.items()}
        for rule in depth.rules
    ]
    return rows, lambda: early_figure(depth, leave), {"machine": depth.machine}
