"""Commands that look before a run begins: preview its data, find its rate, estimate its time."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from gnet import strict_json
from gnet.commands.console import Command, print_json
from gnet.commands.options import add_model_options, add_train_options, train_config
from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.system.processes import end_with, with_large_pages
from gnet.system.progress import Bar
from gnet.words import duration

_OF_DATA = ("data", "classes", "per_class", "size", "seed")
_WIDTH = 30


def register(command: Command) -> None:
    sub = command(
        preview,
        "Show what a run would find in a data set: classes, split, what is skipped and why.",
        weights=False,
    )
    add_train_options(sub, _OF_DATA)
    sub.add_argument("--out", metavar="DIR", help="also write the contact sheet there, sheet.webp")

    sub = command(
        find_rate,
        "Suggest a learning rate for a run, from a few dozen steps at growing rates.",
        name="find-rate",
        weights=False,
    )
    _add_run(sub)
    sub = command(
        estimate, "Estimate how long a run takes, from a few of its steps.", weights=False
    )
    _add_run(sub)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stdin",
        action="store_true",
        help="read the settings as one line of JSON from standard input; end when it is closed",
    )
    add_train_options(parser)
    add_model_options(parser)


def preview(arguments: argparse.Namespace) -> None:
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


def find_rate(arguments: argparse.Namespace) -> None:
    from gnet.training import finder

    with_large_pages()
    few, _ = finder.thinned(_config(arguments))
    found = finder.find_rate(few, Bar("trying learning rates"))
    if arguments.json:
        print(strict_json.dumps(asdict(found)))
        return
    print("learning rate  loss (smoothed, all heads, weighted)")
    for rate, loss in zip(found.rates, found.losses, strict=True):
        print(f"{rate:13.2e}  {loss:7.3f}")
    print(f"suggested: --learning-rate {found.suggested:.2g}, a third of the rate of least loss")


def estimate(arguments: argparse.Namespace) -> None:
    from gnet.training import finder

    with_large_pages()
    config = _config(arguments)
    few, whole = finder.thinned(config)
    found = finder.estimate(few, Bar("reading pictures"), whole=whole)
    if arguments.json:
        print(strict_json.dumps(asdict(found)))
        return
    seconds = found.seconds_per_epoch * config.epochs
    print(
        f"{found.steps} steps, {found.seconds_per_epoch:.1f} s an epoch, "
        f"{duration(seconds)} in all; {found.pictures_per_second:.0f} pictures/s"
    )


def _config(arguments: argparse.Namespace) -> TrainConfig:
    if not arguments.stdin:
        return train_config(arguments)
    try:
        record = json.loads(sys.stdin.readline())
    except ValueError:
        raise GnetError("Standard input holds no settings; allowed is one line of JSON.") from None
    end_with(sys.stdin)
    return TrainConfig.from_json(record)
