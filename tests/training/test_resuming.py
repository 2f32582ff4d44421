"""A run stopped, closed or killed at any moment goes on as if nothing had happened."""

import threading
from functools import cache
from pathlib import Path

import pytest
import torch

from gnet.errors import GnetError
from gnet.network.weights import load
from gnet.runs.events import (
    CheckpointSaved,
    EpochDone,
    RunEnded,
    RunResumed,
    RunStarted,
    StepDone,
    read_events,
)
from gnet.runs.folder import CONFIG, EVENTS, LAST, STATE, RunFolder
from gnet.training.checkpoint import facts
from gnet.training.loop import resume, train
from gnet.training.precision import Machine
from support.training_runs import curve, run, tiny


@cache
def undisturbed(config):
    """The curve of a run that nothing interrupts."""
    return curve(run(config))


def until(events, kind, count=1):
    """Take events up to the `count`-th of `kind`, then close the iterator."""
    taken = []
    for event in events:
        taken.append(event)
        count -= isinstance(event, kind)
        if count == 0:
            break
    events.close()
    return taken


def interrupted(config, folder, kind, count):
    """The events on disk of a run that was closed after the `count`-th of `kind` and resumed."""
    until(train(config, folder), kind, count)
    list(resume(folder))
    return read_events(folder / EVENTS)


@pytest.mark.parametrize(
    "kind, count",
    [
        (RunStarted, 1),
        (StepDone, 2),
        (StepDone, 3),  # the epoch's last, not judged yet
        (EpochDone, 1),
        (CheckpointSaved, 1),
        (StepDone, 6),
        (EpochDone, 2),
    ],
)
def test_a_run_closed_anywhere_and_resumed_equals_an_uninterrupted_one(tmp_path, kind, count):
    config = tiny(ema=0.9)
    assert curve(interrupted(config, tmp_path, kind, count)) == undisturbed(config)


@pytest.mark.parametrize("optimiser", ["adamw", "muon", "sgd"])
def test_weights_of_a_resumed_run_equal_those_of_an_uninterrupted_one(tmp_path, optimiser):
    # Moments restored in another memory layout than their kernels' once made fused optimisers
    # pair the wrong values: the loss of the next step is still right, the weights are not.
    config = tiny(optimiser=optimiser, ema=0.9, network={"width": 0.125})
    run(config, tmp_path / "whole")
    interrupted(config, tmp_path / "parts", StepDone, 4)
    whole = load(tmp_path / "whole" / LAST).state_dict()
    for name, value in load(tmp_path / "parts" / LAST).state_dict().items():
        assert torch.equal(value, whole[name]), name


def test_a_run_can_be_resumed_at_every_step(tmp_path):
    config = tiny()
    until(train(config, tmp_path), StepDone, 1)
    while not RunFolder(tmp_path).finished():
        until(resume(tmp_path), StepDone, 1)
    assert curve(read_events(tmp_path / EVENTS)) == undisturbed(config)


def test_a_request_to_stop_ends_the_run_at_that_step(tmp_path):
    asked = []

    def stop():
        asked.append(True)
        return len(asked) == 3  # before the third step

    events = list(train(tiny(), tmp_path, stop=stop))
    ended = events[-1]
    assert isinstance(ended, RunEnded) and (ended.step, ended.reason) == (2, "stopped")
    assert facts(RunFolder(tmp_path)) == {"step": 2, "precision": "fp32"}
    list(resume(tmp_path))
    assert curve(read_events(tmp_path / EVENTS)) == undisturbed(tiny())


def test_closing_leaves_one_end_behind_and_a_checkpoint(tmp_path):
    until(train(tiny(), tmp_path), StepDone, 2)
    events = read_events(tmp_path / EVENTS)
    assert [type(e) for e in events[-2:]] == [CheckpointSaved, RunEnded]
    assert [e.reason for e in events if isinstance(e, RunEnded)] == ["stopped"]
    kept = facts(RunFolder(tmp_path))
    assert kept and kept["step"] == 2


def test_an_end_no_longer_holds_once_the_run_goes_on(tmp_path):
    events = interrupted(tiny(), tmp_path, StepDone, 2)
    assert [e.reason for e in events if isinstance(e, RunEnded)] == ["finished"]
    assert [e.step for e in events if isinstance(e, RunResumed)] == [2]


def test_a_failure_is_called_one_and_the_last_checkpoint_stays(tmp_path, monkeypatch):
    events = train(tiny(checkpoint_seconds=0.0), tmp_path)
    for event in events:
        if isinstance(event, CheckpointSaved):
            break
    monkeypatch.setattr("gnet.training.learner.head_losses", None)
    with pytest.raises(TypeError):
        list(events)
    ended = read_events(tmp_path / EVENTS)[-1]
    assert isinstance(ended, RunEnded) and (ended.step, ended.reason) == (1, "failed")
    monkeypatch.undo()
    list(resume(tmp_path))
    expected = run(tiny(checkpoint_seconds=0.0))
    assert curve(read_events(tmp_path / EVENTS)) == curve(expected)


