"""The subcommands of `python -m gnet`: the same functions as the page, with text or JSON as result.

Heavy imports stand inside the commands, so that one command does not wait for another's.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from gnet.config import UNTRAINED
from gnet.errors import GnetError
from gnet.events import Event
from gnet.options import given_options, train_config
from gnet.progress import Bar
from gnet.signals import StopSignals


def predict(arguments: argparse.Namespace) -> None:
    """What the heads believe of each picture."""
    from gnet.model import fold
    from gnet.pictures import read_pixels
    from gnet.recording import belief, record
    from gnet.weights import load

    model = fold(load(arguments.weights))
    answers = []
    for path in arguments.pictures:
        recording = record(model, read_pixels(path, model.info.preprocessing))
        believed = belief(recording, top=arguments.top).heads
        rows = {
            head: [
                {
                    "class": model.info.class_name(index),
                    "probability": held.probabilities[index],
                    "status": held.status,
                }
                for index in held.top
            ]
            for head, held in believed.items()
        }
        present = [head for head in ("main", "aux1", "aux2") if head in recording.logits]
        status = {head: recording.heads.get(head, UNTRAINED) for head in present}
        answers.append({head: rows.get(head, []) for head in present} | {"status": status})
    if arguments.json:
        _print_json(answers[0] if len(answers) == 1 else answers)
        return
    for path, answer in zip(arguments.pictures, answers, strict=True):
        print(path)
        for head, status in answer["status"].items():
            print(f"  {head}  ({status})")
            for row in answer[head]:
                print(f"    {100 * row['probability']:5.1f} %  {row['class']}")


def explore(arguments: argparse.Namespace) -> None:
    """Record one picture and write what the page would show of it to a folder."""
    from gnet import figures
    from gnet.config import STAGES
    from gnet.model import fold
    from gnet.pictures import read_pixels
    from gnet.receptive_field import effective_fields
    from gnet.recording import record, statistics
    from gnet.weights import load

    model = fold(load(arguments.weights))
    recording = record(model, read_pixels(arguments.picture, model.info.preprocessing))
    folder = Path(arguments.out)
    written = [folder / "recording.safetensors"]
    recording.save(written[0])
    drawn = {"belief": figures.belief_figure(recording)}
    drawn["overview"] = figures.overview_figure(recording)
    drawn |= {f"module-{stage}": figures.explore_figure(recording, stage) for stage in STAGES}
    for name, figure in drawn.items():
        written.append(folder / f"{name}.{arguments.format}")
        figures.save(figure, written[-1])
    numbers = {stage: statistics(recording, stage) for stage in STAGES}
    if arguments.json:
        branches = {s: {b: vars(row) for b, row in rows.items()} for s, rows in numbers.items()}
        measured = effective_fields(model, recording.pixels)
        files = [str(path) for path in written]
        _print_json({"files": files, "branches": branches, "measured": measured})
        return
    print("share of each module's activation")
    for stage, rows in numbers.items():
        each = (f"{branch} {100 * row.share:4.1f} %" for branch, row in rows.items())
        print(f"  {stage}  " + "   ".join(each))
    print(f"{len(written)} files in {folder}")


def attribute(arguments: argparse.Namespace) -> None:
    """Why a head answers what it answers, for one picture."""
    from gnet import figures
    from gnet.attribution import STEPS, attribute
    from gnet.model import fold
    from gnet.pictures import read_pixels
    from gnet.recording import belief, record
    from gnet.weights import load

    model = fold(load(arguments.weights))
    pixels = read_pixels(arguments.picture, model.info.preprocessing)
    held = belief(record(model, pixels)).heads.get(arguments.head)
    target = model.info.class_index(arguments.target) if arguments.target else None
    answer = attribute(
        model,
        pixels,
        method=arguments.method,
        head=arguments.head,
        target=target if target is not None else (held.top[0] if held else 0),
        stage=arguments.stage,
        branch=arguments.branch,
        steps=arguments.steps or STEPS,
    )
    if arguments.out:
        figures.save(figures.attribution_figure(answer, pixels), arguments.out)
    if arguments.json:
        _print_json(answer.to_json())
        return
    print(answer.finding)


def train(arguments: argparse.Namespace) -> int:
    """Train a network, or go on with a run."""
    from gnet.events import EpochDone, RunEnded, RunStarted, StepDone, to_line

    _with_large_pages()
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
            if isinstance(event, RunEnded) and not arguments.json:
                bar.clear()
                print(f"{event.reason} after {event.step} steps, {event.seconds:.0f} s")
    return signals.exit_code


def _run_events(
    arguments: argparse.Namespace, signals: StopSignals, bar: Bar
) -> tuple[list[Event], Generator[Event, None, None]]:
    """How the run to be resumed began, if one is, and the events to come."""
    from gnet import training
    from gnet.events import RunStarted
    from gnet.run_folder import RunFolder

    if not arguments.resume:
        config = train_config(arguments)
        if not arguments.run_dir:
            print("gnet: without --run-dir nothing of this run is kept.", file=sys.stderr)
        return [], training.train(config, arguments.run_dir, progress=bar, stop=signals.asked)
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
    return past, training.resume(arguments.resume, progress=bar, stop=signals.asked)


def _noting(folder: str | None) -> AbstractContextManager[Callable[[Event], None]]:
    """A function that copies events for TensorBoard, or one that does nothing."""
    from gnet.scalars import scalars

    return scalars(folder) if folder else nullcontext(lambda event: None)


def evaluate(arguments: argparse.Namespace) -> None:
    """How many pictures of a data set each head gets right."""
    from dataclasses import replace

    from gnet.data import open_dataset
    from gnet.evaluation import evaluate
    from gnet.model import fold
    from gnet.weights import load

    _with_large_pages()
    model = fold(load(arguments.weights))
    preprocessing = model.info.preprocessing
    if arguments.size:
        preprocessing = replace(preprocessing, size=arguments.size)
        model.config.check_size(arguments.size, arguments.size)
    data = open_dataset(
        arguments.data,
        arguments.split,
        size=preprocessing.size,
        seed=arguments.seed,
        progress=Bar("reading pictures"),
    )
    result = evaluate(model, data, preprocessing, progress=Bar("evaluating"))
    summary = result.summary() | {"skipped": data.skipped}
    if arguments.json:
        _print_json(summary)
        return
    print(f"{summary['count']} pictures, {len(data.classes)} classes, {preprocessing.size} px")
    rows = {"all": summary["heads"], "mean of groups": summary["sources_mean"], **summary["groups"]}
    for name, heads in rows.items():
        each = "   ".join(
            f"{head} {100 * tops['top1']:5.1f} / {100 * tops['top5']:5.1f} %"
            for head, tops in heads.items()
        )
        print(f"  {name:<15}{each}")


def publish(arguments: argparse.Namespace) -> None:
    """Turn a finished run into weights to ship, with a model card."""
    from gnet.publishing import publish

    _with_large_pages()
    written = publish(
        arguments.run_dir,
        arguments.out,
        data=arguments.data,
        size=arguments.size,
        progress=Bar("judging"),
    )
    if arguments.json:
        _print_json({"files": [str(path) for path in written]})
        return
    print("\n".join(str(path) for path in written))


def export(arguments: argparse.Namespace) -> None:
    """The network as ONNX, as a JSON description, or as torchvision's state dict."""
    from gnet import export as exporting
    from gnet.weights import load

    model = load(arguments.weights)
    suffix = {"onnx": ".onnx", "json": ".json", "torchvision": ".safetensors"}[arguments.format]
    path = Path(arguments.out or f"googlenet{suffix}")
    if arguments.format == "json":
        path = exporting.write_json(model, path)
    elif arguments.format == "onnx":
        path = exporting.to_onnx(model, path)
    else:
        path = exporting.to_torchvision(model, path)
    if arguments.json:
        _print_json({"file": str(path), "bytes": path.stat().st_size})
        return
    print(f"{path}, {path.stat().st_size / 1e3:,.0f} kB")


