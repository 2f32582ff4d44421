"""The process that trains a run: `python -m gnet train --resume DIR`.

It stops at its next step when it receives SIGTERM, and when the server's lease runs out. Knows
nothing of queues or pages.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gnet.system.processes import NICENESS, ProcessHandle, launch, start_time

LOG = "log.txt"
COMMAND = (sys.executable, "-m", "gnet", "train", "--resume")
_LONGEST = 400


def begin(
    folder: Path, lease: Path, command: Sequence[str] = COMMAND, niceness: int = NICENESS
) -> tuple[subprocess.Popen[str], ProcessHandle]:
    """Start the process that trains the run in `folder`; its errors go to log.txt.

    Raises OSError where no process can be started.
    """
    with (folder / LOG).open("wb") as log:
        process = launch(
            [*command, str(folder), "--lease", str(lease)], stderr=log, niceness=niceness
        )
    return process, ProcessHandle(process=process.pid, started=start_time(process.pid))


def last_error(folder: Path) -> str:
    """The error sentence in a failed process's log.txt; empty if there is none.

    For an unexpected error it is the last line, without the traceback.
    """
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    sentences = [line.removeprefix("gnet: ") for line in lines if line.startswith("gnet: ")]
    sentences = [line for line in sentences if line != "stopped."]
    if sentences:
        return sentences[-1][:_LONGEST]
    traced = any(line.startswith("Traceback ") for line in lines)
    if traced and not lines[-1].startswith("KeyboardInterrupt"):
        return f"Training ended with an unexpected error: {lines[-1].strip()}"[:_LONGEST]
    return ""
