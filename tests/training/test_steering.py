"""A run is paused, stepped, changed and stopped by the requests in its folder."""

import shutil
from functools import cache

import pytest

from gnet.commands.main import main
from gnet.network.config import TRAINED, UNTRAINED
from gnet.network.weights import load
from gnet.runs.control import Requests, read_requests, write_requests
from gnet.runs.events import (
    EpochDone,
    RequestRefused,
    RunContinued,
    RunEnded,
    RunResumed,
    RunStarted,
    SettingsChanged,
    StepDone,
    read_events,
)
from gnet.runs.folder import CONTROL, EVENTS, LAST, RunFolder
from gnet.training.checkpoint import facts
from gnet.training.loop import resume, train
from support.training_runs import curve, run, tiny

CONFIG = tiny(per_class=4, epochs=1, pinned=-1)  # five steps


@cache
def undisturbed():
    """The events of a run that nobody requests anything of."""
    return run(CONFIG)


def taken_until(events, kind, step):
    """Events up to the first of `kind` behind `step`; the run is left as it is."""
    taken = []
    for event in events:
        taken.append(event)
        if isinstance(event, kind) and event.step == step:
            break
    return taken


@pytest.fixture
def waiting(monkeypatch, tmp_path):
    """Give the requests that come up one by one whenever the run waits."""

    def plan(*requests):
        left = list(requests)
        monkeypatch.setattr(
            "gnet.training.steering.sleep",
            lambda _: write_requests(tmp_path / CONTROL, left.pop(0)),
        )
        return left

    return plan


def names(events):
    return [(type(event).__name__, event.step) for event in events]


def test_a_paused_run_is_saved_once_steps_singly_and_goes_on(tmp_path, waiting):
    left = waiting(
        Requests(pause=True),
        Requests(pause=True, steps=1),
        Requests(pause=True, steps=3),
        Requests(pause=True, steps=3),
        Requests(steps=3),
    )
    events = train(CONFIG, tmp_path)
    taken = taken_until(events, StepDone, 1)
    write_requests(tmp_path / CONTROL, Requests(pause=True))
    taken += list(events)
    assert left == []
    assert names(taken[2:-3]) == [
        ("RunPaused", 1),
        ("CheckpointSaved", 1),
        ("StepDone", 2),
        ("CheckpointSaved", 2),
        ("StepDone", 3),
        ("StepDone", 4),
        ("CheckpointSaved", 4),
        ("RunContinued", 4),
        ("StepDone", 5),
    ]
    assert curve(taken) == curve(read_events(tmp_path / EVENTS)) == curve(undisturbed())


def test_a_run_can_wait_before_its_first_step(tmp_path, waiting):
    waiting(Requests())
    write_requests(tmp_path / CONTROL, Requests(pause=True, steps=7))
    kinds = names(train(CONFIG, tmp_path))
    expected = [("RunStarted", 0), ("RunPaused", 0), ("RunContinued", 0), ("StepDone", 1)]
    assert kinds[:4] == expected


def test_a_paused_run_that_was_closed_is_resumed_paused_and_takes_no_old_step(tmp_path, waiting):
    waiting(Requests(pause=True, steps=1), Requests(pause=True, steps=1), Requests(steps=1))
    events = train(CONFIG, tmp_path)
    taken_until(events, StepDone, 1)
    write_requests(tmp_path / CONTROL, Requests(pause=True))
    taken_until(events, StepDone, 2)
    events.close()
    kinds = names(resume(tmp_path))
    assert kinds[:4] == [
        ("RunResumed", 2),
        ("RunPaused", 2),
        ("RunContinued", 2),
        ("StepDone", 3),
    ]
    assert curve(read_events(tmp_path / EVENTS)) == curve(undisturbed())


def test_whoever_counts_single_steps_anew_is_understood(tmp_path, waiting):
    waiting(
        Requests(pause=True, steps=0),
        Requests(pause=True, steps=1),
        Requests(pause=True, stop=True),
    )
    write_requests(tmp_path / CONTROL, Requests(pause=True, steps=7))
    steps = [name for name, _ in names(train(CONFIG, tmp_path))].count("StepDone")
    assert steps == 1


