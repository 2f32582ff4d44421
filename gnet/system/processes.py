"""Child processes: one way to start them all, known by their number and start.

A child is niced, sits in a session of its own, and is the first to be ended when memory runs out.
It ends with its server: by a lease (training) or by a pipe that closes (`Child`).
"""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import gnet

NICENESS = 10
STOPS_BY_SIGNAL = os.name == "posix"
"""Whether a signal can ask a process to stop; Windows ends it at once instead."""
TUNABLES = "GLIBC_TUNABLES"
LARGE_PAGES = ":".join(
    f"glibc.malloc.{name}={value}"
    for name, value in (("hugetlb", 1), ("mmap_threshold", 2**30), ("trim_threshold", 2**33))
)
"""Memory in large pages that the process keeps once it has them: without it each training step on
Linux asks the system for the same memory again (docs/performance.md). They must be there before the
process starts. A value that is there already stays, in child processes and on the command line
alike."""
_LINES = 200
"""Lines of a child's output that are kept."""
_STILL_ACTIVE, _ASK_ONLY = 259, 0x1000
"""What Windows gives as the exit code of a process that runs, and the right to ask for it."""
_MEMORY_SCORE = 500
"""Linux ends the process with the highest score first when memory runs out."""


@dataclass(frozen=True, kw_only=True)
class ProcessHandle:
    """A process by its number and start time; the system gives a number away again later."""

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


def launch(
    command: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int | IO[bytes] | None = subprocess.DEVNULL,
    niceness: int = NICENESS,
    variables: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """Start a child process with this very package; raises OSError where none can be started.

    Without `stderr` (None) its errors go where this process's go.
    It has a session of its own, so that a Ctrl-C for the server does not reach it.
    """
    process = subprocess.Popen(
        list(command),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        text=True,
        errors="replace",
        env=environment() | dict(variables or {}),
        start_new_session=True,
        creationflags=_windows_flags(niceness),
    )
    _give_way(process.pid, niceness)
    return process


class Child:
    """A process that works for this program; leaving its `with` ends it, and so does the exit.

    Its standard input is a pipe that stays open as long as this program lives: a command that calls
    `end_with` on it is not left behind even when this program is killed.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        request: str = "",
        niceness: int = NICENESS,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start it and write `request` to it; raises OSError where no process can be started."""
        self._process = launch(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            niceness=niceness,
            variables=variables,
        )
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        atexit.register(self.end)
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it has failed already; its output says why
            self._process.stdin.write(request)
            self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.ended(None)
        atexit.unregister(self.end)
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def last_line(self) -> str:
        """The last line it has printed so far, errors included; empty before the first."""
        return self._lines[-1] if self._lines else ""

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs, negative if a signal ended it."""
        return self._process.returncode

    def ended(self, within: float | None) -> bool:
        """Whether it ends within so many seconds (None: wait for it); then all output is read."""
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        self._reader.join(1.0)  # a grandchild may hold the pipe open
        return True

    def end(self) -> None:
        """End it at once."""
        self._process.kill()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            self._lines.extend(line.strip() for line in lines if line.strip())


def end_with(stream: IO[str]) -> None:
    """End this process as soon as the other end of `stream` is closed; returns at once."""

    def watch() -> None:
        with suppress(OSError):
            while os.read(stream.fileno(), 1):
                pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def environment() -> dict[str, str]:
    """The variables of a process that runs this very package."""
    source = str(Path(gnet.__file__).resolve().parents[1])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in (os.environ | _before).items() if value is not None}
    return {TUNABLES: LARGE_PAGES} | kept | {"PYTHONPATH": os.pathsep.join(paths)}


@contextmanager
def in_this_process(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables; child processes started meanwhile have the values from before."""
    _before.update({name: os.environ.get(name) for name in variables})
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            value = _before.pop(name)
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


_before: dict[str, str | None] = {}
"""The variables that `in_this_process` has set → their values from before, None for no value."""


def _windows_flags(niceness: int) -> int:
    """How Windows is told the same: a group apart, and a lower priority; 0 elsewhere."""
    names = ["CREATE_NEW_PROCESS_GROUP", *["BELOW_NORMAL_PRIORITY_CLASS"] * (niceness > 0)]
    return sum(getattr(subprocess, name, 0) for name in names)


def _give_way(process: int, niceness: int) -> None:
    """Let a process run behind others; what a system does not know of is left out."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process, niceness)
    # Linux shares the processor among sessions first, and niceness counts only within one.
    for name, value in (("autogroup", niceness), ("oom_score_adj", _MEMORY_SCORE)):
        with suppress(OSError):
            Path(f"/proc/{process}/{name}").write_text(str(value))


def start_time(process: int, proc: Path = Path("/proc")) -> str:
    """When a process started, as its system counts it; empty if it does not run (any more).

    Asks `ps` where `proc` lists no processes, and Windows by its own library.
    """
    if os.name == "nt":
        return start_time_by_windows(process)
    try:
        text = (proc / str(process) / "stat").read_text()
    except OSError:
        return "" if (proc / "self" / "stat").exists() else _start_time_by_ps(process)
    fields = text.rpartition(")")[2].split()  # its name may hold spaces
    return "" if fields[0] in "ZX" else fields[19]


def start_time_by_windows(process: int, library: Any = None) -> str:
    """The same as Windows counts it; `library` is its kernel32."""
    library = library or ctypes.CDLL("kernel32")
    library.OpenProcess.restype = ctypes.c_void_p
    opened = library.OpenProcess(_ASK_ONLY, False, process)
    if not opened:
        return ""
    handle, code = ctypes.c_void_p(opened), ctypes.c_uint32()
    times = [ctypes.c_uint64() for _ in ("started", "ended", "in the system", "of its own")]
    try:
        library.GetExitCodeProcess(handle, ctypes.byref(code))
        known = library.GetProcessTimes(handle, *map(ctypes.byref, times))
    finally:
        library.CloseHandle(handle)
    return str(times[0].value) if known and code.value == _STILL_ACTIVE else ""


def _start_time_by_ps(process: int) -> str:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(process)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True)
    except OSError:  # there is no ps
        return ""
    state, _, started = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def with_large_pages() -> None:
    """Start this process anew with large memory pages that it keeps; training on Linux gains."""
    wanted = sys.platform == "linux" and TUNABLES not in os.environ and "RANK" not in os.environ
    if wanted and sys.argv[0].endswith(os.path.join("gnet", "__main__.py")):
        os.environ[TUNABLES] = LARGE_PAGES
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def give_back_memory(library: Any = None) -> bool:
    """Give this process's free pages back to the system; whether there were any.

    glibc keeps what threads freed for their next requests, and hands it back by itself only from
    the top of a heap. `library` is the C library; one that is not glibc gives nothing back.
    """
    try:
        trim = (library or ctypes.CDLL(None)).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    trim.argtypes = [ctypes.c_size_t]
    return bool(trim(0))
