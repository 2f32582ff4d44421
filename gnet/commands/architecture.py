"""The command that tells what a network is made of: Table 1, the three models, the what-if."""

from __future__ import annotations

import argparse
from typing import Any

from gnet.commands.console import Command, positive, print_json
from gnet.errors import GnetError


def register(command: Command) -> None:
    sub = command(
        architecture,
        "Table 1 beside a network's own figures, each head's cost, and the 1×1 reduces as a "
        "what-if.",
    )
    sub.add_argument("--preset", metavar="CHOICE", help="a preset in place of --weights")
    sub.add_argument("--size", type=positive, help="side of the input in px (default 224)")
    sub.add_argument("--module", metavar="STAGE", help="show this module with and without reduces")
    sub.add_argument(
        "--reduces",
        nargs="+",
        default=[],
        metavar="NAME=N",
        help="other widths in --module: reduce3, reduce5 and pool, as reduce3=200",
    )


def architecture(arguments: argparse.Namespace) -> None:
    from gnet.answers.architecture import paper
    from gnet.answers.architecture.architecture import describe_architecture
    from gnet.answers.architecture.reduces import describe_reduces

    plan = _plan(arguments)
    size = arguments.size or paper.SIDE
    if arguments.reduces and not arguments.module:
        raise GnetError("--reduces needs --module, the module whose widths change.")
    if arguments.module:
        found = describe_reduces(plan, arguments.module, _widths(arguments.reduces), size)
        show = _module_lines
    else:
        found = describe_architecture(plan, size)
        show = _lines
    if arguments.json:
        print_json(found)
        return
    print("\n".join(show(found)))


def _plan(arguments: argparse.Namespace) -> Any:
    from gnet.answers.architecture.plans import Plan, check_preset, shape_of
    from gnet.network.weights import load

    if arguments.preset:
        name = check_preset(arguments.preset)
        return Plan(model=shape_of(name), preset=name)
    return Plan(model=load(arguments.weights))


def _widths(given: list[str]) -> dict[str, Any]:
    """`reduce3=200` and the like; what is no whole number is left for the check to refuse."""
    found: dict[str, Any] = {}
    for text in given:
        name, _, value = text.partition("=")
        found[name] = int(value) if value.isdecimal() else value
    return found


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['name']}, {found['size']} px. {found['about']}", ""]
    head = ("", "output", "weights", "multiply-adds", "paper", "window in px")
    rows = [head, *(_cells(row) for row in found["rows"])]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for row in rows:
        cells = [
            cell.ljust(width) if i in (0, 1, 5) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines += ["", *(f"- {point['sentence']}" for point in found["differences"]), ""]
    for model in found["models"]:
        words = model["words"]
        lines.append(
            f"{model['title']}: {words['parameters']} parameters, {words['macs']} multiply-adds"
        )
    return [*lines, found["together"]]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    quoted = ", ".join(filter(None, (row["weights"]["paper"], row["macs"]["paper"])))
    return (
        row["type"],
        row["output"]["live"],
        row["weights"]["live"],
        row["macs"]["live"],
        quoted,
        row["field"]["live"],
    )


def _module_lines(found: dict[str, Any]) -> list[str]:
    lines = []
    for module in found["modules"].values():
        words = module["words"]
        lines.append(
            f"{module['title']}: {words['parameters']} parameters, {words['macs']} multiply-adds, "
            f"{words['bytes']}"
        )
        for lane in module["lanes"]:
            for part in lane["parts"]:
                lines.append(f"  {part['name']}: {part['sum']} {part['work']}".rstrip())
    return [*lines, found["sentence"], found["next"]]
