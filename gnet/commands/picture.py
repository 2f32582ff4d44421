"""Commands for a picture: predict, explore, attribute."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnet.commands.console import Command, positive, print_json
from gnet.errors import GnetError
from gnet.network.config import UNTRAINED

if TYPE_CHECKING:
    from gnet.network.model import GoogLeNet


def register(command: Command) -> None:
    sub = command(predict, "Print what each head believes of pictures.")
    sub.add_argument("pictures", nargs="+", metavar="IMG")
    sub.add_argument("--top", type=positive, default=5, help="classes per head (default 5)")

    sub = command(explore, "Record one picture and write what the page shows of it to a folder.")
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument("--out", required=True, metavar="DIR", help="folder for the figures")
    sub.add_argument("--format", choices=("png", "svg", "pdf"), default="png")

    sub = command(attribute, "Explain a head's answer for one picture.")
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument(
        "--method",
        default="integrated-gradients",
        help="saliency, integrated-gradients (default) or grad-cam",
    )
    sub.add_argument("--head", default="main", help="aux1, aux2 or main (default main)")
    sub.add_argument(
        "--target", "--class", help="class, by name or number (default: the head's answer)"
    )
    sub.add_argument("--stage", "--module", help="module, for methods that explain one, as 4d")
    sub.add_argument("--branch", help="1x1, 3x3, 5x5 or pool (default: the whole module)")
    sub.add_argument("--steps", type=positive, help="points of Integrated Gradients")
    sub.add_argument("--out", metavar="FILE", help="figure to write: .png, .svg or .pdf")


def predict(arguments: argparse.Namespace) -> int:
    from gnet.network.folding import fold
    from gnet.network.weights import load

    model = fold(load(arguments.weights))
    answers: list[dict[str, Any] | None] = []
    for path in arguments.pictures:
        try:
            answer = _predicted(model, path, arguments.top)
        except GnetError as error:  # the other pictures are answered all the same
            answer = None
            print(f"gnet: {error}", file=sys.stderr)
        if answer and not arguments.json:
            _print_answer(path, answer)
        answers.append(answer)
    several = len(answers) > 1
    if arguments.json and (several or answers[0]):
        print_json(answers if several else answers[0])
    return 0 if all(answers) else 2


def _predicted(model: GoogLeNet, path: str, top: int) -> dict[str, Any]:
    """The first classes of each head for one picture, and how sure it is of them."""
    from gnet.data.pictures import read_pixels
    from gnet.explain.belief import answer, belief
    from gnet.explain.recording import record

    recording = record(model, read_pixels(path, model.info.preprocessing))
    believed = belief(recording, top=top).heads
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
    return {head: rows.get(head, []) for head in present} | {
        "status": {head: recording.heads.get(head, UNTRAINED) for head in present},
        "sure": {head: believed[head].sure if head in believed else None for head in present},
        "certain": {head: believed[head].certain if head in believed else None for head in present},
        "families": {head: held.families for head, held in believed.items()},
        "answer": {head: answer(recording, held) for head, held in believed.items()},
    }


def _print_answer(path: str, answer: dict[str, Any]) -> None:
    print(path)
    for head, status in answer["status"].items():
        print(f"  {head}  ({status})  {answer['answer'].get(head, '')}".rstrip())
        for row in answer[head]:
            print(f"    {100 * row['probability']:5.1f} %  {row['class']}")


def explore(arguments: argparse.Namespace) -> None:
    from gnet.data.pictures import read_pixels
    from gnet.explain.branches import statistics
    from gnet.explain.recording import record
    from gnet.figures import exploring as figures
    from gnet.figures.sheet import save
    from gnet.network.config import STAGES
    from gnet.network.folding import fold
    from gnet.network.receptive_field import effective_fields
    from gnet.network.weights import load

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
        save(figure, written[-1])
    numbers = {stage: statistics(recording, stage) for stage in STAGES}
    if arguments.json:
        branches = {s: {b: vars(row) for b, row in rows.items()} for s, rows in numbers.items()}
        measured = effective_fields(model, recording.pixels)
        files = [str(path) for path in written]
        print_json({"files": files, "branches": branches, "measured": measured})
        return
    print("share of each module's activation")
    for stage, rows in numbers.items():
        each = (f"{branch} {100 * row.share:4.1f} %" for branch, row in rows.items())
        print(f"  {stage}  " + "   ".join(each))
    print(f"{len(written)} files in {folder}")


def attribute(arguments: argparse.Namespace) -> None:
    from gnet.data.pictures import read_pixels
    from gnet.explain.attribution import attribute
    from gnet.explain.belief import belief
    from gnet.explain.methods import STEPS
    from gnet.explain.recording import record
    from gnet.figures import exploring as figures
    from gnet.figures.sheet import save
    from gnet.network.folding import fold
    from gnet.network.weights import load

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
        save(figures.attribution_figure(answer, pixels), arguments.out)
    if arguments.json:
        print_json(answer.to_json())
        return
    print(answer.finding)
