"""The bench of the page: its figures from what a run and a page are made to say."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from gnet.errors import GnetError
from gnet.studies.speed import bench_page
from support.opened_runs import OWNER


class Page(http.server.BaseHTTPRequestHandler):
    """A page that answers each event, or refuses it."""

    protocol_version = "HTTP/1.1"
    said = b"event: complete\ndata: []\n\n"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert asked == {"data": [bench_page.EXAMPLE]}
        self._answer(b'{"event_id": "e1"}')

    def do_GET(self) -> None:
        assert self.path.endswith("/call/explore/e1")
        self._answer(self.said)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[tuple[str, int]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield ("127.0.0.1", server.server_port)
        server.shutdown()
        thread.join()


def test_events_are_counted_for_all_users_together(page, monkeypatch):
    monkeypatch.setattr(bench_page, "USERS", 3)
    monkeypatch.setattr(bench_page, "SECONDS", 0.05)
    assert bench_page._event_rate(page) > 0


def test_an_event_that_is_refused_ends_the_measurement(page, monkeypatch):
    monkeypatch.setattr(Page, "said", b"event: error\ndata: null\n\n")
    with pytest.raises(GnetError, match="The page refused an event"):
        bench_page._event_rate(page)


def test_the_rate_of_a_run_is_that_of_its_timed_steps(opened, monkeypatch):
    monkeypatch.setattr(bench_page, "BATCH", 10)
    runs = opened()
    config = bench_page._config(1)
    run_id = runs.start(config, name="bench", owner=OWNER)
    run = bench_page._Started(runs, run_id, OWNER)
    run.pause()
    assert run.rate() > 0
    assert runs.shelf.follow(run_id)["run"]["state"] == "paused"


def test_a_run_that_fails_is_not_measured(opened):
    runs = opened()
    run_id = runs.start(bench_page._config(1), name="bench", owner=OWNER)
    run = bench_page._Started(runs, run_id, OWNER)
    runs.steer(run_id, OWNER, "stop")
    (runs.folder / run_id / "log.txt").write_text("gnet: no.")
    with pytest.raises(GnetError):
        run.pause()


def test_the_table_names_both_measurements_with_their_goals():
    row = {"ratio": 0.9, "goal": 0.85}
    run = row | {"pictures_per_second": 9, "in_process_pictures_per_second": 10, "threads": 1}
    events = row | {"per_second": 9, "idle_per_second": 10}
    text = bench_page.table({"page_training": run, "page_events": events})
    assert text.count("0.90 times") == text.count("goal 0.85") == 2


def test_the_measured_steps_lie_within_one_epoch():
    config = bench_page._config(5)
    pictures = config.per_class * bench_page.CLASSES
    most = 5 * (bench_page.LEAD_IN + bench_page.STEPS + bench_page.SPARE)
    assert pictures >= most * config.batch
