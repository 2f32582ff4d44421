"""The example pictures, and their answers recorded beforehand so that first paint runs no model.

`build()` writes the answers for the bundled weights into assets/examples; it is to be run again
when the weights change. An answer that belongs to other weights is never shown.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from gnet import strict_json
from gnet.answers.answer import as_data_url
from gnet.answers.explorer import Chosen, Explorer
from gnet.data.patterns import CLASSES, pattern_at
from gnet.data.pictures import open_picture, to_image
from gnet.explain.attribution.checks import stages_before
from gnet.explain.attribution.methods import FIRST
from gnet.network.config import STAGES, UNTRAINED
from gnet.network.info import ModelInfo
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import effective_fields
from gnet.network.weights import load
from gnet.system.assets import ASSETS
from gnet.system.atomic import atomically
from gnet.system.stamps import Stamp, stamp_of
from gnet.words import opening

FOLDER = ASSETS / "examples"


@dataclass(frozen=True, kw_only=True)
class Example:
    """One example picture: what it shows, and why it is here."""

    words: str
    group: str
    truth: tuple[str, ...] | None = None
    """The classes that are right; empty: the network knows none, None: none is the point."""
    why: str = ""
    """Why it is here; for one with a truth it is said where the network is wrong."""


_LEARNED = "This network learned patterns like it. Compare the scales."
_PHOTO, _TEXTURE, _TRAP = "Photos", "Same outline, other texture", "Traps"
_PATTERN = "Three patterns at three scales"


def _pattern(scale: str, what: str) -> Example:
    return Example(
        words=f"{scale} {what}",
        group=_PATTERN,
        why="No class is a pattern, so the network names what looks alike. Compare the scales.",
    )


EXAMPLES: dict[str, Example] = {
    "boots": Example(words="a pair of boots", group=_PHOTO, truth=("shoe",)),
    "coffee": Example(words="a cup of coffee", group=_PHOTO, truth=("espresso", "cup")),
    "cat": Example(words="a cat", group=_PHOTO, truth=("cat",)),
    "horse": Example(
        words="a brown horse",
        group=_TEXTURE,
        why="Compare it with the striped horse: the outline is the same, only the coat differs.",
    ),
    "striped-horse": Example(
        words="a striped horse",
        group=_TEXTURE,
        why="The outline is the brown horse's; only the coat differs. Does the answer follow it?",
    ),
    "trousers": Example(
        words="a pair of trousers",
        group=_TRAP,
        truth=("trousers",),
        why="It is here because plain cloth gives few clues.",
    ),
    "clock": Example(
        words="a round clock",
        group=_TRAP,
        truth=(),
        why="The network must choose among those it has.",
    ),
    **{
        f"{scale}-{what}": _pattern(scale, what)
        for what in ("stripes", "dots", "crosses")
        for scale in ("fine", "medium", "coarse")
    },
}
"""Name → example; the first one is what the page opens on."""
FIRST_STAGE = STAGES[-1]
"""Where Grad-CAM looks at first: the last module tells classes apart best."""
_REPEATS = {"fine": 14.0, "medium": 7.0, "coarse": 2.5}
"""Scale → how often the pattern stands along the side."""
_SEEDS = {"stripes": 4, "dots": 0, "crosses": 4}
_PATTERN_SIDE = 240


def chosen(name: str) -> Chosen:
    """The example called `name`."""
    return Chosen(path=FOLDER / f"{name}.jpg", name=EXAMPLES[name].words, example=name)


def draw_pattern(scale: str, what: str) -> Image.Image:
    """The example `<scale>-<what>` as it was drawn, before it became a JPEG."""
    return to_image(pattern_at(what, _REPEATS[scale], _PATTERN_SIDE, _SEEDS[what]))


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
    answer = _explored(explorer, name)
    answer["measured"] = effective_fields(explorer.model, explorer.view(picture).pixels)
    main = answer["heads"]["main"]
    if main["status"] != UNTRAINED and FIRST_STAGE in stages_before("main"):
        target = main["top"][0]
        answer["why"] = explorer.attribute(picture, FIRST, "main", target, FIRST_STAGE)
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
    return shipped(name, stamp(explorer.model.info)) or _explored(explorer, name)


def ablated(explorer: Explorer, picture: Chosen, switches: Any, key: Any = None) -> dict[str, Any]:
    """A picture's answer with branches switched, and whether it is right where that is known."""
    answer = explorer.ablate(picture, switches, key)
    if picture.example is None:
        return answer
    return answer | {"verdict": _verdict(EXAMPLES[picture.example], explorer, answer)}


def verdict(
    example: Example, info: ModelInfo, first: int | None, *, sure: bool = True
) -> dict[str, Any]:
    """Whether class `first`, the main head's answer, is right for an example, in words.

    `right` is None where nobody can be right, and where the head is not `sure` of a wrong class.
    """
    if example.truth is None or first is None:
        learned = example.group == _PATTERN and set(info.classes) & set(CLASSES)
        why = _LEARNED if learned else example.why
        return {
            "right": None,
            "sentence": f"{opening(example.words)}. {why}",
        }
    known = [name for name in example.truth if name in info.classes]
    if not known:
        what = f"It is {example.words}, which is no class here."
        return {"right": None, "sentence": f"{what} {example.why}".strip()}
    if info.class_name(first) in known:
        return {"right": True, "sentence": f"Right: it is {example.words}."}
    if not sure:
        doubt = f"Not sure; nearest is {info.class_name(first)}. It is {example.words}."
        return {"right": None, "sentence": f"{doubt} {example.why}".strip()}
    wrong = f"Wrong: it says {info.class_name(first)}; it is {example.words}."
    return {"right": False, "sentence": f"{wrong} {example.why}".strip()}


def thumbnails() -> list[dict[str, str]]:
    """Name, words, group and a small picture of each example."""
    return [
        {
            "name": name,
            "words": example.words,
            "group": example.group,
            "picture": _thumbnail(FOLDER / f"{name}.jpg"),
        }
        for name, example in EXAMPLES.items()
    ]


def _explored(explorer: Explorer, name: str) -> dict[str, Any]:
    answer = explorer.explore(chosen(name))
    return answer | {"verdict": _verdict(EXAMPLES[name], explorer, answer)}


def _verdict(example: Example, explorer: Explorer, answer: dict[str, Any]) -> dict[str, Any]:
    main = answer["heads"]["main"]
    top = main.get("top")
    sure = main.get("sure") is not False
    return verdict(example, explorer.model.info, top and top[0], sure=sure)


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
