"""Lays out the data set of the bundled network: train, tune, sharp and val, from four zips.

`sharp` is a fifth of the sharp photos of each folder, never trained on (of sharp-new.zip its own
`test`). `tune`, on which choices are made, is a twentieth of everyday.zip's `train` and of the
sharp photos. `val` is everyday.zip's. A picture's split follows from its folder alone.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from gnet import strict_json
from gnet.errors import GnetError
from gnet.system.assets import ASSETS
from gnet.system.atomic import folder_atomically
from gnet.system.paths import expanded, regular

CLASSES = ASSETS / "everyday-classes.json"
"""Class folder → its name, family, source folders, and the teacher's names for it."""
ZIPS = ("everyday", "sharp-train", "sharp-new", "mined-train")
SHARP, TUNE = 0.2, 0.05
"""Shares set aside."""
FEW = 8
"""A folder of this many sharp photos has at least one in `tune`."""
_MARKS = {"sharp-train": "s", "sharp-new": "n", "mined-train": "m"}
"""Zip → mark in its file names, so that they differ from those of the other zips."""

Place = tuple[str, str]
"""A zip's name and a path in it."""


def known_classes() -> dict[str, dict[str, Any]]:
    """What `CLASSES` holds."""
    return json.loads(CLASSES.read_text(encoding="utf-8"))


def lay_out(sources: str | Path, out: str | Path) -> dict[str, int]:
    """Write the data set into the folder `out`, whole or not at all; split → number of pictures.

    `sources`: the folder of the four zips. Beside the splits come classes.json, families.json and
    teacher.json, which is for `python -m gnet teach --names`. Raises `GnetError`.
    """
    sources, out = expanded(sources), expanded(out)
    classes = known_classes()
    count: Counter[str] = Counter()
    with ExitStack() as stack, folder_atomically(out) as made:
        zips = {name: stack.enter_context(_opened(sources / f"{name}.zip")) for name in ZIPS}
        found = _by_folder(zips)
        for name, row in classes.items():
            for folder in row["from"]:
                for split, (zipped, path) in divided(folder, found):
                    target = (
                        made / split / name / _file_name(path, zipped, folder, len(row["from"]) > 1)
                    )
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(zips[zipped].read(path))
                    count[split] += 1
        for table, key in (("classes", "name"), ("families", "family"), ("teacher", "teacher")):
            values = {name: row[key] for name, row in classes.items()}
            text = strict_json.dumps(values, ensure_ascii=False, indent=1)
            (made / f"{table}.json").write_text(text, encoding="utf-8")
    return dict(count)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(regular(path))
    except (OSError, zipfile.BadZipFile) as error:
        names = ", ".join(f"{name}.zip" for name in ZIPS)
        raise GnetError(
            f"{path} cannot be read ({error}); allowed is a folder that holds {names}."
        ) from error


def _by_folder(zips: dict[str, zipfile.ZipFile]) -> dict[tuple[str, str, str], list[Place]]:
    """Zip, split, folder → its pictures, sorted by name."""
    found: dict[tuple[str, str, str], list[Place]] = {}
    for name, archive in zips.items():
        for path in sorted(archive.namelist()):
            if path.count("/") == 2 and not path.endswith("/"):
                split, folder, _ = path.split("/")
                found.setdefault((name, split, folder), []).append((name, path))
    return found


def _file_name(path: str, zipped: str, folder: str, merged: bool) -> str:
    """What a picture is called in its class: its own name, and where it comes from."""
    stem, _, suffix = path.rsplit("/", 1)[1].rpartition(".")
    if zipped in _MARKS:
        stem += f"_{_MARKS[zipped]}_{folder}"
    elif merged:
        stem += f"_{folder}"
    return f"{stem}.{suffix}"


def divided(folder: str, found: dict[tuple[str, str, str], list[Place]]) -> list[tuple[str, Place]]:
    """The pictures of a source folder, each with the split it goes to."""
    result: list[tuple[str, Place]] = []
    small = found.get(("everyday", "train", folder), [])
    if small:
        order = _shuffled(f"tune/{folder}", len(small))  # as `gnet.data.datasets.held_out` does
        tune = min(max(1, round(TUNE * len(small))), len(small) - 1)
        result += [("tune" if i < tune else "train", small[at]) for i, at in enumerate(order)]
    result += [("val", place) for place in found.get(("everyday", "val", folder), [])]

    sharp = [p for z in ("sharp-train", "mined-train") for p in found.get((z, "train", folder), [])]
    kept = round(SHARP * len(sharp))
    tune = max(round(TUNE * len(sharp)), 1 if len(sharp) >= FEW else 0)
    for i, at in enumerate(_shuffled(f"sharp/{folder}", len(sharp))):
        split = "sharp" if i < kept else "tune" if i < kept + tune else "train"
        result.append((split, sharp[at]))

    new = found.get(("sharp-new", "train", folder), [])
    tune = max(round(TUNE * len(new)), 1)
    for i, at in enumerate(_shuffled(f"sharp/{folder}/new", len(new))):
        result.append(("tune" if i < tune else "train", new[at]))
    result += [("sharp", place) for place in found.get(("sharp-new", "test", folder), [])]
    return result


def _shuffled(seed: str, count: int) -> list[int]:
    return np.random.default_rng([zlib.crc32(seed.encode())]).permutation(count).tolist()
