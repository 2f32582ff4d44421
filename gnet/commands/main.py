"""The command line, `python -m gnet`: its subcommands and its exit codes.

A mistake that the user can mend is one sentence on stderr and exit code 2.
"""

from __future__ import annotations

import argparse
import difflib
import errno
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gnet import __version__
from gnet.commands import (
    architecture,
    before_training,
    channels,
    evaluating,
    files,
    runs,
    studies,
    teaching,
    training,
)
from gnet.commands.console import drop_output, replace_missing_letters
from gnet.commands.lessons import texts
from gnet.commands.picture import attributing, seeing, switching
from gnet.errors import GnetError
from gnet.words import cut

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0, 2 for a user's mistake, and 128 + the signal where one ended it: 130 for Ctrl-C.
    """
    replace_missing_letters()
    try:
        return _run(argv)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        drop_output()
        return 0
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        drop_output()
        print(f"gnet: The output cannot be written: {error.strerror}.", file=sys.stderr)
        return 2


def _run(argv: Sequence[str] | None) -> int:
    try:
        parser, commands = _parser()
        _check_command(sys.argv[1:] if argv is None else argv, commands)
        arguments = parser.parse_args(argv)
        return arguments.command(arguments) or 0
    except GnetError as error:
        print(f"gnet: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("gnet: stopped.", file=sys.stderr)
        return 128 + signal.SIGINT
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a failure can still be reported


class _Parser(argparse.ArgumentParser):
    """argparse ignores that its help cannot be written; here that is a mistake like any other."""

    def print_help(self, file: Any = None) -> None:
        print(self.format_help(), end="", file=file)


def _check_command(given: Sequence[str], commands: Iterable[str]) -> None:
    """Raise `GnetError` for a command that is none; it names the nearest."""
    if not given or given[0].startswith("-") or given[0] in commands:
        return
    near = difflib.get_close_matches(given[0], commands, n=1, cutoff=0.5)
    there = f"the nearest is {near[0]}" if near else "python -m gnet --help lists them"
    raise GnetError(f"There is no command {cut(given[0])!r}; {there}.")


def _parser() -> tuple[argparse.ArgumentParser, Iterable[str]]:
    """The parser, and the names of its commands."""
    parser = _Parser(prog="python -m gnet", description="A lab for GoogLeNet (Inception v1).")
    parser.add_argument("--version", action="version", version=f"gnet {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        function: Callable[[argparse.Namespace], int | None],
        text: str,
        *,
        name: str = "",
        older: str = "",
        weights: bool = True,
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name or function.__name__,
            aliases=[older] if older else [],
            help=text,
            description=text,
        )
        sub.add_argument("--json", action="store_true", help="print JSON")
        if weights:
            sub.add_argument(
                "--weights", default="everyday", help="everyday, imagenet, or a .safetensors file"
            )
        sub.set_defaults(command=function)
        return sub

    for module in (
        seeing,
        attributing,
        switching,
        channels,
        architecture,
        before_training,
        teaching,
        texts,
        training,
        runs,
        evaluating,
        files,
        studies,
    ):
        module.register(command)
    return parser, commands.choices
