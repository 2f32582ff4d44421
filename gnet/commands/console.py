"""What the commands share: how they are added, options of several, printing."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from gnet import strict_json


class Command(Protocol):
    """Adds a subcommand named after `function`, with `text` as its help.

    `name`: another name than the function's. `older`: the name that the command had before, which
    goes on working. `weights` gives it --weights.
    """

    def __call__(
        self,
        function: Callable[[argparse.Namespace], int | None],
        text: str,
        *,
        name: str = "",
        older: str = "",
        weights: bool = True,
    ) -> argparse.ArgumentParser: ...


def positive(text: str) -> int:
    """A whole number from 1, as argparse's `type`."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} was given; allowed are whole numbers from 1")
    return int(text)


def add_data(
    parser: argparse.ArgumentParser, *, split: str = "top-level folder of the data set"
) -> None:
    """`--data`, `--split` (unless its help is empty) and the `--seed` that splits."""
    parser.add_argument("--data", required=True, help="built-in, a torchvision name, folder or zip")
    if split:
        parser.add_argument("--split", default="val", help=f"{split} (default val)")
    parser.add_argument(
        "--seed", type=int, default=0, help="splits data that has no split folders (default 0)"
    )


def print_json(record: Any) -> None:
    """Letters that the output's encoding lacks are written as \\u escapes, so nothing is lost."""
    text = strict_json.dumps(record, ensure_ascii=False, indent=1)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeError:
        text = strict_json.dumps(record, indent=1)
    print(text)


def replace_missing_letters() -> None:
    """From now on a letter that the output's encoding lacks is printed as a question mark."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def drop_output() -> None:
    """Throw away what is still to be printed, so that nothing fails when the process ends."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