def bench(arguments: argparse.Namespace) -> None:
    """Speed against torchvision's network, side by side in this run."""
    from gnet import bench as benching

    _with_large_pages()
    result = benching.bench(rounds=arguments.rounds, progress=Bar("measuring"))
    if arguments.json:
        _print_json(result)
        return
    print(benching.table(result))


def assets(arguments: argparse.Namespace) -> None:
    """Record the shipped examples again with the bundled weights."""
    from gnet.ui.examples import build

    written = build()
    if arguments.json:
        _print_json({"files": [str(path) for path in written]})
        return
    print("\n".join(str(path) for path in written))


def _epoch_line(event: Any) -> str:
    heads = "  ".join(
        f"{head} {100 * value:5.1f} % (train {100 * event.train_accuracy[head]:5.1f} %)"
        for head, value in event.val_accuracy.items()
    )
    return f"epoch {event.epoch:3d}  {event.seconds:6.0f} s   {heads}"


def _with_large_pages() -> None:
    """Start this process anew with large memory pages, which training on Linux gains from."""
    name, value = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"
    wanted = sys.platform == "linux" and name not in os.environ and "RANK" not in os.environ
    if wanted and sys.argv[0].endswith(os.path.join("gnet", "__main__.py")):
        os.environ[name] = value
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _print_json(record: Any) -> None:
    print(json.dumps(record, ensure_ascii=False, indent=1))
