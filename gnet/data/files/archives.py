"""The files of a folder or of a zip, listed and read one by one; a zip is read as hostile.

Nothing is ever written: a zip's entries are read straight into memory. What the files mean
(splits, classes, pictures) is not known here.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from gnet.data.files.names import Listing, Parts, entry_name, parts_of, shown_name
from gnet.errors import GnetError

_END, _END_BYTES = b"PK\x05\x06", 22
_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20
_END64, _END64_BYTES = b"PK\x06\x06", 56
_ENTRY = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a folder or zip of pictures may hold; sizes in bytes."""

    entries: int = 200_000
    directory_bytes: int = 64_000_000  # a zip's list of contents: 320 bytes for each entry
    entry_bytes: int = 32_000_000
    total_bytes: int = 16_000_000_000  # of all entries, uncompressed
    ratio: int = 200  # uncompressed / compressed, of entries above `ratio_from` bytes
    ratio_from: int = 1_000_000
    held_bytes: int = 6_000_000_000  # decoded and shrunk pictures in memory


LIMITS = Limits()


class Files(Protocol):
    """Named files that can be read from several threads."""

    name: str
    """What to call the whole in a sentence."""
    paths: tuple[Parts, ...]
    """Each file's path as its parts, sorted; hidden and system files left out."""
    folders: tuple[Parts, ...]
    """Folders that are named in their own right, as parts; those with files in may be missing."""
    notes: tuple[str, ...]
    """What was left out or guessed while the files were listed, a sentence each."""

    def read(self, parts: Parts) -> bytes:
        """The content of one file; raises `Unreadable`."""
        ...

    def close(self) -> None: ...


class Unreadable(ValueError):
    """A file that cannot be read; `reason` is a few words, the same for all of its kind."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Folder:
    """A folder of the user's own; links are followed."""

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        self.name = f"The folder {shown_name(path.name or str(path))}"
        self._root, self._limits = path, limits
        self._stored: dict[Parts, Parts] = {}
        """Names as they are stored, where they differ."""
        listing = Listing()
        waiting: list[Parts] = [()]
        while waiting:
            base = waiting.pop()
            if len(base) > 6:  # links in a circle
                raise GnetError(f"{self.name} is nested too deeply; allowed are 6 levels.")
            try:
                entries = sorted(os.scandir(path.joinpath(*base)), key=lambda entry: entry.name)
            except OSError:
                listing.close(base[-1] if base else path.name)
                continue
            for entry in entries:
                if listing.ignores((entry.name,)):
                    continue
                if entry.is_dir():
                    waiting.append((*base, entry.name))
                    listing.add_folder((*base, entry.name))
                else:
                    parts = listing.add((*base, entry.name))
                    if parts != (*base, entry.name):
                        self._stored[parts] = (*base, entry.name)
            if len(listing.paths) + len(listing.folders) > limits.entries:
                raise _too_many(self.name, f"more than {limits.entries:,}", limits)
        self.paths, self.folders = tuple(sorted(listing.paths)), tuple(sorted(listing.folders))
        self.notes = listing.notes

    def read(self, parts: Parts) -> bytes:
        path = self._root.joinpath(*self._stored.get(parts, parts))
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):  # a pipe would never end
                raise Unreadable("a pipe or a device")
            if status.st_size > self._limits.entry_bytes:
                raise Unreadable("file too large")
            return path.read_bytes()
        except OSError as error:
            raise Unreadable("unreadable file") from error

    def close(self) -> None:
        pass


