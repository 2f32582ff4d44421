"""Events as lines: written, read back, and dropped where a resumption went behind them."""

import json

import pytest

from gnet.runs.events import (
    BranchesSeen,
    CheckpointSaved,
    EpochDone,
    GradientsMeasured,
    RunContinued,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    SettingsChanged,
    StepDone,
    comparable,
    from_record,
    read_changes,
    read_events,
    to_line,
)

STARTED = RunStarted(
    step=0,
    steps=4,
    classes=("cat", "dog"),
    pictures={"train": 8, "val": 2},
    parameters=100,
    precision="fp32",
    threads=1,
    processes=1,
)
ENDED = RunEnded(step=4, reason="finished", seconds=1.5)


def step(number: int, loss: float = 1.0 / 3.0) -> StepDone:
    return StepDone(
        step=number,
        epoch=1,
        size=32,
        loss=loss,
        losses={"main": loss},
        accuracy={"main": 0.5},
        learning_rate=1e-3,
        pictures_per_second=100.0 + number,
        seconds=0.1 * number,
    )


EPOCH = EpochDone(
    step=4,
    epoch=1,
    train_loss={"main": 0.1},
    train_accuracy={"main": 0.2},
    val_loss={"main": 0.3},
    val_accuracy={"main": 0.4},
    seconds=2.0,
)
GRADIENTS = GradientsMeasured(
    step=2, epoch=1, norms={"stem": {"main": 0.5}}, cosines={"stem": {"main·aux1": -0.25}}
)
SEEN = BranchesSeen(
    step=4,
    epoch=1,
    shares={"3a": {"1x1": 0.25}},
    maps={"3a": {"1x1": {"size": [1, 2], "low": 0.0, "high": 2.0, "data": "AP8="}}},
    belief={"main": [[1, 0.75], [0, 0.25]]},
)
EVENTS = [
    STARTED,
    RunResumed(step=2),
    RunPaused(step=2),
    RunContinued(step=2),
    step(1),
    SettingsChanged(step=1, learning_rate=0.1, aux1_weight=0.0, aux2_weight=0.3),
    GRADIENTS,
    SEEN,
    EPOCH,
    CheckpointSaved(step=4, best=True),
    ENDED,
    RunEnded(step=4, reason="failed", seconds=1.5, message="The disk is full; make room."),
]


def written(path, events):
    path.write_text("".join(map(to_line, events)))
    return path


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_an_event_survives_its_line(event):
    line = to_line(event)
    assert line.count("\n") == 1 and line.endswith("\n")
    assert json.loads(line)["type"] == type(event).__name__
    assert from_record(json.loads(line)) == event


def test_numbers_survive_to_the_last_bit():
    assert from_record(json.loads(to_line(step(1, 0.1 + 0.2)))) == step(1, 0.1 + 0.2)


def test_a_field_that_a_later_version_adds_is_passed_over():
    record = json.loads(to_line(ENDED)) | {"mood": "good"}
    assert from_record(record) == ENDED


def test_events_are_read_in_the_order_they_were_written(tmp_path):
    events = [STARTED, step(1), step(2)]
    assert read_events(written(tmp_path / "e", events)) == events


def test_a_run_that_has_said_nothing_has_no_events(tmp_path):
    assert read_events(tmp_path / "missing") == []


def test_a_resumption_drops_what_came_after_its_step_and_the_end(tmp_path):
    saved, resumed = CheckpointSaved(step=2, best=False), RunResumed(step=2)
    stopped = RunEnded(step=2, reason="stopped", seconds=1.0)
    events = [STARTED, step(1), step(2), saved, step(3), stopped, resumed, step(3, 9.0)]
    kept = [STARTED, step(1), step(2), saved, resumed, step(3, 9.0)]
    assert read_events(written(tmp_path / "e", events)) == kept


def changed(at: int, rate: float) -> SettingsChanged:
    return SettingsChanged(step=at, learning_rate=rate, aux1_weight=0.3, aux2_weight=0.3)


def test_changes_that_a_resumption_went_behind_are_to_be_made_again(tmp_path):
    events = [STARTED, changed(1, 0.1), changed(3, 0.2), changed(5, 0.3), RunResumed(step=2)]
    path = written(tmp_path / "e", events)
    expected = [changed(1, 0.1), changed(3, 0.2), changed(5, 0.3)]
    assert read_changes(path) == expected
    assert [e for e in read_events(path) if isinstance(e, SettingsChanged)] == expected[:1]
    again = written(tmp_path / "again", [*events, changed(3, 0.2), RunResumed(step=2)])
    assert read_changes(again) == expected


def test_a_new_change_overrules_those_at_its_step_and_behind(tmp_path):
    events = [changed(1, 0.1), changed(3, 0.2), changed(5, 0.3), RunResumed(step=2)]
    path = written(tmp_path / "e", [*events, changed(3, 0.9)])
    assert read_changes(path) == [changed(1, 0.1), changed(3, 0.9)]
    assert read_changes(tmp_path / "missing") == []


def test_an_unfinished_last_line_is_ignored(tmp_path):
    path = written(tmp_path / "e", [STARTED, step(1)])
    for cut in (1, 10, 60):
        text = to_line(step(2))[:-cut]
        whole = path.read_text()
        path.write_text(whole + text)
        assert read_events(path) == [STARTED, step(1)]
        path.write_text(whole)


def test_two_events_compare_without_their_times():
    again = from_record(json.loads(to_line(step(1))) | {"seconds": 9.0, "pictures_per_second": 1.0})
    assert again != step(1) and comparable(again) == comparable(step(1))
    assert comparable(step(1)) != comparable(step(1, 2.0))
