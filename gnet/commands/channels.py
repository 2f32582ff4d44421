"""Commands for what channels and branches answer: gallery, index, visualize, scales."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gnet.commands.console import Command, positive, print_json
from gnet.errors import FieldError, GnetError
from gnet.system.progress import Bar
from gnet.words import listed


def register(command: Command) -> None:
    sub = command(index, "Find the nine pictures that each channel answers most.")
    sub.add_argument(
        "--data", help="built-in, a torchvision name, folder or zip (default: shipped)"
    )
    sub.add_argument("--split", default="val", help="top-level folder of the data set")
    sub.add_argument("--per-class", type=positive, help="most pictures of each class")
    sub.add_argument("--out", metavar="FILE", help="file to write (default: where the page looks)")

    sub = command(
        gallery,
        "Put the pictures of a folder on the sheet that the index of channels is made over.",
        weights=False,
    )
    sub.add_argument("source", metavar="DIR", help="the folder of the pictures, at any depth")
    sub.add_argument("--out", metavar="DIR", help="folder of the sheet (default assets/channels)")

    sub = command(
        visualize,
        "Grow a picture that a channel answers strongly, or the sheet of all branches.",
        older="dream",
    )
    sub.add_argument("--stage", "--module", help="module, as 4d")
    sub.add_argument("--branch", help="1x1, 3x3, 5x5 or pool")
    sub.add_argument("--channel", type=int, help="channel of the branch, from 0")
    sub.add_argument("--size", type=positive, help="side of the picture in px")
    sub.add_argument("--steps", type=positive, help="steps to grow it in")
    sub.add_argument("--out", metavar="FILE", help="picture to write: .png or .webp")
    sub.add_argument(
        "--sprite", action="store_true", help="the sheet of all branches' strongest channels"
    )
    sub.add_argument("--dir", metavar="DIR", help="folder of the sheet (default assets/channels)")

    sub = command(scales, "Show a module's branches stripes from fine to coarse.")
    sub.add_argument("--module", "--stage", required=True, help="module, as 4d")
    sub.add_argument("--out", metavar="FILE", help="figure to write: .png, .svg or .pdf")


def index(arguments: argparse.Namespace) -> None:
    from gnet.channels.index import SHIPPED, index_path, make_index
    from gnet.data.datasets import open_dataset
    from gnet.data.gallery import FOLDER, shipped
    from gnet.network.folding import fold
    from gnet.network.weights import load

    model = fold(load(arguments.weights))
    if arguments.data:
        data = f"{Path(arguments.data).name}, {arguments.split}"
        pictures = open_dataset(
            arguments.data,
            arguments.split,
            per_class=arguments.per_class,
            size=model.info.preprocessing.size,
            progress=Bar("reading pictures"),
        ).pictures
    else:
        data, pictures = SHIPPED, shipped()
    made = make_index(
        model, pictures, data=data, keep=bool(arguments.data), progress=Bar("looking")
    )
    bundled = not arguments.data and arguments.weights == "everyday"
    usual = FOLDER / "index.safetensors" if bundled else index_path(made.digest, data)
    path = Path(arguments.out or usual)
    made.save(path)
    if arguments.json:
        silent = {s: int((numbers[:, 0] < 0).sum()) for s, numbers in made.pictures.items()}
        print_json({"file": str(path), "pictures": made.count, "silent": silent})
        return
    print(f"{path}, {made.count} pictures, {path.stat().st_size / 1e3:,.0f} kB")


def gallery(arguments: argparse.Namespace) -> None:
    from gnet.data.gallery import FOLDER, make_gallery

    folder = Path(arguments.out or FOLDER)
    count, size = len(make_gallery(arguments.source, folder)), folder / "pictures.webp"
    if arguments.json:
        print_json({"folder": str(folder), "pictures": count, "bytes": size.stat().st_size})
        return
    print(f"{size}, {count} pictures, {size.stat().st_size / 1e6:.1f} MB")


def visualize(arguments: argparse.Namespace) -> None:
    import torch

    from gnet.channels.visualization import VisualizationConfig, visualize
    from gnet.data.pictures import to_image
    from gnet.network.folding import fold
    from gnet.network.weights import load
    from gnet.system.atomic import atomically

    given = {name: value for name in ("size", "steps") if (value := getattr(arguments, name))}
    config = VisualizationConfig(**given)
    if arguments.sprite:
        _sprite(arguments, config)
        return
    place = (arguments.stage, arguments.branch, arguments.channel)
    if None in place or not arguments.out:
        raise GnetError("visualize needs --stage, --branch, --channel and --out, or only --sprite.")
    if Path(arguments.out).suffix not in (".png", ".webp"):
        raise GnetError(f"--out is {arguments.out}; allowed are names that end in .png or .webp.")
    torch.set_num_threads(1)  # on small maps a second one gains nothing
    pictures = visualize(
        fold(load(arguments.weights)),
        arguments.stage,
        arguments.branch,
        [arguments.channel],
        config,
        progress=Bar("growing"),
    )
    assert pictures is not None  # nobody stops it
    path = Path(arguments.out)
    with atomically(path) as temporary:
        to_image(pictures[0]).save(temporary, path.suffix[1:])
    if arguments.json:
        print_json({"file": str(path)})
    else:
        print(path)


def _sprite(arguments: argparse.Namespace, config: Any) -> None:
    import torch

    from gnet.channels.index import SHIPPED, Index, find_indexes
    from gnet.channels.sprite import make_sprite
    from gnet.data.gallery import FOLDER
    from gnet.network.folding import fold
    from gnet.network.weights import load

    torch.set_num_threads(1)
    model = fold(load(arguments.weights))
    path = find_indexes(model.info.digest).get(SHIPPED)
    if path is None:
        raise GnetError(
            "There is no index for these weights; create one with `python -m gnet index`."
        )
    folder = Path(arguments.dir or FOLDER)
    sprite = make_sprite(model, Index.load(path), folder, config=config, progress=Bar("growing"))
    assert sprite is not None  # nobody stops it but by ending the process
    size = (folder / "visualizations.webp").stat().st_size
    if arguments.json:
        print_json({"folder": str(folder), "pictures": len(sprite.places), "bytes": size})
    else:
        print(
            f"{folder / 'visualizations.webp'}, {len(sprite.places)} pictures, {size / 1e6:.1f} MB"
        )


def scales(arguments: argparse.Namespace) -> None:
    from gnet.answers.lab.scales import curves
    from gnet.channels.scales import measure_scales, sentence
    from gnet.figures.scales import scales_figure
    from gnet.figures.sheet import save
    from gnet.network.config import STAGES
    from gnet.network.folding import fold
    from gnet.network.weights import load

    if arguments.module not in STAGES:
        raise FieldError("--module", arguments.module, listed(STAGES))
    found = measure_scales(fold(load(arguments.weights)))
    if arguments.out:
        save(scales_figure(found, arguments.module), arguments.out)
    if arguments.json:
        print_json(curves(found, arguments.module))
        return
    measured = found.curves(arguments.module)
    print("px      " + "  ".join(f"{period:6.1f}" for period in found.periods))
    for branch, curve in measured.items():
        print(f"{branch:8}" + "  ".join(f"{value:6.3f}" for value in curve.mean))
    print(sentence(found, arguments.module))
