"""From a finished run to weights to ship: half precision, evaluated as stored, and a card.

The card's prose is written by hand; what is measured or counted stands between two marks and is
written here.
"""

from __future__ import annotations

import shlex
import tempfile
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gnet.data.datasets import Dataset, open_dataset
from gnet.errors import GnetError
from gnet.evaluation.accuracy import evaluate
from gnet.figures import sheet
from gnet.figures.curves import training_figure
from gnet.network.folding import fold
from gnet.network.model import GoogLeNet
from gnet.network.weights import load, save
from gnet.runs.events import EpochDone, Event, RunEnded, RunStarted
from gnet.runs.folder import LAST, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.studies.model_card import MEASURED, between_marks
from gnet.system.atomic import atomically
from gnet.system.progress import Progress


def publish(
    run_dir: str | Path,
    out: str | Path,
    *,
    data: str | Path | None = None,
    size: int | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Make weights to ship of the run in `run_dir`, and return the files written.

    `out`: a .safetensors path; beside it go the card (.md) and the run's curves (-curves.png).
    `data` is where the run's data set lies now, by default where it lay then; `size` (px) is the
    side to evaluate and show at, by default the run's. Nothing is written before all is measured.
    Raises `GnetError`, also for a run that has not come to its end.
    """
    folder, out = RunFolder(run_dir), Path(out)
    config = folder.config()
    end = next((e for e in folder.events() if isinstance(e, RunEnded)), None)
    if end and end.reason == "diverged":
        raise GnetError(f"The run in {run_dir} diverged and has nothing to publish. {end.message}")
    if not folder.finished():
        raise GnetError(
            f"The run in {run_dir} is not finished; resume it to its end, then publish it."
        )
    card = out.with_suffix(".md")
    between_marks(card, "", MEASURED)  # refuses a card without marks before the work, not after it
    model = load(folder.path / LAST)
    picture = replace(model.info.preprocessing, size=size or config.size)
    model.config.check_size(picture.size, picture.size)
    model.info = replace(model.info, name=out.stem, preprocessing=picture)

    spec, seed = data or config.data, config.seed
    options: dict[str, Any] = {"size": picture.size, "seed": seed, "progress": progress}
    options["classes"] = config.chosen_classes()
    train = open_dataset(spec, "train", per_class=config.per_class or None, **options)
    validation = open_dataset(spec, "val", **options)
    stored = _halved(model)  # the page shows the very weights that are evaluated
    metrics = evaluate(fold(stored), validation, picture, progress=progress).summary()
    metrics |= {"data": Path(config.data).name, "split": "val", "size": picture.size}
    stored.info = replace(stored.info, metrics=metrics)

    events = folder.events()
    curves = out.with_name(_curves(out.stem))
    text = measured(config, events, metrics, out.stem, class_table(train))
    text, figure = between_marks(card, text, MEASURED), training_figure(events)
    save(stored, out, half=True)
    with atomically(card) as temporary:
        temporary.write_text(text, encoding="utf-8")
    sheet.save(figure, curves)
    return [out, card, curves]


def measured(
    config: TrainConfig,
    events: list[Event],
    metrics: dict[str, Any],
    name: str,
    classes: str,
) -> str:
    """The card's measured part as Markdown; `name` is that of the weights' file."""
    epochs = [event for event in events if isinstance(event, EpochDone)]
    started = next(event for event in events if isinstance(event, RunStarted))
    sizes = Counter(config.sizes_by_epoch())
    planned = ", ".join(f"{count} at {size} px" for size, count in sorted(sizes.items()))
    smoothing = f", with label smoothing {config.label_smoothing}" * bool(config.label_smoothing)
    heads = list(metrics["heads"])
    rows = {"all pictures": (metrics["heads"], metrics["count"])}
    rows["mean over the sources"] = (metrics["sources_mean"], metrics["count"])
    rows |= {g: (tops, metrics["counts"][g]) for g, tops in metrics["groups"].items()}
    table = [
        "| pictures | number | " + " | ".join(f"{h} top-1 / top-5" for h in heads) + " |",
        "|---" * (2 + len(heads)) + "|",
    ]
    for group, (tops, count) in rows.items():
        each = (f"{100 * tops[h]['top1']:.1f} / {100 * tops[h]['top5']:.1f} %" for h in heads)
        table.append(f"| {group} | {count:,} | " + " | ".join(each) + " |")
    return "\n".join(
        [
            "### Command",
            "",
            "```",
            command(config, name),
            "```",
            "",
            f"{config.epochs} epochs ({planned}) over {started.pictures['train']:,} pictures, "
            f"{started.steps:,} steps, {started.precision} arithmetic, "
            f"{started.parameters:,} parameters; "
            f"in the last epoch the main head's training loss was "
            f"{epochs[-1].train_loss['main']:.2f} nats{smoothing}.",
            "",
            f"![Loss and accuracy over the run]({_curves(name)})",
            "",
            "### Accuracy",
            "",
            f"On `{metrics['split']}` of `{metrics['data']}`, centre squares at "
            f"{metrics['size']} px, with the weights as they are stored:",
            "",
            *table,
            "",
            f"`python -m gnet evaluate --data {metrics['data']} --split {metrics['split']}` "
            "prints these figures.",
            "",
            "### Classes",
            "",
            classes,
        ]
    )


def command(config: TrainConfig, name: str) -> str:
    """The command line that asks for `config`; of data set and first weights the name alone.

    `name` is that of the folder below runs/ which will hold the run.
    """
    words = ["python -m gnet train", f"--data {shlex.quote(Path(config.data).name)}"]
    for record in (config, config.model):
        default = type(record)()
        for f in fields(record):
            value = getattr(record, f.name)
            if f.name not in ("model", "data", "num_classes") and value != getattr(default, f.name):
                text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
                text = Path(text).name if f.name == "start" else text
                words.append(f"--{f.name.replace('_', '-')} {shlex.quote(text)}")
    return " \\\n    ".join([*words, f"--run-dir {shlex.quote(f'runs/{name}')}"])


def class_table(train: Dataset) -> str:
    """Folder, name to show, and pictures of `train` by source of every class, as Markdown."""
    counts = Counter(zip(train.labels.tolist(), train.sources, strict=True))
    lines = ["| folder | shown as | pictures of `train` by source |", "|---|---|---|"]
    for label, (folder, shown) in enumerate(zip(train.names, train.classes, strict=True)):
        sources = (f"{source} {n}" for (own, source), n in sorted(counts.items()) if own == label)
        lines.append(f"| {folder} | {shown} | {', '.join(sources)} |")
    return "\n".join(lines)


def _halved(model: GoogLeNet) -> GoogLeNet:
    """The network as it comes back from a file in half precision."""
    with tempfile.TemporaryDirectory() as folder:
        return load(save(model, Path(folder) / LAST, half=True))


def _curves(name: str) -> str:
    return f"{name}-curves.png"
