"""A run on disk: config, events, the state to resume from, and the weights to keep.

Requests to the run, `control.json`, are written by other programs; see `control`.

Every file but the append-only `events.jsonl` is written beside itself and renamed, so that a
kill at any moment leaves the last complete one. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from gnet import strict_json
from gnet.data.pictures import to_image
from gnet.errors import GnetError
from gnet.network.model import GoogLeNet
from gnet.network.weights import save
from gnet.runs.events import (
    Event,
    RunEnded,
    RunResumed,
    SettingsChanged,
    read_changes,
    read_events,
    to_line,
)
from gnet.runs.train_config import TrainConfig
from gnet.system.atomic import atomically
from gnet.system.locking import taken
from gnet.system.paths import regular

Kind = TypeVar("Kind")

CONFIG, EVENTS, STATE = "config.json", "events.jsonl", "state.safetensors"
CONTROL, PINNED = "control.json", "pinned.png"
HELD = "held.lock"
"""The file that the training process keeps locked."""
BLOCK = 4096
"""Bytes read at a time when searching for the end of the last line."""
LAST, BEST = "last.safetensors", "best.safetensors"


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def check_new(self) -> None:
        """Raise `GnetError` unless a run can be started here; makes nothing."""
        if (self.path / CONFIG).exists():
            raise GnetError(
                f"{self.path} holds a run already; resume it with --resume {self.path}, "
                "or name a new folder."
            )
        above = self.path.absolute()
        while not above.exists():
            above = above.parent
        if not above.is_dir() or not os.access(above, os.W_OK):
            raise GnetError(
                f"{self.path} cannot be created; give a path in a folder that can be written to."
            )

    def create(self, config: TrainConfig) -> None:
        """Start a run here."""
        with atomically(self.path / CONFIG) as temporary:
            temporary.write_text(strict_json.dumps(config.to_json(), indent=1), encoding="utf-8")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from training here; `GnetError` where one already does.

        The system releases the lock when this process ends, in whatever way.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            held = taken(self.path / HELD)
        except OSError as error:
            raise GnetError(
                f"Cannot write {self.path / HELD} ({error.strerror or error}); "
                "make the folder writable."
            ) from error
        if held is None:
            raise GnetError(
                f"The run in {self.path} is being trained by another process; stop that one first, "
                "or name another folder."
            )
        try:
            yield
        finally:
            held.release()

    def config(self) -> TrainConfig:
        """The config of the run."""
        try:
            text = regular(self.path / CONFIG).read_text(encoding="utf-8")
            return TrainConfig.from_json(json.loads(text))
        except (OSError, ValueError) as error:
            raise GnetError(
                f"{self.path} holds no run; the folder of a run has a {CONFIG} written by training."
            ) from error

    def finished(self) -> bool:
        """Whether the run has taken all its steps; raises `GnetError` where there is no run."""
        self.config()
        return any(isinstance(e, RunEnded) and e.reason == "finished" for e in self.events())

    def begun(self) -> bool:
        """Whether the run has written any event or state."""
        return (self.path / EVENTS).exists() or (self.path / STATE).exists()

    def events(self) -> list[Event]:
        """The valid events; those that a resume took back are left out."""
        return self._read(read_events)

    def changes(self) -> list[SettingsChanged]:
        """Changes of settings: those in force, and those to be repeated at their steps."""
        return self._read(read_changes)

    def _read(self, reader: Callable[[Path], list[Kind]]) -> list[Kind]:
        try:
            return reader(self.path / EVENTS)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GnetError(
                f"{self.path / EVENTS} is damaged ({error}); put a complete copy "
                "back or start a new run."
            ) from error

    def append(self, event: Event) -> None:
        """Write one event, whole or not at all; removes a line that a kill left unfinished."""
        file = self.path / EVENTS
        length = None
        try:
            if isinstance(event, RunResumed) and file.exists():
                _drop_unfinished_line(file)
            with file.open("ab") as stream:
                length = stream.tell()
                stream.write(to_line(event).encode())
        except OSError as error:
            if length is not None:
                with suppress(OSError):
                    os.truncate(file, length)
            reason = error.strerror or str(error)
            raise GnetError(
                f"Cannot write {file} ({reason}); make room or the folder writable, then resume "
                "the run from its last checkpoint."
            ) from error

    def keep_pinned(self, picture: Tensor) -> None:
        """Write the pinned picture, (3, h, w) uint8, which is recorded as the run goes on."""
        with atomically(self.path / PINNED) as temporary:
            to_image(picture).save(temporary, "PNG")

    def keep(self, name: str, model: GoogLeNet) -> None:
        """Write the weights of `model` as `last.safetensors` or `best.safetensors`."""
        save(model, self.path / name)


def _drop_unfinished_line(file: Path) -> None:
    """Cut off what follows the last line's end; reads backwards, so a long file is no slower."""
    with file.open("r+b") as stream:
        end = length = stream.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - BLOCK)
            stream.seek(start)
            found = stream.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end < length:
            stream.truncate(end)
