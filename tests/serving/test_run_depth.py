"""A run's figures of depth: measured once beside its review, anew for other weights."""

import shutil
from pathlib import Path

import pytest
import torch

from gnet.errors import GnetError
from gnet.evaluation.depth import Depth
from gnet.network.config import STAGES
from gnet.network.weights import load, save
from gnet.runs.folder import BEST, RunFolder
from gnet.serving import run_review
from gnet.serving.reviews import ReviewProgress, Reviews
from gnet.serving.run_review import DEPTH, depth_of_run, kept_depth, review_run, weights_of
from support.training_runs import run, tiny
from support.waiting import until


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    run(tiny(epochs=1), folder)
    return folder


@pytest.fixture
def finished(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run, as it was when it ended."""
    return shutil.copytree(trained, tmp_path / "run")


def test_it_reads_the_pictures_of_the_review_at_nine_probes_and_three_heads(
    finished: Path,
) -> None:
    found, made = depth_of_run(finished), review_run(finished)
    top1 = {reader.name: reader.top1 for reader in found.readers}
    assert list(top1) == [*STAGES[:3], "aux1", *STAGES[3:6], "aux2", *STAGES[6:], "main"]
    assert {head: top1[head] for head in made.heads} == {h: made.accuracy(h) for h in made.heads}
    assert found.count == len(made) and Depth.read(finished / DEPTH) == found


def test_it_is_measured_again_only_for_other_weights_or_a_broken_file(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = depth_of_run(finished)
    measured: list[str] = []
    original = run_review.measure_depth
    monkeypatch.setattr(
        run_review, "measure_depth", lambda *a, **k: measured.append("") or original(*a, **k)
    )
    assert depth_of_run(finished) == first and not measured
    model = load(finished / BEST)
    with torch.no_grad():
        model.fc.bias[3] = 1e4
    save(model, finished / BEST)
    assert kept_depth(RunFolder(finished), weights_of(RunFolder(finished))) is None
    second = depth_of_run(finished)
    assert measured == [""] and second.digest != first.digest
    (finished / DEPTH).write_text("{")
    depth_of_run(finished)
    assert len(measured) == 2


def test_a_run_with_too_few_pictures_for_probes_has_its_heads_alone(tmp_path: Path) -> None:
    run(tiny(epochs=1, per_class=1, batch=4), tmp_path / "run")
    assert [reader.stage for reader in depth_of_run(tmp_path / "run").readers] == ["4a", "4d", "5b"]


def test_a_server_has_it_measured_by_the_process_that_makes_the_review(finished: Path) -> None:
    reviews = Reviews()
    assert isinstance(reviews.ask_depth(finished), ReviewProgress)
    found = until(lambda: isinstance(found := reviews.ask_depth(finished), Depth) and found)
    assert found == depth_of_run(finished)
    assert reviews.find(finished) is not None, "the review is made on the way"


def test_a_run_without_weights_has_none(tmp_path: Path) -> None:
    with pytest.raises(GnetError, match="holds no weights yet"):
        depth_of_run(tmp_path)
