"""A run killed at any moment goes on where it was saved, as if nothing had happened."""

import multiprocessing
import random
from contextlib import closing
from multiprocessing.connection import Connection
from signal import SIGKILL

import pytest
import torch

from gnet.errors import GnetError
from gnet.network.weights import load
from gnet.runs.events import EpochDone, GradientsMeasured, RunResumed, RunStarted, read_events
from gnet.runs.folder import EVENTS, LAST, STATE, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.training.loop import resume, train
from support.training_runs import curve, run, tiny

SETTINGS = {
    "network": {"width": 0.25},
    "per_class": 4,
    "epochs": 2,
    "gradients_every": 2,
    "ema": 0.9,
}
CONFIG = tiny(**SETTINGS)
"""Two epochs of five steps."""

SERVER = multiprocessing.get_context("forkserver")
# So that a new process has torch at once, and what each optimiser asks torch for.
SERVER.set_forkserver_preload(["gnet.training.loop", "torch._dynamo"])


def goes_on(config: TrainConfig, folder: str, said: Connection) -> None:
    """In a process of its own: begin the run in `folder`, or go on with it."""
    torch.set_num_threads(1)
    begun = RunFolder(folder).begun()
    for event in resume(folder) if begun else train(config, folder):
        said.send(type(event).__name__)


def killed_after(config, folder, count, seconds=0.0, kind=""):
    """Kill the run some time after it has told `count` events, or so many of one kind."""
    here, there = SERVER.Pipe(duplex=False)
    process = SERVER.Process(target=goes_on, args=(config, str(folder), there))
    process.start()
    there.close()
    try:
        while count:
            count -= kind in ("", here.recv())
        process.join(seconds)
    except EOFError:  # the run was faster and is over
        pass
    process.kill()
    process.join()
    here.close()
    return process.exitcode


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run that nobody killed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    run(CONFIG, folder)
    return folder


@pytest.mark.parametrize("seed", range(2))
def test_a_run_killed_at_random_moments_equals_an_uninterrupted_one(tmp_path, whole, seed):
    config = tiny(**SETTINGS, checkpoint_seconds=0.1)
    moments = random.Random(seed)
    for count in (moments.randint(1, 10), moments.randint(1, 6), moments.randint(1, 4)):
        assert killed_after(config, tmp_path, count, moments.uniform(0, 0.2)) in (-SIGKILL, 0)
    list(resume(tmp_path))
    events = read_events(tmp_path / EVENTS)
    assert curve(events) == curve(read_events(whole / EVENTS))
    assert sum(isinstance(event, GradientsMeasured) for event in events) == 5
    expected = load(whole / LAST).state_dict()
    for name, value in load(tmp_path / LAST).state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_a_process_that_was_killed_lets_go_of_its_run_and_one_that_lives_does_not(tmp_path):
    here, there = SERVER.Pipe(duplex=False)
    process = SERVER.Process(target=goes_on, args=(tiny(epochs=100), str(tmp_path), there))
    process.start()
    try:
        assert here.recv() == "RunStarted"
        with pytest.raises(GnetError, match="is being trained by another process"):
            next(resume(tmp_path))
    finally:
        process.kill()
        process.join()
    with closing(resume(tmp_path)) as events:
        assert isinstance(next(events), RunResumed | RunStarted)


def test_a_run_killed_before_its_first_checkpoint_begins_again(tmp_path, whole):
    killed_after(CONFIG, tmp_path, 1, kind="StepDone")
    if (tmp_path / STATE).exists():
        pytest.skip("the machine was too slow to kill the process within its first epoch")
    for event in resume(tmp_path):
        if isinstance(event, EpochDone):
            break
    events = read_events(tmp_path / EVENTS)
    assert [e.step for e in events if isinstance(e, RunResumed)] == [0]
    lived = curve(events)
    assert sum(line["type"] == "RunStarted" for line in lived) == 1
    assert lived == curve(read_events(whole / EVENTS))[: len(lived)]
