"""Commands that judge a network: evaluate, bench."""

from __future__ import annotations

import argparse

from gnet.commands.console import Command, positive
from gnet.commands.printing import print_json
from gnet.commands.process import with_large_pages
from gnet.system.progress import Bar


def register(command: Command) -> None:
    """Tell the command line what the commands are given."""
    sub = command(evaluate)
    sub.add_argument("--data", required=True, help="built-in, a torchvision name, folder or zip")
    sub.add_argument("--split", default="val", help="top-level folder of the data set")
    sub.add_argument(
        "--seed", type=int, default=0, help="of the run, for data without split folders (default 0)"
    )
    sub.add_argument("--size", type=positive, help="side of the input in px")
    sub.add_argument(
        "--classes", default="", metavar="NAMES", help="class folders to take, comma-separated"
    )

    sub = command(calibrate)
    sub.add_argument("--data", required=True, help="built-in, a torchvision name, folder or zip")
    sub.add_argument("--split", default="val", help="top-level folder to report on (default val)")
    sub.add_argument("--photos", metavar="DIR", help="photos of none of the classes, by kind")
    sub.add_argument(
        "--each", type=positive, default=100, help="pictures made of each kind (default 100)"
    )
    sub.add_argument(
        "--seed", type=int, default=0, help="of the run, for data without split folders (default 0)"
    )
    sub.add_argument("--out", required=True, metavar="FILE", help="the .safetensors file to write")

    sub = command(bench, weights=False)
    sub.add_argument("--rounds", type=positive, default=5, help="repetitions (default 5)")
    sub.add_argument("--page", action="store_true", help="measure training from the page instead")


def evaluate(arguments: argparse.Namespace) -> None:
    """How many pictures of a data set each head gets right."""
    from dataclasses import replace

    from gnet.data.datasets import open_dataset
    from gnet.evaluation.accuracy import evaluate
    from gnet.network.model import fold
    from gnet.network.weights import load
    from gnet.runs.train_config import names_in

    with_large_pages()
    model = fold(load(arguments.weights))
    preprocessing = model.info.preprocessing
    if arguments.size:
        preprocessing = replace(preprocessing, size=arguments.size)
        model.config.check_size(arguments.size, arguments.size)
    data = open_dataset(
        arguments.data,
        arguments.split,
        size=preprocessing.size,
        seed=arguments.seed,
        classes=names_in(arguments.classes),
        progress=Bar("reading pictures"),
    )
    result = evaluate(model, data, preprocessing, progress=Bar("evaluating"))
    calibration = result.calibration(
        model.info.temperatures, rectified=model.config.rectified_outputs
    )
    summary = result.summary() | {"calibration": calibration, "skipped": data.skipped}
    if arguments.json:
        print_json(summary)
        return
    print(f"{summary['count']} pictures, {len(data.classes)} classes, {preprocessing.size} px")
    rows = {"all": summary["heads"], "mean of groups": summary["sources_mean"], **summary["groups"]}
    for name, heads in rows.items():
        each = "   ".join(
            f"{head} {100 * tops['top1']:5.1f} / {100 * tops['top5']:5.1f} %"
            for head, tops in heads.items()
        )
        print(f"  {name:<15}{each}")
    errors = "   ".join(
        f"{head} {100 * row['ece_after']:.1f} % ({100 * row['ece_before']:.1f} % at temperature 1)"
        for head, row in calibration.items()
    )
    print(f"  calibration    {errors}")


def calibrate(arguments: argparse.Namespace) -> None:
    """Fit temperatures, and choose below which score a head says "not sure"."""
    from gnet.evaluation import sureness as calibrating
    from gnet.network.weights import load

    with_large_pages()
    source = calibrating.source_of(arguments.weights)
    calibrating.card_of(arguments.out)
    model = load(source)
    report = calibrating.calibrate(
        model,
        arguments.data,
        split=arguments.split,
        photos=arguments.photos,
        each=arguments.each,
        seed=arguments.seed,
        progress=Bar("calibrating"),
    )
    written = calibrating.write(report, source, model.info, arguments.out)
    if arguments.json:
        print_json(report.to_json() | {"files": [str(path) for path in written]})
        return
    print(calibrating.measured(report))
    print("\n".join(["", *map(str, written)]))


def bench(arguments: argparse.Namespace) -> None:
    """Speed against torchvision's network, side by side in this run."""
    from gnet.studies import bench as network
    from gnet.studies import bench_page as page

    with_large_pages()
    measure, table = (
        (page.bench_page, page.table) if arguments.page else (network.bench, network.table)
    )
    result = measure(rounds=arguments.rounds, progress=Bar("measuring"))
    if arguments.json:
        print_json(result)
        return
    print(table(result))
