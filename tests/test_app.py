"""gnet/app.py: its options, what they reach, and how the server starts and stops."""

import getpass
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gnet import app, ui
from gnet.errors import GnetError
from gnet.network import weights
from gnet.serving.limits import RunLimits
from gnet.ui.http.rates import RateLimits
from support.networks import network
from support.pages import random_network
from support.root import ROOT


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The runs a page would be built with; nothing is served."""
    built = []

    def build(model: Any, runs: Any, *, offers: Any, lessons: Any) -> None:
        built.append(runs)
        runs.offered = offers
        raise GnetError("nothing is served here")

    monkeypatch.setattr(ui, "build", build)
    monkeypatch.setattr(weights, "load", lambda _: network("batch-norm"))
    monkeypatch.setattr("gnet.ui.environment.prepare", lambda: Path("uploads"))
    monkeypatch.setattr(app.signal, "signal", lambda *_: None)
    return built


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def start(tmp_path: Path, *options: str) -> int:
    return app.main(["--port", free_port(), "--runs-folder", str(tmp_path / "runs"), *options])


def test_training_has_no_limits_unless_they_are_given(served, tmp_path):
    assert start(tmp_path) == 2
    (runs,) = served
    assert replace(runs.limits, uploads=None) == RunLimits()
    assert runs.folder == tmp_path / "runs"
    names = [thread.name for thread in threading.enumerate()]
    assert "runs" not in names  # they were closed with the page


@pytest.mark.parametrize(
    ("options", "trains"),
    [
        ((), True),
        (("--host", "0.0.0.0"), False),
        (("--root-path", "/gnet"), False),
        (("--host", "0.0.0.0", "--train"), True),
        (("--no-train",), False),
    ],
)
def test_where_others_reach_the_server_nobody_trains_unless_it_is_said(
    served, tmp_path, options, trains
):
    start(tmp_path, *options)
    assert served[0].limits.enabled is trains


@pytest.mark.parametrize("wrong", ["name", "name:", ":word", ":"])
def test_a_login_is_a_name_and_a_password(wrong, capsys):
    with pytest.raises(SystemExit):
        app.parser().parse_args(["--auth", wrong])
    assert "a name, a colon and a password" in capsys.readouterr().err


def test_a_page_with_a_login_starts_and_asks_for_it_and_a_space_may_frame_it(tmp_path):
    space = {"SPACE_ID": "a-class/gnet", "GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SSR_MODE": "true"}
    with started(tmp_path, GNET_AUTH="class:word", **space) as (address, page):
        assert page == "This server asks for a name and a password."
        assert address.startswith("http://localhost:")
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"{address}/healthz").json()["status"] == "ok"
            answer = client.get(address, auth=("class", "word"))
        assert "gnet" in answer.text and "gradio_config" in answer.text
        policy = answer.headers["Content-Security-Policy"]
        assert re.search(r"frame-ancestors [^;]*https://huggingface\.co(;|$)", policy)


def test_limits_reach_the_runs(served, tmp_path):
    given = "--max-epochs 7 --max-minutes 2.5 --max-size 96 --max-runs 9 --max-queue 5 "
    given += "--max-pause 1.5 --no-train"
    assert start(tmp_path, *given.split()) == 2
    limits = RunLimits(
        max_epochs=7,
        max_minutes=2.5,
        max_size=96,
        max_runs=9,
        max_queue=5,
        max_pause=1.5,
        enabled=False,
    )
    assert replace(served[0].limits, uploads=None) == limits


def test_the_limits_a_minute_are_the_middlewares_own_unless_others_are_given() -> None:
    for given, limits in (
        ((), RateLimits()),
        (
            (
                "--max-answers=7",
                "--max-address-answers=0",
                "--max-uploads=3",
                "--trusted-proxies=2",
            ),
            RateLimits(answers=7, address_answers=0, uploads=3, proxies=2),
        ),
    ):
        assert app.rates_of(app.parser().parse_args(given)) == limits


def test_folders_of_pictures_that_runs_may_use_are_given_one_by_one(served, tmp_path, capsys):
    both = [tmp_path / "cats", tmp_path / "dogs.zip"]
    both[0].mkdir()
    both[1].touch()
    assert start(tmp_path, *[f"--data-folder={path}" for path in both]) == 2
    assert served[0].limits.folders == tuple(both)
    assert served[0].limits.uploads.name == "zips"
    with pytest.raises(SystemExit):
        app.main(["--data-folder", str(tmp_path / "none")])
    assert "allowed is a folder or zip that exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ("", True),
        ("--host localhost", True),
        ("--host ::1", True),
        ("--host 0.0.0.0", False),
        ("--root-path /gnet", False),
        ("--host 0.0.0.0 --download-weights", True),
        ("--no-download-weights", False),
    ],
)
def test_viewers_download_weights_on_a_private_server_or_where_it_is_allowed(
    served, tmp_path, monkeypatch, options: str, allowed: bool
) -> None:
    monkeypatch.setattr(app, "check_port", lambda *_: None)
    assert start(tmp_path, *options.split()) == 2
    assert served[0].offered.published.allowed is allowed
    assert served[0].offered.own.folder.name == "networks"


def test_the_network_named_at_start_is_served_first(served, tmp_path) -> None:
    assert start(tmp_path, "--weights", "imagenet") == 2
    assert served[0].offered.served == "imagenet"


@pytest.mark.parametrize(
    "option", ["--max-epochs=-1", "--max-runs=2.5", "--max-minutes=nan", "--max-minutes=-1"]
)
def test_a_limit_that_is_none_is_refused(option, capsys):
    with pytest.raises(SystemExit) as caught:
        app.main([option])
    assert caught.value.code == 2 and "allowed are" in capsys.readouterr().err


def test_a_folder_that_cannot_keep_runs_is_a_sentence(served, tmp_path, capsys):
    (tmp_path / "runs").touch()
    assert start(tmp_path) == 2
    said = capsys.readouterr().err
    assert said.startswith("gnet: Cannot keep runs in ") and said.count("\n") == 1


@contextmanager
def started(tmp_path: Path, *options: str, **variables: str) -> Iterator[tuple[str, str]]:
    """A server in a process of its own: the address that it prints, and the page there."""
    with (
        process(tmp_path, *options, **variables) as (address, _),
        httpx.Client(trust_env=False) as client,
    ):
        yield address, client.get(address).text


@contextmanager
def process(
    tmp_path: Path, *options: str, **variables: str
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A server in a process of its own, and the address that it prints."""
    model = weights.save(random_network(), tmp_path / "small.safetensors")
    own = ["--port", free_port(), "--weights", str(model), "--runs-folder", str(tmp_path / "runs")]
    with subprocess.Popen(
        [sys.executable, "app.py", *own, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)} | variables,
    ) as process:
        try:
            assert process.stdout and process.stderr
            line = process.stdout.readline().strip()
            assert line.startswith("gnet is at http"), process.stderr.read()
            yield line.removeprefix("gnet is at "), process
        finally:
            process.terminate()


