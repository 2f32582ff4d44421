"""What the page asks to save: a view of the picture chosen, checked, and its file's name."""

import re
from typing import Any

from gnet.answers import channel as channels
from gnet.answers.explorer import Chosen, Explorer
from gnet.answers.exports import views
from gnet.answers.exports.export import Export, check_format
from gnet.errors import FieldError
from gnet.explain.ablation import Ablation
from gnet.words import cut, listed

FIELDS = ("stage", "branch", "channel", "head", "class_index", "method", "switches")
"""What a view may need besides the picture."""

VIEWS = {
    "module": "The chosen module",
    "overview": "Shares of all 36 branches",
    "heads": "Answers of the heads",
    "depth": "Belief from depth to depth",
    "channel": "The opened channel",
    "map": "Worth of each branch",
    "account": "What each branch carries",
    "why": "Why",
}
"""View → its name on the page."""


def export_of(explorer: Explorer, chosen: Chosen, view: Any, request: Any) -> Export:
    """The requested view of a picture; raises `GnetError`.

    `request`: a dict with what the view needs of FIELDS.
    """
    if not isinstance(view, str) or view not in VIEWS:
        raise FieldError("view", cut(view), listed(VIEWS))
    given = request if isinstance(request, dict) else {}
    wanted = {name: given.get(name) for name in FIELDS}
    if view == "channel":
        return _channel(explorer, chosen, wanted)
    if view == "map":
        worth = explorer.weighed(chosen, wanted["head"])[1]
        index = explorer.class_index(wanted["class_index"])
        return views.export_map(worth, cut(wanted["head"]), index)
    if view == "account":
        asked = wanted["head"], wanted["class_index"]
        return views.export_account(explorer.accounted(chosen, *asked))
    if view == "why":
        return _why(explorer, chosen, wanted)
    _, ablation = explorer.ablation(chosen, wanted["switches"] or {})
    return _switched(explorer, ablation, view, wanted)


def _switched(explorer: Explorer, ablation: Ablation, view: str, wanted: dict[str, Any]) -> Export:
    """One of the views that show the network with its switches."""
    after, switches = ablation.after, ablation.switches
    if view == "module":
        return views.export_module(after, cut(wanted["stage"]), switches)
    if view == "overview":
        return views.export_overview(after, switches)
    if view == "heads":
        return views.export_heads(after, switches)
    index = explorer.class_index(wanted["class_index"])
    return views.export_depth(after, explorer.probes, index, switches)


def _channel(explorer: Explorer, chosen: Chosen, wanted: dict[str, Any]) -> Export:
    place = channels.place_of(explorer, wanted)
    recording = explorer.kept(explorer.view(chosen)).recording
    patches = channels.strongest_patches(explorer.model.info.digest, place)
    return views.export_channel(recording, *place, patches)


def _why(explorer: Explorer, chosen: Chosen, wanted: dict[str, Any]) -> Export:
    view = explorer.view(chosen)
    asked = [wanted[name] for name in ("method", "head", "class_index", "stage")]
    return views.export_why(explorer.attribution(view, *asked), view.pixels)


def file_name(chosen: Chosen, export: Export, kind: str) -> str:
    """Such as `boots-module-4b.svg`, and `boots-module-4b-switched.svg` with switches."""
    check_format(kind)
    stem = chosen.example or chosen.name.rsplit(".", 1)[0]
    stem = re.sub(r"[^\w-]+", "-", stem.lower()).strip("-")[:40] or "picture"
    switched = "-switched" if export.about.get("switches") else ""
    return f"{stem}-{export.name}{switched}.{kind}"
