"""torchvision's file on a server: fetched once and only where that is allowed, from loopback."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from gnet.errors import GnetError
from gnet.network import weights
from gnet.network.config import ModelConfig
from gnet.network.model import GoogLeNet
from gnet.serving.networks.published import (
    ABSENT,
    FETCHING,
    FORBIDDEN,
    HERE,
    Fetched,
    PublishedWeights,
)
from support.waiting import until


@dataclass
class Source:
    """A server on loopback that sends half of a file, and the rest once it is let go."""

    body: bytes = b""
    requests: int = 0
    go_on: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("published") / "state.pth"
    torch.save(GoogLeNet(ModelConfig.preset("torchvision")).state_dict(), path)
    return path.read_bytes()


@pytest.fixture
def source(published: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    given = Source(body=published)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given.requests += 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            half = len(given.body) // 2
            self.wfile.write(given.body[:half])
            given.go_on.wait()
            self.wfile.write(given.body[half:])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    name = f"googlenet-{hashlib.sha256(published).hexdigest()[:8]}.pth"
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("GNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("GNET_IMAGENET_URL", f"http://127.0.0.1:{server.server_port}/{name}")
    try:
        yield given
    finally:
        given.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


def reached(offer: PublishedWeights, *states: str) -> Fetched:
    return until(lambda: found if (found := offer.status()).state in states else None)


def test_a_file_is_fetched_once_for_all_who_ask_and_its_progress_is_told(source: Source) -> None:
    offer = PublishedWeights(allowed=True)
    before = offer.status()
    assert before.state == ABSENT and before.total == offer.file.size > 50e6
    with pytest.raises(GnetError, match="not on this server"):
        offer.check_here()
    for _ in range(3):
        assert offer.fetch().state == FETCHING
    half = until(lambda: now if (now := offer.status()).done > 0.4 * now.total else None)
    assert half.state == FETCHING and half.total == len(source.body)
    source.go_on.set()
    assert reached(offer, HERE, ABSENT).state == HERE
    offer.check_here()
    assert offer.fetch().state == HERE and source.requests == 1
    assert weights.load("imagenet").config.kernel_5x5 == 3
    assert source.requests == 1


def test_nobody_has_it_fetched_where_the_owner_does_not_allow_it(source: Source) -> None:
    offer = PublishedWeights(allowed=False)
    assert offer.status().state == FORBIDDEN
    with pytest.raises(GnetError, match="its owner allows it with --download-weights"):
        offer.fetch()
    assert source.requests == 0


def test_a_file_that_is_already_here_needs_no_permission(source: Source, tmp_path: Path) -> None:
    offer = PublishedWeights(allowed=False)
    held = tmp_path / "torch" / "hub" / "checkpoints" / offer.file.name
    held.parent.mkdir(parents=True)
    held.write_bytes(source.body)
    assert offer.status().state == HERE
    held.write_bytes(b"damaged")
    assert offer.status().state == FORBIDDEN


def test_a_failed_download_says_why_and_can_be_tried_again(source: Source) -> None:
    source.body = source.body[:-1] + b"!"
    source.go_on.set()
    offer = PublishedWeights(allowed=True)
    offer.fetch()
    failed = reached(offer, ABSENT, HERE)
    assert failed.state == ABSENT and "wrong checksum" in failed.message
    offer.fetch()
    reached(offer, ABSENT)
    assert source.requests == 2


def test_an_unforeseen_failure_is_logged_and_names_the_log(
    source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: object) -> None:
        raise RuntimeError("out of luck")

    offer = PublishedWeights(allowed=True, fetch=fails)
    offer.fetch()
    assert "log" in until(lambda: offer.status().message)
    assert "out of luck" in caplog.text
