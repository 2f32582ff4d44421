"""The command train: its events as lines, stopping, resuming, what it refuses."""

import json
import os
import signal
import subprocess
import sys

import pytest
import torch

from gnet.commands.main import main
from gnet.network.config import TRAINED
from gnet.network.weights import load
from gnet.runs.events import read_events
from gnet.runs.folder import EVENTS, RunFolder
from gnet.training.checkpoint import facts
from support.folders import laid_out, picture
from support.root import ROOT
from support.training_runs import curve, run, tiny

TINY = (
    *("--data", "built-in", "--per-class", "2", "--size", "32", "--epochs", "2", "--batch", "8"),
    *("--seed", "3", "--precision", "fp32", "--width", "0.0625", "--checkpoint-seconds", "3600"),
)


def test_train_prints_its_events_as_lines(capsys):
    assert main(["train", *TINY, "--json"]) == 0
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert said.err == "gnet: without --run-dir nothing of this run is kept.\n"
    assert [line["type"] for line in lines].count("StepDone") == 6
    assert lines[0]["type"] == "RunStarted" and lines[-1]["reason"] == "finished"


def gnet(*arguments, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gnet", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,
    )


def test_a_run_is_stopped_by_sigterm_resumed_and_found_finished(tmp_path, capsys):
    folder = tmp_path / "run"
    process = gnet("train", *TINY, "--run-dir", folder, "--json")
    assert process.stdout
    for line in process.stdout:
        if json.loads(line)["type"] == "StepDone":
            process.send_signal(signal.SIGTERM)
            break
    rest, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM and errors == ""
    ended = json.loads(rest.splitlines()[-1])
    assert ended["type"] == "RunEnded" and ended["reason"] == "stopped"
    kept = facts(RunFolder(folder))
    assert kept and kept["step"] == ended["step"]

    assert main(["train", "--resume", str(folder)]) == 0
    assert "finished after 6 steps" in capsys.readouterr().out
    assert curve(read_events(folder / EVENTS)) == curve(run(tiny()))
    before = (folder / EVENTS).read_bytes()
    assert main(["train", "--resume", str(folder)]) == 0
    assert "is finished; there is nothing to resume" in capsys.readouterr().out
    assert (folder / EVENTS).read_bytes() == before
    assert load(folder / "best.safetensors").info.heads["main"] == TRAINED


def test_ctrl_c_before_the_first_step_ends_at_once(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("gnet.training.starting.open_dataset", interrupted)
    assert main(["train", *TINY]) == 130
    assert capsys.readouterr().err.endswith("gnet: stopped.\n")


def test_signals_are_left_as_they_were(capsys):
    before = signal.getsignal(signal.SIGTERM)
    assert main(["train", *TINY, "--epochs", "1"]) == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_epochs_below_one_are_refused(refusal):
    assert "epochs is -1; allowed are whole numbers from 1" in refusal("train", "--epochs", "-1")


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--epochs", "many"], "epochs is 'many'; allowed are whole numbers."),
        (["--learning-rate", "fast"], "learning_rate is 'fast'; allowed are numbers."),
        (["--aux", "maybe"], "aux is 'maybe'; allowed are yes and no."),
        (["--preset", "vgg"], "There is no preset 'vgg'"),
        (["--data", "nothing"], "There is no data set 'nothing'"),
        (["--preset", "paper"], "needs 224×224 px."),
        (["--optimiser", "lion"], "allowed are adam, adamw, muon, sgd."),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_run_that_cannot_be_is_refused(arguments, sentence, refusal, tmp_path):
    assert sentence in refusal("train", *arguments, "--run-dir", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_a_run_is_refused(refusal, tmp_path):
    run(tiny(epochs=1), tmp_path / "run")
    said = refusal("train", *TINY, "--run-dir", tmp_path / "run")
    assert "holds a run already" in said


def test_resuming_what_is_no_run_is_refused(refusal, tmp_path):
    assert "holds no run" in refusal("train", "--resume", tmp_path)
    (tmp_path / "config.json").write_text("[1, 2]")
    assert "config is " in refusal("train", "--resume", tmp_path)


def test_a_run_is_resumed_with_data_that_was_moved(refusal, tmp_path, monkeypatch, capsys):
    laid_out(tmp_path / "old", {f"train/{c}/{i}.png": picture(i) for c in "ab" for i in range(9)})
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(tmp_path / "run")
    short = [*TINY, "--data", "old", "--max-minutes", "0.0000001"]
    assert main(["train", *short, "--run-dir", "run"]) == 0
    assert folder.config().data == str(tmp_path / "old"), "though it was given as a relative path"
    (tmp_path / "old").rename(tmp_path / "new")
    capsys.readouterr()
    assert "There is no data set" in refusal("train", "--resume", folder.path)
    assert main(["train", "--resume", "run", "--data", "new"]) == 0
    assert folder.config().data == str(tmp_path / "new")
    assert main(["train", "--resume", "run"]) == 0


def test_other_data_is_refused_and_not_written_into_the_config(refusal, tmp_path, capsys):
    for name, classes in (("old", "ab"), ("other", "abc")):
        files = {f"train/{c}/{i}.png": picture(i) for c in classes for i in range(9)}
        laid_out(tmp_path / name, files)
    folder = RunFolder(tmp_path / "run")
    given = ["--data", str(tmp_path / "old"), "--max-minutes", "0.0000001"]
    assert main(["train", *TINY, *given, "--run-dir", str(folder.path)]) == 0
    capsys.readouterr()
    said = refusal("train", "--resume", folder.path, "--data", tmp_path / "other")
    assert "only the same data" in said and folder.config().data == str(tmp_path / "old")


def test_resuming_takes_no_other_option(refusal, tmp_path):
    said = refusal("train", "--resume", tmp_path, "--epochs", "3", "--run-dir", tmp_path)
    assert "--epochs and --run-dir" in said


def test_a_folder_below_a_file_is_refused(refusal, tmp_path):
    (tmp_path / "file").write_text("")
    said = refusal("train", *TINY, "--run-dir", tmp_path / "file" / "run")
    assert "cannot be created" in said


def test_scalars_that_cannot_be_written_are_refused(refusal, photo):
    pytest.importorskip("tensorboard")
    assert "Cannot write scalars to" in refusal("train", *TINY, "--tensorboard", photo)


def test_options_have_the_ranges_of_their_configs(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "passes over the data, 1 to 10,000 (default 5)" in said
    assert "--width NUMBER" in said and "--num-classes" not in said
    assert "--augment yes|no random crops and flips (default yes)" in said
    assert "empty takes all (empty by default)" in said


def test_the_threads_asked_for_are_taken():
    before = torch.get_num_threads()
    assert main(["train", *TINY, "--epochs", "1", "--threads", "1"]) == 0
    assert torch.get_num_threads() == before == 1
