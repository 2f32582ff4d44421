"""The worth of each part of the bundled network's recipe: short runs with one change each.

They step by Muon: AdamW, which the bundled network learned by, learns too little in so short a run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gnet.network.config import ModelConfig
from gnet.runs.outcomes import Outcome, sampling_error
from gnet.runs.train_config import TrainConfig
from gnet.words import percent

WHOLE = "the-whole-recipe"
CHANGES: dict[str, dict[str, Any]] = {
    "64-px-from-the-start": {"grow": ""},
    "constant-rate": {"schedule": "constant"},
    "AdamW-for-Muon": {"optimiser": "adamw"},
    "no-balance-of-classes": {"balance": 0.0},
    "no-label-smoothing": {"label_smoothing": 0.0},
    "no-averaged-weights": {"ema": 0.0},
    "no-auxiliary-heads": {"aux": False},
    "thumbnails-smooth-and-not-varied": {"aliased": 0.0, "vary_detail": 0.0},
    "with-CutMix": {"cutmix": 0.5},
}
"""Name → the fields that differ from the whole recipe.

Thumbnails stay: without them a network sees other pictures, in its evaluation, too.
"""


def plan(data: str, threads: int = 0) -> dict[str, TrainConfig]:
    """Name → run: 60 pictures of each class, five epochs at up to 64 px, one thing changed."""
    whole = TrainConfig(
        model=ModelConfig.preset("batch-norm"),
        data=data,
        per_class=60,
        size=64,
        grow="48x2",
        epochs=5,
        batch=64,
        optimiser="muon",
        learning_rate=3e-3,
        weight_decay=0.05,
        label_smoothing=0.1,
        balance=0.6,
        thumbnails=1.0,
        aliased=0.5,
        vary_detail=0.5,
        ema=0.99,
        threads=threads,
        checkpoint_seconds=60.0,
        pinned=-1,
    )
    return {WHOLE: whole} | {name: _changed(whole, **change) for name, change in CHANGES.items()}


def _changed(config: TrainConfig, *, aux: bool = True, **fields: Any) -> TrainConfig:
    return replace(config, model=replace(config.model, aux=aux), **fields)


def table(found: dict[str, Outcome]) -> str:
    """The finished runs as a Markdown table: main head, difference, time; and the noise of it."""
    whole = found.get(WHOLE)
    lines = ["| run | main | difference | aux1 | training |", "|---|---|---|---|---|"]
    for name, run in found.items():
        apart = "" if whole is None or run is whole else f"{100 * (run.main - whole.main):+.1f}"
        aux1 = percent(run.accuracy["aux1"]) if "aux1" in run.accuracy else "–"
        cells = (name.replace("-", " "), percent(run.main), apart, aux1, f"{run.seconds:.0f} s")
        lines.append(f"| {' | '.join(cells)} |")
    if whole is not None and len(found) > 1:
        other = next(run for run in found.values() if run is not whole)
        noise = 100 * sampling_error(whole, other)
        lines += [
            "",
            f"Top-1 on {whole.pictures:,} validation pictures, one seed each. Other pictures "
            f"change a difference by about {noise:.1f} points, and so does another seed.",
        ]
    return "\n".join(lines)
