"""Child processes: set apart, behind others, known by number and start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import gnet

NICENESS = 10


_MEMORY_SCORE = 500
"""Linux ends the process with the highest score first when memory runs out."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A process by its number and the time it started, as a number is used again."""

    process: int
    started: str

    def lives(self) -> bool:
        """Whether this very process still runs."""
        return self.process > 0 and start_time(self.process) == self.started != ""

    def send(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.lives():
            with suppress(OSError):
                os.kill(self.process, number)

    def stop(self) -> None:
        """Ask it to stop at its next step."""
        self.send(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send(getattr(signal, "SIGKILL", signal.SIGTERM))


def environment() -> dict[str, str]:
    """The variables of a process that trains with this very package."""
    source = str(Path(gnet.__file__).resolve().parents[1])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        # 1.25 times the speed on Linux, and it must be there before the process starts.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    }


def give_way(process: int) -> None:
    """Let a process run behind others; what a system does not know of is left out."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process, NICENESS)
    # Linux shares the processor among sessions first, and niceness counts only within one.
    for name, value in (("autogroup", NICENESS), ("oom_score_adj", _MEMORY_SCORE)):
        with suppress(OSError):
            Path(f"/proc/{process}/{name}").write_text(str(value))


def start_time(process: int) -> str:
    """When a process started, as its system counts it; empty if it does not run (any more)."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return "" if sys.platform == "linux" else _start_time_by_ps(process)
    fields = text.rpartition(")")[2].split()  # its name may hold spaces
    return "" if fields[0] in "ZX" else fields[19]


def _start_time_by_ps(process: int) -> str:
    if os.name != "posix":
        return ""
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(process)], capture_output=True, text=True
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def with_large_pages() -> None:
    """Start this process anew with large memory pages, which training on Linux gains from."""
    name, value = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"
    wanted = sys.platform == "linux" and name not in os.environ and "RANK" not in os.environ
    if wanted and sys.argv[0].endswith(os.path.join("gnet", "__main__.py")):
        os.environ[name] = value
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
