"""ONNX Runtime is asked to compute and keeps no account of it, wherever gnet asks it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.root import ROOT

SESSION = """
from gnet.inference.session import Session
from gnet.network.config import ModelConfig
from gnet.network.model import GoogLeNet
model = GoogLeNet(ModelConfig.preset("batch-norm", num_classes=3, width=0.25)).eval()
print(Session(model, 64).runs_on)
"""


def test_a_session_leaves_no_trace_in_the_persons_folder(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    home = tmp_path / "home"
    home.mkdir()
    # Its telemetry is off by itself where CI is set.
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "ORT_DISABLE_TELEMETRY")}
    places = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"), str(home))
    said = subprocess.run(
        [sys.executable, "-c", SESSION],
        env=kept | places | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert said.strip() == "ONNX Runtime"
    traces = [path.name for path in home.rglob("*") if path.is_file()]
    assert not any("onnxruntime" in name or "device" in name for name in traces), traces


def test_no_other_module_imports_it() -> None:
    importing = [
        path.name
        for path in (ROOT / "gnet").rglob("*.py")
        if any(
            line.strip() == "import onnxruntime" for line in path.read_text("utf-8").splitlines()
        )
    ]
    assert importing == ["onnx_runtime.py"]
