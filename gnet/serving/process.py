"""The process that trains a run: `python -m gnet train --resume DIR`, set apart and niced.

It sits in a session of its own, so that a Ctrl-C meant for the server does not reach it, gives way
to whatever serves the page, and is the first to go where memory runs out. It stops at a step when
it is sent SIGTERM, and when the server's lease runs out. Knows nothing of queues or pages.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gnet.system.processes import Trained, environment, give_way, start_time

LOG = "log.txt"
COMMAND = (sys.executable, "-m", "gnet", "train", "--resume")
_KEPT_WORDS = 400


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
