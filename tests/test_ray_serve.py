"""examples/ray_serve.py on a local Ray: the page answers as it does without it, and all ends."""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from load.viewers import Viewer

from gnet.data.pictures import read_pixels
from gnet.explain.belief import belief
from gnet.explain.recording import record
from gnet.network.weights import load
from support.root import ROOT
from support.waiting import until

MARK = "GNET_TEST_OF_RAY"
VARIABLES = {
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent
    "RAY_AUTH_MODE": "disabled",  # nor written into the home folder
    # Ray makes its processes give way to all others and takes one that starts slowly for dead:
    # on a busy machine the page would never come.
    "RAY_worker_niceness": "0",
    "RAY_worker_register_timeout_seconds": "300",
    "RAY_raylet_start_wait_time_s": "300",
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "300",
    "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "300",
    "RAY_memory_monitor_refresh_ms": "0",
}


def marked(mark: str) -> list[int]:
    """Living processes whose environment holds this mark."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it ended, or is somebody else's
            if f"{MARK}={mark}".encode() in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
    return found


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of the page by Ray; none of its processes is left behind."""
    mark = str(folder)
    with (folder / "stderr").open("w") as told:
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/support/by_ray.py")],
            env=os.environ | VARIABLES | {MARK: mark},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
        )
    assert server.stdin and server.stdout
    try:
        line = next((line for line in server.stdout if line.startswith("gnet is at")), "")
        assert line, (folder / "stderr").read_text()
        assert len(marked(mark)) > 3  # Ray's own are known by it, too
        yield line.split()[-1]
        server.stdin.close()
        assert server.wait(120) == 0, (folder / "stderr").read_text()
        until(lambda: not marked(mark))
    finally:
        server.stdin.close()
        server.stdout.close()
        for pid in marked(mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        server.wait()


@pytest.mark.timeout(900)
@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None or not sys.platform.startswith("linux"),
    reason="Ray is not installed; requirements-dev.txt names it for Linux",
)
def test_the_page_by_ray_believes_what_the_model_believes(tmp_path: Path) -> None:
    with served(tmp_path) as address:
        page = httpx.get(f"{address}/", trust_env=False, timeout=60)
        assert page.status_code == 200 and "window.gradio_config" in page.text
        assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
        viewer = Viewer(number=3, address=address, side=320)
        with ThreadPoolExecutor(1) as thread:  # that of the tests has the browser's loop
            thread.submit(asyncio.run, viewer.visit(clicks=1)).result()
    assert [answer.outcome for answer in viewer.answers] == ["right", "right"], viewer.answers
    model = load()
    own = belief(record(model, read_pixels(viewer.photo, model.info.preprocessing)))
    assert viewer.belief == pytest.approx(own.heads["main"].probabilities, abs=1e-3)
