"""What the commands for pictures share: the picture read, branches switched, a view written."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnet.errors import FieldError, GnetError

if TYPE_CHECKING:
    from gnet.answers.exports.export import Export
    from gnet.explain.ablation import Ablation
    from gnet.explain.recording import Recording
    from gnet.network.model import GoogLeNet

FILE = "file to write: .png, .svg, .pdf, or the numbers as .csv or .json"
_MEAN = "branch to set to its mean over reference pictures"


def add_export(parser: argparse.ArgumentParser, out: str = FILE) -> None:
    """`--out` and `--csv`."""
    parser.add_argument("--out", metavar="FILE", help=out)
    parser.add_argument("--csv", action="store_true", help="print the numbers as CSV")


def write(arguments: argparse.Namespace, export: Export) -> bool:
    """Write the file that was asked for; True if the numbers were printed as CSV, too."""
    if arguments.csv and arguments.json:
        raise GnetError("--csv and --json were given; give one of them.")
    if arguments.out:
        export.save(arguments.out)
        print(f"Wrote {arguments.out}.", file=sys.stderr)  # what is printed may go to a program
    if arguments.csv:
        print(export.csv(), end="")
    return arguments.csv


def is_file(name: str | None) -> bool:
    """Whether a name ends as a file of one view does."""
    from gnet.answers.exports.export import FORMATS

    return Path(name or "").suffix.lower().removeprefix(".") in FORMATS


def add_switches(parser: argparse.ArgumentParser) -> None:
    """`--off`, `--mean` and `--scale`."""
    parser.add_argument("--off", action="append", default=[], metavar="BRANCH", help="as 4b/5x5")
    parser.add_argument("--mean", action="append", default=[], metavar="BRANCH", help=_MEAN)
    parser.add_argument(
        "--scale", action="append", default=[], metavar="BRANCH=FACTOR", help="factor from 0 to 2"
    )


def recorded(arguments: argparse.Namespace) -> tuple[GoogLeNet, Recording]:
    """The network of `--weights`, and what it made of the picture."""
    from gnet.data.pictures import read_pixels
    from gnet.explain.recording import record
    from gnet.network.folding import fold
    from gnet.network.weights import load

    model = fold(load(arguments.weights))
    return model, record(model, read_pixels(arguments.picture, model.info.preprocessing))


def class_asked(arguments: argparse.Namespace, model: GoogLeNet, otherwise: int) -> int:
    """The class of `--class`, by its number; `otherwise` where none was given."""
    given = arguments.target
    return otherwise if given is None else model.info.class_index(given)


def switched(arguments: argparse.Namespace) -> tuple[GoogLeNet, Ablation]:
    """The same with the branches switched that `add_switches`'s options name."""
    from gnet.explain.ablation import MEAN, ablation_of
    from gnet.explain.means import means_of

    wanted = _switches(arguments)
    model, recording = recorded(arguments)
    means = means_of(model) if MEAN in wanted.values() else None
    return model, ablation_of(model, recording, wanted, means)


def _switches(arguments: argparse.Namespace) -> Any:
    from gnet.explain.ablation import MEAN, OFF, check_switches

    switches: dict[str, Any] = dict.fromkeys(arguments.off, OFF)
    switches |= dict.fromkeys(arguments.mean, MEAN)
    for text in arguments.scale:
        name, equals, factor = text.partition("=")
        if not equals:
            raise FieldError("--scale", text, "a branch, = and a factor, as 4c/3x3=0.5")
        switches[name] = factor
    return check_switches(switches)
