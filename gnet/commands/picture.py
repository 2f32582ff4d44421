"""Commands for pictures: predict, explore, attribute, ablate, map, compare-pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnet.commands.console import Command, positive, print_json
from gnet.errors import FieldError, GnetError
from gnet.network.config import UNTRAINED

if TYPE_CHECKING:
    from gnet.explain.belief import HeadBelief
    from gnet.network.model import GoogLeNet


_FIGURE = "figure to write: .png, .svg or .pdf"
_MEAN = "branch to set to its mean over reference pictures"


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
    sub.add_argument("--out", metavar="FILE", help=_FIGURE)

    sub = command(ablate, "Switch branches off, scale them or set them to their mean.")
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument("--off", action="append", default=[], metavar="BRANCH", help="as 4b/5x5")
    sub.add_argument("--mean", action="append", default=[], metavar="BRANCH", help=_MEAN)
    sub.add_argument(
        "--scale", action="append", default=[], metavar="BRANCH=FACTOR", help="factor from 0 to 2"
    )
    sub.add_argument("--top", type=positive, default=5, help="classes per head (default 5)")

    sub = command(branch_map, "Map what each of the 36 branches is worth for a class.", name="map")
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument("--head", default="main", help="aux1, aux2 or main (default main)")
    sub.add_argument("--class", dest="target", help="name or number (default: the head's answer)")
    sub.add_argument("--out", metavar="FILE", help=_FIGURE)

    sub = command(
        compare_pictures, "Set two pictures' branches side by side.", name="compare-pictures"
    )
    sub.add_argument("pictures", nargs=2, metavar="IMG")


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
    rows = {head: _rows(model, held) for head, held in believed.items()}
    present = [head for head in ("main", "aux1", "aux2") if head in recording.logits]
    return {head: rows.get(head, []) for head in present} | {
        "status": {head: recording.heads.get(head, UNTRAINED) for head in present},
        "sure": {head: believed[head].sure if head in believed else None for head in present},
        "certain": {head: believed[head].certain if head in believed else None for head in present},
        "families": {head: held.families for head, held in believed.items()},
        "answer": {head: answer(recording, held) for head, held in believed.items()},
    }


def _rows(model: GoogLeNet, held: HeadBelief) -> list[dict[str, Any]]:
    """A head's first classes as JSON."""
    return [
        {
            "class": model.info.class_name(index),
            "probability": held.probabilities[index],
            "status": held.status,
        }
        for index in held.top
    ]


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


def ablate(arguments: argparse.Namespace) -> None:
    from gnet.data.pictures import read_pixels
    from gnet.explain import ablation
    from gnet.explain.belief import belief
    from gnet.explain.means import means_of
    from gnet.network.folding import fold
    from gnet.network.weights import load

    switches: dict[str, Any] = dict.fromkeys(arguments.off, ablation.OFF)
    switches |= dict.fromkeys(arguments.mean, ablation.MEAN)
    for text in arguments.scale:
        name, equals, factor = text.partition("=")
        if not equals:
            raise FieldError("--scale", text, "a branch, = and a factor, as 4c/3x3=0.5")
        switches[name] = factor
    wanted = ablation.check_switches(switches)
    model = fold(load(arguments.weights))
    pixels = read_pixels(arguments.picture, model.info.preprocessing)
    result = ablation.ablate(
        model, pixels, wanted, means=means_of(model) if ablation.MEAN in wanted.values() else None
    )
    before, after = (belief(r, top=arguments.top) for r in (result.before, result.after))
    if arguments.json:
        print_json(
            {
                "switches": {ablation.branch_name(b): s for b, s in result.switches.items()},
                "reference": result.reference,
                "reached": result.reached,
                "heads": {
                    head: {
                        "before": _rows(model, before.heads[head]),
                        "after": _rows(model, after.heads[head]),
                    }
                    for head in before.heads
                },
            }
        )
        return
    print(ablation.sentence(result))
    for head, held in after.heads.items():
        print(f"  {head}" + ("" if head in result.reached else "  (not reached by the switches)"))
        for index in held.top:
            was, now = before.heads[head].probabilities[index], held.probabilities[index]
            print(f"    {100 * was:5.1f} → {100 * now:5.1f} %  {model.info.class_name(index)}")


def branch_map(arguments: argparse.Namespace) -> None:
    from gnet.answers.switches import describe_worth
    from gnet.data.pictures import read_pixels
    from gnet.explain.ablation import branch_name
    from gnet.explain.attribution import check_target
    from gnet.explain.belief import trained_head
    from gnet.explain.means import means_of
    from gnet.explain.recording import record
    from gnet.explain.worth import branch_worth
    from gnet.figures.branches import worth_figure
    from gnet.figures.sheet import save
    from gnet.network.folding import fold
    from gnet.network.weights import load

    model = fold(load(arguments.weights))
    recording = record(model, read_pixels(arguments.picture, model.info.preprocessing))
    held = trained_head(recording, arguments.head)
    target = model.info.class_index(arguments.target) if arguments.target else held.top[0]
    check_target(model, target)
    worth = branch_worth(model, recording, means_of(model))
    if arguments.out:
        save(worth_figure(worth, arguments.head, target), arguments.out)
    if arguments.json:
        print_json(describe_worth(worth, arguments.head, target))
        return
    maps = [worth.values(arguments.head, target, setting) for setting in worth.logits]
    print(f"how far {model.info.class_name(target)} falls in {arguments.head} without the branch")
    print("       off: logit  points    mean: logit  points")
    for branch in maps[0]:
        cells = "    ".join(_worth_cells(values[branch]) for values in maps)
        print(f"  {branch_name(branch):8}{cells}")


def _worth_cells(value: Any) -> str:
    if value is None:
        return "        –       –"
    return f"{value.logit:10.3f}  {100 * value.probability:6.1f}"


def compare_pictures(arguments: argparse.Namespace) -> None:
    from gnet.data.pictures import read_pixels
    from gnet.explain.belief import sentence
    from gnet.explain.branches import statistics
    from gnet.explain.recording import record
    from gnet.network.config import STAGES
    from gnet.network.folding import fold
    from gnet.network.weights import load

    model = fold(load(arguments.weights))
    prepared = model.info.preprocessing
    recordings = [record(model, read_pixels(path, prepared)) for path in arguments.pictures]
    numbers = [{stage: statistics(r, stage) for stage in STAGES} for r in recordings]
    rows = {
        stage: {
            branch: {
                name: [getattr(one[stage][branch], name) for one in numbers]
                for name in ("share", "mean", "sparsity")
            }
            for branch in numbers[0][stage]
        }
        for stage in STAGES
    }
    sentences = [sentence(recording, "main") for recording in recordings]
    if arguments.json:
        print_json({"pictures": arguments.pictures, "sentences": sentences, "branches": rows})
        return
    for path, text in zip(arguments.pictures, sentences, strict=True):
        print(f"{path}: {text}")
    print("share of each module's activation: first picture, second picture")
    for stage, branches in rows.items():
        each = (
            f"{branch} {100 * row['share'][0]:4.1f} {100 * row['share'][1]:4.1f} %"
            for branch, row in branches.items()
        )
        print(f"  {stage}  " + "   ".join(each))


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
