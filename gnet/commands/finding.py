"""The commands find-rate and estimate: what is good to know before a run."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from gnet.commands.arguments import Command
from gnet.commands.process import with_large_pages
from gnet.options import add_model_options, add_train_options, train_config
from gnet.progress import Bar


def register(command: Command) -> None:
    """Tell the command line what the commands are given: what train is."""
    for function, name in ((find_rate, "find-rate"), (estimate, "estimate")):
        sub = command(function, name, weights=False)
        add_train_options(sub)
        add_model_options(sub)


def find_rate(arguments: argparse.Namespace) -> int:
    """Suggest a learning rate for a run, from a few dozen steps at rates that grow."""
    from gnet import finder

    with_large_pages()
    found = finder.find_rate(train_config(arguments), Bar("trying learning rates"))
    if arguments.json:
        print(json.dumps(asdict(found)))
        return 0
    print("learning rate  loss (smoothed, all heads, weighted)")
    for rate, loss in zip(found.rates, found.losses, strict=True):
        print(f"{rate:13.2e}  {loss:7.3f}")
    print(f"suggested: --learning-rate {found.suggested:.2g}, a tenth of where the loss was least")
    return 0


def estimate(arguments: argparse.Namespace) -> int:
    """Tell how long a run would take, from a few of its steps."""
    from gnet import finder

    with_large_pages()
    config = train_config(arguments)
    told = finder.estimate(config, Bar("reading pictures"))
    if arguments.json:
        print(json.dumps(asdict(told)))
        return 0
    whole = told.seconds_per_epoch * config.epochs
    print(
        f"{told.steps} steps, {told.seconds_per_epoch:.1f} s an epoch, {_in_words(whole)} in all; "
        f"{told.pictures_per_second:.0f} pictures/s"
    )
    return 0


def _in_words(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
