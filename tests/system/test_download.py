"""Downloads from a server on loopback: fetched once, checked, whole; or one sentence."""

import hashlib
import pickle
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from gnet.errors import GnetError
from gnet.network import weights
from gnet.network.config import TRAINED, UNTRAINED, ModelConfig
from gnet.network.info import Preprocessing
from gnet.network.model import GoogLeNet
from gnet.system import download
from gnet.system.progress import Bar


class Answer:
    """What the loopback server says: `body`, claiming `length` bytes (0: rightly; None: not)."""

    body = b""
    length: int | None = 0
    status = 200
    requests = 0


@pytest.fixture
def answer(tmp_path, monkeypatch) -> Iterator[tuple[Answer, str]]:
    """An answer to fill in and the address of a server on loopback that gives it."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("GNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    given = Answer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            given.requests += 1
            self.send_response(given.status)
            if given.length is not None:
                self.send_header("Content-Length", str(given.length or len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield given, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def named(body: bytes) -> str:
    return f"googlenet-{hashlib.sha256(body).hexdigest()[:8]}.pth"


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> bytes:
    """A file as torchvision publishes it: a pickled state dict, 1,000 classes, all heads."""
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("published") / "state.pth"
    torch.save(GoogLeNet(ModelConfig.preset("torchvision")).state_dict(), path)
    return path.read_bytes()


def test_imagenet_is_fetched_once_checked_converted_and_kept(
    answer, published, tmp_path, monkeypatch
):
    given, address = answer
    given.body = published
    monkeypatch.setenv("GNET_IMAGENET_URL", f"{address}/{named(published)}")
    seen: list[tuple[int, int]] = []
    model = weights.load("imagenet", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(published), len(published))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) > 10
    converted = tmp_path / "cache" / named(published).replace(".pth", ".safetensors")
    assert list((tmp_path / "cache").iterdir()) == [converted]

    assert not model.training
    assert model.config == ModelConfig.preset("torchvision", transform_input=True)
    assert model.info.heads == {"main": TRAINED, "aux1": UNTRAINED, "aux2": UNTRAINED}
    assert model.info.preprocessing == Preprocessing(size=224, crop=0.875)
    assert model.info.classes[0] == "tench"
    assert len(model.info.classes) == 1000
    assert model.info.metrics["heads"]["main"]["top1"] == 0.69778
    torch.manual_seed(2)
    original = GoogLeNet(ModelConfig.preset("torchvision"))
    assert model.info.digest == weights.digest(original)

    again = weights.load("imagenet")
    assert given.requests == 1, "the second time comes from the cache"
    assert again.info == model.info


def test_a_file_that_torch_hub_already_holds_is_used(answer, published, tmp_path):
    given, address = answer
    held = tmp_path / "torch" / "hub" / "checkpoints" / named(published)
    held.parent.mkdir(parents=True)
    held.write_bytes(published)
    weights.imagenet(url=f"{address}/{held.name}")
    assert given.requests == 0
    assert held.read_bytes() == published


@pytest.mark.parametrize("fault", ["wrong bytes", "cut off", "not found", "gone", "held but bad"])
def test_a_failed_download_is_one_sentence_and_leaves_nothing(fault, answer, tmp_path):
    given, address = answer
    whole = b"weights" * 1000
    given.body = whole
    address = f"{address}/{named(whole)}"
    if fault == "wrong bytes":
        given.body = whole[:-1] + b"!"
    elif fault == "cut off":
        given.body, given.length = whole[:3000], len(whole)
    elif fault == "not found":
        given.status = 404
    elif fault == "gone":
        address = f"http://127.0.0.1:1/{named(whole)}"
    else:
        held = tmp_path / "torch" / "hub" / "checkpoints" / named(whole)
        held.parent.mkdir(parents=True)
        held.write_bytes(b"rubbish")
        given.body = b"rubbish"
    with pytest.raises(GnetError) as caught:
        weights.imagenet(url=address, cache=tmp_path / "own")
    sentence = str(caught.value)
    assert named(whole) in sentence
    assert "; " in sentence or ", so " in sentence
    expected = {"wrong bytes": "checksum", "cut off": "received 3000 bytes"}
    expected |= {"not found": "404", "gone": "network", "held but bad": "checksum"}
    assert expected[fault] in sentence
    assert list((tmp_path / "own").iterdir()) == []


def test_a_pickle_with_the_right_checksum_still_runs_no_code(answer, tmp_path):
    class Harmful:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "harm",))

    given, address = answer
    for given.body in (
        pickle.dumps(Harmful(), protocol=2),
        b"no pickle at all",
        b"PK\x03\x04 no zip at all",
    ):
        with pytest.raises(GnetError, match="state dict"):
            weights.imagenet(url=f"{address}/{named(given.body)}")
    assert not (tmp_path / "harm").exists()


def test_addresses_without_a_checksum_or_off_the_web_are_refused(tmp_path):
    with pytest.raises(GnetError, match="sha256"):
        weights.imagenet(url="http://127.0.0.1:1/googlenet.pth", cache=tmp_path)
    with pytest.raises(GnetError, match="only http and https"):
        weights.imagenet(url="file:///etc/googlenet-00000000.pth", cache=tmp_path)


def test_a_server_that_does_not_say_how_much_is_believed_up_to_a_bound(
    answer, tmp_path, monkeypatch
):
    given, address = answer
    given.body, given.length = bytes(1000), None
    checksum = hashlib.sha256(given.body).hexdigest()
    seen = []
    path = download.download(
        address, tmp_path / "a", sha256=checksum, progress=lambda *told: seen.append(told)
    )
    assert path.read_bytes() == given.body
    assert seen == [(1000, 0)]
    monkeypatch.setattr(download, "MOST_BYTES", 999)
    with pytest.raises(GnetError, match="more than 0 MB were sent"):
        download.download(address, tmp_path / "b", sha256=checksum)
    assert not (tmp_path / "b").exists()


def test_a_failed_download_leaves_the_file_that_was_there(answer, tmp_path):
    given, address = answer
    given.body = b"rubbish"
    path = tmp_path / "a"
    path.write_bytes(b"good")
    with pytest.raises(GnetError, match="checksum"):
        download.download(address, path, sha256="00")
    assert path.read_bytes() == b"good"


def test_a_silent_server_is_waited_for_until_the_timeout(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a"
        with pytest.raises(GnetError, match="timed out"):
            download.download(address, tmp_path / "a", sha256="", timeout=0.1)


def test_a_bar_is_shown_unless_a_progress_is_given(answer, tmp_path, monkeypatch):
    given, address = answer
    given.body = bytes(1000)
    drawn = []
    monkeypatch.setattr(Bar, "__call__", lambda bar, *told: drawn.append((bar.title, *told)))
    checksum = hashlib.sha256(given.body).hexdigest()
    download.download(address, tmp_path / "a", sha256=checksum, progress=lambda *_: None)
    assert drawn == []
    download.download(address, tmp_path / "a", sha256=checksum)
    assert drawn == [("downloading a", 1000, 1000)]
