"""Weights files that visitors bring: checked, kept for an hour after their last use, bounded.

A file is known by a token that cannot be guessed; the browser tab that uploaded it holds it.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

from gnet.errors import GnetError
from gnet.network.weights import load
from gnet.serving.run_card import new_token
from gnet.system.paths import file_stem

PREFIX = "file-"
"""How the id of an own network begins."""
MOST_BYTES = 100_000_000
"""Of one file; the paper's network in single precision has 54 MB."""
MOST_FILES = 20
"""Files that are kept, everybody's together."""
AT_ONCE = 2
"""Files that are received at the same time."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_LONGEST = 60
_GONE = (
    "That network file is no longer here, as files go an hour after their last use; give it again."
)


class OwnNetworks:
    """The weights files of one server's visitors; safe to call from several threads."""

    def __init__(
        self,
        folder: Path | None,
        *,
        most_bytes: int = MOST_BYTES,
        most_files: int = MOST_FILES,
    ) -> None:
        """Without a `folder` no file is taken."""
        self.folder = folder
        self.most_bytes = most_bytes
        self._most_files = most_files
        self._lock = threading.Lock()
        self._incoming: set[Path] = set()

    @property
    def takes_files(self) -> bool:
        """Whether files can be uploaded."""
        return self.folder is not None

    def reserve(self, name: str, size: int) -> Path:
        """Where a file of `size` bytes, 0 if it is not known, is to be written."""
        if self.folder is None:
            raise GnetError("This server takes no network files; choose one that it offers.")
        self._check(size)
        path = self.folder / new_token() / _cleaned(name)
        with self._lock:
            if len(self._incoming) >= AT_ONCE:
                raise GnetError("Other network files are being uploaded; try again in a minute.")
            self._incoming.add(path)
        try:
            path.parent.mkdir(parents=True)
        except OSError as error:
            self.discard(path)
            raise GnetError(f"The file cannot be kept here ({error.strerror}).") from error
        return path

    def check_received(self, path: Path, size: int) -> None:
        """Raise `GnetError` for more bytes than a file may have."""
        self._check(size)

    def _check(self, size: int) -> None:
        if size > self.most_bytes:
            raise GnetError(
                f"The file has {min(size, 10**15) / 1e6:.0f} MB; allowed are up to "
                f"{self.most_bytes / 1e6:.0f} MB."
            )

    def accept(self, path: Path) -> str:
        """The id of a file written to its reserved path; one that is no network is deleted."""
        try:
            load(path)  # whole, of the network it says, and finite
        except GnetError:
            self.discard(path)
            raise
        with self._lock:
            self._incoming.discard(path)
            self._make_room()
        return f"{PREFIX}{path.parent.name}"

    def discard(self, path: Path) -> None:
        """Delete an upload."""
        shutil.rmtree(path.parent, ignore_errors=True)
        with self._lock:
            self._incoming.discard(path)

    def find(self, net: str) -> Path:
        """The file with this id; to look for it is to use it. Raises `GnetError`."""
        path = self.path_of(net)
        if path is None:
            raise GnetError(_GONE)
        with suppress(OSError):  # deleted just now: to load it says so
            os.utime(path)
        return path

    def path_of(self, net: str) -> Path | None:
        """The file with this id, or None; looking so does not keep it longer."""
        token = net.removeprefix(PREFIX)
        if self.folder is None or not _TOKEN.fullmatch(token):
            return None
        kept = [path for path in (self.folder / token).glob("*") if path not in self._incoming]
        return kept[0] if kept else None

    def _make_room(self) -> None:
        """Delete the files used longest ago where there are too many."""
        assert self.folder is not None
        known = [(_used(path), path) for path in self.folder.glob("*/*")]
        for _, path in sorted(known, reverse=True)[self._most_files :]:
            if path not in self._incoming:
                shutil.rmtree(path.parent, ignore_errors=True)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # deleted meanwhile
        return time.time()


def _cleaned(name: str) -> str:
    """A safe file name: plain letters, no folder; what it ends in stays, for the refusals."""
    stem, dot, kind = re.split(r"[\\/]", name)[-1].rpartition(".")
    stem, kind = (stem, kind) if dot else (kind, "")
    kept = file_stem(stem, _LONGEST, "network", also=" ")
    end = re.sub(r"\W+", "", kind)[:20]
    return f"{kept}.{end}" if end else kept
