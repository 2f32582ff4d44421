"""A real run through all that may happen to it: the curve is that of one left in peace."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gnet.network.config import ModelConfig
from gnet.network.weights import load
from gnet.runs.events import read_events
from gnet.runs.folder import EVENTS
from gnet.runs.train_config import TrainConfig
from gnet.serving.limits import RunLimits
from gnet.serving.runs import Runs
from gnet.serving.shelf import process_of
from support.opened_runs import OWNER, reach, start, steps
from support.training_runs import curve, run
from support.waiting import until

CONFIG = TrainConfig(
    model=ModelConfig.preset("batch-norm", width=0.0625),
    per_class=4,
    size=32,
    batch=8,
    epochs=4,
    precision="fp32",
    threads=1,
    checkpoint_seconds=0.0,
)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run paused, stepped, continued, killed, resumed, stopped with its server, and resumed."""
    folder: Path = tmp_path_factory.mktemp("runs")
    seen: dict[str, Any] = {}
    with Runs(folder, niceness=0) as runs:
        run_id = start(runs, CONFIG)
        reach(runs, run_id, "starting", "running")
        runs.steer(run_id, OWNER, "pause")
        seen["paused"] = [reach(runs, run_id, "paused")["step"]]
        for _ in range(2):
            runs.steer(run_id, OWNER, "step")
            before = seen["paused"][-1]
            until(lambda before=before: steps(runs, run_id) > before)
            seen["paused"].append(reach(runs, run_id, "paused")["step"])
        runs.steer(run_id, OWNER, "continue")
        until(lambda: steps(runs, run_id) > seen["paused"][-1])
        process_of(runs.shelf.card(run_id)).kill()
        seen["killed"] = reach(runs, run_id, "interrupted")
        runs.steer(run_id, OWNER, "resume")
        until(lambda: steps(runs, run_id) > seen["killed"]["step"])
    with Runs(folder, niceness=0) as runs:
        seen["stopped"] = runs.shelf.follow(run_id)["run"]
        runs.steer(run_id, OWNER, "resume")
        seen["finished"] = reach(runs, run_id, "finished", "failed")
        seen["told"] = runs.shelf.follow(run_id)
        seen["weights"] = runs.shelf.weights(run_id)
    return seen | {"events": read_events(folder / run_id / EVENTS)}


def test_its_curve_equals_that_of_an_uninterrupted_run(life):
    unsaid = ("RunPaused", "RunContinued")
    expected = curve(run(replace(CONFIG, checkpoint_seconds=3600.0)))
    lived = [event for event in curve(life["events"]) if event["type"] not in unsaid]
    assert lived == expected


def test_a_paused_run_takes_single_steps(life):
    first, second, third = life["paused"]
    assert (second, third) == (first + 1, first + 2)


def test_it_was_interrupted_then_stopped_then_finished(life):
    assert life["killed"]["resumable"]
    assert life["stopped"]["state"] == "stopped" and life["stopped"]["resumable"]
    assert 0 < life["stopped"]["step"] < life["stopped"]["steps"] == 20
    assert life["finished"]["state"] == "finished" and life["finished"]["message"] == ""


def test_its_page_is_told_each_step_once(life):
    told = life["told"]["events"]
    assert [e["step"] for e in told if e["type"] == "StepDone"] == list(range(1, 21))
    counted = Counter(event["type"] for event in told)
    assert counted["RunStarted"] == counted["RunEnded"] == 1 and counted["EpochDone"] == 4
    assert life["finished"]["config"]["model"]["num_classes"] == 10


def test_its_weights_can_be_opened(life):
    assert load(life["weights"]).config.num_classes == 10
    assert life["finished"]["weights"] == ["best", "last"]


def test_a_run_that_cannot_begin_says_so_in_a_sentence(tmp_path):
    with Runs(tmp_path, RunLimits(folders=(tmp_path,)), niceness=0) as runs:
        run_id = start(runs, replace(CONFIG, data=str(tmp_path / "nowhere.zip")))
        failed = reach(runs, run_id, "failed")
    assert failed["message"].startswith("There is no data set 'nowhere.zip'; allowed are")