def test_a_finished_run_yields_nothing_more(tmp_path):
    run(tiny(epochs=1), tmp_path)
    before = (tmp_path / EVENTS).read_bytes()
    assert RunFolder(tmp_path).finished()
    assert list(resume(tmp_path)) == []
    assert (tmp_path / EVENTS).read_bytes() == before


@pytest.mark.parametrize("older", [False, True])
def test_a_resumed_run_keeps_the_arithmetic_it_began_with(older, tmp_path, monkeypatch):
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("gnet.training.loop.this_machine", lambda group: Machine(bf16=True))
        elsewhere.setattr("gnet.training.precision.LEAST_WORK", 1.0)
        until(train(tiny(precision="auto"), tmp_path), StepDone, 2)
    assert RunFolder(tmp_path).config().precision == "bf16"
    if older:  # whose config.json does not say what was chosen; its events do
        text = (tmp_path / CONFIG).read_text()
        (tmp_path / CONFIG).write_text(text.replace('"bf16"', '"auto"'))
    monkeypatch.setattr("gnet.training.loop.this_machine", lambda group: Machine())
    list(resume(tmp_path))
    assert curve(read_events(tmp_path / EVENTS)) == undisturbed(tiny(precision="bf16"))


def test_a_run_whose_data_has_changed_is_not_resumed(tmp_path):
    until(train(tiny(), tmp_path), StepDone, 2)
    text = (tmp_path / CONFIG).read_text()
    (tmp_path / CONFIG).write_text(text.replace('"per_class": 2', '"per_class": 4'))
    with pytest.raises(GnetError, match=r"6 steps and would resume with 10 classes and 10 steps"):
        list(resume(tmp_path))


def test_a_state_of_another_network_is_refused(tmp_path):
    until(train(tiny(), tmp_path), StepDone, 2)
    text = (tmp_path / CONFIG).read_text()
    (tmp_path / CONFIG).write_text(text.replace('"width": 0.0625', '"width": 0.125'))
    with pytest.raises(GnetError, match="not a state of the run"):
        list(resume(tmp_path))


def test_a_damaged_state_is_refused(tmp_path):
    until(train(tiny(), tmp_path), StepDone, 2)
    (tmp_path / STATE).write_bytes(b"not a state")
    with pytest.raises(GnetError, match="is not a state"):
        list(resume(tmp_path))


def test_a_state_without_its_events_is_refused(tmp_path):
    until(train(tiny(), tmp_path), StepDone, 2)
    (tmp_path / EVENTS).unlink()
    with pytest.raises(GnetError, match=r"without its events; put its events\.jsonl back"):
        list(resume(tmp_path))


def test_a_folder_that_holds_a_run_is_not_used_again(tmp_path):
    run(tiny(epochs=1), tmp_path)
    with pytest.raises(GnetError, match="holds a run already"):
        run(tiny(), tmp_path)


def test_a_folder_without_a_run_cannot_be_resumed(tmp_path):
    with pytest.raises(GnetError, match="holds no run"):
        list(resume(tmp_path))


def test_a_failed_write_leaves_the_old_state_whole(tmp_path, monkeypatch):
    until(train(tiny(), tmp_path), StepDone, 2)
    before = (tmp_path / STATE).read_bytes()

    def fails(tensors, path, metadata):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gnet.system.tensor_file.save_file", fails)
    with pytest.raises(GnetError, match="No space left"):
        list(resume(tmp_path))
    monkeypatch.undo()
    assert (tmp_path / STATE).read_bytes() == before
    assert not list(tmp_path.glob(".*"))
    ended = read_events(tmp_path / EVENTS)[-1]
    assert isinstance(ended, RunEnded) and ended.reason == "failed"
    assert "No space left" in ended.message and "\n" not in ended.message
    list(resume(tmp_path))
    assert curve(read_events(tmp_path / EVENTS)) == undisturbed(tiny())


def test_an_unfinished_last_line_is_ignored_and_closed_off(tmp_path):
    until(train(tiny(), tmp_path), StepDone, 2)
    with (tmp_path / EVENTS).open("ab") as file:
        file.write(b'{"type": "StepDone", "st')
    list(resume(tmp_path))
    assert curve(read_events(tmp_path / EVENTS)) == undisturbed(tiny())


def test_reading_ahead_ends_with_the_run():
    until(train(tiny()), StepDone, 1)
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