def test_a_wish_to_stop_is_followed_once(tmp_path):
    events = train(CONFIG, tmp_path)
    taken_until(events, StepDone, 2)
    write_requests(tmp_path / CONTROL, Requests(stop=True, pause=True))
    *_, ended = events
    assert isinstance(ended, RunEnded)
    assert (ended.step, ended.reason, ended.message) == (2, "stopped", "")
    assert read_requests(tmp_path / CONTROL) == Requests()
    list(resume(tmp_path))
    assert curve(read_events(tmp_path / EVENTS)) == curve(undisturbed())


def test_a_paused_run_stops_when_that_is_wished(tmp_path, waiting):
    waiting(Requests(pause=True, stop=True))
    write_requests(tmp_path / CONTROL, Requests(pause=True))
    assert names(train(CONFIG, tmp_path))[1:] == [("RunPaused", 0), ("RunEnded", 0)]


def test_a_stop_while_an_epoch_is_judged_leaves_the_judgement_to_be_repeated(tmp_path):
    asked = []

    def stop():
        asked.append(True)
        return len(asked) == 6  # five steps, then the only batch of the validation set

    config = tiny(per_class=4, epochs=1)
    events = list(train(config, tmp_path, stop=stop))
    assert names(events)[-2:] == [("StepDone", 5), ("RunEnded", 5)]
    assert facts(RunFolder(tmp_path)) == {"step": 5, "precision": "fp32"}
    resumed = list(resume(tmp_path))
    assert [type(event) for event in resumed if isinstance(event, StepDone | EpochDone)] == [
        EpochDone
    ]
    assert curve(read_events(tmp_path / EVENTS)) == curve(run(config))


def test_a_run_ends_with_a_sentence_when_its_time_is_over(tmp_path):
    *_, ended = train(tiny(max_minutes=1e-6), tmp_path)
    assert isinstance(ended, RunEnded) and ended.reason == "stopped"
    assert ended.message == "the limit of 1e-06 minutes (max_minutes) is reached"


def test_new_settings_hold_from_the_next_step_on(tmp_path):
    events = train(CONFIG, tmp_path)
    taken = taken_until(events, StepDone, 2)
    write_requests(tmp_path / CONTROL, Requests(learning_rate=0.02, aux1_weight=0.0))
    taken += list(events)
    changes = [event for event in taken if isinstance(event, SettingsChanged)]
    assert changes == [
        SettingsChanged(step=2, learning_rate=0.02, aux1_weight=0.0, aux2_weight=0.3)
    ]
    before = [event for event in undisturbed() if isinstance(event, StepDone)]
    after = [event for event in taken if isinstance(event, StepDone)]
    assert curve(after[:2]) == curve(before[:2])
    for new, old in zip(after[2:], before[2:], strict=True):
        assert new.learning_rate == pytest.approx(10 * old.learning_rate)
        assert new.loss == pytest.approx(new.losses["main"] + 0.3 * new.losses["aux2"])
    assert curve([after[2]])[0]["losses"] == curve([before[2]])[0]["losses"]  # not felt yet
    assert after[3].losses != before[3].losses


def test_a_head_that_gets_a_weight_on_the_way_counts_as_trained(tmp_path):
    config = tiny(per_class=4, epochs=1, aux1_weight=0.0, aux2_weight=0.0, ema=0.9)
    events = train(config, tmp_path)
    taken_until(events, StepDone, 2)
    write_requests(tmp_path / CONTROL, Requests(aux2_weight=0.3))
    taken_until(events, StepDone, 3)
    events.close()
    list(resume(tmp_path))
    heads = load(tmp_path / LAST).info.heads
    assert heads == {"main": TRAINED, "aux1": UNTRAINED, "aux2": TRAINED}
    told = read_events(tmp_path / EVENTS)
    steps = [e for e in told if isinstance(e, StepDone)]
    assert ["aux2" in e.losses for e in steps] == [False, False, True, True, True]
    (epoch,) = [e for e in told if isinstance(e, EpochDone)]
    assert set(epoch.train_loss) == set(epoch.val_accuracy) == {"main", "aux2"}
    assert epoch.train_loss["aux2"] == pytest.approx(sum(e.losses["aux2"] for e in steps[2:]) / 3)


