"""Every endpoint and server function, asked by strangers: a sentence or a 4xx, never a trace."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gnet.serving.limits import RunLimits
from gnet.serving.run_card import RunCard, hashed, write_card
from gnet.serving.run_review import review_run
from gnet.serving.runs import Runs
from gnet.ui.events import UNFORESEEN
from support import pretend_training
from support.hostile_values import PICTURE, arguments, behind_a_picture
from support.pages import with_training
from support.training_runs import run, tiny

TRIES = 12
"""Calls of each endpoint and function."""
JSON = {"Content-Type": "application/json"}
PARTS = (
    *("run", "since", "owner", "also", "action", "value", "name", "net", "ticket", "question"),
    *("runs", "head", "right", "truth", "answer", "start"),
)
"""What server functions read in a question."""
RUN, OWNER = "first" + "1" * 17, "owner-of-the-run"
THERE = {"run": RUN, "owner": OWNER, "since": 0, "net": RUN, "head": "main", "stage": "4b"}
"""Parts of a question about a run that there is, by its owner."""
TOLD = re.compile(r"Traceback|File \\?\"|\.py\b|site-packages|/tmp/|Error\(")
"""What would tell a stranger about the server."""


@pytest.fixture(scope="module")
def client(
    gradio_environment: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("runs")
    run(tiny(per_class=20, epochs=1), folder / RUN)
    write_card(folder / RUN, RunCard(name="a", experiment="", owner=hashed(OWNER), created=1.0))
    review_run(folder / RUN)
    with (
        Runs(folder, RunLimits(), command=pretend_training.COMMAND, niceness=0) as runs,
        with_training(runs) as server,
        httpx.Client(base_url=server.address, trust_env=False, timeout=60) as client,
    ):
        yield client


def check(asked: str, status: int, words: str) -> list[str]:
    """What is wrong with an answer."""
    wrong = []
    if status != 200 and status not in range(400, 500):
        wrong.append(f"{asked}: {status} {words[:200]}")
    if UNFORESEEN in words or words.strip() in ("null", '{"error": null}'):
        wrong.append(f"{asked}: unforeseen")
    if told := TOLD.search(words):
        wrong.append(f"{asked}: tells {words[max(0, told.start() - 80) : told.end() + 80]}")
    return wrong


def called(client: httpx.Client, name: str, data: list[Any]) -> tuple[int, str]:
    """An endpoint's status and, where it was not answered, its words."""
    content = json.dumps({"data": data, "session_hash": "stranger"}).encode()
    given = client.post(f"/gradio_api/call/{name}", content=content, headers=JSON)
    if given.status_code != 200:
        return given.status_code, given.text
    text = client.get(f"/gradio_api/call/{name}/{given.json()['event_id']}").text
    kind, _, words = text.strip().rpartition("event: ")[2].partition("\ndata: ")
    return 200, "" if kind.strip() == "complete" else words


def test_every_endpoint_answers_strangers_in_a_sentence(client: httpx.Client) -> None:
    config = client.get("/config").json()
    named = {d["api_name"]: len(d["inputs"]) for d in config["dependencies"] if d["api_name"]}
    assert len(named) > 30
    wrong, answered = [], 0
    for seed, (name, count) in enumerate(sorted(named.items())):
        for data in behind_a_picture(count, seed, TRIES) if count else [[]]:
            status, words = called(client, name, data)
            wrong += check(f"{name}({json.dumps(data)[:300]})", status, words)
            answered += not words and data[:1] == [PICTURE]
    assert wrong == [] and answered > 50


def test_every_server_function_answers_strangers_in_a_sentence(client: httpx.Client) -> None:
    config = client.get("/config").json()
    wrong, asked, answered, draw = [], 0, 0, random.Random(5)
    for component in config["components"]:
        for seed, function in enumerate(component["props"].get("server_fns", [])):
            for values in arguments(len(PARTS), seed + component["id"], TRIES):
                whole = isinstance(values[0], list)  # then the question is no object
                data = values[0] if whole else dict(zip(PARTS, values, strict=True))
                if isinstance(data, dict):
                    data |= {part: v for part, v in THERE.items() if draw.random() < 0.7}
                content = {
                    "data": data,
                    "component_id": component["id"],
                    "fn_name": function,
                    "session_hash": "stranger",
                }
                answer = client.post(
                    "/gradio_api/component_server",
                    content=json.dumps(content).encode(),
                    headers=JSON,
                )
                wrong += check(f"{function}({data!r:.300})", answer.status_code, answer.text)
                asked += 1
                answered += answer.status_code == 200 and "error" not in answer.text[:20]
    assert asked > 10 * TRIES and answered > asked / 10 and wrong == []
    assert client.get("/healthz").status_code == 200
