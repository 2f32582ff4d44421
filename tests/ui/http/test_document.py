"""The page comes compressed where the browser can read it, and its links hold under any path."""

import gzip
import re

import httpx

from support.pages import Server
from support.waiting import until

COUNT_FRAMES = """
  const draw = requestAnimationFrame;
  window.drawn = 0;
  window.requestAnimationFrame = (frame) => { drawn += 1; return draw(frame); };
"""
STILL = """async () => {
  const before = drawn;
  await new Promise((done) => setTimeout(done, 300));
  return before > 0 && drawn === before;
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


def test_streams_of_answers_are_not_compressed(server: Server) -> None:
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client:
        asked = client.post("gradio_api/call/explore", json={"data": [{"example": "cat"}]})
        answer = client.get(f"gradio_api/call/explore/{asked.json()['event_id']}")
    assert "content-encoding" not in answer.headers and "event: complete" in answer.text


def test_a_first_visit_loads_less_than_900_kb(visit) -> None:
    page = visit().page
    entries = "['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind))"
    loaded = sum(page.evaluate(f"{entries}.map((one) => one.transferSize)"))
    assert 0 < loaded < MOST


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
