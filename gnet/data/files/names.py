"""Names of files as they are stored → the names used here: one encoding, one form, nothing outside.

A name is Unicode in its composed form (NFC), so that "Äpfel" written by two systems is one class.
"""

from __future__ import annotations

import os
import re
import struct
import unicodedata
import zipfile
import zlib

from gnet.errors import GnetError
from gnet.words import some

Parts = tuple[str, ...]
"""A file's path within its folder or zip, as names."""

_UTF8, _UNICODE_PATH = 0x800, 0x7075  # a flag of a zip's entry, and a field with its name in UTF-8
_IGNORED = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
_SYSTEM = (
    *("@eadir", "@tmp", "@recycle", "#recycle", "#snapshot", "$recycle.bin", "lost+found"),
    "system volume information",
)
"""Folders that systems put beside the user's own; in small letters."""
_DRIVE = re.compile("[A-Za-z]:/")


class Listing:
    """The files of a folder or zip while they are listed."""

    def __init__(self) -> None:
        self.paths: set[Parts] = set()
        self.folders: list[Parts] = []
        self._times: dict[Parts, int] = {}
        self._guessed: dict[str, None] = {}
        self._system: dict[str, None] = {}
        self._closed: dict[str, None] = {}

    def add(self, stored: Parts) -> Parts:
        """Add a file and return its path here, which no other file has."""
        path = parts = self._composed(stored)
        while parts in self.paths:  # two names may differ in nothing but their form in Unicode
            self._times[path] = self._times.get(path, 1) + 1
            parts = (*path[:-1], f"{path[-1]} ({self._times[path]})")
        self.paths.add(parts)
        return parts

    def add_folder(self, stored: Parts) -> None:
        self.folders.append(self._composed(stored))

    def ignores(self, names: Parts) -> bool:
        """Whether a path is hidden or the system's; system folders are remembered."""
        system = [name for name in names if name.casefold() in _SYSTEM]
        self._system |= dict.fromkeys(system)
        return bool(system) or any(
            name.startswith(".") or name.casefold() in _IGNORED for name in names
        )

    def guess(self, name: str) -> None:
        """Remember a name whose encoding is unknown."""
        self._guessed[name] = None

    def close(self, name: str) -> None:
        """Remember a folder that cannot be opened."""
        self._closed[name] = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed or left out, a sentence each."""
        told = {
            "Some names are in an unknown encoding and may look wrong": self._guessed,
            "Left out, as a system keeps its own files there": self._system,
            "Left out, as they cannot be opened": self._closed,
        }
        return tuple(
            f"{what}: {some(map(shown_name, names))}." for what, names in told.items() if names
        )

    def _composed(self, stored: Parts) -> Parts:
        names = []
        for name in stored:
            if any("\udc80" <= letter <= "\udcff" for letter in name):  # bytes that are no UTF-8
                name = os.fsencode(name).decode("cp1252", "replace")
                self.guess(name)
            names.append(unicodedata.normalize("NFC", name))
        return tuple(names)


def entry_name(entry: zipfile.ZipInfo, listing: Listing) -> str:
    """The path of a zip's entry, before `zipfile` cuts it at a zero byte.

    Many programs write UTF-8 without its flag, for which `zipfile` reads CP437.
    """
    name = entry.orig_filename
    if entry.flag_bits & _UTF8:
        return name
    stored = name.encode("cp437")
    for content in (_unicode_path(entry.extra, stored), stored):
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            continue
    for part in name.split("/"):
        if not part.isascii():
            listing.guess(part)
    return name


def _unicode_path(extra: bytes, stored: bytes) -> bytes:
    """The path in UTF-8 that some programs write beside the other one; that one if there is none.

    https://libzip.org/specifications/extrafld.txt, "Info-ZIP Unicode Path Extra Field"
    """
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and len(field) > 5 and field[0] == 1:
            (checksum,) = struct.unpack("<L", field[1:5])
            return field[5:] if checksum == zlib.crc32(stored) else stored
    return stored


def parts_of(path: str, source: str) -> Parts:
    """The names in a zip entry's path; none for the zip's own folder. Raises GnetError."""
    plain = path.replace("\\", "/")
    parts = tuple(part for part in plain.split("/") if part not in ("", "."))
    if ".." in parts:
        what = "a name outside its folder"
    elif plain.startswith("/") or _DRIVE.match(plain):
        what = "an absolute path"
    elif "\0" in plain:
        what = "a name with a zero byte"
    else:
        return parts
    raise GnetError(
        f"{source} holds {what} ({shown_name(path)}); allowed are plain names such as "
        "train/cat/1.jpg."
    )


def shown_name(path: str) -> str:
    """A name fit for a sentence: printable and not endless."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in path)
    return plain if len(plain) <= 60 else f"{plain[:40]}…{plain[-15:]}"
