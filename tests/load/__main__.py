"""Drives a page of this machine with many viewers: python -m tests.load --viewers 50.

Prints a table, and with --json everything it measured. Exits with 1 where an answer was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # what tests share

from load.measuring import Load, measure, soak
from load.served import served, training
from load.table import soak_table, table

MOST_VIEWERS = 500


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 where an answer was mixed up, lost or refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--viewers", type=int, default=50, help="viewers at once (50)")
    parser.add_argument("--clicks", type=int, default=10, help="clicks of each viewer (10)")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between clicks (2)")
    parser.add_argument("--crowd", type=int, default=100, help="viewers that fill the line (100)")
    parser.add_argument(
        "--beside-training", action="store_true", help="a training that gives way runs meanwhile"
    )
    parser.add_argument(
        "--soak", type=float, metavar="MINUTES", help="the same viewers over and over for so long"
    )
    parser.add_argument("--json", action="store_true", help="print JSON beside the table")
    options = parser.parse_args(arguments)
    if not 1 <= options.viewers <= MOST_VIEWERS or not 0 <= options.crowd <= MOST_VIEWERS:
        parser.error(f"allowed are 1 to {MOST_VIEWERS} viewers")
    load = Load(
        viewers=options.viewers, clicks=options.clicks, pause=options.pause, crowd=options.crowd
    )
    with served() as page, training() if options.beside_training else nullcontext():
        if options.soak:
            result = asyncio.run(soak(page, load, options.soak))
        else:
            result = asyncio.run(measure(page, load))
    print(soak_table(result) if options.soak else table(result))
    if options.json:
        print(json.dumps(result, indent=1))
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
