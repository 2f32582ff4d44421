"""The pinned picture: what each epoch tells of it is what a recording of the network says."""

import base64
import json

import numpy as np
import pytest
import torch

from gnet.data.pictures import as_tensor, open_picture
from gnet.errors import FieldError
from gnet.explain.belief import belief
from gnet.explain.branches import mean_map, statistics
from gnet.explain.recording import record
from gnet.network.config import BRANCHES, STAGES
from gnet.network.info import Preprocessing
from gnet.network.weights import load
from gnet.runs.events import BranchesSeen, StepDone, from_record, to_line
from gnet.runs.folder import LAST, PINNED, RunFolder
from gnet.training.epochs import look, pinned_picture, steps_to_look_at
from gnet.training.loop import resume, train
from gnet.training.starting import open_splits
from support.training_runs import run, tiny


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A run's folder and its events."""
    folder = tmp_path_factory.mktemp("pinned") / "run"
    return folder, run(tiny(pinned=7), folder)


def test_each_epoch_tells_of_the_picture_and_so_does_the_start(lived):
    seen = [event for event in lived[1] if isinstance(event, BranchesSeen)]
    assert [(event.step, event.epoch) for event in seen] == [(0, 0), (3, 1), (6, 2)]
    assert seen[0].shares != seen[1].shares


def test_the_last_look_is_what_the_kept_weights_say(lived):
    folder, events = lived
    _, val = open_splits(tiny(pinned=7), None)
    picture = pinned_picture(val, 7, Preprocessing(size=32))
    model = load(folder / LAST)
    recording = record(model, picture[None].float() / 255)
    told = [event for event in events if isinstance(event, BranchesSeen)][-1]
    assert tuple(told.shares) == tuple(told.maps) == STAGES
    for stage in STAGES:
        shares = {branch: n.share for branch, n in statistics(recording, stage).items()}
        assert told.shares[stage] == pytest.approx(shares, rel=1e-5)
        assert sum(told.shares[stage].values()) == pytest.approx(1)
        for branch in BRANCHES:
            expected = mean_map(recording, stage, branch).numpy()
            one = told.maps[stage][branch]
            span = one["high"] - one["low"]
            whole = np.frombuffer(base64.b64decode(one["data"]), np.uint8).reshape(one["size"])
            shown = one["low"] + whole / 255 * span
            assert np.abs(shown - expected).max() <= 0.51 / 255 * span + 1e-6
            assert one["low"] == 0.0 and one["high"] == pytest.approx(expected.max(), rel=1e-4)
    for head, believed in belief(recording, top=3).heads.items():
        labels = [label for label, _ in told.belief[head]]
        assert labels == list(believed.top)
        chances = [believed.probabilities[label] for label in believed.top]
        assert [p for _, p in told.belief[head]] == pytest.approx(chances, rel=1e-4)


def test_the_picture_is_kept_beside_the_run(lived):
    _, val = open_splits(tiny(), None)
    kept = as_tensor(open_picture(lived[0] / PINNED))
    assert torch.equal(kept, pinned_picture(val, 7, Preprocessing(size=32)))


def test_what_is_told_survives_its_line(lived):
    seen = next(event for event in lived[1] if isinstance(event, BranchesSeen))
    assert from_record(json.loads(to_line(seen))) == seen


def test_a_map_of_signed_values_keeps_its_least(lived):
    model = load(lived[0] / LAST)
    twin = type(model)(model.config.preset("pre-activation", width=0.0625, num_classes=10))
    told = look(twin, torch.zeros(3, 32, 32, dtype=torch.uint8), step=0, epoch=0)
    assert min(one["low"] for branches in told.maps.values() for one in branches.values()) < 0
    assert told.belief == {}  # nobody trained this network


def test_without_a_pinned_picture_nothing_is_told_or_kept(tmp_path):
    events = run(tiny(epochs=1, pinned=-1), tmp_path)
    assert not [event for event in events if isinstance(event, BranchesSeen)]
    assert not (tmp_path / PINNED).exists()


def test_a_picture_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FieldError, match="from -1 to 19"):
        run(tiny(pinned=20), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_within_a_longer_epoch_the_picture_is_recorded_at_four_more_steps():
    config = tiny(per_class=10, epochs=1)  # 100 pictures in steps of 8: 13 steps
    told = run(config)
    seen = [event for event in told if isinstance(event, BranchesSeen)]
    assert [(event.step, event.epoch) for event in seen] == [
        (0, 0), (3, 1), (5, 1), (8, 1), (10, 1), (13, 1)
    ]  # fmt: skip
    assert seen[1].shares != seen[2].shares
    steps = [event for event in told if isinstance(event, StepDone)]
    blind = run(tiny(per_class=10, epochs=1, pinned=-1))
    assert [s.loss for s in steps] == [s.loss for s in blind if isinstance(s, StepDone)]
    assert steps_to_look_at(3) == frozenset()


def test_a_resumed_run_looks_again_at_no_step_twice(tmp_path):
    config = tiny(per_class=10, epochs=1)
    begun = train(config, tmp_path)
    for event in begun:
        if getattr(event, "step", 0) == 5 and isinstance(event, BranchesSeen):
            break
    begun.close()
    list(resume(tmp_path))
    seen = [e.step for e in RunFolder(tmp_path).events() if isinstance(e, BranchesSeen)]
    assert seen == [0, 3, 5, 8, 10, 13]
