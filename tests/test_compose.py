"""The compose file: its services fit the image, its options exist, its proxy keeps viewers apart.

The proxy itself is run where it is installed, in front of two small servers.
"""

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gnet import app
from gnet.ui.http.health import ADDRESS
from support.root import ROOT

IMAGE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROXY = ROOT / "examples" / "Caddyfile"
CADDY = shutil.which("caddy")


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def servers(composed: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in composed["services"].items() if "build" in one}


def test_the_servers_start_with_options_that_exist_and_trust_one_proxy(composed: dict) -> None:
    assert len(servers(composed)) == 2
    for server in servers(composed).values():
        python, script, *given = server["command"].split()
        assert (python, script) == ("python", "app.py")
        options = app.parser().parse_args(given)
        assert options.host == "0.0.0.0" and options.trusted_proxies == 1
        assert options.max_minutes and options.max_epochs


def test_they_share_the_folder_of_runs_that_the_image_may_write_to(composed: dict) -> None:
    for server in servers(composed).values():
        (volume,) = server["volumes"]
        name, _, place = volume.partition(":")
        assert name in composed["volumes"] and f"VOLUME {place}\n" in IMAGE
        assert f"--runs-folder {place}" in server["command"]


def test_the_proxy_waits_for_servers_that_are_well_and_knows_all_of_them(composed: dict) -> None:
    proxy = composed["services"]["proxy"]
    assert proxy["depends_on"] == {
        name: {"condition": "service_healthy"} for name in servers(composed)
    }
    assert "HEALTHCHECK" in IMAGE and f"127.0.0.1:7860{ADDRESS}'" in IMAGE
    port = re.search(r"^EXPOSE (\d+)$", IMAGE, re.MULTILINE)
    assert port
    wanted = [f"{name}:{port[1]}" for name in servers(composed)]
    assert proxy["environment"]["GNET_SERVERS"].split() == wanted


def test_the_proxys_settings_are_those_it_is_given(composed: dict) -> None:
    text = PROXY.read_text(encoding="utf-8")
    proxy = composed["services"]["proxy"]
    (mounted,) = proxy["volumes"]
    assert ROOT / mounted.split(":")[0] == PROXY and mounted.endswith(":/etc/caddy/Caddyfile:ro")
    (port,) = proxy["ports"]
    assert f"\n:{port.split(':')[1]} {{" in text
    assert f"health_uri {ADDRESS}\n" in text and "lb_policy cookie" in text


class Stub(BaseHTTPRequestHandler):
    """Says which server it is, and for whom it was asked."""

    def do_GET(self) -> None:
        told = f"{self.connection.getsockname()[1]} {self.headers['X-Forwarded-For']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *_: Any) -> None:
        pass


@contextmanager
def stub() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.skipif(CADDY is None, reason="the proxy, caddy, is not installed")
def test_the_proxy_keeps_a_viewer_at_one_server_and_says_whose_address_it_is(
    tmp_path: Path,
) -> None:
    assert CADDY
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = tmp_path / "Caddyfile"
    text = PROXY.read_text(encoding="utf-8").replace(":8080 {", f"http://127.0.0.1:{port} {{")
    settings.write_text("{\n\tadmin off\n}\n" + text, encoding="utf-8")
    with stub() as one, stub() as other:
        places = [f"127.0.0.1:{server.server_port}" for server in (one, other)]
        proxy = subprocess.Popen(
            [CADDY, "run", "--config", str(settings), "--adapter", "caddyfile"],
            env=os.environ | {"GNET_SERVERS": " ".join(places), "HOME": str(tmp_path)},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert proxy.stderr
        with proxy.stderr:
            try:
                assert any("serving initial configuration" in line for line in proxy.stderr)
                address = f"http://127.0.0.1:{port}/"
                seen = set()
                for _ in range(12):
                    with httpx.Client(trust_env=False) as viewer:
                        given = {"X-Forwarded-For": "9.9.9.9"}
                        told = [viewer.get(address, headers=given).text for _ in range(3)]
                    (place, address_told) = told[0].split()
                    assert told == [told[0]] * 3 and address_told == "127.0.0.1"
                    seen.add(place)
                assert len(seen) == 2
            finally:
                proxy.terminate()
                proxy.wait()
