"""Commands for what the network sees in a picture: predict, explore, depth, channel."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnet.commands.console import Command, positive, print_json
from gnet.commands.picture.exporting import (
    FILE,
    add_export,
    add_switches,
    class_asked,
    is_file,
    recorded,
    switched,
    write,
)
from gnet.errors import GnetError
from gnet.network.config import UNTRAINED

if TYPE_CHECKING:
    from gnet.explain.ablation import Ablation
    from gnet.explain.belief import HeadBelief
    from gnet.explain.recording import Recording
    from gnet.network.model import GoogLeNet

_CLASS = "class, by name or number (default: the head's answer)"


def register(command: Command) -> None:
    sub = command(predict, "Print what each head believes of pictures.")
    sub.add_argument("pictures", nargs="+", metavar="IMG")
    sub.add_argument("--top", type=positive, default=5, help="classes per head (default 5)")
    add_export(sub, f"{FILE}; for one picture")

    sub = command(explore, "Show the 36 branches of one picture, or the four of a module.")
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument("--module", "--stage", dest="stage", help="one module, as 4d (default: all)")
    add_export(sub, f"{FILE}; or a folder for all views and the recording")
    sub.add_argument("--format", default="png", help="of the folder's views (default png)")
    add_switches(sub)

    sub = command(depth, "Follow one class through probes and heads, from depth to depth.")
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument("--class", dest="target", help=_CLASS)
    add_export(sub)
    add_switches(sub)

    sub = command(channel, "Show one channel's map for one picture.")
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument("--module", "--stage", dest="stage", required=True, help="module, as 4d")
    sub.add_argument("--branch", required=True, help="1x1, 3x3, 5x5 or pool")
    sub.add_argument("--channel", type=int, required=True, help="channel of the branch, from 0")
    add_export(sub)


def predict(arguments: argparse.Namespace) -> int:
    from gnet.network.folding import fold
    from gnet.network.weights import load

    several = len(arguments.pictures) > 1
    if arguments.out or arguments.csv:
        if several:
            raise GnetError("Several pictures were given; --out and --csv are for one.")
        _export_heads(arguments)
        return 0
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
    if arguments.json and (several or answers[0]):
        print_json(answers if several else answers[0])
    return 0 if all(answers) else 2


def _export_heads(arguments: argparse.Namespace) -> None:
    from gnet.answers.exports.views import export_heads

    (arguments.picture,) = arguments.pictures
    model, recording = recorded(arguments)
    if write(arguments, export_heads(recording, top=arguments.top)):
        return
    answer = _described(model, recording, arguments.top)
    if arguments.json:
        print_json(answer)
    else:
        _print_answer(arguments.picture, answer)


def _predicted(model: GoogLeNet, path: str, top: int) -> dict[str, Any]:
    from gnet.data.pictures import read_pixels
    from gnet.explain.recording import record

    return _described(model, record(model, read_pixels(path, model.info.preprocessing)), top)


def _described(model: GoogLeNet, recording: Recording, top: int) -> dict[str, Any]:
    """The first classes of each head for one picture, and how sure it is of them."""
    from gnet.explain.belief import answer, belief

    believed = belief(recording, top=top).heads
    rows = {head: rows_of(model, held) for head, held in believed.items()}
    present = [head for head in ("main", "aux1", "aux2") if head in recording.logits]
    return {head: rows.get(head, []) for head in present} | {
        "status": {head: recording.heads.get(head, UNTRAINED) for head in present},
        "sure": {head: believed[head].sure if head in believed else None for head in present},
        "certain": {head: believed[head].certain if head in believed else None for head in present},
        "families": {head: held.families for head, held in believed.items()},
        "answer": {head: answer(recording, held) for head, held in believed.items()},
    }


def rows_of(model: GoogLeNet, held: HeadBelief) -> list[dict[str, Any]]:
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
    from gnet.answers.exports.export import check_format
    from gnet.answers.exports.views import export_module, export_overview
    from gnet.explain.branches import statistics
    from gnet.network.config import STAGES
    from gnet.network.receptive_field import effective_fields

    check_format(arguments.format)
    model, ablation = switched(arguments)
    recording, switches, stage = ablation.after, ablation.switches, arguments.stage
    folder = None if is_file(arguments.out) else arguments.out
    files = [arguments.out] if arguments.out else []
    if folder:
        files = _write_all(model, ablation, Path(folder), arguments.format)
        arguments.out = None
    export = export_module(recording, stage, switches) if stage else None
    if write(arguments, export or export_overview(recording, switches)):
        return
    shown = (stage,) if stage else STAGES
    numbers = {stage: statistics(recording, stage) for stage in shown}
    if arguments.json:
        branches = {s: {b: vars(row) for b, row in rows.items()} for s, rows in numbers.items()}
        measured = effective_fields(model, recording.pixels, shown)
        print_json({"files": files, "branches": branches, "measured": measured})
        return
    print("share of each module's activity")
    for stage, rows in numbers.items():
        each = (f"{branch} {100 * row.share:4.1f} %" for branch, row in rows.items())
        print(f"  {stage}  " + "   ".join(each))
    if folder:
        print(f"{len(files)} files in {folder}")


def _write_all(model: GoogLeNet, ablation: Ablation, folder: Path, kind: str) -> list[str]:
    """The recording and every view of it; the files' names."""
    from gnet.answers.exports import views
    from gnet.explain.belief import belief
    from gnet.explain.probes import find_probes
    from gnet.network.config import STAGES

    recording, switches = ablation.after, ablation.switches
    files = [folder / "recording.safetensors"]
    recording.save(files[0])
    exports = [views.export_heads(recording, switches), views.export_overview(recording, switches)]
    for held in list(belief(recording, top=1).heads.values())[-1:]:
        probes = find_probes(model.info.digest)
        exports.append(views.export_depth(recording, probes, held.top[0], switches))
    for export in [*exports, *(views.export_module(recording, s, switches) for s in STAGES)]:
        files.append(folder / f"{export.name}.{kind}")
        export.save(files[-1])
    return [str(path) for path in files]


