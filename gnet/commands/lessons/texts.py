"""Guided lessons: what there is, whether a file of one's own is right, what a lesson may name."""

from __future__ import annotations

import argparse

from gnet.commands.console import Command, print_json
from gnet.errors import FieldError
from gnet.words import listed

_DO = ("list", "check", "figures", "drawings")


def register(command: Command) -> None:
    sub = command(
        lessons,
        "List the guided lessons, check a lesson's file, list what one may name.",
        weights=False,
    )
    sub.add_argument("do", metavar="list|check|figures|drawings", nargs="?", default="list")
    sub.add_argument("file", metavar="FILE", nargs="*", help="for check: lessons as .json")


def lessons(arguments: argparse.Namespace) -> None:
    if arguments.do not in _DO:
        raise FieldError("what to do with lessons", arguments.do, listed(_DO))
    if arguments.do == "check" and not arguments.file:
        raise FieldError("number of files to check", 0, "one or more")
    do = {"list": _list, "check": _check, "figures": _figures, "drawings": _drawings}
    do[arguments.do](arguments)


def _list(arguments: argparse.Namespace) -> None:
    from gnet.answers.lessons.reader import read_lessons
    from gnet.answers.lessons.teaching import list_lessons

    found = list_lessons(read_lessons())
    if arguments.json:
        print_json(found)
        return
    for one in found:
        print(f"{one['name']:24}{one['title']}, {len(one['steps'])} steps, {one['minutes']} min")


def _check(arguments: argparse.Namespace) -> None:
    from gnet.answers.lessons.reader import read_lesson
    from gnet.answers.lessons.teaching import list_lessons

    found = [read_lesson(file) for file in arguments.file]
    if arguments.json:
        print_json(list_lessons({one.name: one for one in found}))
        return
    for one in found:
        asked = sum(step.question is not None for step in one.steps)
        print(f"{one.name}: {len(one.steps)} steps, {asked} with a question; nothing is wrong")


def _figures(arguments: argparse.Namespace) -> None:
    from gnet.answers.lessons.figures import rows

    if arguments.json:
        print_json([dict(zip(("figure", "form", "is"), row, strict=True)) for row in rows()])
        return
    for written, form, text in rows():
        print(f"{written:40}{form:20}{text}")


def _drawings(arguments: argparse.Namespace) -> None:
    from gnet.answers.lessons.reader import drawings

    if arguments.json:
        print_json(list(drawings()))
        return
    print("\n".join(drawings()))
