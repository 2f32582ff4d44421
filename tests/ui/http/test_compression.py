"""The page comes compressed where the browser can read it; everything else comes as it is."""

import gzip

import httpx

from support.pages import Server

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
