"""Commands that judge a network: evaluate, bench."""

from __future__ import annotations

import argparse

from gnet.commands.arguments import Command, positive
from gnet.commands.printing import print_json
from gnet.commands.process import with_large_pages
from gnet.progress import Bar


def register(command: Command) -> None:
    """Tell the command line what the commands are given."""
    sub = command(evaluate)
    sub.add_argument("--data", required=True, help="built-in, a torchvision name, folder or zip")
    sub.add_argument("--split", default="val", help="top-level folder of the data set")
    sub.add_argument(
        "--seed", type=int, default=0, help="of the run, for data without split folders (default 0)"
    )
    sub.add_argument("--size", type=positive, help="side of the input in px")

    sub = command(bench, weights=False)
    sub.add_argument("--rounds", type=positive, default=5, help="repetitions (default 5)")


def evaluate(arguments: argparse.Namespace) -> None:
    """How many pictures of a data set each head gets right."""
    from dataclasses import replace

    from gnet.data import open_dataset
    from gnet.evaluation import evaluate
    from gnet.model import fold
    from gnet.weights import load

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
        progress=Bar("reading pictures"),
    )
    result = evaluate(model, data, preprocessing, progress=Bar("evaluating"))
    summary = result.summary() | {"skipped": data.skipped}
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


def bench(arguments: argparse.Namespace) -> None:
    """Speed against torchvision's network, side by side in this run."""
    from gnet import bench as benching

    with_large_pages()
    result = benching.bench(rounds=arguments.rounds, progress=Bar("measuring"))
    if arguments.json:
        print_json(result)
        return
    print(benching.table(result))
