"""ONNX Runtime, as every part of gnet gets it: with its telemetry off.

Since version 1.29 its official packages tell Microsoft about each model that is loaded and how its
runs go, unless they are told not to. Its Privacy.md says how.
"""

from __future__ import annotations

import os
from types import ModuleType


def onnx_runtime() -> ModuleType | None:
    """The package, or None where it is not installed."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, when the package is first imported
    try:
        import onnxruntime
    except ImportError:
        return None
    onnxruntime.disable_telemetry_events()  # for earlier ones on Windows, which do not read it
    return onnxruntime
