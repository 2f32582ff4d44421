"""What a run said, told to those who follow: whole, thin, and never twice."""

import itertools
import json
from pathlib import Path

import pytest

from gnet.runs.events import (
    EpochDone,
    RunContinued,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    StepDone,
    to_line,
)
from gnet.serving import story as run_story
from gnet.serving.story import MOST, Story, whole_lines


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def say(path: Path, *events) -> None:
    with path.open("a") as file:
        file.writelines(event if isinstance(event, str) else to_line(event) for event in events)


def started(steps: int = 100) -> RunStarted:
    return RunStarted(
        step=0,
        steps=steps,
        classes=("a", "b"),
        pictures={"train": 9, "val": 3},
        parameters=7,
        precision="fp32",
        threads=1,
        processes=1,
    )


def step(number: int, loss: float = 0.5, seconds: float | None = None) -> StepDone:
    return StepDone(
        step=number,
        epoch=1 + number // 1000,
        size=32,
        loss=loss,
        losses={"main": loss},
        accuracy={"main": 0.25},
        learning_rate=0.1,
        pictures_per_second=10.0,
        seconds=number / 10 if seconds is None else seconds,
    )


def epoch(number: int, at: int, accuracy: float = 0.5) -> EpochDone:
    return EpochDone(
        step=at,
        epoch=number,
        train_loss={},
        train_accuracy={},
        val_loss={},
        val_accuracy={"main": accuracy},
        seconds=at / 10,
    )


def kinds(told) -> list[str]:
    return [record["type"] for record in told.records]


def numbers(told) -> list[int]:
    return [record["step"] for record in told.records if record["type"] == "StepDone"]


def test_a_run_that_has_said_nothing_is_an_empty_story(path):
    told = Story(path).since(0)
    assert (told.records, told.next, told.progress.began_at) == ([], 0, -1)
    assert whole_lines(path) == 0


def test_only_what_is_new_is_told(path):
    story = Story(path)
    say(path, started(), step(1))
    first = story.since(0)
    assert first.reset and kinds(first) == ["RunStarted", "StepDone"]
    say(path, step(2), step(3))
    second = story.since(first.next)
    assert not second.reset and numbers(second) == [2, 3]
    assert story.since(second.next).records == []
    assert numbers(story.since(0)) == [1, 2, 3]


def test_an_unfinished_line_is_told_once_it_is_whole(path):
    story = Story(path)
    line = to_line(step(1))
    say(path, started(), line[:20])
    told = story.since(0)
    assert kinds(told) == ["RunStarted"] and told.next == whole_lines(path)
    say(path, line[20:])
    assert numbers(story.since(told.next)) == [1]


