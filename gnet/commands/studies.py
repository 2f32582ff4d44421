"""Commands for work that ends in a table, from bench and experiment to imagenette and recipe."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnet.commands.console import Command, positive, print_json
from gnet.errors import GnetError
from gnet.runs.events import EpochDone, Event
from gnet.runs.train_config import TrainConfig
from gnet.system.processes import with_large_pages
from gnet.system.progress import Bar
from gnet.system.signals import StopSignals
from gnet.words import listed, percent

if TYPE_CHECKING:
    from gnet.runs.experiments import Experiment

_THREADS = "CPU threads; 0 leaves torch's choice"


def register(command: Command) -> None:
    sub = command(bench, "Measure speed against torchvision's network in one run.", weights=False)
    sub.add_argument("--rounds", type=positive, default=5, help="repetitions (default 5)")
    part = sub.add_mutually_exclusive_group()
    part.add_argument("--forward", action="store_true", help="measure one picture's forward alone")
    part.add_argument("--page", action="store_true", help="measure training from the page instead")

    sub = command(
        precision,
        "Measure what bf16 costs or gains in training here, and say what auto takes.",
        weights=False,
    )
    sub.add_argument("--threads", type=int, default=0, help=_THREADS)

    sub = command(
        experiment,
        "Train the runs of an experiment and say what they show.",
        weights=False,
        older="preset",
    )
    sub.add_argument("key", nargs="?", default="", help="which one; without it, they are listed")
    sub.add_argument("--data", default="", help="another data set than the built-in one")
    sub.add_argument(
        "--seeds", type=positive, default=1, metavar="N", help="repeat with the seeds 0 to N - 1"
    )
    sub.add_argument("--threads", type=int, default=0, help=_THREADS)
    sub.add_argument(
        "--short", action="store_true", help="the short form: seconds a run, less certain"
    )

    sub = command(
        claims,
        "Train the experiments over seeds, threads and precisions: by how much each claim holds.",
        weights=False,
    )
    sub.add_argument("key", nargs="?", default="", help="one experiment; without it, all of them")
    sub.add_argument("--out", required=True, metavar="DIR", help="folder that keeps the runs")
    sub.add_argument("--short", action="store_true", help="the short forms")
    sub.add_argument(
        "--seeds", type=positive, default=5, metavar="N", help="the seeds 0 to N - 1 (default 5)"
    )
    sub.add_argument("--threads", type=positive, nargs="+", default=[1, 2], help="default 1 2")
    sub.add_argument(
        "--precision",
        nargs="+",
        choices=("fp32", "bf16"),
        default=["fp32", "bf16"],
        help="default fp32 bf16",
    )
    sub.add_argument("--only", default="", metavar="NAME", help="runs whose name begins so")

    sub = command(
        imagenette,
        "Train on Imagenette from scratch: 5 epochs with and without heads, 20 with heads.",
        weights=False,
    )
    _add_series(sub, "zip or folder that holds Imagenette's classes")
    sub = command(
        recipe,
        "Train short runs that each change one thing of the bundled network's recipe.",
        weights=False,
    )
    _add_series(sub, "zip or folder of pictures")


def _add_series(parser: argparse.ArgumentParser, data: str) -> None:
    parser.add_argument("--data", required=True, help=data)
    parser.add_argument("--out", required=True, metavar="DIR", help="folder that keeps the runs")
    parser.add_argument("--threads", type=int, default=0, help=_THREADS)
    parser.add_argument("--only", default="", metavar="NAME", help="runs whose name begins so")


def bench(arguments: argparse.Namespace) -> None:
    from gnet.studies.speed import bench as network
    from gnet.studies.speed import bench_forward as forward
    from gnet.studies.speed import bench_page as page

    with_large_pages()
    measure, table = network.bench, network.table
    if arguments.forward:
        measure, table = forward.bench_forward, forward.table
    elif arguments.page:
        measure, table = page.bench_page, page.table
    result = measure(rounds=arguments.rounds, progress=Bar("measuring"))
    if arguments.json:
        print_json(result)
        return
    print(table(result))


def precision(arguments: argparse.Namespace) -> None:
    import torch

    from gnet.studies import precision as study

    with_large_pages()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    found = list(study.timings(study.CASES))
    if arguments.json:
        print_json([asdict(timing) for timing in found])
    else:
        print(study.table(found))


def experiment(arguments: argparse.Namespace) -> None:
    if not arguments.key:
        _list(arguments.json)
        return
    (chosen,) = _experiments(arguments)
    with_large_pages()
    changes: dict[str, Any] = {"threads": arguments.threads, "pinned": -1, "gradients_every": 0}
    if arguments.data:
        changes["data"] = arguments.data
    if not arguments.json:
        print(f"You will see: {chosen.see}\nLook at: {chosen.look}\n{chosen.before}", flush=True)
    rows = []
    for seed in range(arguments.seeds):
        runs = chosen.changed(seed=seed, **changes).runs
        events = {name: _carried_out(name, config, arguments.json) for name, config in runs}
        after, outcomes = chosen.after(events), chosen.outcomes(events)
        row = {"seed": seed, "shown": chosen.claim(events), "margin": chosen.margin_of(outcomes)}
        each = {name: asdict(result) for name, result in outcomes.items()}
        rows.append(row | {"after": after, "runs": each})
        if not arguments.json:
            print(f"seed {seed}: {after}", flush=True)
    if arguments.json:
        print_json({"experiment": chosen.key, "before": chosen.before, "seeds": rows})


def claims(arguments: argparse.Namespace) -> int:
    from gnet.studies.claims import claims, plan, settings, table
    from gnet.studies.series import carry_out, finished

    experiments = _experiments(arguments)
    within = settings(arguments.seeds, arguments.threads, arguments.precision)
    with_large_pages()
    runs, folder = plan(experiments, within), Path(arguments.out)
    signals, on_epoch = StopSignals(), _silently if arguments.json else _say_epoch
    carry_out(runs, folder, only=arguments.only, on_epoch=on_epoch, signals=signals)
    found = list(claims(experiments, within, finished(runs, folder)))
    if arguments.json:
        print_json([asdict(claim) | {"shown": claim.shown} for claim in found])
    else:
        print(table(found))
    return signals.exit_code


def _experiments(arguments: argparse.Namespace) -> list[Experiment]:
    """The chosen experiment, or all of them, in the short or the long form."""
    from gnet.runs.experiments import EXPERIMENTS

    if arguments.key and arguments.key not in EXPERIMENTS:
        raise GnetError(
            f"There is no experiment {arguments.key!r}; there are {listed(EXPERIMENTS)}."
        )
    chosen = [EXPERIMENTS[arguments.key]] if arguments.key else list(EXPERIMENTS.values())
    return [experiment.short() for experiment in chosen] if arguments.short else chosen


def _list(as_json: bool) -> None:
    from gnet.runs.experiments import EXPERIMENTS

    if as_json:
        kept = ("key", "title", "line", "see", "look", "before")
        print_json(
            [
                {name: getattr(experiment, name) for name in kept}
                for experiment in EXPERIMENTS.values()
            ]
        )
        return
    for key, experiment in EXPERIMENTS.items():
        print(f"{key:14} {experiment.title}: {experiment.line}")


def _carried_out(name: str, config: TrainConfig, as_json: bool) -> Sequence[Event]:
    """A run's events; each epoch is printed as it ends, unless the output is JSON."""
    from gnet.runs.events import EpochDone, RunStarted, StepDone
    from gnet.training.loop import train

    events, steps, bar = [], 0, Bar("reading pictures")
    for event in train(config, progress=bar):
        events.append(event)
        if isinstance(event, RunStarted):
            steps, bar = event.steps, Bar(name)
        if isinstance(event, StepDone):
            bar(event.step, steps, f"loss {event.loss:.3f}")
        if isinstance(event, EpochDone) and not as_json:
            bar.clear()
            heads = "  ".join(f"{head} {percent(v)}" for head, v in event.val_accuracy.items())
            print(f"{name}  epoch {event.epoch}  {event.seconds:.0f} s  {heads}", flush=True)
    return events


