"""Commands that write files to keep: publish, convert, export, assets."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gnet.commands.console import Command, positive, print_json
from gnet.errors import GnetError
from gnet.network.config import UNTRAINED
from gnet.system.paths import expanded
from gnet.system.processes import with_large_pages
from gnet.system.progress import Bar
from gnet.words import listed

if TYPE_CHECKING:
    from gnet.network.model import GoogLeNet


def register(command: Command) -> None:
    sub = command(
        publish, "Turn a finished run into weights to ship, with a model card.", weights=False
    )
    sub.add_argument("run_dir", metavar="RUN_DIR", help="folder of the finished run")
    sub.add_argument("--out", required=True, metavar="FILE", help="the .safetensors file to write")
    sub.add_argument("--data", help="where the run's data set lies now")
    sub.add_argument("--size", type=positive, help="side of the input in px to evaluate at")

    sub = command(convert, "Make weights of a .pth file of torchvision's GoogLeNet.", weights=False)
    sub.add_argument("source", metavar="FILE", help="the .pth, .pt or .safetensors file")
    sub.add_argument(
        "--classes", required=True, metavar="FILE", help="class names, one a line or JSON"
    )
    sub.add_argument(
        "--transform-input",
        required=True,
        action=argparse.BooleanOptionalAction,
        help="the network renormalises its input: yes for torchvision's published weights and what "
        "was fine-tuned from them, no for weights trained from random ones",
    )
    sub.add_argument(
        "--heads",
        default="main",
        help="heads that were trained, as main,aux1,aux2 (default main)",
    )
    sub.add_argument("--out", required=True, metavar="FILE", help="the .safetensors file to write")

    sub = command(
        export, "Write the network as ONNX, as a JSON description or as torchvision's state dict."
    )
    sub.add_argument("--format", choices=("onnx", "json", "torchvision"), required=True)
    sub.add_argument("--preset", metavar="CHOICE", help="a preset in place of --weights")
    sub.add_argument(
        "--head", help="only what main, aux1 or aux2 needs (onnx and json; default all heads)"
    )
    sub.add_argument(
        "--branches", action="store_true", help="put all branches out, too, by unit (onnx)"
    )
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


def convert(arguments: argparse.Namespace) -> None:
    from gnet.network.conversion import convert, read_classes
    from gnet.network.weights import load, save

    out = expanded(arguments.out)
    if out.suffix != ".safetensors":
        raise GnetError(f"--out is {arguments.out}; allowed is a path that ends in .safetensors.")
    names = read_classes(arguments.classes)
    heads = [name.strip() for name in arguments.heads.split(",")]
    found = convert(
        arguments.source, names, transform_input=arguments.transform_input, trained=heads
    )
    info = load(save(found.model, out)).info
    if arguments.json:
        status = {"heads": info.heads, "left_out": list(found.left_out)}
        print_json({"file": str(out), "classes": len(names)} | status)
        return
    trained = [head for head, status in info.heads.items() if status != UNTRAINED]
    print(f"{out}, {len(names)} classes, trained heads: {listed(trained)}")
    if found.left_out:
        print(f"left out: {listed(found.left_out)}, made for other classes or without the other")


def export(arguments: argparse.Namespace) -> None:
    from gnet.network.export.description import write_json
    from gnet.network.export.onnx_file import agreement, check_onnx, to_onnx
    from gnet.network.export.torchvision_file import to_torchvision

    kind = arguments.format
    if arguments.branches and kind != "onnx":
        raise GnetError(f"--branches goes with --format onnx; {kind} was given.")
    if arguments.head and kind == "torchvision":
        raise GnetError("--head goes with --format onnx or json; torchvision was given.")
    model = _exported(arguments)
    suffix = {"onnx": ".onnx", "json": ".json", "torchvision": ".safetensors"}[kind]
    path = Path(arguments.out or f"googlenet{suffix}")
    parts = {"head": arguments.head, "branches": arguments.branches}
    checked = None
    if kind == "json":
        path = write_json(model, path, head=arguments.head)
    elif kind == "onnx":
        path = to_onnx(model, path, **parts)
        checked = check_onnx(model, path, **parts)
    else:
        path = to_torchvision(model, path)
    if arguments.json:
        check = {"outputs": checked.outputs, "error": checked.error} if checked else {}
        print_json({"file": str(path), "bytes": path.stat().st_size} | check)
        return
    print(f"{path}, {path.stat().st_size / 1e3:,.0f} kB")
    if checked:
        print(agreement(checked))


def _exported(arguments: argparse.Namespace) -> GoogLeNet:
    from gnet.answers.architecture.plans import begun, check_preset
    from gnet.network.weights import load

    if arguments.preset:
        return begun(check_preset(arguments.preset))
    return load(arguments.weights)


def assets(arguments: argparse.Namespace) -> None:
    from gnet.answers.examples import build

    written = build()
    if arguments.json:
        print_json({"files": [str(path) for path in written]})
        return
    print("\n".join(str(path) for path in written))
