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
from gnet import commands as run
from gnet.errors import GnetError
from gnet.options import add_model_options, add_train_options


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

    def command(function: Any, name: str | None = None, *, weights: bool = True):
        text = function.__doc__.strip()
        sub = commands.add_parser(name or function.__name__, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="print JSON")
        if weights:
            sub.add_argument(
                "--weights", default="everyday", help="everyday, imagenet, or a .safetensors file"
            )
        sub.set_defaults(command=function)
        return sub

    sub = command(run.predict)
    sub.add_argument("pictures", nargs="+", metavar="IMG")
    sub.add_argument("--top", type=_positive, default=5, help="classes per head (default 5)")

    sub = command(run.explore)
    sub.add_argument("picture", metavar="IMG")
    sub.add_argument("--out", required=True, metavar="DIR", help="folder for the figures")
    sub.add_argument("--format", choices=("png", "svg", "pdf"), default="png")

    sub = command(run.attribute)
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
    sub.add_argument("--stage", "--module", help="module for methods that explain one, as 4d")
    sub.add_argument("--branch", help="1x1, 3x3, 5x5 or pool (default: the whole module)")
    sub.add_argument("--steps", type=_positive, help="points of Integrated Gradients")
    sub.add_argument("--out", metavar="FILE", help="figure to write: .png, .svg or .pdf")

    sub = command(run.train, weights=False)
    sub.add_argument("--run-dir", metavar="DIR", help="folder that keeps the run")
    sub.add_argument("--resume", metavar="DIR", help="go on with the run kept there")
    sub.add_argument("--tensorboard", metavar="DIR", help="also write curves for TensorBoard there")
    add_train_options(sub)
    add_model_options(sub)

    sub = command(run.evaluate)
    sub.add_argument("--data", required=True, help="built-in, a torchvision name, folder or zip")
    sub.add_argument("--split", default="val", help="top-level folder of the data set")
    sub.add_argument(
        "--seed", type=int, default=0, help="of the run, for data without split folders (default 0)"
    )
    sub.add_argument("--size", type=_positive, help="side of the input in px")

    sub = command(run.publish, weights=False)
    sub.add_argument("run_dir", metavar="RUN_DIR", help="folder of the finished run")
    sub.add_argument("--out", required=True, metavar="FILE", help="the .safetensors file to write")
    sub.add_argument("--data", help="where the run's data set lies now")
    sub.add_argument("--size", type=_positive, help="side of the input in px to judge and show at")

    sub = command(run.export)
    sub.add_argument("--format", choices=("onnx", "json", "torchvision"), required=True)
    sub.add_argument("--out", metavar="FILE", help="file to write (default googlenet.*)")

    sub = command(run.bench, weights=False)
    sub.add_argument("--rounds", type=_positive, default=5, help="repetitions (default 5)")

    command(run.assets, weights=False)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} was given; allowed are whole numbers from 1")
    return int(text)
