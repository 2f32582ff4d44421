"""Runs as the page lists them: what they differ in, and which heads learn nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gnet.errors import GnetError
from gnet.runs.experiments import EXPERIMENTS
from gnet.runs.folder import EVENTS
from gnet.runs.outcomes import outcome_of
from gnet.runs.train_config import TrainConfig
from gnet.serving.runs import Runs
from gnet.ui.train.form import FIELDS, MODEL, differing, field_of, value_of
from gnet.ui.train.sentences import called
from gnet.words import listed

_MOST = 3
"""Differences listed of a run; the rest is in its tooltip."""
IN_MID_RUN = "changed during the run"
PASSED_OVER = ("model.num_classes", "max_minutes", "threads", "checkpoint_seconds")
_LABELS = {shown.name: shown.label for shown in FIELDS} | {
    "data": "pictures",
    "per_class": "pictures per class",
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
    within = {
        experiment: differing(
            [c for r, c in zip(rows, configs, strict=True) if c and r["experiment"] == experiment]
        )
        for experiment in {row["experiment"] for row in rows}
    }
    listing = []
    for row, config in zip(rows, configs, strict=True):
        pairs = [] if config is None else _pairs(config, names, within[row["experiment"]])
        if config and (words := in_mid_run(row["settings"], config)):
            pairs.insert(0, (IN_MID_RUN, words))
        listing.append(
            {key: value for key, value in row.items() if key != "config"}
            | {
                "word": called(row["state"]),
                "differs": pairs[:_MOST],
                "differs_more": ", ".join(f"{what} {value}" for what, value in pairs),
                "explore": bool(row["weights"]),
                "pinned": config is not None and config.pinned >= 0,
            }
        )
    return listing


def after_runs(runs: Runs, run_id: str, owner: str) -> str:
    """What the runs that were started together with this one have shown.

    Empty for a run that is no experiment's, and where this viewer does not see all of its group:
    one was deleted, or they are somebody else's.
    """
    rows = runs.shelf.list(owner, [run_id])
    run = next((row for row in rows if row["id"] == run_id), None)
    experiment = EXPERIMENTS.get(run["experiment"]) if run and run["group"] else None
    if run is None or experiment is None:
        return ""
    group = {row["part"]: row["id"] for row in rows if row["group"] == run["group"]}
    if group.keys() != {name for name, _ in experiment.runs}:
        return ""
    changed = [name for name, _ in experiment.runs if _steered(rows, group[name])]
    if changed:
        names = listed([f"“{name}”" for name in changed])
        result = "they no longer answer" if len(changed) > 1 else "it no longer answers"
        return f"Settings of {names} changed during the run, so {result} the experiment's question."
    found = {
        name: outcome_of(runs.shelf.run_folder(group[name]).path / EVENTS)
        for name, _ in experiment.runs
    }
    return experiment.verdict({name: one for name, one in found.items() if one is not None})


def _steered(rows: Sequence[Mapping[str, Any]], run_id: str) -> bool:
    row = next(row for row in rows if row["id"] == run_id)
    config = _config(row)
    return config is None or bool(in_mid_run(row["settings"], config))


def in_mid_run(settings: Mapping[str, float], config: TrainConfig) -> str:
    """What holds in place of the config since somebody changed it; empty if nothing does."""
    changed = {n: value for n, value in settings.items() if value != value_of(config, n)}
    return ", ".join(f"{label(name)} {word(name, value)}" for name, value in changed.items())


def _config(row: Mapping[str, Any]) -> TrainConfig | None:
    try:
        return TrainConfig.from_json(row["config"])
    except GnetError:
        return None


def _pairs(
    config: TrainConfig, names: Sequence[str], first: Sequence[str]
) -> list[tuple[str, str]]:
    """What to tell: first what sets a run apart within its question, then from all others."""
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
    words, choices = _WORDS.get(name), field_of(name).metadata["choices"]
    if words and value in choices:
        return words[choices.index(value)]
    return (
        str(value).replace("x", "×") if name == "model.left_out" and value else str(value) or "none"
    )
