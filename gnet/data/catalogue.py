"""torchvision's data sets by name: how each is built, downloaded once and kept whole.

Knows nothing of decoding, limits and memory.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnet.errors import GnetError
from gnet.system.atomic import rename
from gnet.system.cache import cache_folder

Build = Callable[[str, str, bool], Any]
"""(folder, split in torchvision's word, download?) → a torchvision data set."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One data set that torchvision can fetch."""

    label: str
    """Name to show, with what to expect of its size."""
    build: Build
    splits: Mapping[str, str] = field(default_factory=dict)
    """Our split → torchvision's; empty where there is one split only, to be divided by seed."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A data set that is on this machine: labels at once, pictures one by one."""

    classes: tuple[str, ...]
    labels: tuple[int, ...]
    picture: Callable[[int], Any]
    """Index → PIL picture, decoded at the call; any thread."""
    divided: bool
    """False where it still has to be split into train and val."""


def _by_train(name: str) -> Build:
    def build(root: str, split: str, download: bool) -> Any:
        return _class(name)(root, train=split == "train", download=download)

    return build


def _by_split(name: str, **options: Any) -> Build:
    def build(root: str, split: str, download: bool) -> Any:
        return _class(name)(root, split=split, download=download, **options)

    return build


def _whole(name: str) -> Build:
    def build(root: str, split: str, download: bool) -> Any:
        return _class(name)(root, download=download)

    return build


def _class(name: str) -> Any:
    from torchvision import datasets  # only here: it costs a second that most uses do not need

    return getattr(datasets, name)


_TEST = {"train": "train", "val": "test", "test": "test"}
_VAL = {"train": "train", "val": "val"}
_THREE = {"train": "train", "val": "val", "test": "test"}

TORCHVISION: dict[str, Entry] = {
    "cifar10": Entry(label="CIFAR-10 (170 MB)", build=_by_train("CIFAR10"), splits=_TEST),
    "cifar100": Entry(label="CIFAR-100 (170 MB)", build=_by_train("CIFAR100"), splits=_TEST),
    "mnist": Entry(label="MNIST (12 MB)", build=_by_train("MNIST"), splits=_TEST),
    "fashion-mnist": Entry(
        label="Fashion-MNIST (31 MB)", build=_by_train("FashionMNIST"), splits=_TEST
    ),
    "imagenette": Entry(
        label="Imagenette, 160 px (99 MB)",
        build=_by_split("Imagenette", size="160px"),
        splits=_VAL,
    ),
    "imagenette-320": Entry(
        label="Imagenette, 320 px (341 MB)",
        build=_by_split("Imagenette", size="320px"),
        splits=_VAL,
    ),
    "flowers": Entry(label="Flowers-102 (345 MB)", build=_by_split("Flowers102"), splits=_THREE),
    "pets": Entry(
        label="Oxford-IIIT Pets (811 MB)",
        build=_by_split("OxfordIIITPet"),
        splits={"train": "trainval", "val": "test", "test": "test"},
    ),
    "eurosat": Entry(label="EuroSAT (94 MB)", build=_whole("EuroSAT")),
    "dtd": Entry(label="Describable Textures (625 MB)", build=_by_split("DTD"), splits=_THREE),
    "stl10": Entry(label="STL-10 (2.6 GB)", build=_by_split("STL10"), splits=_TEST),
}
"""Names that can be given as a data set; they download on first use."""


def is_here(name: str) -> bool:
    """Whether a data set named in TORCHVISION has been downloaded."""
    return cache_folder("data", name).is_dir()


def bytes_so_far(name: str) -> int:
    """How much of a data set has been downloaded and unpacked, while `fetch` downloads it."""
    size = 0
    for path in cache_folder("data").glob(f".{name}.*.partial/**/*"):
        try:
            size += path.stat().st_size if path.is_file() else 0
        except OSError:  # moved meanwhile
            continue
    return size


def fetch(name: str, split: str) -> Labelled:
    """The split of a data set named in TORCHVISION; it is downloaded where it is missing.

    torchvision draws the progress of a download on standard error. A download becomes visible in
    the cache when it is whole, so one that broke off is begun again. Raises GnetError.
    """
    entry = TORCHVISION[name]
    if split not in (entry.splits or ("train", "val")):
        allowed = ", ".join(entry.splits or ("train", "val"))
        raise GnetError(f"The data set {name} has no split {split!r}; it has {allowed}.")
    theirs = entry.splits.get(split, "")
    folder = cache_folder("data", name)
    try:
        if not folder.is_dir():
            _download(entry, folder, theirs)
        found = entry.build(str(folder), theirs, False)
    except ImportError as error:
        raise GnetError(
            f"The data set {name} needs the package {error.name}; install it with pip."
        ) from error
    except (OSError, RuntimeError) as error:  # URLError is an OSError
        reason = str(getattr(error, "reason", None) or error).splitlines() or ["no reason given"]
        raise GnetError(
            f"The data set {name} is not on this machine and could not be downloaded "
            f"({reason[0][:120]}); connect to the network, or use built-in, a folder or a zip."
        ) from error
    return Labelled(
        classes=_classes(found),
        labels=_labels(found),
        picture=lambda index: found[index][0],
        divided=bool(entry.splits),
    )


def _download(entry: Entry, folder: Path, split: str) -> None:
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.partial")
    try:
        partial.mkdir(parents=True)
        entry.build(str(partial), split, True)
        try:
            rename(partial, folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _classes(found: Any) -> tuple[str, ...]:
    """Class names; Imagenette gives several for each, of which the first is the usual one."""
    return tuple(str(name if isinstance(name, str) else name[0]) for name in found.classes)


def _labels(found: Any) -> tuple[int, ...]:
    """All labels without decoding a picture; torchvision keeps them under various names."""
    for attribute in ("targets", "_labels", "labels"):
        if hasattr(found, attribute):
            return tuple(int(label) for label in getattr(found, attribute))
    if hasattr(found, "_samples"):
        return tuple(int(label) for _, label in found._samples)
    return tuple(int(found[index][1]) for index in range(len(found)))
