"""The example pictures, and their answers recorded beforehand so that first paint runs no model.

`build()` writes the answers for the bundled weights into assets/examples; it is to be run again
when the weights change. An answer that belongs to other weights is never shown.
"""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from gnet import strict_json
from gnet.answers.answer import as_data_url
from gnet.answers.explorer import Chosen, Explorer
from gnet.data.pictures import open_picture
from gnet.explain.attribution import stages_before
from gnet.network.config import UNTRAINED
from gnet.network.info import ModelInfo
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import effective_fields
from gnet.network.weights import load
from gnet.system.assets import ASSETS
from gnet.system.atomic import atomically
from gnet.system.stamps import Stamp, stamp_of

FOLDER = ASSETS / "examples"
EXAMPLES = {
    "boots": "a pair of boots",
    "coffee": "a cup of coffee",
    "thumbnail": "the same cup as a thumbnail of 64 px",
    "cat": "a cat",
    "stripes": "fine stripes, drawn by this project",
    "dots": "large dots, drawn by this project",
}
"""Name → what is to be seen; the first one is what the page opens on."""
FIRST_STAGE, FIRST_METHOD = "3a", "grad-cam"


def chosen(name: str) -> Chosen:
    """The example called `name`."""
    return Chosen(path=FOLDER / f"{name}.jpg", name=EXAMPLES[name], example=name)


def build(model: GoogLeNet | None = None, folder: Path = FOLDER) -> list[Path]:
    """Record the examples' answers with `model` (the bundled weights) and return the files."""
    explorer = Explorer(model or load())
    paths = [folder / f"{name}.json" for name in EXAMPLES]
    for name, path in zip(EXAMPLES, paths, strict=True):
        text = strict_json.dumps(
            {"digest": stamp(explorer.model.info), "answer": compute(explorer, name)}
        )
        with atomically(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return paths


def compute(explorer: Explorer, name: str) -> dict[str, Any]:
    """An example's answer with everything that else is computed on demand."""
    picture = chosen(name)
    answer = explorer.explore(picture)
    answer["measured"] = effective_fields(explorer.model, explorer.view(picture).pixels)
    main = answer["heads"]["main"]
    if main["status"] != UNTRAINED and FIRST_STAGE in stages_before("main"):
        target = main["top"][0]
        answer["why"] = explorer.attribute(picture, FIRST_METHOD, "main", target, FIRST_STAGE)
    return answer


def stamp(info: ModelInfo) -> str:
    """What an answer hangs on: the weights' digest and, where there are any, their calibration."""
    if not info.temperatures and not info.sure:
        return info.digest
    sure = {head: asdict(sureness) for head, sureness in sorted(info.sure.items())}
    text = strict_json.dumps([info.digest, sorted(info.temperatures.items()), sure])
    return hashlib.sha256(text.encode()).hexdigest()


def shipped(name: str, digest: str) -> dict[str, Any] | None:
    """The recorded answer of an example, if it was made with the weights of that `stamp`."""
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        return None
    return _read(path, stamp_of(path)).get(digest)


def answer(explorer: Explorer, name: str) -> dict[str, Any]:
    """An example's answer: the shipped one, or for other weights a new one."""
    return shipped(name, stamp(explorer.model.info)) or explorer.explore(chosen(name))


def thumbnails() -> list[dict[str, str]]:
    """Name, words and a small picture of each example."""
    return [
        {"name": name, "words": words, "picture": _thumbnail(FOLDER / f"{name}.jpg")}
        for name, words in EXAMPLES.items()
    ]


@cache
def _read(path: Path, _: Stamp) -> dict[str, dict[str, Any]]:
    record = json.loads(path.read_text(encoding="utf-8"))
    return {record["digest"]: record["answer"]}


@cache
def _thumbnail(path: Path) -> str:
    image = open_picture(path, max_side=80)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    middle = image.crop((left, top, left + side, top + side))
    return as_data_url(middle.resize((80, 80), Image.Resampling.BILINEAR), quality=80)
