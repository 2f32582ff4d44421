"""The command line, `python -m gnet`: the same functions as the page, with results as text or JSON.

A mistake the user can mend is one sentence on stderr and exit code 2.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gnet import __version__
from gnet.errors import GnetError
from gnet.options import add_model_options, add_train_options, train_config
from gnet.progress import Bar


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for a user's mistake, 130 for Ctrl-C."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except GnetError as error:
        print(f"gnet: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("gnet: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def predict(arguments: argparse.Namespace) -> None:
    """What the heads believe of each picture."""
    from gnet.model import fold
    from gnet.pictures import open_picture, to_pixels
    from gnet.recording import belief, record
    from gnet.weights import load

    model = fold(load(arguments.weights))
    answers = []
    for path in arguments.pictures:
        image = open_picture(path, max_side=4 * model.info.preprocessing.size)
        recording = record(model, to_pixels(image, model.info.preprocessing))
        believed = belief(recording, top=arguments.top)
        answers.append(
            {
                head: [
                    {
                        "class": model.info.class_name(index),
                        "probability": held.probabilities[index],
                        "status": held.status,
                    }
                    for index in held.top
                ]
                for head, held in reversed(believed.heads.items())
            }
            | {head: [] for head in believed.untrained}
        )
    if arguments.json:
        _print_json(answers[0] if len(answers) == 1 else answers)
        return
    for path, answer in zip(arguments.pictures, answers, strict=True):
        print(path)
        for head, rows in answer.items():
            print(f"  {head}  ({rows[0]['status']})" if rows else f"  {head}  (untrained)")
            for row in rows:
                print(f"    {100 * row['probability']:5.1f} %  {row['class']}")


def explore(arguments: argparse.Namespace) -> None:
    """Record one picture and write what the page would show of it to a folder."""
    from gnet import figures
    from gnet.config import STAGES
    from gnet.model import fold
    from gnet.pictures import open_picture, to_pixels
    from gnet.recording import record, statistics
    from gnet.weights import load

    model = fold(load(arguments.weights))
    image = open_picture(arguments.picture, max_side=4 * model.info.preprocessing.size)
    recording = record(model, to_pixels(image, model.info.preprocessing))
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
        _print_json({"files": [str(path) for path in written], "branches": branches})
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
    from gnet.pictures import open_picture, to_pixels
    from gnet.recording import belief, record
    from gnet.weights import load

    model = fold(load(arguments.weights))
    image = open_picture(arguments.picture, max_side=4 * model.info.preprocessing.size)
    pixels = to_pixels(image, model.info.preprocessing)
    held = belief(record(model, pixels)).heads.get(arguments.head)
    target = _class_index(model.info.classes, arguments.target) if arguments.target else None
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


def train(arguments: argparse.Namespace) -> None:
    """Train a network, or go on with a run."""
    from gnet import training
    from gnet.events import EpochDone, RunEnded, RunStarted, StepDone, to_line
    from gnet.run_folder import RunFolder

    _with_large_pages()
    bar = Bar("reading pictures")
    if arguments.resume:
        if training.is_finished(_existing(RunFolder(arguments.resume))):
            print(f"The run in {arguments.resume} is finished; there is nothing to resume.")
            return
        events = training.resume(arguments.resume, progress=bar)
    else:
        events = training.train(train_config(arguments), arguments.run_dir, progress=bar)
    speaks = os.environ.get("RANK", "0") == "0"
    steps = 0
    for event in events:
        if not speaks:
            continue
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
            print(f"{event.reason} after {event.step} steps, {event.seconds:.0f} s")


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
    data = open_dataset(
        arguments.data, arguments.split, size=preprocessing.size, progress=Bar("reading pictures")
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
    print(f"{path}, {path.stat().st_size / 1e6:.1f} MB")


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

    for path in build():
        print(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gnet", description="A lab for GoogLeNet (Inception v1)."
    )
    parser.add_argument("--version", action="version", version=f"gnet {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(function: Any, name: str | None = None, *, weights: bool = True):
        text = function.__doc__.strip()
        sub = commands.add_parser(name or function.__name__, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="print JSON")
        if weights:
            sub.add_argument(
                "--weights", default="everyday", help="everyday, imagenet, or a .safetensors file"
            )
        sub.set_defaults(command=function)
        return sub

    sub = command(predict)
    sub.add_argument("pictures", nargs="+", metavar="IMG")
    sub.add_argument("--top", type=_positive, default=5, help="classes per head (default 5)")

    sub = command(explore)
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument("--out", required=True, metavar="DIR", help="folder for the figures")
    sub.add_argument("--format", choices=("png", "svg", "pdf"), default="png")

    sub = command(attribute)
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument(
        "--method",
        default="integrated-gradients",
        help="saliency, integrated-gradients (default) or grad-cam",
    )
    sub.add_argument("--head", default="main", help="aux1, aux2 or main (default main)")
    sub.add_argument("--target", help="class, by name or number (default: the head's answer)")
    sub.add_argument("--stage", help="module for methods that explain one, as 4d")
    sub.add_argument("--branch", help="1x1, 3x3, 5x5 or pool (default: the whole module)")
    sub.add_argument("--steps", type=_positive, help="points of Integrated Gradients")
    sub.add_argument("--out", metavar="FILE", help="figure to write: .png, .svg or .pdf")

    sub = command(train, weights=False)
    sub.add_argument("--run-dir", metavar="DIR", help="folder that keeps the run")
    sub.add_argument("--resume", metavar="DIR", help="go on with the run kept there")
    add_train_options(sub)
    add_model_options(sub)

    sub = command(evaluate)
    sub.add_argument("--data", required=True, help="built-in, a torchvision name, folder or zip")
    sub.add_argument("--split", default="val", help="top-level folder of the data set")
    sub.add_argument("--size", type=_positive, help="side of the input in px")

    sub = command(publish, weights=False)
    sub.add_argument("run_dir", metavar="RUN_DIR", help="folder of the finished run")
    sub.add_argument("--out", required=True, metavar="FILE", help="the .safetensors file to write")
    sub.add_argument("--data", help="where the run's data set lies now")
    sub.add_argument("--size", type=_positive, help="side of the input in px to judge and show at")

    sub = command(export)
    sub.add_argument("--format", choices=("onnx", "json", "torchvision"), required=True)
    sub.add_argument("--out", metavar="FILE", help="file to write (default googlenet.*)")

    sub = command(bench, weights=False)
    sub.add_argument("--rounds", type=_positive, default=5, help="repetitions (default 5)")

    command(assets, weights=False)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} was given; allowed are whole numbers from 1")
    return int(text)


def _class_index(classes: tuple[str, ...], given: str) -> int:
    if given.isdecimal():
        return int(given)
    if given not in classes:
        raise GnetError(
            f"The network knows no class {given!r}; allowed are its {len(classes)} class names, "
            f"as {', '.join(repr(c) for c in classes[:3])}, or their numbers."
        )
    return classes.index(given)


def _existing(folder: Any) -> Any:
    folder.config()
    return folder


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
        os.execv(sys.executable, [sys.executable, "-m", "gnet", *sys.argv[1:]])


def _print_json(record: Any) -> None:
    print(json.dumps(record, ensure_ascii=False, indent=1))
