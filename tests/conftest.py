"""What every test shares: one thread for torch, and the browser if there is one."""

import gc
import os
import sys
from collections.abc import Generator
from typing import Any

import pytest
import torch

from gnet.ui.environment import without_stubs
from support.chromium import MISSING, find_chromium, in_ci

pytest_plugins = [
    "support.browser_tabs",
    "support.folders",
    "support.opened_runs",
    "support.pages",
    "support.looking",
]  # `browser`, `tabs`; `source`; `opened`; `server`, `visit`; `look`


# Whatever the machine's custom is: else each process rewrites all asserts and compiles all modules.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Tests that take ONNX Runtime themselves send its maker nothing either.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: a test of the page often waits for its browser."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Modules of tests may import Gradio."""
    with without_stubs():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that open a browser come first: they take longest, and would end last and alone.

    A browser test waits for a page that shares its machine with three other browsers, so one that
    fails is run again, twice at most; the summary counts it as a rerun.
    """
    looking = [item for item in items if "browser" in getattr(item, "fixturenames", ())]
    for item in looking:
        item.add_marker(pytest.mark.flaky(reruns=2))
    slow = {item.path for item in looking}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What is imported by now stays: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests are tiny: a second thread costs more than it brings, and sums keep their order."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium that the browser tests drive; without one they are skipped."""
    path = find_chromium()
    if path is not None:
        return path
    if in_ci():
        pytest.fail(MISSING)
    pytest.skip(MISSING)
