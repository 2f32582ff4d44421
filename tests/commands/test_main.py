"""The command line: what it prints, and how it answers mistakes."""

import json
import os
import pickle
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gnet.commands.main import main
from gnet.data.pictures import open_picture, to_pixels
from gnet.explain.methods import METHODS, STEPS_RANGE
from gnet.network.config import STAGES, TRAINED, UNTRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import fold
from gnet.network.receptive_field import effective_fields
from gnet.network.weights import load, save
from gnet.runs.events import read_events
from gnet.runs.folder import EVENTS, RunFolder
from gnet.training.checkpoint import facts
from support.folders import SPLIT, picture, zipped
from support.networks import network
from support.root import ROOT
from support.training_runs import curve, run, tiny

CLASSES = ("cat", "dog")
TINY = (
    *("--data", "built-in", "--per-class", "2", "--size", "32", "--epochs", "2", "--batch", "8"),
    *("--seed", "3", "--precision", "fp32", "--width", "0.0625", "--checkpoint-seconds", "3600"),
)


@pytest.fixture
def weights(tmp_path) -> str:
    """Two classes, a main and an aux1 head that were trained, an aux2 head that was not."""
    info = ModelInfo(
        classes=CLASSES,
        preprocessing=Preprocessing(size=32),
        heads={"main": TRAINED, "aux1": TRAINED, "aux2": UNTRAINED},
    )
    model = network("batch-norm", num_classes=2)
    model.info = info
    return str(save(model, tmp_path / "tiny.safetensors"))


@pytest.fixture
def photo(tmp_path) -> str:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


@pytest.fixture
def answer(capsys):
    """Run a command with --json and give what it printed."""

    def ask(*arguments):
        assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


@pytest.fixture
def refusal(capsys):
    """Run a command that must be refused and give its one sentence."""

    def ask(*arguments) -> str:
        assert main([str(a) for a in arguments]) == 2
        said = capsys.readouterr()
        assert said.out == "" and said.err.startswith("gnet: ")
        assert said.err.count("\n") == 1 and "Traceback" not in said.err
        return said.err

    return ask


def test_predict_gives_class_probability_and_status_of_each_head(weights, photo, answer):
    heads = answer("predict", photo, "--weights", weights)
    assert list(heads) == ["main", "aux1", "aux2", "status", "sure"]
    assert heads["status"] == {"main": TRAINED, "aux1": TRAINED, "aux2": UNTRAINED}
    for head in ("main", "aux1"):
        rows = heads[head]
        assert [set(row) for row in rows] == [{"class", "probability", "status"}] * 2
        assert sum(row["probability"] for row in rows) == pytest.approx(1)
        assert rows[0]["probability"] >= rows[1]["probability"]
        assert {row["class"] for row in rows} == set(CLASSES)
        assert {row["status"] for row in rows} == {TRAINED}
    assert heads["aux2"] == []  # an untrained head has no belief


def test_predict_gives_a_list_for_several_pictures(weights, photo, answer):
    both = answer("predict", photo, photo, "--weights", weights, "--top", "1")
    assert len(both) == 2 and both[0] == both[1] and len(both[0]["main"]) == 1


def test_predict_prints_a_table(weights, photo, capsys):
    assert main(["predict", photo, "--weights", weights]) == 0
    text = capsys.readouterr().out
    assert f"main  ({TRAINED})" in text and text.endswith("aux2  (untrained)\n")
    assert "%  cat" in text


def test_explore_writes_figures_and_the_recording(weights, photo, answer, tmp_path):
    told = answer("explore", photo, "--weights", weights, "--out", tmp_path / "out")
    files = [Path(name) for name in told["files"]]
    assert all(path.stat().st_size > 0 for path in files)
    names = {path.name for path in files}
    modules = {f"module-{stage}.png" for stage in STAGES}
    assert names == modules | {"recording.safetensors", "belief.png", "overview.png"}
    shares = [row["share"] for row in told["branches"]["3a"].values()]
    assert sum(shares) == pytest.approx(1)
    model = fold(load(weights))
    pixels = to_pixels(open_picture(photo), model.info.preprocessing)
    assert told["measured"] == effective_fields(model, pixels)


def test_assets_names_the_files_it_wrote(answer, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "gnet.answers.examples.build", lambda: [tmp_path / "a.json", tmp_path / "b"]
    )
    assert answer("assets") == {"files": [str(tmp_path / "a.json"), str(tmp_path / "b")]}


@pytest.mark.parametrize("method", METHODS)
def test_attribute_explains_by_every_method(method, weights, photo, answer, tmp_path):
    figure = tmp_path / "why.png"
    asked = ("--method", method, "--target", "dog", "--steps", STEPS_RANGE[0], "--out", figure)
    place = ("--stage", "3a") if METHODS[method].needs_stage else ()
    told = answer("attribute", photo, "--weights", weights, *asked, *place)
    assert told["method"] == method and told["target_name"] == "dog" and told["head"] == "main"
    assert figure.stat().st_size > 0


def test_evaluate_gives_heads_groups_and_a_count(weights, answer, tmp_path):
    data = zipped(tmp_path / "pets.zip", SPLIT)
    told = answer("evaluate", "--data", data, "--split", "train", "--weights", weights)
    assert told["count"] == 5 and set(told["groups"]) == {"tin", "ima"}
    for tops in (told["heads"], *told["groups"].values()):
        assert set(tops) == {"main", "aux1", "aux2"}
        assert all(set(row) == {"top1", "top5"} for row in tops.values())
        assert all(row["top5"] == 1.0 for row in tops.values())


