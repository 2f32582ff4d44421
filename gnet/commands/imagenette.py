"""The command imagenette: a benchmark from scratch."""

from __future__ import annotations

import argparse
from pathlib import Path

from gnet.commands.arguments import Command
from gnet.commands.printing import print_json
from gnet.commands.process import with_large_pages


def register(command: Command) -> None:
    """Tell the command line what the command is given."""
    sub = command(imagenette, weights=False)
    sub.add_argument("--data", required=True, help="zip or folder that holds Imagenette's classes")
    sub.add_argument("--out", required=True, metavar="DIR", help="folder that keeps the runs")
    sub.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    sub.add_argument(
        "--only", default="", metavar="NAME", help="runs whose name begins so, as 5-epochs-with"
    )


def imagenette(arguments: argparse.Namespace) -> None:
    """Train on Imagenette from scratch: 5 epochs with and without heads, 20 with."""
    from gnet.imagenette import benchmark, table

    with_large_pages()

    def say(name: str, epoch) -> None:
        accuracy = 100 * epoch.val_accuracy["main"]
        print(f"{name}  epoch {epoch.epoch}  {accuracy:.1f} %  {epoch.seconds:.0f} s", flush=True)

    found = benchmark(
        arguments.data,
        Path(arguments.out),
        threads=arguments.threads,
        only=arguments.only,
        say=(lambda name, epoch: None) if arguments.json else say,
    )
    if arguments.json:
        print_json(found)
        return
    print(table(found))
