"""ONNX Runtime is asked to compute and keeps no account of it, wherever gnet asks it."""

import ast
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
    """With telemetry there would be a file `deviceid` and a database of what is to be sent."""
    pytest.importorskip("onnxruntime")
    # Few variables: it is silent by itself where one of many says that a service runs tests.
    system = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    places = dict.fromkeys(("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"), str(tmp_path))
    said = subprocess.run(
        [sys.executable, "-c", SESSION],
        env=system | places | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert said.strip() == "ONNX Runtime"
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert not any("onnxruntime" in name or "device" in name for name in left), left


def test_no_other_module_imports_it() -> None:
    assert {path.name for path in (ROOT / "gnet").rglob("*.py") if imports(path)} == {
        "onnx_runtime.py"
    }


def imports(path: Path) -> bool:
    """Whether a module imports ONNX Runtime when it runs, and not for its types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in [node for node in ast.walk(tree) if isinstance(node, ast.If)]:
        if ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return any(name.partition(".")[0] == "onnxruntime" for name in names)
