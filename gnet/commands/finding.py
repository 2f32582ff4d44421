"""The commands find-rate and estimate: what is good to know before a run."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from dataclasses import asdict
from typing import IO

from gnet.commands.console import Command
from gnet.commands.options import add_model_options, add_train_options, train_config
from gnet.commands.process import with_large_pages
from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.system.progress import Bar


def register(command: Command) -> None:
    """Tell the command line what the commands are given: what train is."""
    for function, name in ((find_rate, "find-rate"), (estimate, "estimate")):
        sub = command(function, name, weights=False)
        sub.add_argument(
            "--asked",
            action="store_true",
            help="read the settings as a line of JSON on standard input, and end when it does",
        )
        add_train_options(sub)
        add_model_options(sub)


def find_rate(arguments: argparse.Namespace) -> int:
    """Suggest a learning rate for a run, from a few dozen steps at rates that grow."""
    from gnet.data.preview import thinned
    from gnet.training import finder

    with_large_pages()
    few, _ = thinned(_config(arguments))
    found = finder.find_rate(few, Bar("trying learning rates"))
    if arguments.json:
        print(json.dumps(asdict(found)))
        return 0
    print("learning rate  loss (smoothed, all heads, weighted)")
    for rate, loss in zip(found.rates, found.losses, strict=True):
        print(f"{rate:13.2e}  {loss:7.3f}")
    print(f"suggested: --learning-rate {found.suggested:.2g}, a third of where the loss was least")
    return 0


def estimate(arguments: argparse.Namespace) -> int:
    """Tell how long a run would take, from a few of its steps."""
    from gnet.data.preview import thinned
    from gnet.training import finder

    with_large_pages()
    config = _config(arguments)
    few, whole = thinned(config)
    told = finder.estimate(few, Bar("reading pictures"), whole=whole)
    if arguments.json:
        print(json.dumps(asdict(told)))
        return 0
    seconds = told.seconds_per_epoch * config.epochs
    print(
        f"{told.steps} steps, {told.seconds_per_epoch:.1f} s an epoch, {_in_words(seconds)} in "
        f"all; {told.pictures_per_second:.0f} pictures/s"
    )
    return 0


def _config(arguments: argparse.Namespace) -> TrainConfig:
    if not arguments.asked:
        return train_config(arguments)
    try:
        record = json.loads(sys.stdin.readline())
    except ValueError:
        raise GnetError("Standard input holds no settings; allowed is one line of JSON.") from None
    threading.Thread(target=_end_with, args=(sys.stdin,), daemon=True).start()
    return TrainConfig.from_json(record)


def _end_with(stream: IO[str]) -> None:
    """End this process when whoever writes to it is gone."""
    while stream.read(1):
        pass
    os._exit(1)


def _in_words(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
