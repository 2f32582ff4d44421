"""The review of a run's network, computed once and kept in the run's folder."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from gnet.data.datasets import TUNE, Dataset
from gnet.errors import GnetError
from gnet.evaluation.review import Review, review
from gnet.network.folding import fold
from gnet.network.weights import load
from gnet.runs.folder import BEST, LAST, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.system.download import sha256_of
from gnet.system.progress import Progress
from gnet.system.stamps import Stamp, stamp_of
from gnet.training.starting import open_split

REVIEW = "review.safetensors"


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


def weights_of(folder: RunFolder) -> Path:
    """The best weights of a run, or its last ones; `GnetError` before the first checkpoint."""
    for name in (BEST, LAST):
        if (folder.path / name).is_file():
            return folder.path / name
    raise GnetError(f"{folder.path} holds no weights yet; train until its first checkpoint.")


def kept_review(folder: RunFolder, weights: Path) -> Review | None:
    """The review kept in a run's folder, if it is of those weights."""
    path = folder.path / REVIEW
    if not path.is_file():
        return None
    try:
        kept = Review.read(path)
    except GnetError:  # from an older version, or damaged: computed again
        return None
    return kept if kept.weights == checksum_of(weights) else None


def checksum_of(weights: Path) -> str:
    """sha256 of a file; computed again only when the file changes."""
    return _checksum(weights, stamp_of(weights))


@lru_cache(maxsize=64)
def _checksum(path: Path, _: Stamp) -> str:
    return sha256_of(path)


def validation_split(config: TrainConfig, progress: Progress | None = None) -> Dataset:
    """The pictures on which a run with this config is validated."""
    return open_split(config, TUNE if config.tune else "val", progress)
