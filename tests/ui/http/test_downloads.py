"""What a run's files say when they are fetched: all but where the server keeps its own."""

import json
from dataclasses import replace
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gnet.runs.events import RunEnded, StepDone, to_line
from gnet.runs.folder import EVENTS, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.serving.run_card import RunCard, write_card
from gnet.serving.shelf import RunShelf

RUN = "r" * 22
STEP = StepDone(
    step=1,
    epoch=1,
    size=32,
    loss=float("nan"),
    losses={"main": 0.1},
    accuracy={"main": 0.5},
    learning_rate=0.1,
    pictures_per_second=12.5,
    seconds=0.1,
)


@pytest.fixture
def shelf(tmp_path):
    """A run that failed and said why."""
    secret = tmp_path / "a secret place"
    folder = RunFolder(secret / RUN)
    folder.create(TrainConfig(data=str(tmp_path / "their cats.zip")))
    card = RunCard(name="My run!", experiment="", owner="", created=0.0, process=2**22 + 1)
    write_card(folder.path, card)
    message = f"Cannot write {folder.path}/state.safetensors (No space left on device)."
    ended = RunEnded(step=1, reason="failed", seconds=0.2, message=message)
    (folder.path / EVENTS).write_text(to_line(STEP) + to_line(ended))
    return RunShelf(secret)


@pytest.fixture
def client(shelf, gradio_environment):
    from gnet.ui.http.downloads import routes

    with TestClient(Starlette(routes=routes(shelf))) as client:
        yield client


def test_a_runs_name_in_any_script_names_its_downloads(client, shelf):
    folder = shelf.run_folder(RUN).path
    write_card(folder, replace(shelf.card(RUN), name="мой прогон"))
    name = quote("мой-прогон")
    for kind, file in (("events", "events.jsonl"), ("config", "config.json")):
        answer = client.get(f"/download/{RUN}/{kind}")
        assert answer.status_code == 200
        expected = f"attachment; filename*=utf-8''{name}-{file}"
        assert answer.headers["content-disposition"] == expected


def test_events_are_fetched_without_the_servers_paths(client, shelf):
    answer = client.get(f"/download/{RUN}/events")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-run-events.jsonl"'
    first, second = answer.text.splitlines(keepends=True)
    assert first == to_line(STEP)
    sentence = "Cannot write state.safetensors (No space left on device)."
    assert json.loads(second)["message"] == sentence
    assert "secret" not in answer.text


def test_the_page_is_told_why_a_run_failed_without_the_servers_paths(shelf):
    told = shelf.follow(RUN)
    assert told["run"]["message"] == "Cannot write state.safetensors (No space left on device)."
    assert told["events"][-1]["message"] == told["run"]["message"]
    assert told["run"]["config"]["data"] == "their cats.zip"
    assert "secret" not in json.dumps(told)
    (shelf.folder / RUN / "log.txt").write_text(
        f"gnet: There is no data set '{shelf.folder}/pets.zip'; give one.\n"
    )
    assert shelf.follow(RUN)["run"]["message"] == "There is no data set 'pets.zip'; give one."


def test_what_the_server_could_not_start_is_told_without_its_paths(shelf):
    card = replace(shelf.card(RUN), message=f"It could not be started: {shelf.folder}/x is gone")
    write_card(shelf.folder / RUN, card)
    assert shelf.follow(RUN)["run"]["message"] == "It could not be started: x is gone"


def test_an_owner_is_told_no_paths_either(shelf):
    owner = "owner-of-the-runs"
    from gnet.serving.run_card import hashed

    write_card(shelf.folder / RUN, replace(shelf.card(RUN), owner=hashed(owner)))
    (row,) = shelf.list(owner)
    assert row["mine"] and row["config"]["data"] == "their cats.zip"


def test_a_line_that_is_damaged_or_unfinished_tells_nothing(client, shelf):
    with (shelf.folder / RUN / EVENTS).open("a") as file:
        file.write('{"type": "RunEnded", "message": "/a secret place/')
    answer = client.get(f"/download/{RUN}/events")
    assert answer.status_code == 200 and "secret" not in answer.text


def test_a_file_that_cannot_be_read_is_a_sentence_without_the_servers_paths(client, shelf):
    (shelf.folder / RUN / "config.json").write_text("{")
    answer = client.get(f"/download/{RUN}/config")
    assert answer.status_code == 404 and "holds no run" in answer.text
    assert "secret" not in answer.text
    (shelf.folder / RUN / EVENTS).unlink()
    answer = client.get(f"/download/{RUN}/events")
    assert answer.status_code == 404 and "no events yet" in answer.text


def test_a_zip_for_which_there_is_no_room_is_a_sentence(client, monkeypatch):
    from gnet.ui.http import downloads

    def full(*_, **__):
        raise OSError(28, "No space left on device", "/tmp/gnet-scalars-x")

    monkeypatch.setattr(downloads.tempfile, "TemporaryDirectory", full)
    answer = client.get(f"/download/{RUN}/tensorboard")
    assert answer.status_code == 507
    assert answer.text == (
        "The server cannot make that file (No space left on device); try again later.\n"
    )


def test_a_toast_names_no_folder(gradio_environment):
    import gradio as gr

    from gnet.errors import GnetError
    from gnet.ui.events import spoken

    with pytest.raises(gr.Error) as caught, spoken():
        raise GnetError("'/srv/a secret place/x.zip' is no zip; give one.")
    assert "secret" not in str(caught.value) and "x.zip" in str(caught.value)


def test_curves_are_written_for_tensorboard_only_when_the_events_are_others(
    client, shelf, monkeypatch
):
    pytest.importorskip("tensorboard")
    from gnet.ui.http import downloads

    made = []
    write = downloads.tensorboard_zip
    monkeypatch.setattr(
        downloads, "tensorboard_zip", lambda *given: made.append(given) or write(*given)
    )
    downloads._tensorboard.cache_clear()
    address = f"/download/{RUN}/tensorboard"
    first, second = client.get(address), client.get(address)
    assert first.headers["content-disposition"].endswith('"my-run-tensorboard.zip"')
    assert first.content == second.content and len(made) == 1
    with (shelf.folder / RUN / EVENTS).open("a") as file:
        file.write(to_line(replace(STEP, step=2)))
    assert client.get(address).status_code == 200 and len(made) == 2
