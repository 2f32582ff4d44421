"""The process that trains a run: `python -m gnet train --resume DIR`, set apart and niced.

It sits in a session of its own, so that a Ctrl-C meant for the server does not reach it, gives way
to whatever serves the page, and is the first to go where memory runs out. It stops at a step when
it is sent SIGTERM, and when the server's lease runs out. Knows nothing of queues or pages.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import gnet

LOG = "log.txt"
COMMAND = (sys.executable, "-m", "gnet", "train", "--resume")
NICENESS = 10
_KEPT_WORDS = 400
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


def begin(
    folder: Path, lease: Path, command: Sequence[str] = COMMAND
) -> tuple[subprocess.Popen[bytes], Trained]:
    """Start the process that trains the run in `folder`; what it says of errors goes to log.txt.

    Raises OSError where no process can be started.
    """
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [*command, str(folder), "--lease", str(lease)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment(),
            start_new_session=True,
        )
    give_way(process.pid)
    return process, Trained(process=process.pid, started=start_time(process.pid))


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


def last_words(folder: Path) -> str:
    """The sentence a process left in log.txt when it failed; empty if it left none.

    Of an error nobody foresaw it is the last line, without the trace above it.
    """
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    said = [line.removeprefix("gnet: ") for line in lines if line.startswith("gnet: ")]
    said = [line for line in said if line != "stopped."]
    if said:
        return said[-1][:_KEPT_WORDS]
    traced = any(line.startswith("Traceback ") for line in lines)
    if traced and not lines[-1].startswith("KeyboardInterrupt"):
        return f"Training met an error it does not know: {lines[-1].strip()}"[:_KEPT_WORDS]
    return ""
