"""Where uploaded pictures live and when they go: after an hour, and when the server stops.

Where they take too much room the oldest go earlier.

Every server has a folder of its own. What a killed server left behind is removed by the next one
that starts or sweeps, which it recognises by the folder's time: a living server keeps it fresh.
"""

import atexit
import getpass
import hashlib
import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gnet.answers.recordings import KEPT_SECONDS
from gnet.errors import GnetError
from gnet.system.atomic import atomically
from gnet.system.processes import give_back_memory

_SWEEP_SECONDS = 60
_DEAD_SECONDS = 5 * _SWEEP_SECONDS
_PREFIX = "server-"
MOST_BYTES = 1_000_000_000
"""Of all uploaded pictures together."""
ZIPS, NETWORKS = "zips", "networks"
"""Folders of uploads that have bounds of their own."""
MOST_KEPT = 60
"""Files made here to be fetched, some 0.5 MB each."""


class Ages(Protocol):
    """What forgets its old things when told to."""

    def sweep(self) -> None: ...


_ageing: WeakSet[Ages] = WeakSet()


def sweep_also(ages: Ages) -> None:
    """Have something else swept with the uploads, as long as it lives."""
    _ageing.add(ages)


def open_folder(parent: Path | None = None) -> Path:
    """Make this server's folder, readable by its user only, and see to its end.

    Where `parent` is a file or somebody else's, a new folder takes its place.
    """
    try:
        parent = parent or Path(tempfile.gettempdir()) / f"gnet-{_user()}"
        if not _usable(parent):
            parent = Path(tempfile.mkdtemp(prefix=f"{parent.name}-"))
        sweep_leftovers(parent)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    except OSError as error:
        raise GnetError(
            f"There is no place for uploaded pictures ({error.strerror or error}); set TMPDIR to a "
            "folder that can be written to."
        ) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    threading.Thread(target=_keep_swept, args=(folder,), name="uploads", daemon=True).start()
    return folder


def _usable(parent: Path) -> bool:
    """Whether it is now a folder of this user that can be written to."""
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    own = not hasattr(os, "getuid") or parent.stat().st_uid == os.getuid()
    return own and os.access(parent, os.W_OK | os.X_OK)


def keep(folder: Path, name: str, content: bytes) -> Path:
    """A file to be fetched, beside the uploads and deleted as they are.

    The oldest ones go earlier where there are more than `MOST_KEPT`. Raises `GnetError` where it
    cannot be written.
    """
    place = folder / "saved" / hashlib.sha256(content).hexdigest()[:16]
    path = place / name
    try:
        with atomically(path) as temporary:
            temporary.write_bytes(content)
    except GnetError as error:
        raise GnetError(
            f"The server cannot keep {name} to be fetched ({_reason(error.__cause__)}); "
            "try again later."
        ) from error
    kept = sorted(place.parent.glob("*/*"), key=lambda file: file.stat().st_mtime)
    for old in kept[:-MOST_KEPT]:
        with suppress(OSError):  # it is being read, on Windows
            old.unlink(missing_ok=True)
    return path


class BoundedUploads:
    """ASGI middleware: before each upload the oldest ones go, where all have too many bytes.

    An upload that cannot be written, as on a full disk, is answered in a sentence and deleted.
    """

    def __init__(self, app: ASGIApp, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.app, self.folder, self.most_bytes = app, folder, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].rstrip("/").endswith("/upload"):
            await self.app(scope, receive, send)
            return
        make_room(self.folder, self.most_bytes)
        try:
            await self.app(scope, receive, send)
        except OSError as error:
            for unfinished in self.folder.glob("tmp*"):  # as Gradio names what it receives
                with suppress(OSError):  # still open, on Windows
                    unfinished.unlink(missing_ok=True)
            sentence = f"The server cannot keep that file ({_reason(error)}); try again later."
            await JSONResponse({"detail": sentence}, 507)(scope, receive, send)


def make_room(folder: Path, most_bytes: int = MOST_BYTES) -> None:
    """Delete the oldest files under `folder` to leave `most_bytes`; zips and networks stay."""
    found: list[tuple[float, int, Path]] = []
    for path in folder.rglob("*"):
        with suppress(OSError):  # another thread was faster
            if path.is_file() and path.relative_to(folder).parts[0] not in (ZIPS, NETWORKS):
                known = path.stat()
                found.append((known.st_mtime, known.st_size, path))
    room = most_bytes
    for _, size, path in sorted(found, reverse=True):
        room -= size
        if room < 0:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def sweep(folder: Path, kept_seconds: float = KEPT_SECONDS) -> None:
    """Delete the files under `folder` that are older than `kept_seconds`."""
    oldest = time.time() - kept_seconds
    for path in folder.rglob("*"):
        try:
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink()
        except OSError:  # another thread was faster
            continue
    for path in sorted(folder.rglob("*"), reverse=True):
        try:
            if path.is_dir() and not any(path.iterdir()) and path.stat().st_mtime < oldest:
                path.rmdir()
        except OSError:
            continue


def sweep_leftovers(parent: Path) -> None:
    """Delete the folders of servers that are no more."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            dead = folder.stat().st_mtime < time.time() - _DEAD_SECONDS
        except OSError:
            continue
        if dead:
            shutil.rmtree(folder, ignore_errors=True)


def _keep_swept(folder: Path) -> None:
    while True:
        for ages in list(_ageing):
            ages.sweep()
        give_back_memory()
        try:
            os.utime(folder)
            sweep(folder)
            sweep_leftovers(folder.parent)
        except OSError:  # others delete here, too; what is left is for the next round
            pass
        time.sleep(_SWEEP_SECONDS)


def _reason(error: BaseException | None) -> str:
    return getattr(error, "strerror", None) or "its disk is not usable"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may know no name for its user
        return "user"