class Zip:
    """A zip file, checked as a whole before any of its entries is read.

    Raises GnetError when it has too many entries (read from its end record, before the entries are
    gone through), names outside its folder, links, passwords, or contents out of bounds.
    """

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        self.name = f"The zip {shown_name(path.name)}"
        try:
            if not path.is_file():
                raise _not_a_zip(self.name)
            with path.open("rb") as file:
                _check_directory(file, self.name, limits)
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise GnetError(f"{self.name} cannot be read; give a zip file you may read.") from error
        except UnicodeDecodeError as error:
            raise GnetError(
                f"{self.name} holds a name that is not the UTF-8 it claims to be; pack the folder "
                "again."
            ) from error
        # zipfile raises NotImplementedError for a zip of a later format version.
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise _not_a_zip(self.name) from error
        listing = Listing()
        try:
            self._entries = self._checked(limits, listing)
        except GnetError:
            self._zip.close()
            raise
        self.paths, self.folders = tuple(sorted(self._entries)), tuple(sorted(listing.folders))
        self.notes = listing.notes

    def read(self, parts: Parts) -> bytes:
        try:
            return self._zip.read(self._entries[parts])
        except OSError as error:
            raise Unreadable("unreadable file") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise Unreadable("damaged or cut off") from error

    def close(self) -> None:
        self._zip.close()

    def _checked(self, limits: Limits, listing: Listing) -> dict[Parts, zipfile.ZipInfo]:
        """The entries by their path; checked."""
        entries: dict[Parts, zipfile.ZipInfo] = {}
        stored: dict[Parts, Parts] = {}
        total = 0
        for entry in self._zip.infolist():
            path = entry_name(entry, listing)
            parts = parts_of(path, self.name)
            mode = entry.external_attr >> 16
            if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_IFMT(mode) == 0):
                raise GnetError(
                    f"{self.name} holds a link or device ({shown_name(path)}); allowed are plain "
                    "files."
                )
            if not parts or listing.ignores(parts):
                continue
            if path.endswith(("/", "\\")):
                listing.add_folder(parts)
                continue
            self._check_entry(entry, shown_name(path), limits)
            total += entry.file_size
            if total > limits.total_bytes:
                raise GnetError(
                    f"{self.name} unpacks to more than {limits.total_bytes / 1e9:.0f} GB, which is "
                    "the most allowed."
                )
            # Of two entries of one name the later counts, as in every program.
            stored[parts] = stored.get(parts) or listing.add(parts)
            entries[stored[parts]] = entry
        return entries

    def _check_entry(self, entry: zipfile.ZipInfo, shown: str, limits: Limits) -> None:
        if entry.flag_bits & 0x1:
            raise GnetError(f"{self.name} is protected by a password ({shown}); give one without.")
        if entry.compress_type not in _METHODS:
            raise GnetError(
                f"{self.name} is compressed in an unusual way ({shown}); allowed are stored and "
                "deflated entries."
            )
        if entry.file_size > limits.entry_bytes:
            raise GnetError(
                f"{self.name} holds a file of {entry.file_size / 1e6:.0f} MB ({shown}); allowed "
                f"are up to {limits.entry_bytes / 1e6:.0f} MB each."
            )
        most = limits.ratio * max(1, entry.compress_size)
        if entry.file_size > limits.ratio_from and entry.file_size > most:
            raise GnetError(
                f"{self.name} holds a file that unpacks to more than {limits.ratio} times its size "
                f"({shown}), which no picture does."
            )


def open_files(path: Path, limits: Limits = LIMITS) -> Files:
    """A folder or a zip by what it is; GnetError for anything else."""
    if path.is_dir():
        return Folder(path, limits)
    return Zip(path, limits)


def _check_directory(file: IO[bytes], name: str, limits: Limits) -> None:
    """Bound a zip's list of contents by its end record, as `zipfile` will find it."""
    size = file.seek(0, os.SEEK_END)
    tail_at = max(0, size - (1 << 16) - _END_BYTES)
    file.seek(tail_at)
    tail = file.read()
    at = len(tail) - _END_BYTES
    if at < 0 or tail[at : at + 4] != _END or tail[-2:] != b"\0\0":
        at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise _not_a_zip(name)
    count, length = struct.unpack("<HL", tail[at + 10 : at + 16])
    end = tail_at + at
    locator = tail[max(0, at - _LOCATOR_BYTES) : at]
    if locator[:4] == _LOCATOR:
        end -= _LOCATOR_BYTES + _END64_BYTES
        file.seek(max(0, end))
        record = file.read(_END64_BYTES)
        if end < 0 or record[:4] != _END64:
            raise _not_a_zip(name)
        count, length = struct.unpack("<QQ", record[32:48])
    if count > limits.entries:
        raise _too_many(name, f"{count:,}", limits)
    if length > limits.directory_bytes:
        raise GnetError(
            f"{name} has a list of contents of {length / 1e6:.0f} MB; allowed are up to "
            f"{limits.directory_bytes / 1e6:.0f} MB and {limits.entries:,} entries."
        )
    file.seek(max(0, end - length))
    found = file.read(length).count(_ENTRY)  # the count in the end record may lie
    if found > limits.entries:
        raise _too_many(name, f"{found:,}", limits)


def _too_many(name: str, count: str, limits: Limits) -> GnetError:
    return GnetError(f"{name} has {count} entries; allowed are up to {limits.entries:,}.")


def _not_a_zip(name: str) -> GnetError:
    return GnetError(
        f"{name} is not a zip, or it is damaged; give a whole zip of train/<class>/* or <class>/*."
    )
