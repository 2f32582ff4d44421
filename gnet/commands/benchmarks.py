"""The commands imagenette and ablate: series of runs from scratch."""

from __future__ import annotations

import argparse
from pathlib import Path

from gnet.commands.console import Command
from gnet.commands.printing import print_json
from gnet.commands.process import with_large_pages
from gnet.runs.events import EpochDone
from gnet.system.signals import StopSignals


def register(command: Command) -> None:
    """Tell the command line what the commands are given."""
    for sub, data in (
        (command(imagenette, weights=False), "zip or folder that holds Imagenette's classes"),
        (command(ablate, weights=False), "zip or folder of pictures"),
    ):
        sub.add_argument("--data", required=True, help=data)
        sub.add_argument("--out", required=True, metavar="DIR", help="folder that keeps the runs")
        sub.add_argument(
            "--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice"
        )
        sub.add_argument("--only", default="", metavar="NAME", help="runs whose name begins so")


def imagenette(arguments: argparse.Namespace) -> int:
    """Train on Imagenette from scratch: 5 epochs with and without heads, 20 with."""
    from gnet.studies.imagenette import benchmark, table

    with_large_pages()
    signals = StopSignals()
    found = benchmark(
        arguments.data,
        Path(arguments.out),
        threads=arguments.threads,
        only=arguments.only,
        say=_silent if arguments.json else _say,
        signals=signals,
    )
    if arguments.json:
        print_json(found)
    else:
        print(table(found))
    return signals.exit_code


def ablate(arguments: argparse.Namespace) -> int:
    """Train short runs that differ from the bundled network's recipe in one thing each."""
    from dataclasses import asdict

    from gnet.studies.recipe import plan, table
    from gnet.studies.series import carry_out, finished

    with_large_pages()
    runs, folder = plan(arguments.data, arguments.threads), Path(arguments.out)
    signals, say = StopSignals(), _silent if arguments.json else _say
    carry_out(runs, folder, only=arguments.only, say=say, signals=signals)
    found = finished(runs, folder)
    if arguments.json:
        print_json({name: asdict(run) for name, run in found.items()})
    else:
        print(table(found))
    return signals.exit_code


def _say(name: str, epoch: EpochDone) -> None:
    accuracy = 100 * epoch.val_accuracy["main"]
    print(f"{name}  epoch {epoch.epoch}  {accuracy:.1f} %  {epoch.seconds:.0f} s", flush=True)


def _silent(name: str, epoch: EpochDone) -> None:
    pass
