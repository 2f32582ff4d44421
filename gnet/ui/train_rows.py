"""Runs as the page lists them: what they differ in, and which heads learn nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gnet.config import HEADS
from gnet.errors import GnetError
from gnet.optimisation import head_weights
from gnet.presets import PRESETS
from gnet.runs import Runs
from gnet.train_config import TrainConfig
from gnet.ui.train_form import FIELDS, MODEL, differing, value_of

_MOST = 3
"""Differences told of a run; the rest is in its tooltip."""
_TOGETHER = 5.0
"""Seconds within which a question's runs are started."""
PASSED_OVER = ("model.num_classes", "max_minutes", "threads", "checkpoint_seconds")
_LABELS = {shown.name: shown.label for shown in FIELDS} | {
    "data": "pictures",
    "per_class": "pictures a class",
    "size": "px",
    "model.aux": "auxiliary heads",
    "model.kernel_5x5": "5×5 kernel",
    "model.rectified_outputs": "rectified outputs",
}
_WORDS = {shown.name: shown.words for shown in FIELDS if shown.words}


def described(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `Runs.list`, newest first, with words beside their numbers."""
    configs = [_config(row) for row in rows]
    names = [n for n in differing([c for c in configs if c]) if n not in PASSED_OVER]
    told = []
    for row, config in zip(rows, configs, strict=True):
        pairs = [] if config is None else _pairs(row, config, rows, configs, names)
        told.append(
            {key: value for key, value in row.items() if key != "config"}
            | {
                "differs": pairs[:_MOST],
                "differs_more": ", ".join(f"{what} {value}" for what, value in pairs),
                "untrained": [] if config is None else untrained(config),
                "explore": bool(row["weights"]),
            }
        )
    return told


def after_runs(runs: Runs, run_id: str, owner: str) -> str:
    """What the runs that were started together with this one have shown; empty if none is told."""
    rows = runs.list(owner, [run_id])
    (asked,) = [row for row in rows if row["id"] == run_id] or [None]
    preset = PRESETS.get(asked["preset"]) if asked else None
    if asked is None or preset is None:
        return ""
    near = [
        row
        for row in reversed(rows)
        if row["preset"] == asked["preset"] and abs(row["created"] - asked["created"]) < _TOGETHER
    ]
    names = [name for name, _ in preset.runs]
    events = {
        name: runs.run_folder(row["id"]).events() for name, row in zip(names, near, strict=False)
    }
    return preset.after(events)


def untrained(config: TrainConfig) -> list[str]:
    """The heads that a run leaves untrained."""
    has = HEADS if config.model.aux else ("main",)
    weights = head_weights(config)
    return [head for head in HEADS if head not in has or not weights[head]]


def _config(row: Mapping[str, Any]) -> TrainConfig | None:
    try:
        return TrainConfig.from_json(row["config"])
    except GnetError:
        return None


def _pairs(
    row: Mapping[str, Any],
    config: TrainConfig,
    rows: Sequence[Mapping[str, Any]],
    configs: Sequence[TrainConfig | None],
    names: Sequence[str],
) -> list[tuple[str, str]]:
    """What to tell: first what sets a run apart within its question, then from all others."""
    near = [
        c
        for r, c in zip(rows, configs, strict=True)
        if c is not None and r["preset"] == row["preset"]
    ]
    first = differing(near)
    ordered = sorted(names, key=lambda name: name not in first)
    return [(label(name), word(name, value_of(config, name))) for name in ordered]


def label(name: str) -> str:
    """A setting's name in words."""
    text = _LABELS.get(name) or name.removeprefix(MODEL).replace("_", " ")
    return text[0].lower() + text[1:] if text[:3] != "5×5" else text


def word(name: str, value: Any) -> str:
    """A setting's value in words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if name == "data":
        return str(value).rsplit("/", 1)[-1]
    if isinstance(value, float):
        return f"{value:g}"
    return (
        str(value).replace("x", "×") if name == "model.left_out" and value else str(value) or "none"
    )
