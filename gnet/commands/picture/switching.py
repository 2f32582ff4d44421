"""Commands for branches: ablate, map, account, compare-pictures."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gnet.commands.console import Command, positive, print_json
from gnet.commands.picture.exporting import (
    add_export,
    add_switches,
    class_asked,
    recorded,
    switched,
    write,
)
from gnet.commands.picture.seeing import rows_of

if TYPE_CHECKING:
    from gnet.explain.recording import Recording
    from gnet.network.model import GoogLeNet


def register(command: Command) -> None:
    sub = command(ablate, "Switch branches off, scale them or set them to their mean.")
    sub.add_argument("picture", metavar="IMG")
    add_switches(sub)
    sub.add_argument("--top", type=positive, default=5, help="classes per head (default 5)")
    add_export(sub)

    sub = command(branch_map, "Map what a class loses without each of the 36 branches.", name="map")
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument("--head", default="main", help="aux1, aux2 or main (default main)")
    sub.add_argument("--class", dest="target", help="name or number (default: the head's answer)")
    add_export(sub)

    sub = command(account, "Split a class's logit over the branches of each module.")
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument("--head", default="main", help="aux1, aux2 or main (default main)")
    sub.add_argument("--class", dest="target", help="name or number (default: the head's answer)")
    sub.add_argument("--steps", type=positive, help="steps from the plain picture (default 50)")
    add_export(sub)

    sub = command(
        compare_pictures, "Set two pictures' branches side by side.", name="compare-pictures"
    )
    sub.add_argument("pictures", nargs=2, metavar="IMG")


def ablate(arguments: argparse.Namespace) -> None:
    from gnet.answers.exports.views import export_heads
    from gnet.explain import ablation
    from gnet.explain.belief import belief

    model, result = switched(arguments)
    if write(arguments, export_heads(result.after, result.switches, arguments.top)):
        return
    before, after = (belief(r, top=arguments.top) for r in (result.before, result.after))
    if arguments.json:
        print_json(
            {
                "switches": {ablation.branch_name(b): s for b, s in result.switches.items()},
                "reference": result.reference,
                "reached": result.reached,
                "heads": {
                    head: {
                        "before": rows_of(model, before.heads[head]),
                        "after": rows_of(model, after.heads[head]),
                    }
                    for head in before.heads
                },
            }
        )
        return
    print(ablation.sentence(result))
    for head, held in after.heads.items():
        missed = result.switches and head not in result.reached
        print(f"  {head}" + ("  (not reached by the switches)" if missed else ""))
        for index in held.top:
            was, now = before.heads[head].probabilities[index], held.probabilities[index]
            print(f"    {100 * was:5.1f} → {100 * now:5.1f} %  {model.info.class_name(index)}")


def branch_map(arguments: argparse.Namespace) -> None:
    from gnet.answers.exports.views import export_map
    from gnet.answers.switches import describe_worth
    from gnet.explain.ablation import branch_name
    from gnet.explain.means import means_of
    from gnet.explain.worth import branch_worth

    model, recording, target = _asked(arguments)
    worth = branch_worth(model, recording, means_of(model))
    if write(arguments, export_map(worth, arguments.head, target)):
        return
    if arguments.json:
        print_json(describe_worth(worth, arguments.head, target))
        return
    maps = [worth.values(arguments.head, target, setting) for setting in worth.logits]
    print(f"how far {model.info.class_name(target)} falls in {arguments.head} without the branch")
    print("       off: logit  points    mean: logit  points")
    for branch in maps[0]:
        cells = "    ".join(_worth_cells(values[branch]) for values in maps)
        print(f"  {branch_name(branch):8}{cells}")


def account(arguments: argparse.Namespace) -> None:
    from gnet.answers.exports.views import export_account
    from gnet.answers.switches import describe_account
    from gnet.explain.ablation import branch_name
    from gnet.explain.account import POINTS
    from gnet.explain.account import account as account_of
    from gnet.explain.worth import branch_worth

    model, recording, target = _asked(arguments)
    steps = arguments.steps or POINTS
    found = account_of(model, recording.pixels, target=target, head=arguments.head, steps=steps)
    if write(arguments, export_account(found)):
        return
    described = describe_account(found, branch_worth(model, recording))
    if arguments.json:
        print_json(described)
        return
    print(described["sentence"])
    for branch, value in found.values.items():
        print(f"  {branch_name(branch):8}{_rounded(value, 3):8.3f}")


def _asked(arguments: argparse.Namespace) -> tuple[GoogLeNet, Recording, int]:
    """The network, the picture's recording and the class that a command is about."""
    from gnet.explain.attribution.checks import check_target
    from gnet.explain.belief import trained_head

    model, recording = recorded(arguments)
    held = trained_head(recording, arguments.head)
    target = class_asked(arguments, model, held.top[0])
    check_target(model, target)
    return model, recording, target


def _worth_cells(value: Any) -> str:
    if value is None:
        return "        –       –"
    return f"{_rounded(value.logit, 3):10.3f}  {_rounded(100 * value.probability, 1):6.1f}"


def _rounded(value: float, digits: int) -> float:
    """To so many decimals, and 0 without a minus sign."""
    return round(value, digits) + 0.0


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
    print("share of each module's activity: first picture, second picture")
    for stage, branches in rows.items():
        each = (
            f"{branch} {100 * row['share'][0]:4.1f} {100 * row['share'][1]:4.1f} %"
            for branch, row in branches.items()
        )
        print(f"  {stage}  " + "   ".join(each))