def test_evaluate_takes_the_classes_that_the_network_knows(weights, answer, refusal, tmp_path):
    strangers = {f"{split}/stranger/tin0.png": picture(5) for split in ("train", "val")}
    data = zipped(tmp_path / "pets.zip", SPLIT | strangers)
    assert "has 3 classes" in refusal("evaluate", "--data", data, "--weights", weights)
    told = answer("evaluate", "--data", data, "--classes", "cat,dog", "--weights", weights)
    assert told["count"] == 2


def test_evaluate_reads_any_top_level_folder(weights, answer, tmp_path):
    moved = {name.replace("val/", "holiday/"): content for name, content in SPLIT.items()}
    data = zipped(tmp_path / "pets.zip", moved)
    told = answer("evaluate", "--data", data, "--split", "holiday", "--weights", weights)
    assert told["count"] == 2


def test_export_writes_json_and_says_where(weights, answer, tmp_path):
    out = tmp_path / "net.json"
    told = answer("export", "--format", "json", "--weights", weights, "--out", out)
    assert told == {"file": str(out), "bytes": out.stat().st_size}
    assert json.loads(out.read_text())


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


# Mistakes ----------------------------------------------------------------------------------------


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
    assert "not one this program writes" in refusal("train", "--resume", tmp_path)


def test_resuming_takes_no_other_option(refusal, tmp_path):
    said = refusal("train", "--resume", tmp_path, "--epochs", "3", "--run-dir", tmp_path)
    assert "--epochs, --run-dir" in said


def test_a_folder_below_a_file_is_refused(refusal, tmp_path):
    (tmp_path / "file").write_text("")
    said = refusal("train", *TINY, "--run-dir", tmp_path / "file" / "run")
    assert "cannot be made a run's folder" in said


def test_a_picture_that_is_none_is_refused(weights, refusal, tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    refusal("predict", tmp_path / "text.png", "--weights", weights)
    said = refusal("predict", tmp_path / "missing.png", "--weights", weights)
    assert "missing.png" in said


def test_weights_that_are_none_are_refused(photo, refusal, tmp_path):
    (tmp_path / "w.pth").write_bytes(pickle.dumps({"a": 1}))
    assert "pickle" in refusal("predict", photo, "--weights", tmp_path / "w.pth")
    assert "There is no file" in refusal("predict", photo, "--weights", tmp_path / "missing")


def test_weights_of_another_architecture_are_refused(weights, photo, refusal, tmp_path):
    model = load(weights)
    model.config = replace(model.config, width=0.25)
    save(model, tmp_path / "other.safetensors")
    said = refusal("predict", photo, "--weights", tmp_path / "other.safetensors")
    assert "of another architecture" in said


def test_a_zip_with_names_outside_its_folder_is_refused(weights, refusal, tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../cat/a.png", b"")
    refusal("evaluate", "--data", tmp_path / "evil.zip", "--weights", weights)
    assert not (tmp_path.parent / "cat").exists()


def test_a_size_that_cannot_be_is_refused_before_anything_is_read(weights, refusal):
    said = refusal("evaluate", "--data", "nothing", "--size", "100000", "--weights", weights)
    assert "100000×100000 px; allowed are 32 to 320 px" in said


def test_scalars_that_cannot_be_written_are_refused(refusal, photo):
    pytest.importorskip("tensorboard")
    assert "Cannot write scalars to" in refusal("train", *TINY, "--tensorboard", photo)


def test_a_data_set_of_other_classes_is_refused(weights, refusal):
    said = refusal("evaluate", "--data", "built-in", "--weights", weights)
    assert "10 classes; the network tells 2 apart" in said


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--method", "magic"], "There is no method 'magic'; there are saliency,"),
        (["--target", "unicorn"], "The network knows no class 'unicorn'"),
        (["--target", "2"], "allowed are numbers from 0 to 1."),
        (["--method", "grad-cam"], "none was named"),
        (["--method", "grad-cam", "--stage", "9z"], "There is no module '9z'"),
        (["--method", "grad-cam", "--stage", "5b", "--head", "aux1"], "5b lies behind aux1"),
        (["--head", "aux2"], "Head aux2 of this network is untrained"),
        (["--head", "tail"], "There is no head 'tail'"),
        (["--steps", "100000"], "allowed are whole numbers from 2 to 1024."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_question_that_cannot_be_answered_is_refused(
    arguments, sentence, weights, photo, refusal
):
    assert sentence in refusal("attribute", photo, "--weights", weights, *arguments)


def test_what_cannot_be_written_is_refused(weights, photo, refusal, tmp_path):
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "out"
    assert "Cannot write" in refusal("explore", photo, "--weights", weights, "--out", below)
    export = ("export", "--format", "json", "--weights", weights, "--out", below)
    assert "Cannot write" in refusal(*export)


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["predict"], ["predict", "a.png", "--top", "0"], ["evaluate"]]
)
def test_a_command_that_is_none_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert "error: " in said and "Traceback" not in said


def test_options_have_the_ranges_of_their_configs(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "passes over the data, 1 to 10,000 (default 5)" in said
    assert "--width NUMBER" in said and "--num-classes" not in said
    assert "--augment yes|no random crops and flips (default yes)" in said
    assert "empty takes all (empty by default)" in said


def test_the_method_help_names_every_method(capsys):
    with pytest.raises(SystemExit):
        main(["attribute", "--help"])
    said = capsys.readouterr().out
    assert all(name in said for name in METHODS)


def test_a_bar_is_silent_where_there_is_no_terminal(capsys):
    from gnet.system.progress import Bar

    Bar("working")(1, 2)
    assert capsys.readouterr().err == ""


def test_the_threads_asked_for_are_taken():
    before = torch.get_num_threads()
    assert main(["train", *TINY, "--epochs", "1", "--threads", "1"]) == 0
    assert torch.get_num_threads() == before == 1
