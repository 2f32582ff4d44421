"""Which files of a folder or a zip are which class of which split, and what the classes are called.

Only names are looked at; whether a file is a picture turns out when it is decoded.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from gnet.data.archives import Files, Parts
from gnet.errors import GnetError
from gnet.words import cut, some

Item = TypeVar("Item")

SPLITS = ("train", "val", "test", "valid", "validation")
"""Top-level folders with these names are splits, not classes."""
VAL_SHARE = 0.15
"""Share of each class that becomes `val` where the source has no split folders."""


def layout(files: Files, split: str, seed: int, only: Sequence[str] = ()) -> dict[str, list[Parts]]:
    """Class folder → its pictures in `split`, both sorted; of the folders `only`, if any."""
    found = _layout(files, split, seed)
    unknown = [name for name in only if name not in found]
    if unknown:
        raise GnetError(
            f"{files.name} has no class {_names(unknown)}; it has {_names(list(found))}."
        )
    return _several(files.name, {name: found[name] for name in found if not only or name in only})


def has_split(files: Files, split: str) -> bool:
    """Whether `split` is a top-level folder of class folders with files in them."""
    skip = _wrapper(files.paths, keep=(*SPLITS, split))
    return any(len(path) - skip >= 3 and path[skip] == split for path in files.paths)


def _layout(files: Files, split: str, seed: int) -> dict[str, list[Parts]]:
    skip = _wrapper(files.paths, keep=(*SPLITS, split))
    paths = [path for path in files.paths if len(path) - skip >= 2]
    tops = sorted({path[skip] for path in paths if len(path) - skip >= 3})
    flat = any(len(path) - skip == 2 for path in paths)
    if not paths:
        raise GnetError(
            f"{files.name} has no class folders with pictures; allowed are <split>/<class>/* and "
            "<class>/*."
        )
    if tops and (split in tops or not set(tops).isdisjoint(SPLITS) or not flat):
        return _split_folders(files, paths, skip, split, tops)
    return _split_by_seed(files, paths, skip, split, seed)


def _wrapper(paths: Sequence[Parts], keep: Sequence[str]) -> int:
    """1 where one folder, not named as in `keep`, holds everything (a zip made of a folder)."""
    tops = {path[0] for path in paths if len(path) > 1}
    return int(len(tops) == 1 and not tops & set(keep) and any(len(path) > 2 for path in paths))


def _split_folders(
    files: Files, paths: list[Parts], skip: int, split: str, tops: list[str]
) -> dict[str, list[Parts]]:
    if split == "val" and split not in tops:
        split = next((top for top in ("valid", "validation") if top in tops), split)
    if split not in tops:
        raise GnetError(f"{files.name} has no folder {split!r} of classes; it has {_names(tops)}.")
    found: dict[str, dict[str, list[Parts]]] = {top: {} for top in tops}
    for folder in files.folders:
        if len(folder) - skip == 2 and folder[skip] in found:
            found[folder[skip]].setdefault(folder[skip + 1], [])
    for path in paths:
        if len(path) - skip >= 3:
            found[path[skip]].setdefault(path[skip + 1], []).append(path)
    # Labels are the training classes, so that they mean the same in every split.
    names = sorted(found["train"] if "train" in found else found[split])
    strangers = sorted(set(found[split]) - set(names))
    if strangers:
        raise GnetError(
            f"{files.name} has classes in {split!r} that are not in 'train' ({_names(strangers)}); "
            "allowed are the same classes in both."
        )
    for name in names:
        if name in found[split] and not found[split][name]:
            raise empty_class(files.name, f"{split}/{name}")
    return {name: found[split].get(name, []) for name in names}


def _split_by_seed(
    files: Files, paths: list[Parts], skip: int, split: str, seed: int
) -> dict[str, list[Parts]]:
    if split not in ("train", "val"):
        raise GnetError(
            f"{files.name} has no split folders, so it is split into train and val; "
            f"{split!r} was asked for."
        )
    found: dict[str, list[Parts]] = {
        folder[skip]: [] for folder in files.folders if len(folder) == skip + 1
    }
    for path in paths:
        if len(path) - skip >= 2:
            found.setdefault(path[skip], []).append(path)
    layout = {}
    for name in sorted(found):
        pictures = found[name]
        if not pictures:
            raise empty_class(files.name, name)
        layout[name] = [pictures[at] for at in share(len(pictures), split, seed, name)]
        if not layout[name]:
            raise GnetError(
                f"{files.name} has one picture of {name!r}; at least 2 a class are needed to split "
                "them into train and val."
            )
    return layout


def share(count: int, split: str, seed: int, name: str) -> list[int]:
    """Which of `count` pictures of one class fall into `split`, in order."""
    order = _random(seed, name, "split").permutation(count)
    held_out = max(1, round(VAL_SHARE * count))
    return sorted((order[:held_out] if split == "val" else order[held_out:]).tolist())


def limited(pictures: Sequence[Item], most: int | None, seed: int, name: str) -> list[Item]:
    """At most `most` of the pictures of class `name`, chosen by `seed`, in their order."""
    if most is None or len(pictures) <= most:
        return list(pictures)
    chosen = _random(seed, name, "choice").permutation(len(pictures))[:most]
    return [pictures[at] for at in sorted(chosen.tolist())]


def _random(seed: int, name: str, purpose: str) -> np.random.Generator:
    """Numbers for one class, whatever other classes there are."""
    return np.random.default_rng([abs(seed), zlib.crc32(f"{purpose}/{name}".encode())])


def titles(files: Files, path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names to show: from a classes.json inside or beside the source if it maps every folder."""
    return _table("classes.json", files, path, names) or names


def families(files: Files, path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Each class's family, from a families.json likewise; empty where there is none."""
    return _table("families.json", files, path, names)


def _table(name: str, files: Files, path: Path, folders: tuple[str, ...]) -> tuple[str, ...]:
    """The text that a JSON file of that name gives each folder; empty unless each has one."""
    inside = [parts for parts in files.paths if parts[-1] == name and len(parts) <= 2]
    texts: list[Callable[[], bytes]] = [lambda parts=parts: files.read(parts) for parts in inside]
    texts.append((path.parent / name).read_bytes)
    for text in texts:
        try:
            table = json.loads(text())
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(table, dict) and all(
            isinstance(table.get(folder), str) for folder in folders
        ):
            return tuple(table[folder][:80] for folder in folders)
    return ()


def _several(source: str, layout: dict[str, list[Parts]]) -> dict[str, list[Parts]]:
    if len(layout) < 2:
        raise GnetError(
            f"{source} has one class ({_names(list(layout))}); at least 2 classes are needed."
        )
    return layout


def empty_class(source: str, name: str, reason: str | None = None) -> GnetError:
    """The error for a class without a usable picture; `reason`: why its pictures were skipped."""
    why = f" (all were skipped: {reason})" if reason else ""
    return GnetError(
        f"{source} has no usable picture in the class folder {name!r}{why}; at least one is needed."
    )


def _names(names: Sequence[str]) -> str:
    return some([cut(name, 40) for name in names], 5)
