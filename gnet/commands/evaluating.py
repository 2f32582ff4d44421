"""Commands that measure a network on a data set: evaluate, calibrate, probe, exits, depth."""

from __future__ import annotations

import argparse
from pathlib import Path

from gnet import strict_json
from gnet.commands.console import Command, add_data, positive, print_json
from gnet.commands.picture.exporting import add_export, write
from gnet.studies.model_card import EXITS, PROBES
from gnet.system.processes import with_large_pages
from gnet.system.progress import Bar
from gnet.words import percent


def register(command: Command) -> None:
    sub = command(evaluate, "Measure how many pictures of a data set each head gets right.")
    add_data(sub)
    sub.add_argument("--size", type=positive, help="side of the input in px")
    sub.add_argument(
        "--classes", default="", metavar="NAMES", help="class folders to take, comma-separated"
    )

    sub = command(calibrate, 'Fit temperatures and the scores below which a head says "not sure".')
    add_data(sub, split="top-level folder to report on")
    sub.add_argument("--photos", metavar="DIR", help="photos of none of the classes, by kind")
    sub.add_argument(
        "--each", type=positive, default=100, help="pictures made of each kind (default 100)"
    )
    sub.add_argument("--out", required=True, metavar="FILE", help="the .safetensors file to write")

    sub = command(probe, "Fit a linear probe to each module's output; the network stays as it is.")
    add_data(sub, split="")
    sub.add_argument(
        "--per-class", type=positive, default=100, help="training pictures a class (default 100)"
    )
    sub.add_argument("--out", required=True, metavar="FILE", help="the .safetensors file to write")
    sub.add_argument("--card", metavar="FILE", help="model card to write the table into")

    sub = command(exits, "Measure what leaving the network early gains and costs.")
    add_data(sub)
    sub.add_argument("--out", metavar="FILE", help=".json to write; a figure (.png) goes beside it")
    sub.add_argument("--card", metavar="FILE", help="model card to write the table into")

    sub = command(
        depth_over,
        "Count what each head and each module's probe gets right, and who agrees.",
        name="measure-depth",
    )
    add_data(sub)
    sub.add_argument(
        "--per-class", type=positive, default=100, help="pictures a class that probes are fitted to"
    )
    sub.add_argument("--out", metavar="FILE", help=".json to write; the gallery goes beside it")
    sub.add_argument(
        "--sources",
        metavar="NAMES",
        default="",
        help="sources whose pictures may be in the gallery, comma-separated; by default all",
    )
    sub.add_argument(
        "--without",
        type=int,
        nargs="*",
        default=[],
        metavar="N",
        help="places in that gallery, from 0, of pictures to leave out",
    )

    sub = command(
        draw_depth,
        "Draw what was measured of each depth, or write its numbers.",
        name="draw-depth",
    )
    sub.add_argument("view", metavar="VIEW", help="accuracy, agreement, classes or early")
    sub.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        help="what measure-depth wrote (default: the bundled network's)",
    )
    sub.add_argument("--class", dest="named", default="", help="class to show, by name")
    sub.add_argument("--leave", type=float, help="threshold to mark, from 0 to 1")
    add_export(sub)


def evaluate(arguments: argparse.Namespace) -> None:
    from dataclasses import replace

    from gnet.data.datasets import open_dataset
    from gnet.evaluation.accuracy import evaluate
    from gnet.network.folding import fold
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
    for key, name in (("class_mean", "mean of classes"), ("family", "family right")):
        by_head = {head: tops[key] for head, tops in summary["heads"].items() if key in tops}
        if by_head:
            each = "   ".join(f"{head} {percent(value)}" for head, value in by_head.items())
            print(f"  {name:<16}{each}")
    errors = "   ".join(
        f"{head} {percent(row['ece_after'])} ({percent(row['ece_before'])} at temperature 1)"
        for head, row in calibration.items()
    )
    print(f"  calibration    {errors}")


def calibrate(arguments: argparse.Namespace) -> None:
    from gnet.evaluation.sureness import calibrate
    from gnet.network.weights import load
    from gnet.studies import model_card

    with_large_pages()
    source = model_card.source_of(arguments.weights)
    model_card.card_of(arguments.out)
    model = load(source)
    report = calibrate(
        model,
        arguments.data,
        split=arguments.split,
        photos=arguments.photos,
        each=arguments.each,
        seed=arguments.seed,
        progress=Bar("calibrating"),
    )
    written = model_card.write(report, source, model.info, arguments.out)
    if arguments.json:
        print_json(report.to_json() | {"files": [str(path) for path in written]})
        return
    print(model_card.measured(report))
    print("\n".join(["", *map(str, written)]))


