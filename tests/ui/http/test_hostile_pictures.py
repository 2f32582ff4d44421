"""More than three hundred pictures from strangers: an answer or one sentence each, over http."""

import json
from collections.abc import Iterator

import httpx
import pytest

from support.hostile_pictures import hostile_pictures
from support.pages import on_a_free_port, photo, random_network


@pytest.fixture(scope="module")
def client(gradio_environment: None) -> Iterator[httpx.Client]:
    with (
        on_a_free_port(random_network(size=32)) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
    ):
        yield client


def explored(client: httpx.Client, name: str, content: bytes) -> tuple[str, str]:
    """What the server makes of a file: "complete" or "error", and its words."""
    sent = client.post("/gradio_api/upload", files={"files": (name, content)})
    if sent.status_code != 200:
        assert sent.status_code in range(400, 500), f"{name}: {sent.status_code}"
        return "error", "Not taken."
    picture = {"path": sent.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}
    asked = client.post("/gradio_api/call/explore", json={"data": [picture]})
    assert asked.status_code == 200, f"{name}: {asked.text}"
    found = client.get(f"/gradio_api/call/explore/{asked.json()['event_id']}").text
    kind, _, words = found.strip().rpartition("event: ")[2].partition("\ndata: ")
    return kind.strip(), words


def test_each_is_answered_or_refused_in_one_sentence_and_the_server_goes_on(
    client: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    cases = list(hostile_pictures())
    assert len(cases) >= 300
    answered, said = 0, set()
    for name, content in cases:
        kind, words = explored(client, name, content)
        if kind == "complete":
            answer = json.loads(json.loads(words)[0])
            assert answer["stages"] and "/tmp" not in json.dumps(answer["name"]), name
            answered += 1
            continue
        assert kind == "error", f"{name}: {kind} {words[:200]}"
        sentence = words if words == "Not taken." else json.loads(words)["error"]
        assert sentence.endswith("."), f"{name}: {sentence}"
        for hidden in ("Traceback", "/tmp", "site-packages", "server's log"):
            assert hidden not in sentence, f"{name}: {sentence}"
        said.add(sentence)
    assert answered > 100 and len(said) > 20
    kind, _ = explored(client, "photo.jpg", photo(64, 64))
    assert kind == "complete"
    assert "Traceback" not in capfd.readouterr().err
