"""The limits that a server sets for runs, and the check of a config against them.

Knows nothing of processes, and reads no run folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from gnet.data.source import Stored, parse
from gnet.errors import FieldError, GnetError
from gnet.runs.train_config import TrainConfig
from gnet.system.paths import expanded

NAMED_WEIGHTS = ("everyday", "imagenet")
BYTES_PER_PIXEL = 1_000
"""Memory that training needs for each pixel of a batch at width 1, in fp32; measured."""
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Where Linux writes the memory limit of a container."""


def available_memory(container_limit: Path = CONTAINER_LIMIT) -> float:
    """Bytes of memory this process may use; infinity where the system does not say."""
    least = float("inf")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        least = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:
        return min(least, float(container_limit.read_text()))
    except (OSError, ValueError):  # no such limit, or the word max
        return least


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """Limits on each run and on all runs together; 0 means no limit."""

    max_epochs: int = 0
    max_minutes: float = 0.0
    """Minutes of training in all, before and after a resume."""
    max_size: int = 0
    """Side of the input in px."""
    max_runs: int = 100
    """Runs that are kept."""
    max_waiting: int = 10
    """Runs that one person may have in the queue."""
    max_queue: int = 50
    """Runs in the queue, of all people together."""
    max_pause: float = 10.0
    """Minutes that a run may be paused while others wait."""
    at_once: int = 1
    """Runs that train at the same time."""
    enabled: bool = True
    """Whether the server trains at all."""
    folders: tuple[Path, ...] = ()
    """Data sets, or folders of data sets, that runs may read besides those known by name."""
    zip_bytes: int = 300_000_000
    """Largest size of an uploaded zip in bytes."""
    zips_bytes: int = 3_000_000_000
    """Largest size of all uploaded zips together."""
    uploads: Path | None = None
    """The folder of uploaded zips; they are deleted after a while, a run keeps its own copy."""
    memory: float = field(default_factory=available_memory)
    """Bytes of memory that one step may need."""

    def check_enabled(self) -> None:
        """Raise `GnetError` where training is switched off."""
        if not self.enabled:
            raise GnetError(
                "Training is switched off on this server; you can look at its runs, and `make run` "
                "starts a server of your own."
            )

    def admitted(
        self, config: TrainConfig, weights: Path | None = None, *, own: Path | None = None
    ) -> TrainConfig:
        """The config within the limits; raises `GnetError` for a value that is not allowed.

        `weights` is the folder that the weights to start from may lie in. `own` is the run's own
        folder, which may hold a copy of its data.
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
        if config.answers:
            _check_path("answers", config.answers, self.folders)
        self.check_memory(config)
        return replace(config, max_minutes=config.max_minutes or self.max_minutes)

    def admitted_to_resume(self, config: TrainConfig, folder: Path) -> TrainConfig:
        """The config with which the run in `folder` may resume, perhaps with fewer minutes.

        The limits may have changed since the run started; raises `GnetError` as `admitted` does.
        """
        if self.max_minutes and config.max_minutes > self.max_minutes:
            config = replace(config, max_minutes=self.max_minutes)
        return self.admitted(config, folder.parent, own=folder)

    def check_memory(self, config: TrainConfig) -> None:
        """Raise `GnetError` when one step needs more memory than there is."""
        size = max(config.sizes_by_epoch())
        needed = config.batch * size**2 * config.model.width * BYTES_PER_PIXEL
        if needed > self.memory:
            raise GnetError(
                f"A step of {config.batch} pictures at {size} px needs about {needed / 1e9:.0f} GB "
                f"of memory and this machine has {self.memory / 1e9:.0f}; choose a smaller batch, "
                "size or width."
            )


def _check_path(name: str, text: str, folders: tuple[Path, ...]) -> None:
    # The sentence is the same for files that exist and files that do not: it reveals neither.
    try:
        path = expanded(text).resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, a null byte
        path = Path(os.sep)
    if not any(path.is_relative_to(folder.resolve()) for folder in folders):
        raise FieldError(
            name,
            text[:200],
            "data sets and weights that this server lists, made or received as an upload",
        )
