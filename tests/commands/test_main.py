"""The command line as a whole: exit codes, help, and where the output goes."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gnet.commands.main import main
from gnet.runs.experiments import EXPERIMENTS
from support.root import ROOT


@pytest.mark.parametrize(
    "arguments", [[], ["predict"], ["predict", "a.png", "--top", "0"], ["evaluate"]]
)
def test_a_command_that_is_none_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert "error: " in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("prdict", "There is no command 'prdict'; the nearest is predict."),
        ("ablatte", "There is no command 'ablatte'; the nearest is ablate."),
        ("zzz", "There is no command 'zzz'; python -m gnet --help lists them."),
    ],
)
def test_a_command_that_is_not_there_is_one_sentence_that_names_the_nearest(
    given, sentence, refusal
):
    assert refusal(given, "photo.jpg") == f"gnet: {sentence}\n"


def test_a_bar_is_silent_where_there_is_no_terminal(capsys):
    from gnet.system.progress import Bar

    Bar("working")(1, 2)
    assert capsys.readouterr().err == ""


def test_letters_that_the_output_lacks_are_replaced(weights, photo, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    assert main(["attribute", photo, "--method", "saliency", "--weights", weights]) == 0
    assert written.getvalue().isascii() and len(written.getvalue()) > 1
    written.seek(0)
    written.truncate()
    assert main(["experiment", "--json"]) == 0
    expected = [experiment.line for experiment in EXPERIMENTS.values()]
    rows = json.loads(written.getvalue())
    assert [row["line"] for row in rows] == expected, "JSON loses no letter"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["experiment"]])
def test_an_output_that_is_full_is_one_sentence(arguments, monkeypatch, capsys):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("gnet: The output cannot be written") and said.count("\n") == 1


def test_help_needs_no_docstrings():
    command = [sys.executable, "-OO", "-m", "gnet", "--help"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "Estimate how long a run takes" in answer.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["preview", "--data", "~no-such-user/x"],
        ["evaluate", "--data", "~no-such-user/x"],
        ["train", "--data", "~no-such-user/x"],
        ["train", "--start", "~no-such-user/x"],
        ["train", "--resume", "~no-such-user/x"],
        ["predict", "x.png", "--weights", "~no-such-user/x"],
        ["predict", "~no-such-user/x"],
        ["convert", "x", "--no-transform-input", "--out", "x.safetensors", "--classes", "~none/x"],
    ],
    ids=" ".join,
)
def test_a_home_that_nobody_has_is_one_sentence(arguments, capsys):
    assert main(arguments) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("gnet: ") and "x" in last


@pytest.mark.parametrize("encoding", ["cp1252", "cp437"])
def test_an_answer_is_printed_in_the_encoding_of_any_console(
    encoding, weights, photo, monkeypatch, capsys
):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert main(["attribute", photo, "--steps", "8", "--weights", weights]) == 0
    assert capsys.readouterr().err == ""
    assert written.getvalue().decode(encoding).startswith("From the mean colour")
