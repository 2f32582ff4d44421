"""What whoever serves the page allows of runs, and whether a run keeps to it.

Knows nothing of processes or folders of runs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from gnet.data.source import Stored, parse
from gnet.errors import FieldError, GnetError
from gnet.runs.train_config import TrainConfig

NAMED_WEIGHTS = ("everyday", "imagenet")
BYTES_PER_PIXEL = 1_000
"""Memory that training needs for each pixel of a batch at width 1, in fp32; measured."""
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """Limits on each run and on all of them; 0 sets none."""

    max_epochs: int = 0
    max_minutes: float = 0.0
    """Minutes of training in all, resumptions included."""
    max_size: int = 0
    """Side of the input in px."""
    max_runs: int = 100
    """Runs that are kept."""
    max_waiting: int = 10
    """Runs that one person may have in the queue."""
    max_queue: int = 50
    """Runs in the queue, everybody's together."""
    max_pause: float = 10.0
    """Minutes a run may be paused while others wait."""
    at_once: int = 1
    """Runs that train at the same time."""
    enabled: bool = True
    """Whether anybody may train here."""
    folders: tuple[Path, ...] = ()
    """Data sets that may be read, or folders of them, besides those known by name."""
    zip_bytes: int = 300_000_000
    """Size of an uploaded zip at most."""
    zips_bytes: int = 3_000_000_000
    """Of all uploaded zips that are kept at a time, everybody's together."""
    uploads: Path | None = None
    """Where uploaded zips lie for a while; a run takes its own along."""

    def check_enabled(self) -> None:
        """Raise `GnetError` where nobody may train."""
        if not self.enabled:
            raise GnetError(
                "Training is switched off on this server; what it has can be looked at, and "
                "`make run` starts a server of your own."
            )

    def admitted(
        self, config: TrainConfig, weights: Path | None = None, *, own: Path | None = None
    ) -> TrainConfig:
        """The config as it may run here; raises `GnetError` for what is not allowed.

        `weights` is the folder that a run's first weights may lie in, `own` the one that keeps
        what it took along.
        """
        self.check_enabled()
        for name, unit, most in (
            ("epochs", "", self.max_epochs),
            ("max_minutes", " minutes", self.max_minutes),
            ("size", " px", self.max_size),
        ):
            if most and getattr(config, name) > most:
                raise FieldError(
                    name, getattr(config, name), f"at most {most:g}{unit} on this server"
                )
        if self.max_size and max(config.sizes_by_epoch()) > self.max_size:
            raise FieldError(
                "grow", config.grow, f"sides of at most {self.max_size} px on this server"
            )
        if isinstance(parse(config.data), Stored):
            others = [folder for folder in (self.uploads, own) if folder]
            _check_path("data", config.data, (*self.folders, *others))
        if config.start and config.start not in NAMED_WEIGHTS:
            _check_path("start", config.start, (weights,) if weights else ())
        check_memory(config)
        return replace(config, max_minutes=config.max_minutes or self.max_minutes)

    def admitted_again(self, config: TrainConfig, folder: Path) -> TrainConfig:
        """The config of the run in `folder` as it may go on here, perhaps for fewer minutes.

        The limits may be others than when it was started; raises `GnetError` as `admitted` does.
        """
        if self.max_minutes and config.max_minutes > self.max_minutes:
            config = replace(config, max_minutes=self.max_minutes)
        return self.admitted(config, folder.parent, own=folder)


def _check_path(name: str, text: str, folders: tuple[Path, ...]) -> None:
    # Whether a file exists elsewhere is nobody's business: the sentence is the same.
    try:
        path = Path(text).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):  # no such home, a null byte
        path = Path(os.sep)
    if not any(path.is_relative_to(folder.resolve()) for folder in folders):
        raise FieldError(
            name, text[:200], "what this server names itself and what was made or uploaded here"
        )


def check_memory(config: TrainConfig) -> None:
    """Raise `GnetError` when one step needs more memory than this machine has."""
    pixels = config.batch * max(config.sizes_by_epoch()) ** 2
    needed = pixels * config.model.width * BYTES_PER_PIXEL
    there = _memory()
    if needed > there:
        raise GnetError(
            f"A step of {config.batch} pictures at {max(config.sizes_by_epoch())} px needs about "
            f"{needed / 1e9:.0f} GB of memory and this machine has {there / 1e9:.0f}; choose a "
            "smaller batch, size or width."
        )


def _memory() -> float:
    """Bytes of memory this process may have; infinity where nobody says."""
    least = float("inf")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        least = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:
        return min(least, float(_MEMORY_LIMIT.read_text()))
    except (OSError, ValueError):  # no such limit, or the word max
        return least
