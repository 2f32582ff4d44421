"""Commands that look back at runs: review, compare."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from gnet.commands.console import Command, print_json
from gnet.system.processes import end_with, with_large_pages
from gnet.system.progress import Bar
from gnet.words import percent


def register(command: Command) -> None:
    sub = command(
        review,
        "Show what a run's network gets right and wrong on its validation pictures.",
        weights=False,
    )
    sub.add_argument("run_dir", metavar="RUN_DIR", help="folder of the run")
    sub.add_argument("--out", metavar="DIR", help="folder to write the figures to")
    sub.add_argument(
        "--counting",
        action="store_true",
        help="print `done of total` lines and nothing else, and end when standard input does",
    )
    sub.add_argument("--format", choices=("png", "svg", "pdf"), default="png", help="of figures")

    sub = command(compare, "List the settings in which runs differ.", weights=False)
    sub.add_argument("run_dirs", metavar="RUN_DIR", nargs="+", help="folders of the runs")


def review(arguments: argparse.Namespace) -> None:
    from gnet.serving.run_review import depth_of_run, review_run

    with_large_pages()
    if arguments.counting:
        end_with(sys.stdin)
        review_run(arguments.run_dir, _count)
        depth_of_run(arguments.run_dir, _count)
        return
    result = review_run(arguments.run_dir, Bar("looking at pictures"))
    summary = result.summary()
    files = _draw(result, Path(arguments.out), arguments.format) if arguments.out else []
    if arguments.json:
        print_json(summary | {"files": [str(path) for path in files]})
        return
    print(f"{summary['pictures']} of {summary['of']} pictures, {len(result.classes)} classes")
    for head, row in reversed(summary["heads"].items()):
        print(
            f"  {head}: {percent(row['accuracy'])} right, {percent(row['confidence'])} sure on "
            f"average, calibration error {percent(row['calibration_error'])}"
        )
    for head in summary["untrained"]:
        print(f"  {head}: untrained")
    for path in files:
        print(path)


def compare(arguments: argparse.Namespace) -> None:
    from gnet.runs.comparison import compare
    from gnet.runs.folder import RunFolder

    rows = compare([RunFolder(path).config() for path in arguments.run_dirs])
    if arguments.json:
        table = {row.setting: list(row.values) for row in rows}
        print_json({"runs": arguments.run_dirs, "differences": table})
        return
    if not rows:
        print("The runs have the same settings.")
    for row in rows:
        print(f"  {row.setting:<24}" + "   ".join(str(value) for value in row.values))


def _count(done: int, total: int) -> None:
    print(f"{done} of {total}", flush=True)


def _draw(result: Any, folder: Path, kind: str) -> list[Path]:
    from gnet.figures import review as drawn
    from gnet.figures.sheet import save

    figures = {"reliability": drawn.reliability_figure(result)}
    for head in result.heads:
        figures[f"confusion-{head}"] = drawn.confusion_figure(result, head)
        figures[f"gallery-{head}"] = drawn.gallery_figure(result, head)
    paths = []
    for name, figure in figures.items():
        paths.append(folder / f"{name}.{kind}")
        save(figure, paths[-1])
    return paths
