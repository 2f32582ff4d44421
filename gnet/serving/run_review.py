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
    """The review of a run's best weights, or of its last ones before there are any best.

    It is kept in the run's folder, and computed again only for other weights.
    """
    folder = RunFolder(run_dir)
    config = folder.config()
    weights = weights_of(folder)
    kept = kept_review(folder, weights)
    if kept is not None:
        return kept
    checksum = checksum_of(weights)
    model = fold(load(weights))
    made = review(model, judged_on(config), model.info.preprocessing, progress)
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
    except GnetError:  # of an older program, or damaged: made anew
        return None
    return kept if kept.weights == checksum_of(weights) else None


def checksum_of(weights: Path) -> str:
    """sha256 of a file, computed once as long as the file stays the same."""
    return _checksum(weights, stamp_of(weights))


@lru_cache(maxsize=64)
def _checksum(path: Path, _: Stamp) -> str:
    return sha256_of(path)


def judged_on(config: TrainConfig, progress: Progress | None = None) -> Dataset:
    """The pictures on which a run with this config judges its epochs."""
    return open_split(config, TUNE if config.tune else "val", progress)
