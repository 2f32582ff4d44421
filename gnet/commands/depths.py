"""Commands for what happens from depth to depth: probe, exits."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gnet.commands.console import Command, positive
from gnet.commands.printing import print_json
from gnet.commands.process import with_large_pages
from gnet.system.progress import Bar

PROBE_MARKS = "<!-- probes: written by `python -m gnet probe` -->", "<!-- /probes -->"
EXIT_MARKS = "<!-- exits: written by `python -m gnet exits` -->", "<!-- /exits -->"


def register(command: Command) -> None:
    """Tell the command line what the commands are given."""
    sub = command(probe)
    sub.add_argument("--data", required=True, help="built-in, a torchvision name, folder or zip")
    sub.add_argument(
        "--per-class", type=positive, default=100, help="training pictures a class (default 100)"
    )
    sub.add_argument("--seed", type=int, default=0, help="of the draw and the split (default 0)")
    sub.add_argument("--out", required=True, metavar="FILE", help="the .safetensors file to write")
    sub.add_argument("--card", metavar="FILE", help="model card to write the table into")

    sub = command(exits)
    sub.add_argument("--data", required=True, help="built-in, a torchvision name, folder or zip")
    sub.add_argument("--split", default="val", help="top-level folder of the data set")
    sub.add_argument("--seed", type=int, default=0, help="of the split (default 0)")
    sub.add_argument("--out", metavar="FILE", help=".json to write; a figure (.png) goes beside it")
    sub.add_argument("--card", metavar="FILE", help="model card to write the table into")


def probe(arguments: argparse.Namespace) -> None:
    """Fit a linear probe to each module's output; the network is not changed."""
    from gnet.evaluation.probe_fitting import fit_probes, probes_table
    from gnet.network.model import fold
    from gnet.network.weights import load

    with_large_pages()
    _check_card(arguments.card, PROBE_MARKS)
    fitted = fit_probes(
        fold(load(arguments.weights)),
        arguments.data,
        per_class=arguments.per_class,
        seed=arguments.seed,
        progress=Bar("probing"),
    )
    path = fitted.save(arguments.out)
    _write_card(arguments.card, PROBE_MARKS, probes_table(fitted))
    if arguments.json:
        print_json({"file": str(path), "bytes": path.stat().st_size, **fitted.metrics})
        return
    print(f"{path}, {path.stat().st_size / 1e6:.2f} MB")
    for stage, row in fitted.metrics["stages"].items():
        print(f"  {stage}  {100 * row['top1']:5.1f} / {100 * row['top5']:5.1f} %")


def exits(arguments: argparse.Namespace) -> None:
    """What leaving the network early gains and costs."""
    from gnet.evaluation.exits import measure_exits
    from gnet.figures.exits import exits_figure, exits_table
    from gnet.figures.sheet import save
    from gnet.network.model import fold
    from gnet.network.weights import load
    from gnet.system.atomic import atomically

    with_large_pages()
    _check_card(arguments.card, EXIT_MARKS)
    measured = measure_exits(
        fold(load(arguments.weights)),
        arguments.data,
        split=arguments.split,
        seed=arguments.seed,
        progress=Bar("judging"),
    )
    record = measured.to_json()
    if arguments.out:
        with atomically(arguments.out) as temporary:
            temporary.write_text(json.dumps(record), encoding="utf-8")
        save(exits_figure(measured), Path(arguments.out).with_suffix(".png"))
    _write_card(arguments.card, EXIT_MARKS, exits_table(measured))
    if arguments.json:
        print_json(record)
        return
    print(exits_table(measured))


def _check_card(card: str | None, marks: tuple[str, str]) -> None:
    """Refuse a card without marks before the work, not after it."""
    from gnet.studies.publishing import between_marks

    if card:
        between_marks(Path(card), "", *marks)


def _write_card(card: str | None, marks: tuple[str, str], text: str) -> None:
    from gnet.studies.publishing import between_marks
    from gnet.system.atomic import atomically

    if card:
        whole = between_marks(Path(card), text, *marks)
        with atomically(card) as temporary:
            temporary.write_text(whole, encoding="utf-8")