@pytest.fixture
def changed(tmp_path):
    """A run saved at step 1 and changed behind step 2, as a kill behind step 3 leaves it; and the
    curve it has where nobody kills it."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    events = train(CONFIG, whole)
    taken_until(events, StepDone, 1)
    events.close()
    events = resume(whole)
    taken_until(events, StepDone, 2)
    write_requests(whole / CONTROL, Requests(learning_rate=0.02, aux2_weight=0.6))
    taken_until(events, StepDone, 3)
    shutil.copytree(whole, killed)
    list(events)
    return killed, read_events(whole / EVENTS)


def test_a_change_is_made_again_at_its_step_by_a_run_resumed_before_it(changed):
    killed, whole = changed
    assert [e.step for e in whole if isinstance(e, SettingsChanged)] == [2]
    resumed = list(resume(killed))
    assert names(resumed)[:4] == [
        ("RunResumed", 1),
        ("StepDone", 2),
        ("SettingsChanged", 2),
        ("StepDone", 3),
    ]
    assert curve(read_events(killed / EVENTS)) == curve(whole)


@pytest.mark.parametrize("kind, step", [(RunResumed, 1), (StepDone, 2), (SettingsChanged, 2)])
def test_a_change_is_made_again_however_often_the_run_is_killed(changed, kind, step, tmp_path):
    killed, whole = changed
    events = resume(killed)
    taken_until(events, kind, step)
    again = shutil.copytree(killed, tmp_path / "again")
    events.close()
    list(resume(again))
    assert curve(read_events(again / EVENTS)) == curve(whole)


def test_a_wish_made_since_the_kill_overrules_what_was_to_be_repeated(changed):
    killed, _ = changed
    write_requests(killed / CONTROL, Requests(learning_rate=0.004, aux2_weight=0.6))
    list(resume(killed))
    changes = [e for e in read_events(killed / EVENTS) if isinstance(e, SettingsChanged)]
    assert changes == [
        SettingsChanged(step=1, learning_rate=0.004, aux1_weight=0.3, aux2_weight=0.6)
    ]
    assert RunFolder(killed).changes() == changes


def test_a_folder_with_a_config_alone_is_a_run_that_has_yet_to_begin(tmp_path):
    RunFolder(tmp_path).create(CONFIG)
    events = list(resume(tmp_path))
    assert isinstance(events[0], RunStarted)
    assert not [e for e in events if isinstance(e, RunResumed | RunContinued)]
    assert curve(events) == curve(undisturbed())
    assert RunFolder(tmp_path).config().model.num_classes == 10


def test_requests_that_no_run_can_follow_are_told_once_and_change_nothing(tmp_path):
    events = train(CONFIG, tmp_path)
    taken = taken_until(events, StepDone, 2)
    (tmp_path / CONTROL).write_text('{"learning_rate": 1000}')
    taken += list(events)
    told = [event for event in taken if isinstance(event, RequestRefused)]
    assert [event.step for event in told] == [2]
    assert "learning_rate is 1000; allowed are numbers from 0 to 100." in told[0].message
    kept = read_events(tmp_path / EVENTS)
    assert [event for event in kept if isinstance(event, RequestRefused)] == told
    assert curve([e for e in kept if e not in told]) == curve(undisturbed())


def test_the_command_prints_refused_requests_on_stderr(tmp_path, capsys):
    folder = tmp_path / "run"
    events = train(CONFIG, folder)
    taken_until(events, StepDone, 1)
    events.close()
    (folder / CONTROL).write_bytes('{"pause": true}'.encode("utf-16"))
    assert main(["train", "--resume", str(folder)]) == 0
    said = capsys.readouterr()
    assert said.err.count("is written in UTF-16") == 1 and said.err.count("\n") == 1
    assert "finished after 5 steps" in said.out
