"""Child processes: set apart, behind others, and gone when their server is."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from gnet.system.processes import (
    LARGE_PAGES,
    TUNABLES,
    Child,
    environment,
    in_this_process,
    launch,
    start_time,
)
from support.root import ROOT
from support.waiting import until

PROGRAM = """
import os, sys
print(sys.stdin.readline().strip(), os.getsid(0) == os.getpid(), os.environ["PYTHONPATH"])
"""


def test_a_child_reads_its_request_and_its_output_is_kept() -> None:
    with Child([sys.executable, "-S", "-c", PROGRAM], request="a question\n") as child:
        assert child.ended(60) and child.code == 0
        assert child.last_line.startswith("a question True ") and str(ROOT) in child.last_line


def test_the_errors_of_a_child_are_the_last_of_its_output() -> None:
    program = 'import sys; print("1 of 2", flush=True); sys.exit("gnet: Too bad.")'
    with Child([sys.executable, "-S", "-c", program]) as child:
        assert child.ended(60) and (child.code, child.last_line) == (1, "gnet: Too bad.")


def test_a_child_is_ended_when_its_with_is_left() -> None:
    with Child([sys.executable, "-S", "-c", "import sys; sys.stdin.read()"]) as child:
        assert not child.ended(0) and child.code is None
    assert child.code is not None and child.code != 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such a score")
def test_a_child_is_niced_and_the_first_to_go_when_memory_runs_out() -> None:
    with launch(
        [sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, niceness=7
    ) as process:
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 7
        assert int(Path(f"/proc/{process.pid}/oom_score_adj").read_text()) == 500
        process.kill()


def test_a_command_that_watches_its_input_ends_with_the_other_side() -> None:
    program = (
        "import sys, time\n"
        "from gnet.system.processes import end_with\n"
        "end_with(sys.stdin)\n"
        "while True: time.sleep(0.01)"
    )
    with launch([sys.executable, "-c", program], stdin=subprocess.PIPE, niceness=0) as process:
        assert process.stdin
        process.stdin.close()
        assert process.wait(300) == 1


def test_what_cannot_be_started_is_an_os_error() -> None:
    with pytest.raises(OSError, match="No such file"):
        Child(["/no/such/program"])


def test_a_program_that_ends_leaves_no_child_behind() -> None:
    program = (
        "import sys\n"
        "from gnet.system.processes import Child\n"
        "child = Child([sys.executable, '-S', '-c', 'import time; print(1); time.sleep(600)'])\n"
        "print(child.pid)"
    )
    with launch([sys.executable, "-c", program], stdout=subprocess.PIPE, niceness=0) as process:
        output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    until(lambda: not start_time(int(output)))


def test_what_is_set_in_this_process_is_not_passed_on_and_ends(monkeypatch) -> None:
    monkeypatch.setenv("GNET_GIVEN", "before")
    monkeypatch.delenv("GNET_NEW", raising=False)
    with in_this_process({"GNET_GIVEN": "now", "GNET_NEW": "now"}):
        assert os.environ["GNET_GIVEN"] == os.environ["GNET_NEW"] == "now"
        assert environment()["GNET_GIVEN"] == "before" and "GNET_NEW" not in environment()
    assert os.environ["GNET_GIVEN"] == environment()["GNET_GIVEN"] == "before"
    assert "GNET_NEW" not in os.environ


def test_large_pages_are_asked_for_unless_the_variable_has_a_value_already(monkeypatch) -> None:
    monkeypatch.delenv(TUNABLES, raising=False)
    assert environment()[TUNABLES] == LARGE_PAGES
    monkeypatch.setenv(TUNABLES, "glibc.malloc.hugetlb=0")  # as the command line, which keeps it
    assert environment()[TUNABLES] == "glibc.malloc.hugetlb=0"


USES_MEMORY = """
import ctypes, resource
c, size, pages = ctypes.CDLL(None), 40 * 2**20, []
c.malloc.restype, c.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
c.free.argtypes = [ctypes.c_void_p]
c.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
for _ in range(3):
    block = c.malloc(size)
    c.memset(block, 1, size)
    c.free(block)
    pages.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(pages[-1] - pages[0])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_child_keeps_its_memory_where_a_plain_process_asks_for_it_again(monkeypatch) -> None:
    monkeypatch.delenv(TUNABLES, raising=False)
    asked = []
    for variables in ({}, {TUNABLES: ""}):
        command = [sys.executable, "-S", "-c", USES_MEMORY]
        with launch(command, stdout=subprocess.PIPE, variables=variables) as child:
            asked.append(int(child.communicate(timeout=300)[0]))
    kept, plain = asked
    assert kept < 10 < plain
