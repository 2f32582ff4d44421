"""The page comes compressed where the browser can read it, and its links hold under any path."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import httpx

from gnet.network.model import GoogLeNet
from gnet.serving.measuring import Measuring
from gnet.serving.runs import Runs
from support import pretend_measuring
from support.browser_tabs import PATIENCE
from support.looking import AT_REST, DRAWN
from support.pages import DESK, Server, on_a_free_port
from support.waiting import until

COUNT_FRAMES = """
  const draw = requestAnimationFrame;
  window.drawn = 0;
  window.counts = 0; // frames of Gradio's sign of loading
  window.requestAnimationFrame = (frame) => {
    drawn += 1;
    counts += frame.length === 0 && String(frame).includes("performance.now()");
    return draw(frame);
  };
"""
STILL = """async () => {
  const before = drawn;
  await new Promise((done) => setTimeout(done, 1000));
  return drawn === before;
}"""
MOST = 900_000
"""Bytes of everything that a first visit loads."""


def test_the_page_is_compressed_for_who_can_read_it(server: Server) -> None:
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client:
        with client.stream("GET", "/", headers={"accept-encoding": "gzip"}) as answer:
            raw = b"".join(answer.iter_raw())
            assert answer.headers["content-encoding"] == "gzip"
        plain = client.get("/", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert "frame-ancestors" in plain.headers["content-security-policy"]
        assert len(gzip.decompress(raw)) == len(plain.content) > 2 * len(raw)


def test_the_page_holds_no_component_of_an_endpoint_and_the_config_for_programs_all(
    server: Server,
) -> None:
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client:
        page, config = client.get("/").text, client.get("/config").json()
    given = re.search(r"window\.gradio_config = (\{.*?\});</script>", page)
    assert given
    shown = json.loads(given[1])
    types = {part["type"] for part in shown["components"]}
    assert "html" in types and "api" not in types
    names = {event["api_name"] for event in config["dependencies"]}
    assert {"explore", "attribute"} <= names
    assert not {"explore", "attribute"} & {event["api_name"] for event in shown["dependencies"]}
    known = {part["id"] for part in config["components"]}
    assert all(set(event["inputs"]) <= known for event in config["dependencies"])


def test_streams_of_answers_are_not_compressed(server: Server) -> None:
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client:
        asked = client.post("gradio_api/call/explore", json={"data": [{"example": "cat"}]})
        answer = client.get(f"gradio_api/call/explore/{asked.json()['event_id']}")
    assert "content-encoding" not in answer.headers and "event: complete" in answer.text


def test_a_first_visit_loads_less_than_900_kb(
    gradio_environment: None, page_model: GoogLeNet, browser: Any, tmp_path: Path
) -> None:
    entries = "['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind))"
    known = Measuring(lambda: 0, command=pretend_measuring.COMMAND)
    with (
        on_a_free_port(page_model, Runs(tmp_path), known) as address,
        browser.new_context(viewport=DESK) as context,  # whose cache is empty
    ):
        page = context.new_page()
        page.goto(address, timeout=PATIENCE)
        page.wait_for_selector("html.gnet-ready", timeout=PATIENCE)
        page.wait_for_function(f"{DRAWN} && {AT_REST}", timeout=PATIENCE)
        assert page.locator("#header nav [data-tab=train]").count() == 1
        loaded = page.evaluate(f"{entries}.map((one) => one.transferSize)")
    assert 10 < len(loaded) < 250, "the browser notes no more"
    assert 300_000 < sum(loaded) < MOST


def test_the_page_links_to_nothing_above_its_own_path(server: Server) -> None:
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client:
        page = client.get("/").text
        links = set(re.findall(r'<(?:link|script)\b[^>]* (?:href|src)="([^"]+)"', page))
        assert {"favicon.ico", "manifest.json"} < links
        assert [link for link in links if link.startswith("/")] == []
        assert {client.get(link).status_code for link in links} == {200}
        assert client.get("/manifest.json").json()["name"] == "gnet"


def test_a_page_at_rest_draws_no_frame(visit) -> None:
    page = visit().page
    page.add_init_script(COUNT_FRAMES)
    page.reload()
    page.wait_for_selector("html.gnet-ready")
    until(lambda: page.evaluate(STILL))
    assert page.evaluate("counts") > 0, "there was a count to end"
