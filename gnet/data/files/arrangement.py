"""Which folders of a source are splits, which are classes, and which hold no pictures.

Goes by names; only a folder in which no name is that of a picture has its files looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gnet.data.files.archives import Files
from gnet.data.files.names import Parts, shown_name
from gnet.data.formats.reading import open_header
from gnet.data.formats.refusals import PictureError
from gnet.errors import GnetError
from gnet.words import cut, some

Classes = dict[str, list[Parts]]
"""Class → its files; those that are no pictures turn out when they are decoded."""

_USUAL = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
    "tune": "tune",
}
"""Names of splits in small letters, as people write them → the name used here."""
_SET = re.compile("[ _-]?(set|data|images)$")
_PICTURES = re.compile(
    r".*\.(jpe?g|jpe|jfif|png|apng|webp|avif|gif|bmp|dib|tiff?|p[bgpn]m|pfm|hei[cf]|jp2|jxl)",
    re.IGNORECASE,
)
_LOOKED_INTO = 20
"""Files of a folder that are looked into before it counts as one without pictures."""


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """Where the classes of a source lie."""

    splits: dict[str, Classes]
    """Split folder, as it is named → its classes; empty where there are class folders alone."""
    classes: Classes
    """The classes where there are no split folders."""
    notes: tuple[str, ...]
    """What was left out or guessed, a sentence each."""

    def find(self, split: str) -> Classes | None:
        """The classes of a split by its name or any usual one for it; None where it is missing."""
        if split in self.splits:
            return self.splits[split]
        usual = (classes for name, classes in self.splits.items() if usual_split(name) == split)
        return next(usual, None)


def usual_split(folder: str) -> str | None:
    """The split that a folder's name means, as "Training" means train; None for another name."""
    name = folder.casefold().strip()
    return _USUAL.get(name) or _USUAL.get(_SET.sub("", name))


def arrange(files: Files, split: str = "train") -> Arrangement:
    """Find the classes; `split` may be the name of any top-level folder. Raises GnetError."""
    with_pictures = _folders_with_pictures(files)
    paths = [path for path in files.paths if path[:-1] in with_pictures]
    skip = _wrappers(paths, split)
    tops = sorted({path[skip] for path in paths if len(path) > skip + 2})
    flat = sorted({path[skip] for path in paths if len(path) == skip + 2})
    if not tops and not flat:
        raise GnetError(
            f"{files.name} has no class folders with pictures; allowed are <split>/<class>/* and "
            "<class>/*."
        )
    splits, classes = dict[str, Classes](), dict[str, list[Parts]]()
    if any(map(usual_split, tops)) or (split in tops and not flat):
        splits = {top: _split(paths, skip, top) for top in tops}
    elif tops and not flat:
        raise _nested(files.name, paths, skip, tops)
    else:
        classes = _by_folder(paths, skip)
        if all(map(usual_split, classes)):
            raise GnetError(
                f"{files.name} has pictures directly in {_names(classes)}; put those of each class "
                "into a folder of its own, such as train/cat."
            )
    loose = [path for path in paths if len(path) < skip + (3 if splits else 2)]
    notes = (*files.notes, *_left_out(files, with_pictures), *_outside(loose))
    return Arrangement(splits=splits, classes=classes, notes=notes)


def _folders_with_pictures(files: Files) -> set[Parts]:
    """Folders that hold a picture themselves, not just in a folder below."""
    found = {path[:-1] for path in files.paths if _PICTURES.fullmatch(path[-1])}
    others: dict[Parts, list[Parts]] = {}
    for path in files.paths:
        if path[:-1] not in found:
            others.setdefault(path[:-1], []).append(path)
    for folder, paths in others.items():
        if any(_is_picture(files, path) for path in paths[:_LOOKED_INTO]):
            found.add(folder)
    return found


def _is_picture(files: Files, path: Parts) -> bool:
    try:
        open_header(files.read(path), path[-1])
    except PictureError as error:
        return error.reason != "not a picture"
    except ValueError:
        return False
    return True


def _wrappers(paths: list[Parts], split: str) -> int:
    """How many folders lie around everything: a zip is often made of a folder, or of two."""
    skip = 0
    while True:
        tops = {path[skip] for path in paths if len(path) > skip + 1}
        if len(tops) != 1 or not any(len(path) > skip + 2 for path in paths):
            return skip
        (top,) = tops
        below = {path[skip + 1] for path in paths if len(path) > skip + 3}
        if top == split or (usual_split(top) and "train" not in map(usual_split, below - {top})):
            return skip
        skip += 1


def _split(paths: list[Parts], skip: int, top: str) -> Classes:
    """The classes in one split folder, which may lie in one of its own name: train/train/cat."""
    own = [path for path in paths if len(path) > skip + 2 and path[skip] == top]
    below = {usual_split(path[skip + 1]) for path in own}
    doubled = below == {usual_split(top)} != {None} and all(len(path) > skip + 3 for path in own)
    return _by_folder(own, skip + 1 + doubled)


def _by_folder(paths: list[Parts], depth: int) -> Classes:
    """Files by the name of the folder at `depth`; files above it are left out."""
    found: Classes = {}
    for path in paths:
        if len(path) > depth + 1:
            found.setdefault(path[depth], []).append(path)
    return found


def _nested(source: str, paths: list[Parts], skip: int, tops: list[str]) -> GnetError:
    """The error for kinds within kinds: which of them are the classes cannot be known."""
    kinds = sorted({path[skip + 1] for path in paths if len(path) > skip + 2})
    first = next(path for path in paths if len(path) > skip + 2)
    return GnetError(
        f"{source} has folders within folders, such as "
        f"{'/'.join(_short(name) for name in first[skip : skip + 2])}, so its classes may be "
        f"{_names(tops)} or {_names(kinds)}; put the pictures of each class directly into one "
        "folder."
    )


def _left_out(files: Files, with_pictures: set[Parts]) -> list[str]:
    """A sentence on folders without any picture; of nested ones, the outermost is named."""
    used = {folder[:depth] for folder in with_pictures for depth in range(len(folder) + 1)}
    every = {*files.folders, *(path[:-1] for path in files.paths)} - used - {()}
    outermost = {folder[: _first_outside(folder, used)] for folder in every}
    if not outermost:
        return []
    names = ["/".join(folder) for folder in sorted(outermost)]
    return [f"Left out, as they hold no pictures: {_names(names, 'folders')}."]


def _first_outside(folder: Parts, used: set[Parts]) -> int:
    return next(depth for depth in range(1, len(folder) + 1) if folder[:depth] not in used)


def _outside(loose: list[Parts]) -> list[str]:
    pictures = sorted("/".join(path) for path in loose if _PICTURES.fullmatch(path[-1]))
    if not pictures:
        return []
    return [f"Left out, as they lie in no class folder: {_names(pictures, 'pictures')}."]


def _names(names: Iterable[str], what: str = "") -> str:
    return some([_short(name) for name in names], 3, what)


def _short(name: str) -> str:
    return cut(shown_name(name), 40)
