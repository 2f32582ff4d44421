"""The command preview: a data set as a run would find it."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from gnet.commands.console import Command
from gnet.commands.options import add_train_options, train_config
from gnet.commands.printing import print_json
from gnet.system.progress import Bar

_OPTIONS = ("data", "classes", "per_class", "size", "seed")
_WIDTH = 30


def register(command: Command) -> None:
    """Tell the command line what the command is given: the part of train's that concerns data."""
    sub = command(preview, weights=False)
    add_train_options(sub, _OPTIONS)
    sub.add_argument("--out", metavar="DIR", help="also write the contact sheet there, sheet.webp")


def preview(arguments: argparse.Namespace) -> None:
    """Show what a run would find in a data set: classes, split, what is skipped and why."""
    from gnet.data.preview import preview as look
    from gnet.data.preview import write_sheet

    config = train_config(arguments)
    bar = Bar("opening pictures")
    found = look(
        config.data,
        size=config.size,
        seed=config.seed,
        per_class=config.per_class,
        classes=config.chosen_classes(),
        progress=bar,
    )
    bar.clear()
    written = write_sheet(found, arguments.out) if arguments.out else None
    if arguments.json:
        record = {key: value for key, value in asdict(found).items() if key != "sheet"}
        print_json(record | {"sheet": str(written) if written else None})
        return
    print(f"{'class':<{_WIDTH}}  train    val")
    for count in found.classes:
        print(f"{count.name[:_WIDTH]:<{_WIDTH}}  {count.train:5d}  {count.val:5d}")
    origin = "split here, by the seed" if found.made_split else "split as it came"
    print(f"{len(found.classes)} classes, {found.train} + {found.val} pictures, {origin}")
    for reason, count in found.skipped.items():
        print(f"skipped {count} of {found.opened} opened: {reason}")
    for sentence in found.warnings:
        print(sentence)
    if written:
        print(f"written: {written}")
