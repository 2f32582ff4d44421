"""The review of a run's network and its figures of depth, computed once, kept in its folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from gnet.data.datasets import TUNE, Dataset, held_out
from gnet.errors import GnetError
from gnet.evaluation.depth import Depth, measure_depth
from gnet.evaluation.probe_fitting import PER_CLASS, fit_to
from gnet.evaluation.review import Review, review, thinned
from gnet.explain.probes import Probes
from gnet.network.folding import fold
from gnet.network.model import GoogLeNet
from gnet.network.weights import load
from gnet.runs.folder import BEST, LAST, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.system.download import sha256_of
from gnet.system.progress import Progress
from gnet.system.stamps import Stamp, stamp_of
from gnet.training.starting import open_split

REVIEW = "review.safetensors"
DEPTH = "depth.json"
Kept = TypeVar("Kept")
_FEWEST, _FITTED_TO = 5, 1500
"""Training pictures that a probe is fitted to: of each class at least, and in all about."""


def review_run(run_dir: str | Path, progress: Progress | None = None) -> Review:
    """The review of a run's best weights, or of its last ones where no best ones exist yet.

    It is kept in the run's folder, and computed again only when the weights change.
    """
    folder = RunFolder(run_dir)
    config = folder.config()
    weights = weights_of(folder)
    kept = kept_review(folder, weights)
    if kept is not None:
        return kept
    checksum = checksum_of(weights)
    model = fold(load(weights))
    made = review(model, validation_split(config), model.info.preprocessing, progress)
    made = replace(made, weights=checksum)
    made.save(folder.path / REVIEW)
    return made


def depth_of_run(run_dir: str | Path, progress: Progress | None = None) -> Depth:
    """How a run's network answers at each depth, on the pictures of its review.

    Nine probes are fitted to the run's own training pictures; a run with too few of them has
    figures of its heads alone. Kept and made anew as the review is.
    """
    folder = RunFolder(run_dir)
    weights = weights_of(folder)
    kept = kept_depth(folder, weights)
    if kept is not None:
        return kept
    config, made = folder.config(), review_run(run_dir, progress)
    model = fold(load(weights))
    model.info = replace(model.info, digest=checksum_of(weights))
    looked_at = thinned(validation_split(config))
    probes = _probes(model, config, looked_at, progress)
    depth = measure_depth(
        model, looked_at, made, probes, data=Path(config.data).name, progress=progress
    )
    depth.save(folder.path / DEPTH)
    return depth


def _probes(
    model: GoogLeNet, config: TrainConfig, shown: Dataset, progress: Progress | None
) -> Probes | None:
    rest, tune = held_out(open_split(config, "train"))
    if len(tune) == 0:
        return None
    each = min(PER_CLASS, max(_FEWEST, _FITTED_TO // len(rest.classes)))
    return fit_to(model, rest, tune, shown, per_class=each, seed=config.seed, progress=progress)


def kept_depth(folder: RunFolder, weights: Path) -> Depth | None:
    """The figures of depth kept in a run's folder, if they are of those weights."""
    kept = _read(Depth.read, folder.path / DEPTH)
    return kept if kept and kept.digest == checksum_of(weights) else None


def weights_of(folder: RunFolder) -> Path:
    """The best weights of a run, or its last ones; `GnetError` before the first checkpoint."""
    for name in (BEST, LAST):
        if (folder.path / name).is_file():
            return folder.path / name
    raise GnetError(f"{folder.path} holds no weights yet; train until its first checkpoint.")


def kept_review(folder: RunFolder, weights: Path) -> Review | None:
    """The review kept in a run's folder, if it is of those weights."""
    kept = _read(Review.read, folder.path / REVIEW)
    return kept if kept is not None and kept.weights == checksum_of(weights) else None


def _read(read: Callable[[Path], Kept], path: Path) -> Kept | None:
    """What a file holds; None for none, for one from an older version, and for a damaged one."""
    try:
        return read(path) if path.is_file() else None
    except GnetError:
        return None


def checksum_of(weights: Path) -> str:
    """sha256 of a file; computed again only when the file changes."""
    return _checksum(weights, stamp_of(weights))


@lru_cache(maxsize=64)
def _checksum(path: Path, _: Stamp) -> str:
    return sha256_of(path)


def validation_split(config: TrainConfig, progress: Progress | None = None) -> Dataset:
    """The pictures on which a run with this config is validated."""
    return open_split(config, TUNE if config.tune else "val", progress)
