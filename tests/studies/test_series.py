"""Series of runs: each done once, what was interrupted goes on, and what they come to."""

import json
import os
import signal

import pytest

from gnet.commands.main import main
from gnet.errors import GnetError
from gnet.runs.events import EpochDone, RunEnded, StepDone
from gnet.runs.folder import RunFolder
from gnet.runs.outcomes import outcome
from gnet.studies import recipe as ablations
from gnet.studies.recipe import CHANGES, WHOLE, plan, table
from gnet.studies.series import carry_out, finished
from gnet.system.signals import StopSignals
from gnet.training.loop import train
from support.training_runs import curve, run, tiny

RUNS = {"one": tiny(), "two": tiny(seed=4)}


def test_runs_are_done_once_each_in_the_plans_order(tmp_path):
    heard = []
    for _ in range(2):
        carry_out(RUNS, tmp_path, on_epoch=lambda name, epoch: heard.append((name, epoch.epoch)))
    assert heard == [("one", 1), ("one", 2), ("two", 1), ("two", 2)]
    found = finished(RUNS, tmp_path)
    assert list(found) == ["one", "two"]
    assert found["two"] == outcome(RunFolder(tmp_path / "two").events())


def test_only_the_requested_runs_are_carried_out(tmp_path):
    carry_out(RUNS, tmp_path, only="tw")
    assert list(finished(RUNS, tmp_path)) == ["two"]
    with pytest.raises(GnetError, match="No run's name begins with 'three'; there are one"):
        carry_out(RUNS, tmp_path, only="three")


def test_a_run_that_was_interrupted_goes_on(tmp_path):
    events = train(RUNS["one"], tmp_path / "one")
    while not isinstance(next(events), StepDone):
        pass
    events.close()
    assert finished(RUNS, tmp_path) == {}
    carry_out(RUNS, tmp_path, only="one")
    assert curve(RunFolder(tmp_path / "one").events()) == curve(run(RUNS["one"]))


def test_a_signal_ends_the_series_after_a_whole_step(tmp_path):
    signals = StopSignals()
    heard = []

    def stop(name: str, epoch: EpochDone) -> None:
        heard.append((name, epoch.epoch))
        os.kill(os.getpid(), signal.SIGTERM)

    carry_out(RUNS, tmp_path, on_epoch=stop, signals=signals)
    assert heard == [("one", 1)] and signals.exit_code == 128 + signal.SIGTERM
    (ended,) = [e for e in RunFolder(tmp_path / "one").events() if isinstance(e, RunEnded)]
    assert ended.reason == "stopped"
    carry_out(RUNS, tmp_path)
    assert curve(RunFolder(tmp_path / "one").events()) == curve(run(RUNS["one"]))


def test_a_folder_of_other_runs_is_refused_in_a_sentence(tmp_path):
    carry_out(RUNS, tmp_path, only="one")
    others = {"one": tiny(seed=9)}
    for work in (carry_out, finished):
        with pytest.raises(GnetError, match="holds a run with other settings"):
            work(others, tmp_path)
    carry_out({"one": tiny(threads=1)}, tmp_path)


def test_an_ablation_differs_from_the_whole_recipe_in_what_it_is_named_for():
    runs = plan("somewhere.zip")
    whole = runs.pop(WHOLE)
    assert list(runs) == list(CHANGES)
    for name, config in runs.items():
        mine, theirs = config.to_json(), whole.to_json()
        models = mine.pop("model"), theirs.pop("model")
        changed = {key: mine[key] for key in mine if mine[key] != theirs[key]}
        changed |= {key: models[0][key] for key in models[0] if models[0][key] != models[1][key]}
        assert changed == CHANGES[name]
        assert config.thumbnails == 1  # all are judged on the same pictures


def test_the_table_says_what_each_change_made_and_how_large_chance_is(
    tmp_path, monkeypatch, capsys
):
    short = {WHOLE: tiny(), "no-auxiliary-heads": tiny(network={"aux": False})}
    monkeypatch.setattr(ablations, "plan", lambda data, threads: short)
    assert main(["recipe", "--data", "built-in", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    found = finished(short, tmp_path)
    assert table(found) in printed
    apart = 100 * (found["no-auxiliary-heads"].main - found[WHOLE].main)
    assert f"| {apart:+.1f} | – |" in printed and "one seed each" in printed
    assert main(["recipe", "--data", "built-in", "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[WHOLE]["accuracy"] == found[WHOLE].accuracy


def test_data_that_are_not_there_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(GnetError, match="nowhere"):
        carry_out(plan(str(tmp_path / "nowhere.zip")), tmp_path / "runs")
