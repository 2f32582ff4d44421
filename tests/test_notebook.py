"""The example notebook runs from its first cell to its last, and holds no outputs of its own."""

import json
from pathlib import Path

import pytest

from support.root import ROOT

NOTEBOOK = json.loads((ROOT / "examples" / "gnet.ipynb").read_text(encoding="utf-8"))
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "notebook"}
    for number, source in enumerate(CODE, 1):
        exec(compile(source, f"cell {number}", "exec"), names)
    printed = capsys.readouterr().out
    assert "main cat" in printed and "5×5" in printed and "epoch 2: right" in printed
    assert len(CODE) >= 6 and list(tmp_path.iterdir()) == []


def test_the_notebook_was_left_without_outputs() -> None:
    assert [cell for cell in NOTEBOOK["cells"] if cell.get("outputs")] == []
