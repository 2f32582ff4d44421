"""Commands that write files to keep: publish, export, assets."""

from __future__ import annotations

import argparse
from pathlib import Path

from gnet.commands.console import Command, positive, print_json
from gnet.system.processes import with_large_pages
from gnet.system.progress import Bar


def register(command: Command) -> None:
    sub = command(
        publish, "Turn a finished run into weights to ship, with a model card.", weights=False
    )
    sub.add_argument("run_dir", metavar="RUN_DIR", help="folder of the finished run")
    sub.add_argument("--out", required=True, metavar="FILE", help="the .safetensors file to write")
    sub.add_argument("--data", help="where the run's data set lies now")
    sub.add_argument("--size", type=positive, help="side of the input in px to evaluate at")

    sub = command(
        export, "Write the network as ONNX, as a JSON description or as torchvision's state dict."
    )
    sub.add_argument("--format", choices=("onnx", "json", "torchvision"), required=True)
    sub.add_argument("--out", metavar="FILE", help="file to write (default googlenet.*)")

    command(assets, "Record the shipped examples again with the bundled weights.", weights=False)


def publish(arguments: argparse.Namespace) -> None:
    from gnet.studies.publishing import publish

    with_large_pages()
    written = publish(
        arguments.run_dir,
        arguments.out,
        data=arguments.data,
        size=arguments.size,
        progress=Bar("evaluating"),
    )
    if arguments.json:
        print_json({"files": [str(path) for path in written]})
        return
    print("\n".join(str(path) for path in written))


def export(arguments: argparse.Namespace) -> None:
    from gnet.network import export as exporting
    from gnet.network.weights import load

    model = load(arguments.weights)
    suffix = {"onnx": ".onnx", "json": ".json", "torchvision": ".safetensors"}[arguments.format]
    path = Path(arguments.out or f"googlenet{suffix}")
    if arguments.format == "json":
        path = exporting.write_json(model, path)
    elif arguments.format == "onnx":
        path = exporting.to_onnx(model, path)
    else:
        path = exporting.to_torchvision(model, path)
    if arguments.json:
        print_json({"file": str(path), "bytes": path.stat().st_size})
        return
    print(f"{path}, {path.stat().st_size / 1e3:,.0f} kB")


def assets(arguments: argparse.Namespace) -> None:
    from gnet.answers.examples import build

    written = build()
    if arguments.json:
        print_json({"files": [str(path) for path in written]})
        return
    print("\n".join(str(path) for path in written))
