"""Frames over http: a light answer each, mistakes as one sentence, others first, nothing kept."""

import io
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from gnet.answers.live.frame import MOST_BYTES
from gnet.network.model import GoogLeNet
from support.pages import Server, photo

VIEWERS, SECONDS = 5, 4.0


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def frame(page_model: GoogLeNet) -> bytes:
    return square(page_model.info.preprocessing.size)


def square(side: int) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(photo(320, 240))).resize((side, side)).save(file, "JPEG", quality=90)
    return file.getvalue()


def test_a_frame_is_answered_and_nowhere_kept(client: Any, frame: bytes) -> None:
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    before = sorted(folder.rglob("*"))
    answer = client.post("frame", params={"module": "4b"}, content=frame)
    assert answer.status_code == 200 and answer.json()["stage"] == "4b"
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("about", "content", "status", "words"),
    [
        ({"module": "9z"}, None, 422, "There is no module '9z'"),
        ({}, None, 422, "There is no module"),
        ({"module": "4b", "net": "none"}, None, 404, "There is no network 'none'"),
        ({"module": "4b"}, b"just words\n" * 9, 422, "is not a picture but text"),
        ({"module": "4b"}, b"", 422, "is empty"),
        ({"module": "4b"}, square(30), 422, "30×30 px; allowed are"),
        ({"module": "4b"}, bytes(MOST_BYTES + 1), 413, "more than 500,000 bytes"),
    ],
)
def test_what_is_no_frame_is_refused_with_one_sentence(
    client: Any, frame: bytes, about: dict, content: bytes | None, status: int, words: str
) -> None:
    refused = client.post("frame", params=about, content=frame if content is None else content)
    sentence = refused.json()["error"]
    assert refused.status_code == status and words in sentence
    assert sentence.endswith(".") and "\n" not in sentence


def explore(client: httpx.Client, seed: float) -> None:
    """One viewer's request that runs the network: a square that nobody has asked for."""
    picture = {"example": "cat", "box": [seed % 40, 0, 200 + seed % 30]}
    asked = client.post("gradio_api/call/explore", json={"data": [picture]}).json()["event_id"]
    assert "event: complete" in client.get(f"gradio_api/call/explore/{asked}").text


def load(address: str, frame: bytes, camera: bool, turn: int) -> tuple[list[float], float]:
    """The seconds of each of five viewers' requests, and the answers a second of a camera."""
    end = time.monotonic() + SECONDS

    def until(act: Callable[[httpx.Client, int], object]) -> list[float]:
        took = []
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
            while (begun := time.monotonic()) < end:
                act(client, len(took))
                took.append(time.monotonic() - begun)
        return took

    def view(number: int) -> list[float]:
        def ask(client: httpx.Client, count: int) -> None:
            explore(client, 7.0 * count + 1.3 * number + 100.7 * turn)

        return until(ask)

    with ThreadPoolExecutor(VIEWERS + 1) as people:
        about = {"module": "4b"}
        filming = (
            people.submit(
                until, lambda client, _: client.post("frame", params=about, content=frame)
            )
            if camera
            else None
        )
        took = [seconds for one in people.map(view, range(VIEWERS)) for seconds in one]
        return took, len(filming.result()) / SECONDS if filming else 0.0


def test_others_requests_go_before_a_cameras_frames(
    server: Server, client: Any, frame: bytes, timed: Callable[[str, float], None]
) -> None:
    begun, count = time.monotonic(), 0
    while time.monotonic() < begun + 0.5:
        client.post("frame", params={"module": "4b"}, content=frame)
        count += 1
    timed("a frame, one viewer", (time.monotonic() - begun) / count)
    ratios, rate = [], 0.0
    for turn in range(3):
        without, _ = load(server.address, frame, False, 2 * turn)
        beside, rate = load(server.address, frame, True, 2 * turn + 1)
        late = [statistics.quantiles(took, n=20)[-1] for took in (without, beside)]
        timed("p95 of five viewers' requests", late[0])
        timed("p95 of five viewers' requests beside a camera", late[1])
        timed("a frame beside five viewers", 1 / rate)
        ratios.append(late[1] / late[0])
        if ratios[-1] <= 1.5:
            break
    assert min(ratios) <= 1.5
    assert rate > 0.5, "a camera never stands still"
