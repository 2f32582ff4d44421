"""What runs differ in, and nothing that is the same."""

import json

import pytest

from gnet.commands.main import main
from gnet.runs.comparison import compare
from gnet.runs.folder import RunFolder
from support.training_runs import tiny


def test_only_settings_that_differ_are_told_the_networks_first() -> None:
    rows = compare([tiny(), tiny(epochs=5, network={"kernel_5x5": 3}), tiny(epochs=5)])
    assert [(row.setting, row.values) for row in rows] == [
        ("model.kernel_5x5", (5, 3, 5)),
        ("epochs", (2, 5, 5)),
    ]
    assert rows[1].help == "passes over the data"


def test_runs_alike_and_single_runs_differ_in_nothing() -> None:
    assert compare([tiny(), tiny(network={"num_classes": 10})]) == ()
    assert compare([tiny()]) == compare([]) == ()


def test_the_command_compares_folders(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(tmp_path / name) for name in ("one", "two")]
    for folder, seed in zip(folders, (1, 2), strict=True):
        RunFolder(folder).create(tiny(seed=seed))
    assert main(["compare", *folders, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"] == {"seed": [1, 2]}
    assert main(["compare", *folders]) == 0
    assert capsys.readouterr().out.split() == ["seed", "1", "2"]
    assert main(["compare", folders[0], str(tmp_path)]) == 2
