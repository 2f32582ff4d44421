"""The command that explains an answer: attribute, with what could prove its map wrong."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from gnet.commands.console import Command, print_json
from gnet.commands.options import add_method_options, check_method_options, method_options
from gnet.commands.picture.exporting import add_export, class_asked, recorded, write
from gnet.errors import FieldError, GnetError
from gnet.explain.attribution.options import RECORDS

if TYPE_CHECKING:
    from torch import Tensor

    from gnet.explain.attribution.attribute import Attribution
    from gnet.explain.recording import Recording
    from gnet.network.model import GoogLeNet


def register(command: Command) -> None:
    sub = command(attribute, "Explain a head's answer for one picture.")
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument(
        "--method",
        default="integrated-gradients",
        help=f"one of {', '.join(RECORDS)} (default integrated-gradients)",
    )
    sub.add_argument("--head", default="main", help="aux1, aux2 or main (default main)")
    sub.add_argument(
        "--target", "--class", help="class, by name or number (default: the head's answer)"
    )
    sub.add_argument("--stage", "--module", help="module, for methods that look at one, as 4d")
    sub.add_argument(
        "--branch",
        help="1x1, 3x3, 5x5 or pool (default: the whole module); all: every branch, by grad-cam",
    )
    sub.add_argument(
        "--check",
        action="store_true",
        help="also measure deletion and insertion, and the map of a network drawn anew",
    )
    add_method_options(sub)
    add_export(sub)


def attribute(arguments: argparse.Namespace) -> None:
    from gnet.answers.exports.views import export_why
    from gnet.explain.attribution.attribute import attribute
    from gnet.explain.attribution.methods import METHODS
    from gnet.explain.belief import belief

    check_method_options(arguments)
    model, recording = recorded(arguments)
    held = belief(recording).heads.get(arguments.head)
    target = class_asked(arguments, model, held.top[0] if held else 0)
    if arguments.branch == "all":
        _all_branches(model, recording, target, arguments)
        return
    answer = attribute(
        model,
        recording.pixels,
        method=arguments.method,
        head=arguments.head,
        target=target,
        **method_options(arguments),
    )
    reason = METHODS[answer.method].reason(model, answer.head)
    checks = _checked(model, recording.pixels, answer) if arguments.check else {}
    if write(arguments, export_why(answer, recording.pixels, checks.get("curves"))):
        return
    if arguments.json:
        said = {name: check.to_json() for name, check in checks.items()}
        print_json(answer.to_json() | {"invalid": reason} | said)
        return
    print(answer.finding)
    if reason:
        print(f"{METHODS[answer.method].label} does not hold here: {reason}")
    for check in checks.values():
        print(check.sentence)


def _all_branches(
    model: GoogLeNet, recording: Recording, target: int, arguments: argparse.Namespace
) -> None:
    """Grad-CAM of each branch before the head: its largest value, and as JSON its cells."""
    from gnet.answers.exports.views import export_cams
    from gnet.explain.ablation import branch_name
    from gnet.explain.attribution.all_branches import grad_cams

    if arguments.method != "grad-cam":
        raise FieldError("--branch", "all", "1x1, 3x3, 5x5 and pool; all goes with grad-cam alone")
    if arguments.check:
        raise GnetError("--branch all gives a map for each branch; --check is for one map.")
    found = grad_cams(model, recording.pixels, target=target, head=arguments.head)
    if write(arguments, export_cams(found, recording)):
        return
    if arguments.json:
        cells = {branch_name(branch): values.tolist() for branch, values in found.maps.items()}
        print_json({"class": found.target_name, "head": arguments.head, "maps": cells})
        return
    print(f"largest value of each branch's Grad-CAM for {found.target_name}")
    for branch, values in found.maps.items():
        print(f"  {branch_name(branch):8}{float(values.max()):10.3g}")
    print(found.sentence)


def _checked(model: GoogLeNet, pixels: Tensor, answer: Attribution) -> dict[str, Any]:
    from gnet.explain.attribution.curves import curves_of
    from gnet.explain.attribution.redrawn import sanity

    return {
        "curves": curves_of(model, pixels, answer),
        "sanity": sanity(model, pixels, answer),
    }