def test_a_server_behind_a_proxy_finds_itself_and_no_page_or_answer_holds_up_its_end(tmp_path):
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "example.org"}
    with (
        process(tmp_path, **proxies) as (address, server),
        httpx.Client(trust_env=False) as client,
    ):
        assert address.startswith("http://127.0.0.1:")
        assert "gradio_config" in client.get(address).text
        (uploads,) = tmp_path.glob("gnet-*/server-*")
        with client.stream("GET", f"{address}/gradio_api/heartbeat/anna") as stream:
            assert next(stream.iter_raw())
            asked = client.post(
                f"{address}/gradio_api/call/explore", json={"data": [{"example": "cat"}]}
            )
            assert asked.status_code == 200
            server.terminate()
            assert server.wait(20) == 0
        assert server.stderr and server.stderr.read() == "" and not uploads.exists()


def test_a_served_page_refuses_who_asks_too_often_and_logs_no_contents(tmp_path):
    options = ("--max-answers=1", "--max-address-uploads=1", "--log")
    asked = {"data": [{"example": "cat"}], "session_hash": "anna"}
    given = {"files": ("my-holiday.png", b"teal and grey")}
    with process(tmp_path, *options) as (address, server), httpx.Client(trust_env=False) as client:
        api = f"{address}/gradio_api"
        answers = [client.post(f"{api}/call/explore", json=asked) for _ in range(2)]
        uploads = [client.post(f"{api}/upload", files=given) for _ in range(2)]
        server.terminate()
        server.wait(20)
        assert server.stderr
        text = server.stderr.read()
    assert [answer.status_code for answer in answers] == [200, 429]
    assert "1 answers a minute to one person" in answers[1].json()["error"]
    assert [upload.status_code for upload in uploads] == [200, 429]
    lines = [json.loads(line) for line in text.splitlines()]
    told = [(line["method"], line["path"], line["status"]) for line in lines]
    assert [line for line in told if line[0] == "POST"] == [
        ("POST", f"/gradio_api/{path}", status)
        for path in ("call/explore", "upload")
        for status in (200, 429)
    ]
    assert not [word for word in ("holiday", "teal", "cat", "anna", "127.0.0.1") if word in text]


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_a_server_listens_on_ipv6_under_a_path_and_where_its_folder_is_taken(host, tmp_path):
    (tmp_path / f"gnet-{getpass.getuser()}").write_text("a file in its place")
    unknown = {"all_proxy": "socks://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    options = ("--host", host, "--root-path", "/lab/gnet/")
    with started(tmp_path, *options, **unknown) as (address, page):
        assert address.startswith("http://[::1]:")
        assert f'"root":"{address}/lab/gnet"' in page


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://localhost:80"),
        ("::", "http://[::1]:80"),
        ("fe80::1", "http://[fe80::1]:80"),
        ("my-machine", "http://my-machine:80"),
    ],
)
def test_the_address_that_is_printed_can_be_opened(host, shown):
    assert app.address(host, 80) == app.address(host, 80, "/gnet") == shown
    assert app.address(host, 80, "https://example.org/gnet") == "https://example.org/gnet"


