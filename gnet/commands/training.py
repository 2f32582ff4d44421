"""The command train: a new run, or an old one resumed."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from gnet.commands.console import Command
from gnet.commands.options import add_model_options, add_train_options, given_options, train_config
from gnet.errors import GnetError
from gnet.runs.events import Event
from gnet.system.lease import Lease
from gnet.system.processes import with_large_pages
from gnet.system.progress import Bar
from gnet.system.signals import StopSignals
from gnet.words import duration, listed


def register(command: Command) -> None:
    sub = command(train, "Train a network, or resume a run.", weights=False)
    sub.add_argument("--run-dir", metavar="DIR", help="folder that keeps the run")
    sub.add_argument(
        "--resume",
        metavar="DIR",
        help="go on with the run kept there; with --data where its data set was moved",
    )
    sub.add_argument(
        "--lease", metavar="FILE", help="stop once nobody has touched FILE for a minute"
    )
    sub.add_argument("--tensorboard", metavar="DIR", help="also write curves for TensorBoard there")
    add_train_options(sub)
    add_model_options(sub)


def train(arguments: argparse.Namespace) -> int:
    from gnet.runs.events import (
        EpochDone,
        RequestRefused,
        RunEnded,
        RunPaused,
        RunStarted,
        StepDone,
        to_line,
    )

    with_large_pages()
    signals = StopSignals()
    speaks = os.environ.get("RANK", "0") == "0"  # the first process under torchrun
    steps, bar, diverged = 0, Bar("reading pictures"), False
    with _noting(arguments.tensorboard if speaks else None) as note:
        past, events = _run_events(arguments, signals, bar)
        for event in itertools.chain(past, signals.heeding(events)):
            if not speaks:
                continue
            if event not in past:
                note(event)
                if arguments.json:
                    print(to_line(event), end="", flush=True)
            if isinstance(event, RunStarted):
                steps = event.steps
                bar = Bar(f"training, {event.precision}")
            if isinstance(event, StepDone):
                bar(event.step, steps, f"loss {event.loss:.3f}  {event.pictures_per_second:.0f}/s")
            if isinstance(event, EpochDone) and not arguments.json:
                bar.clear()
                print(_epoch_line(event), flush=True)
            if isinstance(event, RequestRefused):
                bar.clear()
                print(event.message, file=sys.stderr)  # the run goes on: no "gnet: " before it
            if isinstance(event, RunPaused) and not arguments.json:
                bar.clear()
                print(f"paused after {event.step} steps, as control.json says", flush=True)
            if isinstance(event, RunEnded) and event.reason == "diverged":
                diverged = True
                print(f"gnet: {event.message}", file=sys.stderr)
            if isinstance(event, RunEnded) and not arguments.json:
                bar.clear()
                more = f"; {event.message}" if event.message and not diverged else ""
                print(f"{event.reason} after {event.step} steps, {duration(event.seconds)}{more}")
    return 2 if diverged else signals.exit_code


def _run_events(
    arguments: argparse.Namespace, signals: StopSignals, bar: Bar
) -> tuple[list[Event], Generator[Event, None, None]]:
    """The start of a run that is resumed (empty for a new run), and the events to come."""
    from gnet.data.source import lasting
    from gnet.runs.events import RunStarted
    from gnet.runs.folder import RunFolder
    from gnet.training import loop as training

    stop = _stop_requested(arguments, signals)
    if not arguments.resume:
        config = train_config(arguments)
        config = replace(config, data=lasting(config.data))
        if not arguments.run_dir:
            print("gnet: without --run-dir nothing of this run is kept.", file=sys.stderr)
        return [], training.train(config, arguments.run_dir, progress=bar, stop=stop)
    refused = [option for option in given_options(arguments) if option != "--data"]
    refused += ["--run-dir"] if arguments.run_dir else []
    if refused:
        raise GnetError(
            f"--resume was given with {listed(refused)}; allowed is --data, if the data "
            "set was moved: a run keeps its own config."
        )
    if RunFolder(arguments.resume).finished():
        print(
            f"The run in {arguments.resume} is finished; there is nothing to resume.",
            file=sys.stderr if arguments.json else sys.stdout,
        )
    past: list[Event] = [
        e for e in RunFolder(arguments.resume).events() if isinstance(e, RunStarted)
    ]
    return past, training.resume(arguments.resume, data=arguments.data, progress=bar, stop=stop)


def _stop_requested(arguments: argparse.Namespace, signals: StopSignals) -> Callable[[], bool]:
    if not arguments.lease:
        return signals.requested
    lease = Lease(arguments.lease)
    return lambda: signals.requested() or lease.has_run_out()


def _noting(folder: str | None) -> AbstractContextManager[Callable[[Event], None]]:
    """A function that copies events for TensorBoard, or one that does nothing."""
    from gnet.runs.scalars import scalars

    return scalars(folder) if folder else nullcontext(lambda event: None)


def _epoch_line(event: Any) -> str:
    heads = "  ".join(
        f"{head} {100 * value:5.1f} % (train {100 * event.train_accuracy[head]:5.1f} %)"
        for head, value in event.val_accuracy.items()
    )
    return f"epoch {event.epoch:3d}  {event.seconds:6.0f} s   {heads}"
