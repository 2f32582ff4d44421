"""ONNX Runtime, as every part of gnet gets it: it tells its maker nothing.

From version 1.29 on its packages for Linux and macOS send facts about each model and each run to
Microsoft unless a variable forbids it; on Windows the system collects them unless a call does.
"""

from __future__ import annotations

import os
from types import ModuleType


def onnx_runtime() -> ModuleType | None:
    """The package with its telemetry off, or None where it is not installed."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, when the package is first imported
    try:
        import onnxruntime
    except ImportError:
        return None
    onnxruntime.disable_telemetry_events()
    return onnxruntime
