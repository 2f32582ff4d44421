"""Which files of a folder or a zip are which class of which split, and what the classes are called.

Only names are looked at; whether a file is a picture turns out when it is decoded.
"""

from __future__ import annotations

import json
import unicodedata
import zlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from gnet.data.files.archives import Files
from gnet.data.files.arrangement import Arrangement, Classes, arrange
from gnet.errors import GnetError
from gnet.words import cut, some

Item = TypeVar("Item")

VAL_SHARE = 0.15
"""Share of each class that becomes `val` where the source has no split folders."""


def layout(files: Files, split: str, seed: int, only: Sequence[str] = ()) -> Classes:
    """Class folder → its pictures in `split`, both sorted; of the folders `only`, if any.

    Where there are no split folders, or `train` alone, train and val are made by `seed`.
    """
    found = _classes(files, arrange(files, split), split, seed)
    chosen = named(only, found)
    unknown = [name for name in chosen if name not in found]
    if unknown:
        raise GnetError(
            f"{files.name} has no class {_names(unknown)}; it has {_names(list(found))}."
        )
    return _several(
        files.name, {name: found[name] for name in found if not chosen or name in chosen}
    )


def named(names: Sequence[str], known: Collection[str]) -> list[str]:
    """Names that were divided at commas, some of which belong to the names of `known` classes."""
    left, found = [unicodedata.normalize("NFC", name) for name in names], []
    while left:
        lengths = range(len(left), 0, -1)
        joined = ((n, mark.join(left[:n])) for n in lengths for mark in (",", ", "))
        count, name = next(((n, text) for n, text in joined if text in known), (1, left[0].strip()))
        found.append(name)
        del left[:count]
    return found


def has_split(files: Files, split: str) -> bool:
    """Whether `split` is a top-level folder of class folders with files in them."""
    return arrange(files, split).find(split) is not None


def _classes(files: Files, arranged: Arrangement, split: str, seed: int) -> Classes:
    if not arranged.splits:
        _check_divisible(files, arranged.classes, split)
        return _divided(arranged.classes, split, seed)
    train, found = arranged.find("train"), arranged.find(split)
    if train is not None and split in ("train", "val") and arranged.find("val") is None:
        return _divided(train, split, seed)
    if found is None:
        have = _names(list(arranged.splits))
        raise GnetError(f"{files.name} has no folder {split!r} of classes; it has {have}.")
    # Labels are the training classes, so that they mean the same in every split.
    names = sorted(found if train is None else train)
    strangers = sorted(set(found) - set(names))
    if strangers:
        raise GnetError(
            f"{files.name} has classes in {split!r} that are not in 'train' ({_names(strangers)}); "
            "allowed are the same classes in both."
        )
    return {name: found.get(name, []) for name in names}


def _check_divisible(files: Files, classes: Classes, split: str) -> None:
    if split not in ("train", "val"):
        raise GnetError(
            f"{files.name} has no split folders, so it is split into train and val; "
            f"{split!r} was asked for."
        )
    for name, pictures in sorted(classes.items()):
        if len(pictures) < 2:
            raise GnetError(
                f"{files.name} has one picture of {name!r}; at least 2 a class are needed to split "
                "them into train and val."
            )


def _divided(classes: Classes, split: str, seed: int) -> Classes:
    """Each class's share of `split`, train or val; a single picture is for training."""
    return {
        name: [pictures[at] for at in share(len(pictures), split, seed, name)]
        if len(pictures) > 1
        else pictures[: split == "train"]
        for name, pictures in sorted(classes.items())
    }


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
    if (path.parent / name).is_file():
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


def _several(source: str, layout: Classes) -> Classes:
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
