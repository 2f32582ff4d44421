"""The command line, `python -m gnet`: which subcommands there are and what they are given.

A mistake the user can mend is one sentence on stderr and exit code 2.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from gnet import __version__
from gnet.commands import (
    channels,
    evaluating,
    files,
    picture,
    runs,
    studies,
    training,
)
from gnet.errors import GnetError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0, 2 for a user's mistake, and 128 + the signal where one ended it: 130 for Ctrl-C.
    """
    arguments = _parser().parse_args(argv)
    try:
        return arguments.command(arguments) or 0
    except GnetError as error:
        print(f"gnet: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("gnet: stopped.", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gnet", description="A lab for GoogLeNet (Inception v1)."
    )
    parser.add_argument("--version", action="version", version=f"gnet {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        function: Any, name: str | None = None, *, weights: bool = True, older: str = ""
    ) -> argparse.ArgumentParser:
        text = function.__doc__.strip()
        sub = commands.add_parser(
            name or function.__name__,
            help=text,
            description=text,
            aliases=[older] if older else [],
        )
        sub.add_argument("--json", action="store_true", help="print JSON")
        if weights:
            sub.add_argument(
                "--weights", default="everyday", help="everyday, imagenet, or a .safetensors file"
            )
        sub.set_defaults(command=function)
        return sub

    for module in (
        picture,
        channels,
        training,
        studies,
        evaluating,
        files,
        runs,
    ):
        module.register(command)
    return parser