def probe(arguments: argparse.Namespace) -> None:
    from gnet.evaluation.probe_fitting import fit_probes, probes_table
    from gnet.network.folding import fold
    from gnet.network.weights import load

    with_large_pages()
    _check_card(arguments.card, PROBES)
    fitted = fit_probes(
        fold(load(arguments.weights)),
        arguments.data,
        per_class=arguments.per_class,
        seed=arguments.seed,
        progress=Bar("probing"),
    )
    path = fitted.save(arguments.out)
    _write_card(arguments.card, PROBES, probes_table(fitted))
    if arguments.json:
        print_json({"file": str(path), "bytes": path.stat().st_size, **fitted.metrics})
        return
    print(f"{path}, {path.stat().st_size / 1e6:.2f} MB")
    for stage, row in fitted.metrics["stages"].items():
        print(f"  {stage}  {100 * row['top1']:5.1f} / {100 * row['top5']:5.1f} %")


def exits(arguments: argparse.Namespace) -> None:
    from gnet.evaluation.exits import measure_exits
    from gnet.figures.exits import exits_figure, exits_table
    from gnet.figures.sheet import save
    from gnet.network.folding import fold
    from gnet.network.weights import load
    from gnet.system.atomic import atomically

    with_large_pages()
    _check_card(arguments.card, EXITS)
    measured = measure_exits(
        fold(load(arguments.weights)),
        arguments.data,
        split=arguments.split,
        seed=arguments.seed,
        progress=Bar("evaluating"),
    )
    record = measured.to_json()
    if arguments.out:
        with atomically(arguments.out) as temporary:
            temporary.write_text(strict_json.dumps(record), encoding="utf-8")
        save(exits_figure(measured), Path(arguments.out).with_suffix(".png"))
    _write_card(arguments.card, EXITS, exits_table(measured))
    if arguments.json:
        print_json(record)
        return
    print(exits_table(measured))


def depth_over(arguments: argparse.Namespace) -> None:
    from gnet.data.datasets import open_dataset
    from gnet.evaluation.depth import measure_depth, only_sources
    from gnet.evaluation.probe_fitting import fit_probes
    from gnet.evaluation.review import review, thinned
    from gnet.explain.probes import find_probes
    from gnet.network.folding import fold
    from gnet.network.weights import load
    from gnet.runs.train_config import names_in

    with_large_pages()
    model = fold(load(arguments.weights))
    seen, data = model.info.preprocessing, arguments.data
    opened = open_dataset(
        data, arguments.split, size=seen.size, seed=arguments.seed, progress=Bar("reading pictures")
    )
    probes = find_probes(model.info.digest) or fit_probes(
        model, data, per_class=arguments.per_class, seed=arguments.seed, progress=Bar("probing")
    )
    reviewed = review(model, opened, seen, Bar("evaluating"))
    shown = thinned(opened)
    found = measure_depth(
        model,
        shown,
        reviewed,
        probes,
        data=Path(data).name,
        split=arguments.split,
        progress=Bar("reading probes"),
    )
    names = names_in(arguments.sources) or sorted(set(shown.sources))
    found, gallery = only_sources(found, reviewed, shown, names, arguments.without)
    if arguments.out:
        found.save(arguments.out)
        gallery.save(Path(arguments.out).with_suffix(".safetensors"))
    if arguments.json:
        print_json(found.to_json())
        return
    print(f"{found.count:,} pictures of {found.data}, {found.size} px")
    for reader in found.readers:
        print(f"  {reader.name:<5} {percent(reader.top1):>7} right, {reader.status}")
    for head, count in found.earlier.items():
        print(
            f"{head} is right and main wrong on {count:,} pictures, main alone on "
            f"{found.later[head]:,}."
        )


def draw_depth(arguments: argparse.Namespace) -> None:
    from gnet.answers.exports.over_pictures import export_depths
    from gnet.evaluation.depth import SHIPPED, Depth

    found = Depth.read(arguments.source or SHIPPED)
    export = export_depths(found, arguments.view, arguments.named, arguments.leave)
    if write(arguments, export):
        return
    if arguments.json:
        print_json(export.about | {"rows": export.rows})
        return
    print(export.about.get("sentence") or export.csv().rstrip())


def _check_card(card: str | None, marks: tuple[str, str]) -> None:
    """Refuse a card without marks before the work, not after it."""
    from gnet.studies.model_card import between_marks

    if card:
        between_marks(Path(card), "", marks)


def _write_card(card: str | None, marks: tuple[str, str], text: str) -> None:
    from gnet.studies.model_card import between_marks
    from gnet.system.atomic import atomically

    if card:
        whole = between_marks(Path(card), text, marks)
        with atomically(card) as temporary:
            temporary.write_text(whole, encoding="utf-8")
