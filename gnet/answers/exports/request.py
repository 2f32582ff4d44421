"""What the page asks to save: one of its views, checked, and the file's name."""

import math
from typing import Any

from gnet.answers import channel as channels
from gnet.answers.explorer import Chosen, Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.exports import views
from gnet.answers.exports.export import Export, check_format
from gnet.answers.exports.over_pictures import DEPTH_VIEWS, depth_view
from gnet.answers.why import question
from gnet.answers.why.branches import cams_of
from gnet.answers.why.explaining import explained
from gnet.errors import FieldError
from gnet.explain.ablation import Ablation
from gnet.explain.belief import trained_head
from gnet.system.paths import file_stem
from gnet.words import cut, listed

FIELDS = (
    "stage",
    "branch",
    "channel",
    "head",
    "class_index",
    "method",
    "switches",
    "options",
    "curves",
    "limit",
)
"""What a view may need besides the picture."""

VIEWS = {
    "module": "The chosen module",
    "overview": "Shares of all 36 branches",
    "heads": "Answers of the heads",
    "depth": "Belief from depth to depth",
    "channel": "The opened channel",
    "map": "What is lost without each branch",
    "account": "What each branch adds to the logit",
    "why": "Why",
    "cams": "Grad-CAM of all branches",
}
"""View → its name in the menu of Explore. Why has one of its own for each map that it shows."""


def export_of(explorer: Explorer, chosen: Chosen, view: Any, request: Any) -> Export:
    """The requested view of a picture; raises `GnetError`.

    `request`: a dict with what the view needs of FIELDS.
    """
    if not isinstance(view, str) or view not in VIEWS:
        raise FieldError("view", cut(view), listed([*VIEWS, *DEPTH_VIEWS]))
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
    if view == "cams":
        return _cams(explorer, chosen, wanted)
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
    recording = explorer.found(chosen, None)[1].recording
    patches = channels.strongest_patches(explorer.model.info.digest, place)
    return views.export_channel(recording, *place, patches)


def _why(explorer: Explorer, chosen: Chosen, wanted: dict[str, Any]) -> Export:
    """One map; with "curves" also what could prove it wrong, with "limit" on that scale."""
    asked = _asked(explorer, chosen, wanted)
    given = {
        "methods": [wanted["method"]],
        "options": wanted["options"] or {"stage": wanted["stage"]},
    }
    named = question.wanted(asked, given)
    answer, curves = explained(named, named.cards[0], curved=bool(wanted["curves"]))
    pixels = asked.kept.recording.pixels
    return views.export_why(answer, pixels, curves, _limit(wanted["limit"]))


def _cams(explorer: Explorer, chosen: Chosen, wanted: dict[str, Any]) -> Export:
    asked = _asked(explorer, chosen, wanted)
    return views.export_cams(cams_of(asked), asked.kept.recording)


def _asked(explorer: Explorer, chosen: Chosen, wanted: dict[str, Any]) -> question.Asked:
    key, kept = explorer.found(chosen, None)
    head = cut(wanted["head"])
    trained_head(kept.recording, head)
    targets = [explorer.class_index(wanted["class_index"])]
    return question.Asked(explorer=explorer, key=key, kept=kept, head=head, targets=targets)


def _limit(value: Any) -> float | None:
    """Where the scale of a map ends; None: where its own values do."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise FieldError("limit", cut(value), "numbers above 0")
    return float(value)


def file_of(
    explorers: Explorers, picture: Any, view: Any, kind: Any, request: Any
) -> tuple[str, bytes]:
    """Name and content of a view's file; raises `GnetError`.

    A view of DEPTH_VIEWS is about a network and needs no picture.
    """
    check_format(kind)
    if isinstance(view, str) and view in DEPTH_VIEWS:
        network, export = depth_view(explorers, view, request)
        stem = file_stem(network.lower(), 40, "network")
        return f"{stem}-{export.name}.{kind}", export.content(kind)
    explorer, chosen = explorers.resolve(picture)
    export = export_of(explorer, chosen, view, request)
    return file_name(chosen, export, kind), export.content(kind)


def file_name(chosen: Chosen, export: Export, kind: str) -> str:
    """Such as `boots-module-4b.svg`, and `boots-module-4b-switched.svg` with switches."""
    check_format(kind)
    name = chosen.example or chosen.name.rsplit(".", 1)[0]
    picture = file_stem(name.lower(), 40, "picture")
    view = file_stem(export.name.lower(), 80, "view")
    switched = "-switched" if export.about.get("switches") else ""
    return f"{picture}-{view}{switched}.{kind}"
