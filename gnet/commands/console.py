"""What the commands' arguments have in common."""

from __future__ import annotations

import argparse
import json
from typing import Any, Protocol


class Command(Protocol):
    """Adds a subcommand: `function`'s docstring is its help; `weights` gives it --weights.

    `older`: the name that the command had before, which goes on working.
    """

    def __call__(
        self, function: Any, name: str | None = None, *, weights: bool = True, older: str = ""
    ) -> argparse.ArgumentParser: ...


def positive(text: str) -> int:
    """A whole number from 1, as argparse's `type`."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} was given; allowed are whole numbers from 1")
    return int(text)


def print_json(record: Any) -> None:
    print(json.dumps(record, ensure_ascii=False, indent=1))
