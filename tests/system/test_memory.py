"""Memory that was freed is given back where the system can take it, and asking harms nowhere."""

import ctypes
import sys
from pathlib import Path

import pytest

from gnet.system.processes import give_back_memory


def own_megabytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell their memory otherwise")
def test_what_was_freed_between_things_that_stay_is_given_back() -> None:
    parts = [ctypes.create_string_buffer(b"x" * 60_000, 60_000) for _ in range(1000)]
    kept = parts[::100]
    before = own_megabytes()
    parts.clear()
    give_back_memory()
    assert len(kept) == 10 and own_megabytes() < before - 30


def test_a_system_without_it_is_asked_for_nothing() -> None:
    assert give_back_memory(object()) is False