def depth(arguments: argparse.Namespace) -> None:
    from gnet.answers.exports.views import export_depth
    from gnet.explain.attribution.checks import check_target
    from gnet.explain.belief import belief
    from gnet.explain.probes import find_probes

    model, ablation = switched(arguments)
    heads = list(belief(ablation.after, top=1).heads.values())
    if not heads:
        raise GnetError("No head of this network is trained, so there is no belief to follow.")
    target = class_asked(arguments, model, heads[-1].top[0])
    check_target(model, target)
    probes = find_probes(model.info.digest)
    export = export_depth(ablation.after, probes, target, ablation.switches)
    if write(arguments, export):
        return
    if arguments.json:
        print_json(export.about | {"rows": export.rows})
        return
    print(export.about["story"])
    for row in export.rows:
        print(f"  {row['module']}  {row['reader']:5}  {100 * row['probability']:5.1f} %")


def channel(arguments: argparse.Namespace) -> None:
    from gnet.answers.channel import strongest_patches
    from gnet.answers.exports.views import export_channel
    from gnet.channels.visualization import check_channels

    model, recording = recorded(arguments)
    place = (arguments.stage, arguments.branch, arguments.channel)
    check_channels(model, arguments.stage, arguments.branch, [arguments.channel])
    patches = strongest_patches(model.info.digest, place)
    export = export_channel(recording, *place, patches)
    if write(arguments, export):
        return
    if arguments.json:
        print_json(export.about | {"rows": export.rows})
        return
    about = export.about
    print(about["channel"])
    print(f"from {about['min']:.3g} to {about['max']:.3g}, mean {about['mean']:.3g}")
