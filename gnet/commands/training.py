"""The command train."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import IO, Any

from gnet.commands.console import Command, print_json
from gnet.commands.options import add_model_options, add_train_options, given_options, train_config
from gnet.errors import GnetError
from gnet.runs.events import Event
from gnet.runs.train_config import TrainConfig
from gnet.system.lease import Lease
from gnet.system.processes import with_large_pages
from gnet.system.progress import Bar
from gnet.system.signals import StopSignals


def register(command: Command) -> None:
    """Tell the command line what the commands are given."""
    sub = command(train, weights=False)
    sub.add_argument("--run-dir", metavar="DIR", help="folder that keeps the run")
    sub.add_argument("--resume", metavar="DIR", help="go on with the run kept there")
    sub.add_argument(
        "--lease", metavar="FILE", help="stop once nobody has touched FILE for a minute"
    )
    sub.add_argument("--tensorboard", metavar="DIR", help="also write curves for TensorBoard there")
    add_train_options(sub)
    add_model_options(sub)

    sub = command(preview, weights=False)
    add_train_options(sub, _OPTIONS)
    sub.add_argument("--out", metavar="DIR", help="also write the contact sheet there, sheet.webp")

    for function, name in ((find_rate, "find-rate"), (estimate, "estimate")):
        sub = command(function, name, weights=False)
        sub.add_argument(
            "--asked",
            action="store_true",
            help="read the settings as a line of JSON on standard input, and end when it does",
        )
        add_train_options(sub)
        add_model_options(sub)


def train(arguments: argparse.Namespace) -> int:
    """Train a network, or go on with a run."""
    from gnet.runs.events import EpochDone, RunEnded, RunPaused, RunStarted, StepDone, to_line

    with_large_pages()
    signals = StopSignals()
    speaks = os.environ.get("RANK", "0") == "0"  # one of the processes that torchrun starts
    steps, bar = 0, Bar("reading pictures")
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
            if isinstance(event, RunPaused) and not arguments.json:
                bar.clear()
                print(f"paused after {event.step} steps, as control.json says", flush=True)
            if isinstance(event, RunEnded) and not arguments.json:
                bar.clear()
                more = f"; {event.message}" if event.message else ""
                print(f"{event.reason} after {event.step} steps, {event.seconds:.0f} s{more}")
    return signals.exit_code


def _run_events(
    arguments: argparse.Namespace, signals: StopSignals, bar: Bar
) -> tuple[list[Event], Generator[Event, None, None]]:
    """How the run to be resumed began, if one is, and the events to come."""
    from gnet.runs.events import RunStarted
    from gnet.runs.folder import RunFolder
    from gnet.training import loop as training

    stop = _stop_requested(arguments, signals)
    if not arguments.resume:
        config = train_config(arguments)
        if not arguments.run_dir:
            print("gnet: without --run-dir nothing of this run is kept.", file=sys.stderr)
        return [], training.train(config, arguments.run_dir, progress=bar, stop=stop)
    refused = given_options(arguments) + (["--run-dir"] if arguments.run_dir else [])
    if refused:
        raise GnetError(
            f"--resume was given with {', '.join(refused)}; allowed is --resume DIR alone, as "
            "a run goes on with its own config."
        )
    if training.is_finished(RunFolder(arguments.resume)):
        print(
            f"The run in {arguments.resume} is finished; there is nothing to resume.",
            file=sys.stderr if arguments.json else sys.stdout,
        )
    past: list[Event] = [
        e for e in RunFolder(arguments.resume).events() if isinstance(e, RunStarted)
    ]
    return past, training.resume(arguments.resume, progress=bar, stop=stop)


def _stop_requested(arguments: argparse.Namespace, signals: StopSignals) -> Callable[[], bool]:
    if not arguments.lease:
        return signals.asked
    lease = Lease(arguments.lease)
    return lambda: signals.asked() or lease.has_run_out()


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


_OPTIONS = ("data", "classes", "per_class", "size", "seed")


_WIDTH = 30


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


def find_rate(arguments: argparse.Namespace) -> int:
    """Suggest a learning rate for a run, from a few dozen steps at rates that grow."""
    from gnet.training import finder
    from gnet.training.finder import thinned

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
    from gnet.training import finder
    from gnet.training.finder import thinned

    with_large_pages()
    config = _config(arguments)
    few, whole = thinned(config)
    told = finder.estimate(few, Bar("reading pictures"), whole=whole)
    if arguments.json:
        print(json.dumps(asdict(told)))
        return 0
    seconds = told.seconds_per_epoch * config.epochs
    print(
        f"{told.steps} steps, {told.seconds_per_epoch:.1f} s an epoch, "
        f"{_seconds_in_words(seconds)} in all; {told.pictures_per_second:.0f} pictures/s"
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


def _seconds_in_words(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