def imagenette(arguments: argparse.Namespace) -> int:
    from gnet.studies.imagenette import benchmark, table

    with_large_pages()
    signals = StopSignals()
    found = benchmark(
        arguments.data,
        Path(arguments.out),
        threads=arguments.threads,
        only=arguments.only,
        on_epoch=_silently if arguments.json else _say_epoch,
        signals=signals,
    )
    if arguments.json:
        print_json(found)
    else:
        print(table(found))
    return signals.exit_code


def recipe(arguments: argparse.Namespace) -> int:
    from gnet.studies.recipe import plan, table
    from gnet.studies.series import carry_out, finished

    with_large_pages()
    runs, folder = plan(arguments.data, arguments.threads), Path(arguments.out)
    signals, on_epoch = StopSignals(), _silently if arguments.json else _say_epoch
    carry_out(runs, folder, only=arguments.only, on_epoch=on_epoch, signals=signals)
    found = finished(runs, folder)
    if arguments.json:
        print_json({name: asdict(run) for name, run in found.items()})
    else:
        print(table(found))
    return signals.exit_code


def _say_epoch(name: str, epoch: EpochDone) -> None:
    accuracy = percent(epoch.val_accuracy["main"])
    print(f"{name}  epoch {epoch.epoch}  {accuracy}  {epoch.seconds:.0f} s", flush=True)


def _silently(name: str, epoch: EpochDone) -> None:
    pass
