"""Imagenette from scratch: accuracy after 5 and 20 epochs, with and without auxiliary heads.

The public leaderboard (github.com/fastai/imagenette) asks the same of any network at 128 px.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from gnet import strict_json
from gnet.network.config import HEADS, ModelConfig
from gnet.runs.train_config import TrainConfig
from gnet.studies.series import OnEpoch, carry_out, finished
from gnet.system.atomic import atomically
from gnet.system.signals import StopSignals

CLASSES = (
    "cassette_player",
    "chain_saw",
    "church",
    "english_springer",
    "french_horn",
    "garbage_truck",
    "gas_pump",
    "golf_ball",
    "parachute",
    "tench",
)
"""Folders of Imagenette's ten classes."""
FULL_VALIDATION = 3925
"""Pictures of Imagenette's own validation set."""
RESULTS = "imagenette.json"
_GROW = {5: "96x2", 20: "64x6,96x6"}


def plan(data: str, threads: int = 0) -> dict[str, TrainConfig]:
    """Name → run: 5 epochs with and without heads, three seeds each; 20 epochs with, one seed."""
    runs = {}
    for epochs, seeds in ((5, 3), (20, 1)):
        for aux in (True, False) if epochs == 5 else (True,):
            for seed in range(seeds):
                name = f"{epochs}-epochs-{'with' if aux else 'without'}-heads-{seed}"
                runs[name] = _config(data, epochs, aux=aux, seed=seed, threads=threads)
    return runs


def _config(data: str, epochs: int, *, aux: bool, seed: int, threads: int) -> TrainConfig:
    # In five epochs a network does not come to fit its pictures too well: dropout only slows it.
    dropout = {"dropout": 0.0, "dropout_aux": 0.0} if epochs == 5 else {}
    return TrainConfig(
        model=ModelConfig.preset("batch-norm", aux=aux, **dropout),
        data=data,
        classes=",".join(CLASSES),
        size=128,
        grow=_GROW[epochs],
        epochs=epochs,
        batch=32,
        optimiser="muon",
        learning_rate=3e-3,
        weight_decay=0.05,
        label_smoothing=0.1,
        ema=0.99,
        threads=threads,
        checkpoint_seconds=60.0,
        seed=seed,
    )


def benchmark(
    data: str,
    folder: Path,
    *,
    threads: int = 0,
    only: str = "",
    on_epoch: OnEpoch = lambda *_: None,
    signals: StopSignals | None = None,
) -> dict[str, Any]:
    """Do the runs that are not finished in `folder`, and return (and keep there) the results.

    `only`, `on_epoch` and `signals` as in `carry_out`. Raises `GnetError` where `data` lacks
    classes.
    """
    carry_out(plan(data, threads), folder, only=only, on_epoch=on_epoch, signals=signals)
    found = results(data, folder)
    with atomically(folder / RESULTS) as temporary:
        temporary.write_text(strict_json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def results(data: str, folder: Path) -> dict[str, Any]:
    """What the finished runs in `folder` reached: accuracy (fractions) of every head at the end."""
    runs = finished(plan(data), folder)
    groups: dict[str, Any] = {}
    for kind in dict.fromkeys(name.rpartition("-")[0] for name in runs):
        each = [run.accuracy for name, run in runs.items() if name.rpartition("-")[0] == kind]
        groups[kind] = {
            head: {
                "seeds": len(each),
                "mean": statistics.fmean(a[head] for a in each),
                "deviation": statistics.stdev(a[head] for a in each) if len(each) > 1 else None,
            }
            for head in HEADS
            if head in each[0]
        }
    rows = {
        name: {"accuracy": run.accuracy, "pictures": run.pictures, "seconds": run.seconds}
        for name, run in runs.items()
    }
    return {"runs": rows, "groups": groups, "full_validation": FULL_VALIDATION}


def table(found: dict[str, Any]) -> str:
    """The results as a Markdown table, and what they cannot be compared with."""
    lines = ["| training | seeds | main | aux2 | aux1 |", "|---|---|---|---|---|"]
    for kind, heads in found["groups"].items():
        cells = [_cell(heads.get(head)) for head in ("main", "aux2", "aux1")]
        lines.append(
            f"| {kind.replace('-', ' ')} | {heads['main']['seeds']} | {' | '.join(cells)} |"
        )
    counts_of_pictures = sorted({run["pictures"] for run in found["runs"].values()})
    counts = " and ".join(f"{count:,}" for count in counts_of_pictures)
    note = (
        f"Top-1 at 128 px on {counts} of Imagenette's {found['full_validation']:,} validation "
        "pictures; ± is the standard deviation over the seeds. Steps by Muon; dropout in the run "
        "of 20 epochs alone."
    )
    return "\n".join([*lines, "", note])


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return "–"
    spread = "" if row["deviation"] is None else f" ± {100 * row['deviation']:.1f}"
    return f"{100 * row['mean']:.1f}{spread} %"
