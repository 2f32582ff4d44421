"""A server's runs: started, followed, steered, and kept apart."""

import signal
import threading
from dataclasses import replace

import pytest

from gnet.errors import FieldError, GnetError
from gnet.runs.control import read_requests
from gnet.runs.events import RunEnded
from gnet.runs.folder import CONTROL
from gnet.runs.train_config import TrainConfig
from gnet.serving.run_card import new_token
from gnet.serving.runs import Runs
from gnet.serving.shelf import RunShelf, process_of
from support import pretend_training, told_runs
from support.opened_runs import OWNER, SHORT, STRANGER, reach, start, state, steps
from support.waiting import until


def test_a_run_goes_from_its_start_to_its_end_by_itself(opened):
    runs = opened()
    run_id = runs.start(SHORT, name="  my\n first\u202e run ", owner=OWNER, experiment="first-run")
    run = reach(runs, run_id, "finished")
    assert (run["name"], run["experiment"], run["mine"]) == ("my first run", "first-run", True)
    assert (run["step"], run["steps"], run["epochs_done"], run["epochs"]) == (10, 10, 2, 2)
    assert run["accuracy"] == {"main": 0.5} and run["weights"] == ["last"]
    assert not run["resumable"] and run["left"] is None
    assert runs.shelf.weights(run_id).name == "last.safetensors"
    told = runs.shelf.follow(run_id)
    assert [e["step"] for e in told["events"] if e["type"] == "StepDone"] == list(range(1, 11))
    assert told["events"][-1]["type"] == "RunEnded" and told["reset"]
    assert TrainConfig.from_json(run["config"]).epochs == 2


def test_following_bit_by_bit_tells_the_same_as_all_at_once(opened):
    runs = opened()
    run_id = start(runs, replace(SHORT, epochs=20))
    told: list[dict] = []
    since = 0
    while True:
        answer = runs.shelf.follow(run_id, since)
        told = answer["events"] if answer["reset"] else told + answer["events"]
        since = answer["next"]
        if answer["run"]["state"] == "finished":
            break
    assert told == runs.shelf.follow(run_id)["events"]
    assert runs.shelf.follow(run_id, since)["events"] == []


