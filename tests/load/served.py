"""A page in a process of its own, for the load client: its address, its memory, its end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.root import ROOT

UNLIMITED = tuple(
    f"--max-{of}=0" for of in ("answers", "address-answers", "uploads", "address-uploads")
)
"""All viewers of the client have one address."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A page that answers."""

    address: str
    pid: int

    def megabytes(self) -> float:
        """Memory of the server that is its own; 0 where the system does not tell."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def processor_seconds(self) -> float:
        """What the server has computed since it started."""
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def files_and_threads(self) -> tuple[int, int]:
        """Open files and threads of the server."""
        with contextlib.suppress(OSError):
            place = Path(f"/proc/{self.pid}")
            return len(list((place / "fd").iterdir())), len(list((place / "task").iterdir()))
        return 0, 0


@contextlib.contextmanager
def served(*options: str) -> Iterator[Served]:
    """Start app.py on a free port of this machine and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port), *options]
    with tempfile.TemporaryDirectory(prefix="gnet-load-") as folder:
        server = subprocess.Popen(
            [*command, *UNLIMITED, "--runs-folder", folder], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout
        with server.stdout:
            try:
                if not any(line.startswith("gnet is at") for line in server.stdout):
                    raise OSError("the page did not start")
                yield Served(address=f"http://127.0.0.1:{port}", pid=server.pid)
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait()


@contextlib.contextmanager
def training() -> Iterator[None]:
    """A training that gives way to others, as the page's runs do, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="gnet-load-run-") as folder:
        command = ["nice", "-n", "19", sys.executable, "-m", "gnet", "train", "--data", "built-in"]
        run = subprocess.Popen(
            [*command, "--epochs", "1000", "--run-dir", f"{folder}/run"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
            if run.poll() is not None:
                raise OSError("the training ended before the viewers did")
        finally:
            run.terminate()
            run.wait()
