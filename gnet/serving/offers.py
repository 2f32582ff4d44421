"""The data sets a server offers: known by name, from folders it allows, uploaded as zips.

The page uses keys; the paths stay in here. Knows nothing of pages.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gnet.data.preview import check_layout
from gnet.data.source import Stored, parse
from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.serving.fetching import Fetching
from gnet.serving.limits import RunLimits
from gnet.system.paths import file_stem

_HERE, _UPLOADED = "here", "uploaded"
"""Kinds of keys, before the colon."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_LONGEST = 60


class Offers:
    """The data sets that one server offers; safe to call from several threads."""

    def __init__(
        self,
        folders: Sequence[Path] = (),
        uploads: Path | None = None,
        *,
        zip_bytes: int = RunLimits.zip_bytes,
        zips_bytes: int = RunLimits.zips_bytes,
    ) -> None:
        """`zip_bytes` limits the size of one zip, `zips_bytes` that of all together."""
        self.zip_bytes = zip_bytes
        self.zips_bytes = zips_bytes
        self.fetching = Fetching()
        self._uploads = uploads
        self._lock = threading.Lock()
        self._incoming: dict[Path, int] = {}
        """Zips being uploaded, and the bytes reserved for each."""
        self._here: dict[str, Path] = {}
        for path in folders:
            name, n = path.name or "data", 1
            while name in self._here:
                n += 1
                name = f"{path.name} {n}"
            self._here[name] = path

    @property
    def takes_zips(self) -> bool:
        """Whether zips can be uploaded."""
        return self._uploads is not None

    def choices(self) -> list[tuple[str, str]]:
        """Name and key of each allowed folder."""
        return [(name, f"{_HERE}:{name}") for name in self._here]

    def label(self, key: str) -> str:
        """The label of an uploaded zip."""
        return f"{Path(self.data_of(key)).name} (yours)"

    def data_of(self, key: object) -> str:
        """The config's `data` for a key; raises `GnetError` for an unknown key."""
        if isinstance(key, str) and not isinstance(parse(key), Stored):
            return key
        kind, _, name = str(key).partition(":")
        if kind == _HERE and name in self._here:
            return str(self._here[name].resolve())
        if kind == _UPLOADED and self._uploads and _TOKEN.fullmatch(name):
            for path in (self._uploads / name).glob("*.zip"):
                return str(path)
            raise GnetError("That zip was deleted, as zips are after an hour; upload it again.")
        raise GnetError(
            f"The pictures are {str(key)[:60]!r}; choose a data set from the list, or upload a zip."
        )

    def reserve(self, name: str, size: int) -> Path:
        """Reserve room for a zip of `size` bytes and return its path; `GnetError` without room.

        Where the size is not known it is 0; call `check_received` as the bytes arrive.
        """
        if self._uploads is None:
            raise GnetError("This server takes no zips; choose one of the data sets it lists.")
        folder = self._uploads / secrets.token_urlsafe(16)
        path = folder / cleaned_file_name(name)
        self._reserve(path, size)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            self.discard(path)
            raise GnetError(f"The zip cannot be kept here ({error.strerror}).") from error
        return path

    def check_received(self, path: Path, size: int) -> None:
        """Reserve room for the bytes received so far; `GnetError` where there is no room."""
        if size > self._incoming.get(path, 0):
            self._reserve(path, size)

    def accept(self, path: Path) -> str:
        """The key of a zip written to its reserved path; one that is no data set is deleted."""
        try:
            check_layout(path)
        except GnetError:
            self.discard(path)
            raise
        with self._lock:
            self._incoming.pop(path, None)  # from now on its file counts
        return f"{_UPLOADED}:{path.parent.name}"

    def discard(self, path: Path) -> None:
        """Delete an upload and its reservation."""
        shutil.rmtree(path.parent, ignore_errors=True)
        with self._lock:
            self._incoming.pop(path, None)

    def _reserve(self, path: Path, size: int) -> None:
        """Reserve `size` bytes in all for a zip."""
        if size > self.zip_bytes:
            raise too_large(size, self.zip_bytes)
        with self._lock:
            others = sum(promised for other, promised in self._incoming.items() if other != path)
            for kept in self._uploads.glob("*/*") if self._uploads else ():
                with suppress(OSError):  # deleted meanwhile
                    if kept != path and kept not in self._incoming and kept.is_file():
                        others += kept.stat().st_size
            if others + size > self.zips_bytes:
                raise GnetError(
                    "There is no room for another zip now; zips are deleted after an hour, so try "
                    "again later."
                )
            self._incoming[path] = size


def too_large(size: int, most: int) -> GnetError:
    """The error for a zip above the limit."""
    return GnetError(
        f"The zip has {min(size, 10**15) / 1e6:.0f} MB; allowed are up to {most / 1e6:.0f} MB."
    )


def cleaned_file_name(name: str) -> str:
    """A safe file name for an uploaded zip: plain letters, no folder, ends in .zip."""
    stem = re.split(r"[\\/]", name)[-1]
    stem = stem[:-4] if stem.lower().endswith(".zip") else stem
    return file_stem(stem, _LONGEST, "pictures") + ".zip"


def with_own_zip(config: TrainConfig, uploads: Path | None, folder: Path) -> TrainConfig:
    """The config of a run in `folder`, with its uploaded zip copied there.

    So the run can be resumed after the upload is deleted.
    """
    source = Path(config.data)
    if uploads is None or not source.resolve().is_relative_to(uploads.resolve()):
        return config
    target = folder.resolve() / source.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:  # another disk, or one without hard links
            shutil.copyfile(source, target)
    except FileNotFoundError as error:
        raise GnetError(
            "That zip was deleted, as zips are after an hour; upload it again."
        ) from error
    except OSError as error:
        target.unlink(missing_ok=True)
        raise GnetError(
            f"The pictures cannot be kept with the run ({error.strerror or error}); "
            "its folder must have room."
        ) from error
    return replace(config, data=str(target))
