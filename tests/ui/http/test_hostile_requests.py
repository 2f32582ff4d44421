"""Requests that hypothesis draws: any value, id, path and size is a sentence or a 4xx."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gnet.serving.limits import RunLimits
from gnet.serving.networks.offered import NetworkOffers
from gnet.serving.networks.own import OwnNetworks
from gnet.serving.runs import Runs
from gnet.ui.events import UNFORESEEN
from support.hostile_values import PICTURE, VALUES
from support.json_values import anything, cheap
from support.pages import on_a_free_port, random_network

TOLD = ("Traceback", "site-packages", "/tmp/", '.py"', "Error(")
"""What would tell a stranger about the server."""
JSON = {"Content-Type": "application/json"}
TEXTS = [value for value in VALUES if isinstance(value, str)]
WORDS = st.sampled_from(TEXTS) | st.text(max_size=30)
PLACES = ("queue/join", "call/explore", "call/v2/explore", "component_server", "upload")
"""Parts of Gradio's own addresses."""


@pytest.fixture(scope="module")
def client(
    gradio_environment: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("strange")
    offers = NetworkOffers(own=OwnNetworks(folder / "networks"))
    limits = RunLimits(uploads=folder / "zips")
    with (
        Runs(folder / "runs", limits) as runs,
        on_a_free_port(random_network(), runs, offers=offers, mcp=True) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
    ):
        yield client
        assert client.get("/healthz").status_code == 200


@pytest.fixture(scope="module")
def takes(client: httpx.Client) -> dict[str, int]:
    """Endpoint → how many values it takes."""
    known = client.get("/config").json()["dependencies"]
    return {d["api_name"]: len(d["inputs"]) for d in known if d["api_name"]}


def checked(answer: httpx.Response) -> None:
    """A sentence or a status below 500, and nothing of the server itself."""
    assert answer.status_code < 500, answer.text[:300]
    if answer.headers.get("content-type", "").startswith(("application/json", "text/plain")):
        assert UNFORESEEN not in answer.text
        assert not [word for word in TOLD if word in answer.text], answer.text[:300]


def sent(value: Any) -> bytes:
    return json.dumps(value).encode()


@cheap
@given(draw=st.data())
def test_an_endpoint_given_anything(
    client: httpx.Client, takes: dict[str, int], draw: st.DataObject
) -> None:
    name = draw.draw(st.sampled_from(sorted(takes)))
    values = draw.draw(st.lists(anything, min_size=takes[name], max_size=takes[name]))
    if draw.draw(st.integers(0, 3)):
        values[:1] = [PICTURE] * bool(values)
    body = {"data": values, "session_hash": "stranger"}
    answer = client.post(f"/gradio_api/call/{name}", content=sent(body), headers=JSON)
    checked(answer)
    if answer.status_code == 200:
        waiting = f"/gradio_api/call/{name}/{answer.json()['event_id']}"
        with client.stream("GET", waiting) as stream:
            told = "".join(stream.iter_text())
        assert UNFORESEEN not in told and not [word for word in TOLD if word in told]


@cheap
@given(place=st.sampled_from(PLACES), body=anything, member=anything)
@example(place="queue/join", body={"fn_index": True, "data": []}, member=None)
@example(place="component_server", body={"component_id": 1.0, "fn_name": "price"}, member={})
def test_gradios_own_addresses_given_anything(
    client: httpx.Client, place: str, body: Any, member: Any
) -> None:
    for content in (body, {"data": member, "fn_index": body, "component_id": body}):
        checked(client.post(f"/gradio_api/{place}", content=sent(content), headers=JSON))


@cheap
@given(run=WORDS, kind=WORDS)
def test_a_download_of_any_name(client: httpx.Client, run: str, kind: str) -> None:
    parts = [quote(part.encode("utf-8", "surrogatepass"), safe="") for part in (run, kind)]
    checked(client.get(f"/download/{parts[0]}/{parts[1]}"))


@cheap
@given(content=st.binary(max_size=400), module=WORDS, net=WORDS)
def test_a_frame_of_any_bytes(client: httpx.Client, content: bytes, module: str, net: str) -> None:
    given = [quote(text.encode("utf-8", "surrogatepass"), safe="") for text in (module, net)]
    checked(client.post(f"/frame?module={given[0]}&net={given[1]}", content=content))


@cheap
@given(kind=st.sampled_from(["zip", "network"]), name=WORDS, content=st.binary(max_size=400))
def test_a_file_of_ones_own_of_any_bytes(
    client: httpx.Client, kind: str, name: str, content: bytes
) -> None:
    named = quote(name.encode("utf-8", "surrogatepass"), safe="")
    checked(client.put(f"/{kind}/{named}", content=content))


@cheap
@given(method=WORDS, params=anything)
def test_the_tools_address_given_anything(client: httpx.Client, method: str, params: Any) -> None:
    accept = JSON | {"Accept": "application/json"}
    for body in (
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
        {"jsonrpc": "2.0", "id": 1, "method": method, "params": params},
        params,
    ):
        checked(client.post("/mcp", content=sent(body), headers=accept))
