"""A run that downloads its pictures first: those who follow it see how far the download is."""

import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from gnet.serving.fetching import Fetching
from gnet.serving.limits import RunLimits
from gnet.serving.runs import Runs
from support.browser_tabs import PATIENCE
from support.pages import with_training
from support.training_runs import tiny

OWNER = "the-token-of-somebody-who-started-a-run"
TESTS = str(Path(__file__).parents[1])
COMMAND = (
    *(sys.executable, "-c"),
    f"import runpy, sys; sys.path.insert(0, {TESTS!r}); "
    "runpy.run_module('support.mirrored_training', run_name='__main__')",
)
FIRST = 2_600_000
"""Bytes that come before the download halts."""


@pytest.fixture
def mirror(tmp_path, monkeypatch) -> Iterator[threading.Event]:
    """A server on this machine that sends a part, and the rest once the event is set."""
    content, go = bytes(4_000_000), threading.Event()

    class Mirror(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:FIRST])
            self.wfile.flush()
            assert go.wait(60)
            self.wfile.write(content[FIRST:])

        def log_message(self, format: str, *args: object) -> None:
            pass

    monkeypatch.setenv("GNET_CACHE", str(tmp_path / "cache"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("MIRROR", f"http://127.0.0.1:{server.server_port}/")
        yield go
        go.set()
        server.shutdown()
        thread.join()


def test_a_run_tells_how_far_its_download_is_and_then_trains(
    mirror, tmp_path, gradio_environment, browser
) -> None:
    with Runs(tmp_path / "runs", RunLimits(), command=COMMAND) as runs:
        run_id = runs.start(tiny(data="mnist", epochs=1, seed=0), name="digits", owner=OWNER)
        with with_training(runs) as served:
            page = browser.new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(f"{served.address}?tab=train&run={run_id}")
            expect(page.locator("#train-bar .said")).to_contain_text(
                "Downloading MNIST (12 MB): 3 MB so far."
            )
            mirror.set()
            page.wait_for_function("gnet.train.shown()?.run?.state === 'finished'")
            expect(page.locator("#train-bar")).not_to_contain_text("Downloading")
            page.close()


def test_bytes_are_counted_once_a_second_however_many_ask(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GNET_CACHE", str(tmp_path))
    counts, now = iter(range(1_000_000, 9_000_000, 1_000_000)), [100.0]
    fetching = Fetching(bytes_so_far=lambda name: next(counts), clock=lambda: now[0])
    progress = fetching.progress
    assert [progress("EuroSAT") for _ in range(3)] == [
        "Downloading EuroSAT (94 MB): 1 MB so far"
    ] * 3
    now[0] += 1.5
    assert progress("eurosat").endswith("2 MB so far")
    (tmp_path / "data" / "eurosat").mkdir(parents=True)
    assert progress("eurosat") == progress("built-in") == progress("/a/b.zip") == ""