def test_several_viewers_follow_at_once_and_see_the_same(opened):
    runs = opened()
    run_id = start(runs, replace(SHORT, epochs=40))
    seen: list[list[dict]] = []

    def watch() -> None:
        told: list[dict] = []
        since, ended = 0, False
        while not ended:
            answer = runs.shelf.follow(run_id, since)
            told = answer["events"] if answer["reset"] else told + answer["events"]
            since, ended = answer["next"], answer["run"]["state"] == "finished"
        seen.append(told)

    viewers = [threading.Thread(target=watch) for _ in range(6)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    assert len(seen) == 6 and all(told == seen[0] for told in seen)


def test_a_run_pauses_steps_continues_and_stops_as_its_owner_says(opened):
    runs = opened()
    run_id = start(runs)
    until(lambda: steps(runs, run_id) > 2)
    runs.steer(run_id, OWNER, "pause")
    at = reach(runs, run_id, "paused")["step"]
    runs.steer(run_id, OWNER, "step")
    runs.steer(run_id, OWNER, "step")
    until(lambda: steps(runs, run_id) == at + 2)
    assert state(runs, run_id) == "paused"
    runs.steer(run_id, OWNER, "continue")
    reach(runs, run_id, "running")
    until(lambda: steps(runs, run_id) > at + 4)
    runs.steer(run_id, OWNER, "stop")
    run = reach(runs, run_id, "stopped")
    assert run["resumable"] and run["message"] == ""
    assert steps(runs, run_id) == run["step"]


def test_a_step_asked_of_a_run_that_is_not_paused_pauses_it(opened):
    runs = opened()
    run_id = start(runs)
    reach(runs, run_id, "running")
    runs.steer(run_id, OWNER, "step")
    reach(runs, run_id, "paused")
    assert read_requests(runs.folder / run_id / CONTROL).steps == 0


def test_a_learning_rate_set_in_mid_run_reaches_it_and_one_out_of_range_is_refused(opened):
    runs = opened()
    run_id = start(runs)
    reach(runs, run_id, "running")
    runs.steer(run_id, OWNER, "learning_rate", learning_rate=0.25)
    until(lambda: runs.shelf.follow(run_id)["events"][-1].get("learning_rate") == 0.25)
    runs.steer(run_id, OWNER, "aux_weights", aux1_weight=0.5, aux2_weight=0.0)
    requests = read_requests(runs.folder / run_id / CONTROL)
    assert (requests.learning_rate, requests.aux1_weight, requests.aux2_weight) == (0.25, 0.5, 0.0)
    for value in (-1.0, "fast", float("nan")):
        with pytest.raises(GnetError, match="learning_rate is"):
            runs.steer(run_id, OWNER, "learning_rate", learning_rate=value)


def test_a_stopped_run_goes_on_when_resumed_and_tells_its_followers_anew(opened):
    runs = opened()
    run_id = start(runs, replace(SHORT, epochs=60))
    until(lambda: steps(runs, run_id) > 3)
    runs.steer(run_id, OWNER, "stop")
    at = reach(runs, run_id, "stopped")["step"]
    since = runs.shelf.follow(run_id)["next"]
    assert not runs.shelf.follow(run_id, since)["reset"]
    runs.steer(run_id, OWNER, "resume")
    reach(runs, run_id, "finished")
    answer = runs.shelf.follow(run_id, since)
    assert answer["reset"] and answer["events"] == runs.shelf.follow(run_id)["events"]
    kinds = [event["type"] for event in answer["events"]]
    assert kinds.count("RunStarted") == kinds.count("RunResumed") == kinds.count("RunEnded") == 1
    taken = [event["step"] for event in answer["events"] if event["type"] == "StepDone"]
    assert taken == list(range(1, 301)) and at in taken


def test_a_process_killed_leaves_an_interrupted_run_that_can_be_resumed(opened):
    runs = opened()
    run_id = start(runs, replace(SHORT, epochs=100))
    until(lambda: steps(runs, run_id) > 3)
    process_of(runs.shelf.card(run_id)).kill()
    run = reach(runs, run_id, "interrupted")
    assert run["resumable"] and "was killed" in run["message"]
    runs.steer(run_id, OWNER, "resume")
    run = reach(runs, run_id, "finished")
    taken = [e["step"] for e in runs.shelf.follow(run_id)["events"] if e["type"] == "StepDone"]
    assert taken == list(range(1, 501))


def test_a_second_stop_changes_nothing(opened):
    runs = opened()
    run_id = start(runs)
    reach(runs, run_id, "running")
    process_of(runs.shelf.card(run_id)).send(signal.SIGSTOP)  # a process that does not hear
    assert runs.steer(run_id, OWNER, "stop")["state"] == "stopping"
    assert runs.steer(run_id, OWNER, "stop")["state"] == "stopping"
    process_of(runs.shelf.card(run_id)).send(signal.SIGCONT)
    assert reach(runs, run_id, "stopped")["resumable"]


@pytest.mark.parametrize(
    "seed, sentence",
    [
        (pretend_training.FAILS, "Cannot write it (No space left on device); make room."),
        (
            pretend_training.CRASHES,
            "Training ended with an unexpected error: RuntimeError: out of luck",
        ),
    ],
)
def test_a_run_that_fails_says_why_in_one_sentence(opened, seed, sentence):
    runs = opened()
    run = reach(runs, start(runs, replace(SHORT, seed=seed)), "failed")
    assert run["message"] == sentence and run["resumable"]


def test_a_full_disk_is_named_where_the_run_itself_could_not(opened):
    runs = opened()
    run_id = start(runs, replace(SHORT, seed=pretend_training.VANISHES))
    assert "was killed" in reach(runs, run_id, "interrupted")["message"]
    full = RunShelf(runs.folder, full_below=1 << 80)
    assert reach(full, run_id, "failed")["message"].startswith("The disk is full; make room")


def test_a_run_that_diverged_says_so_and_cannot_be_resumed(tmp_path):
    told = told_runs.Told(tmp_path)
    said = "The loss of main became NaN after step 1; try a lower learning rate."
    ended = RunEnded(step=1, reason="diverged", seconds=1.0, message=said)
    run_id = told.put(
        "first", SHORT, [told_runs.started(SHORT), told_runs.step(SHORT, 1), ended], live=True
    )
    told.end()
    (tmp_path / run_id / "last.safetensors").write_bytes(b"of just before")
    with Runs(tmp_path) as runs:
        run = runs.shelf.follow(run_id)["run"]
        assert (run["state"], run["message"]) == ("diverged", said)
        assert not run["resumable"] and run["weights"] == []
        (tmp_path / run_id / "best.safetensors").write_bytes(b"of an epoch that was judged")
        assert runs.shelf.follow(run_id)["run"]["weights"] == ["best"]
        runs.steer(run_id, told_runs.OWNER, "delete")
        assert runs.shelf.cards() == {}


def test_a_process_that_cannot_be_started_is_a_failed_run(tmp_path):
    with Runs(tmp_path, command=("/no/such/program",)) as runs:
        run = reach(runs, start(runs), "failed")
    assert run["message"].startswith("The run could not be started: ")


ACTIONS = ("pause", "continue", "step", "stop", "resume", "delete", "learning_rate")


def test_strangers_watch_and_steer_nothing(opened):
    runs = opened()
    run_id = start(runs)
    reach(runs, run_id, "running")
    for action in ACTIONS:
        with pytest.raises(GnetError, match="Only the browser that started"):
            runs.steer(run_id, STRANGER, action, name="mine", learning_rate=1.0)
    assert state(runs, run_id) == "running"
    assert not runs.shelf.follow(run_id, owner=STRANGER)["run"]["mine"]
    assert runs.shelf.list(STRANGER) == []
    (row,) = runs.shelf.list(STRANGER, also=[run_id, "../..", ["x"]])
    assert row["id"] == run_id and not row["mine"]
    assert [r["id"] for r in runs.shelf.list(OWNER)] == [run_id]
    assert OWNER not in (runs.folder / run_id / "run.json").read_text()


@pytest.mark.parametrize("token", ["", "short", "a" * 200, "spaces are no token", None, 5])
def test_what_is_no_token_starts_and_steers_nothing(opened, token):
    runs = opened()
    run_id = start(runs)
    with pytest.raises(GnetError, match="no valid key"):
        start(runs, owner=token)
    with pytest.raises(GnetError, match="no valid key"):
        runs.steer(run_id, token, "stop")
    assert (
        runs.shelf.list(token) == [] and not runs.shelf.follow(run_id, owner=token)["run"]["mine"]
    )


def test_ids_cannot_be_guessed_and_only_known_ones_lead_anywhere(opened, tmp_path):
    runs = opened(tmp_path / "runs")
    run_id = start(runs)
    assert len({new_token() for _ in range(100)}) == 100 and len(run_id) == 22
    (tmp_path / "runs" / ("x" * 22)).mkdir()  # no run
    wrong = (
        "",
        "..",
        "../runs",
        f"../runs/{run_id}",
        f"{run_id}/",
        run_id[:-1],
        "x" * 22,
        "y" * 22,
    )
    for name in (*wrong, f"{run_id}\n", f"./{run_id}", None, 7, [run_id], run_id + "\0"):
        for ask in (runs.shelf.follow, runs.shelf.weights, runs.shelf.run_folder):
            with pytest.raises(GnetError, match="There is no such run here"):
                ask(name)
        with pytest.raises(GnetError, match="There is no such run here"):
            runs.steer(name, OWNER, "delete")
    assert state(runs, run_id) in ("queued", "starting", "running")


def test_what_cannot_be_done_now_is_a_sentence(opened):
    runs = opened()
    run_id = start(runs, SHORT)
    reach(runs, run_id, "finished")
    for action in ("pause", "stop", "resume", "learning_rate", "rename", None):
        with pytest.raises(GnetError, match="not possible for a run that is finished; allowed are"):
            runs.steer(run_id, OWNER, action)
    with pytest.raises(GnetError, match="not saved yet"):
        runs.shelf.weights(run_id, "best")
    with pytest.raises(GnetError, match="not saved yet"):
        runs.shelf.weights(run_id, "../run.json")


def test_a_run_without_a_name_gets_one(opened):
    runs = opened()
    start(runs, SHORT, name=" new\tname " + "x" * 90)
    start(runs, SHORT, name="\u200b\n")
    assert [row["name"] for row in runs.shelf.list(OWNER)] == ["Run 2", "new name " + "x" * 51]


def test_the_owner_gives_a_run_another_name_which_is_kept_and_checked(opened):
    runs = opened()
    run_id = start(runs, SHORT)
    assert runs.rename(run_id, OWNER, " my\t<b>first</b> \u200b run ") == "my <b>first</b> run"
    assert RunShelf(runs.folder).card(run_id).name == "my <b>first</b> run"
    for name in ("", " \n\u200b", "x" * 61, None, 7, ["a"]):
        with pytest.raises(FieldError, match="allowed are 1 to 60 letters"):
            runs.rename(run_id, OWNER, name)
    with pytest.raises(GnetError, match="Only the browser that started this run can name it"):
        runs.rename(run_id, STRANGER, "mine")
    assert runs.shelf.card(run_id).name == "my <b>first</b> run"


def test_deleting_ends_the_process_and_leaves_no_folder(opened):
    runs = opened()
    run_id = start(runs)
    reach(runs, run_id, "running")
    process = process_of(runs.shelf.card(run_id))
    assert runs.steer(run_id, OWNER, "delete") is None
    assert not process.lives() and not (runs.folder / run_id).exists()
    assert runs.shelf.list(OWNER) == [] and not list(runs.folder.glob(".deleted*"))
    with pytest.raises(GnetError, match="its owner may have deleted it"):
        runs.shelf.follow(run_id, 10)