def test_a_long_run_is_told_thinly_evenly_and_to_its_last_step(path):
    count = 12_345
    say(path, started(count), *(step(n) for n in range(1, count + 1)), epoch(1, count))
    told = Story(path).since(0)
    shown = numbers(told)
    assert 2 * len(shown) >= MOST["StepDone"] >= len(shown)
    assert shown[0] == 1 and shown[-1] == count
    gaps = [b - a for a, b in itertools.pairwise(shown)]
    assert max(gaps) <= 2 * (count // len(shown) + 1)
    assert kinds(told)[0] == "RunStarted" and kinds(told)[-1] == "EpochDone"


def test_events_other_than_steps_are_all_told_in_their_order(path):
    say(path, started(9000))
    for number in range(1, 10):
        say(path, *(step(1000 * (number - 1) + n) for n in range(1, 1001)))
        say(path, epoch(number, 1000 * number), RunPaused(step=1000 * number))
    told = Story(path).since(0)
    assert kinds(told).count("EpochDone") == kinds(told).count("RunPaused") == 9
    assert [record["step"] for record in told.records] == sorted(
        record["step"] for record in told.records
    )


def test_who_has_fallen_far_behind_is_told_the_whole_story_anew(path):
    story = Story(path)
    say(path, started(), step(1))
    behind = story.since(0).next
    say(path, *(step(n) for n in range(2, 2 * run_story.TAIL + 10)))
    nearly = story.since(behind)
    assert nearly.reset and numbers(nearly)[0] == 1
    say(path, step(5000))
    assert numbers(story.since(nearly.next)) == [5000]


@pytest.mark.parametrize("place", [1, 57, 10**9])
def test_a_place_that_never_was_is_answered_with_the_whole_story(path, place):
    say(path, started(), step(1), step(2))
    told = Story(path).since(place)
    assert told.reset and numbers(told) == [1, 2]


def test_a_resumption_drops_what_no_longer_holds_and_resets_all_followers(path):
    story = Story(path)
    ended = RunEnded(step=4, reason="failed", seconds=0.4, message="why")
    say(path, started(), step(1), step(2), epoch(1, 2, 0.6), step(3), step(4), epoch(2, 4), ended)
    place = story.since(0).next
    assert story.progress().reason == "failed" and story.progress().message == "why"
    say(path, RunResumed(step=2))
    told = story.since(place)
    assert told.reset and numbers(told) == [1, 2]
    assert kinds(told)[-1] == "RunResumed" and "RunEnded" not in kinds(told)
    progress = told.progress
    assert (progress.step, progress.epochs_done, progress.accuracy) == (2, 1, {"main": 0.6})
    assert progress.reason == "" and progress.ended_at == -1
    say(path, step(3, seconds=0.1))
    further = story.since(told.next)
    assert not further.reset and numbers(further) == [3]
    assert numbers(story.since(0)) == [1, 2, 3] == numbers(Story(path).since(0))
    assert story.progress().seconds == pytest.approx(0.5)


def test_a_new_run_that_begins_by_resuming_nothing_does_not_say_so(path):
    say(path, RunResumed(step=0), started(), step(1))
    story = Story(path)
    told = story.since(0)
    assert kinds(told) == ["RunStarted", "StepDone"]
    say(path, step(2))
    assert numbers(story.since(told.next)) == [2]


def test_a_pause_holds_until_the_run_goes_on_or_is_resumed(path):
    story = Story(path)
    say(path, started(), step(1), RunPaused(step=1))
    assert story.progress().paused
    say(path, step(2))
    assert story.progress().paused  # a single step
    say(path, '{"type": "RunContinued", "step": 2}\n')
    assert not story.progress().paused
    say(path, RunPaused(step=2), RunEnded(step=2, reason="stopped", seconds=1.0))
    say(path, RunResumed(step=2))
    assert not story.progress().paused


def test_a_loss_that_is_no_number_is_told_as_none(path):
    say(path, started(), step(1, float("nan")), step(2, float("inf")), step(3, 1 / 3))
    told = Story(path).since(0)
    assert [r["loss"] for r in told.records[1:]] == [None, None, 0.333333]
    json.loads(json.dumps(told.records), parse_constant=pytest.fail)


def test_lines_that_are_damaged_are_left_out(path):
    say(path, started(), "no JSON\n", '["a"]\n', '{"type": "StepDone"}\n', step(1))
    told = Story(path).since(0)
    assert numbers(told) == [1]


def test_another_file_in_its_place_is_read_from_its_beginning(path):
    story = Story(path)
    say(path, started(), step(1), step(2))
    place = story.since(0).next
    path.unlink()
    say(path, started(), step(1))
    told = story.since(place)
    assert told.reset and numbers(told) == [1]


def test_the_time_a_step_takes_is_not_confused_by_a_pause(path):
    say(path, started(), *(step(n) for n in range(1, 20)), step(20, seconds=1000.0))
    assert Story(path).progress().step_seconds == pytest.approx(0.1)


def test_single_steps_in_a_pause_say_nothing_of_the_time_a_step_takes(path):
    say(path, started(), *(step(n) for n in range(1, 4)), RunPaused(step=3))
    waits = [step(n, seconds=30.0 * n) for n in range(4, 12)]
    say(path, *waits)
    assert Story(path).progress().step_seconds == pytest.approx(0.1)
    say(path, RunContinued(step=11), step(12, seconds=400.0), step(13, seconds=400.1))
    assert Story(path).progress().step_seconds == pytest.approx(0.1)


def test_whole_lines_are_counted_across_a_very_long_unfinished_one(path, monkeypatch):
    monkeypatch.setattr(run_story, "_CHUNK", 8)
    say(path, "one\n", "two\n", "x" * 100)
    assert whole_lines(path) == 8
    path.write_text("x" * 20)
    assert whole_lines(path) == 0