@pytest.mark.parametrize("host", ["a" * 64, "a..b", f"{'a' * 64}.example.org"])
def test_a_name_that_no_host_can_have_is_a_sentence(host, capsys):
    assert app.main(["--host", host, "--port", free_port()]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"gnet: cannot listen on {host}:") and said.count("\n") == 1
    assert "no host has such a name" in said


class Page:
    """A page whose start fails, and at whose start `first` is done."""

    is_running = False

    def __init__(self, first: Callable[[int], Any]) -> None:
        self.first = first

    def launch(self, *, server_port: int, **_: Any) -> None:
        self.first(server_port)
        raise OSError("the disk is full")


def test_only_a_port_that_is_taken_is_called_so(served, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(ui, "build", lambda *_, **__: Page(lambda _: None))
    with pytest.raises(OSError, match="the disk is full"):
        start(tmp_path)
    with socket.socket() as taken:

        def take(port: int) -> None:
            taken.bind(("127.0.0.1", port))
            taken.listen()

        monkeypatch.setattr(ui, "build", lambda *_, **__: Page(take))
        assert start(tmp_path) == 2
    said = capsys.readouterr().err
    assert said.startswith("gnet: cannot listen on 127.0.0.1:") and "in use" in said


@pytest.mark.parametrize("path", ["gnet", "/a b", "ftp://example.org/", "/a?b"])
def test_a_root_path_that_is_none_is_refused(path, capsys):
    with pytest.raises(SystemExit) as caught:
        app.main(["--root-path", path])
    assert caught.value.code == 2
    assert "allowed is a path that begins with /" in capsys.readouterr().err


def test_a_proxys_path_may_come_from_gradios_own_variable(monkeypatch):
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/gnet")
    assert app.parser().parse_args([]).root_path == "/gnet"
    assert app.parser().parse_args(["--root-path", ""]).root_path == ""


def test_a_lesson_with_a_mistake_is_one_sentence(tmp_path, capsys):
    (tmp_path / "mine.json").write_text('{"title": "Mine"}')
    assert app.main(["--port", free_port(), "--lessons", str(tmp_path)]) == 2
    assert "mine.json, minutes is 'missing'" in capsys.readouterr().err
