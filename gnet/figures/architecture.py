"""The drawing of a network as a picture file of its own, SVG; places come with the drawing."""

from __future__ import annotations

from html import escape
from typing import Any

from gnet.figures.colours import BRANCH_COLOURS, INK

_ROOM = 24
_SHORT: dict[str, str] = {"convolution": "conv", "batch norm": "norm"}
_PALE = 0.25
"""Opacity of what a chosen head does not need."""


def drawing_svg(drawing: dict[str, Any], head: str = "") -> str:
    """A blueprint on white paper; with `head`, what that head does not need is pale."""
    ink, hues = INK["light"], BRANCH_COLOURS["light"]
    width, height = drawing["width"] + 2 * _ROOM, drawing["height"] + 2 * _ROOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="{-_ROOM} {-_ROOM} {width:g} {height:g}" font-family="sans-serif">',
        f'<rect x="{-_ROOM}" y="{-_ROOM}" width="100%" height="100%" fill="{ink["paper"]}"/>',
    ]
    for group in drawing["groups"]:
        x, y, wide, _ = group["place"]
        drawn = _box(group["place"], 8, "#f2f2ef", ink["line"]) + _box(
            group["concat"], 2, ink["sub"], "none"
        )
        drawn += _text(x + 12, y + 19, group["title"], 16, ink["ink"], "start", bold=True)
        drawn += _text(x + wide - 12, y + 19, group["sub"], 12, ink["sub"], "end")
        parts.append(_faded(drawn, group, head))
    for edge in drawing["edges"]:
        colour = hues.get(edge["branch"], ink["sub"])
        path = f'<path d="{edge["path"]}" fill="none" stroke="{colour}" stroke-width="1.4"/>'
        parts.append(_faded(path, edge, head))
    parts += [_faded(_block(node, ink, hues), node, head) for node in drawing["nodes"]]
    for label in drawing["labels"]:
        x, y = label["at"]
        text = _text(x, y, label["text"], 14, ink["sub"], "start", bold=True)
        parts.append(_faded(text, label, head))
    return "\n".join([*parts, "</svg>", ""])


def _block(node: dict[str, Any], ink: dict[str, str], hues: dict[str, str]) -> str:
    x, y, width, height = node["place"]
    middle, tall = x + width / 2, height > 40
    colour = hues.get(node["branch"], ink["sub"])
    size = 13 if len(node["title"]) <= 9 else 11
    drawn = _box(node["place"], 5, ink["paper"], colour)
    drawn += _text(
        middle, y + (19 if tall else 13), node["title"], size, ink["ink"], "middle", bold=True
    )
    drawn += _text(middle, y + (34 if tall else 24), node["sub"], 11, ink["sub"], "middle")
    steps = " → ".join(_SHORT.get(str(step), str(step)) for step in node["steps"])
    return drawn + _text(middle, y + height - 4, steps, 7, ink["sub"], "middle")


def _box(place: list[float], corner: int, fill: str, stroke: str) -> str:
    x, y, width, height = place
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{corner}" '
        f'fill="{fill}" stroke="{stroke}"/>'
    )


def _text(
    x: float, y: float, words: str, size: int, fill: str, anchor: str, *, bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" '
        f'text-anchor="{anchor}"{weight}>{escape(words)}</text>'
    )


def _faded(drawn: str, part: dict[str, Any], head: str) -> str:
    pale = head and head not in part["heads"]
    return f'<g opacity="{_PALE}">{drawn}</g>' if pale else drawn
