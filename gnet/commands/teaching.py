"""What the bundled network learns from: its data set, and a teacher's answers."""

from __future__ import annotations

import argparse

from gnet.commands.console import Command, positive, print_json
from gnet.system.processes import with_large_pages
from gnet.system.progress import Bar


def register(command: Command) -> None:
    sub = command(
        lay_out,
        "Lay out the data set of the bundled network from its four zips.",
        name="lay-out",
        weights=False,
    )
    sub.add_argument("sources", metavar="DIR", help="the folder that holds the zips")
    sub.add_argument("--out", required=True, metavar="DIR", help="the folder to write")

    sub = command(
        teach,
        "Store a teacher's answers to fixed crops of a data set, for train --answers.",
        weights=False,
    )
    sub.add_argument("--data", required=True, help="built-in, a torchvision name, folder or zip")
    sub.add_argument("--split", default="train", help="top-level folder (default train)")
    sub.add_argument(
        "--size", type=positive, default=128, help="side in px that training will use (default 128)"
    )
    sub.add_argument(
        "--names",
        metavar="FILE",
        help="JSON: class folder → the teacher's names for it; by default the folder's own name",
    )
    sub.add_argument(
        "--side", type=positive, help="side in px of the crops that the teacher is shown"
    )
    sub.add_argument("--per-class", type=positive, help="crops of each class's sharp pictures")
    sub.add_argument("--most", type=positive, help="crops of one sharp picture, at most")
    sub.add_argument("--small", type=positive, help="small pictures of each class, a crop of each")
    sub.add_argument("--threads", type=positive, help="CPU threads")
    sub.add_argument("--seed", type=int, default=0, help="of the crops (default 0)")
    sub.add_argument("--out", required=True, metavar="FILE", help="the .safetensors file to write")


def lay_out(arguments: argparse.Namespace) -> None:
    from gnet.studies import everyday

    count = everyday.lay_out(arguments.sources, arguments.out)
    if arguments.json:
        print_json({"folder": arguments.out, "pictures": count})
        return
    print(", ".join(f"{split} {number}" for split, number in count.items()))
    print(arguments.out)


def teach(arguments: argparse.Namespace) -> None:
    import torch

    from gnet.data.datasets import open_dataset
    from gnet.training.distillation.answers import names_from
    from gnet.training.distillation.teacher import answers_of, load_teacher, teacher_classes

    with_large_pages()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    teacher, classes = load_teacher(), teacher_classes()
    data = open_dataset(
        arguments.data, arguments.split, size=arguments.size, progress=Bar("reading pictures")
    )
    options = {key: getattr(arguments, key) for key in ("side", "per_class", "most", "small")}
    answers = answers_of(
        teacher,
        data,
        names_from(arguments.names, data.names, classes),
        classes,
        seed=arguments.seed,
        progress=Bar("teacher's answers"),
        **{key: value for key, value in options.items() if value},
    )
    answers.save(arguments.out)
    count = len(answers.boxes)
    known = sum(bool(names) for names in answers.names.values())
    if arguments.json:
        print_json({"file": arguments.out, "answers": count, "classes": known})
        return
    print(f"{count} answers; the teacher has a name for {known} of {len(data.classes)} classes")
    print(arguments.out)
