"""A lab for GoogLeNet (Inception v1): build it, look inside it, train it.

The names below are loaded when they are first used, so that `import gnet` takes no time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnet.errors import GnetError
    from gnet.explain.ablation import ablate
    from gnet.explain.recording import record
    from gnet.network.config import ModelConfig
    from gnet.network.model import GoogLeNet
    from gnet.network.weights import load
    from gnet.training.loop import train

__all__ = ["GnetError", "GoogLeNet", "ModelConfig", "ablate", "load", "record", "train"]
__version__ = "0.1.0"

_MODULES = {
    "GnetError": "gnet.errors",
    "GoogLeNet": "gnet.network.model",
    "ModelConfig": "gnet.network.config",
    "ablate": "gnet.explain.ablation",
    "load": "gnet.network.weights",
    "record": "gnet.explain.recording",
    "train": "gnet.training.loop",
}
"""Public name → the module that defines it."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
