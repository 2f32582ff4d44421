"""Light answers: what they hold equals the whole answer's, and frames wait in no queue."""

import io
import threading

import pytest
from PIL import Image

from gnet.answers.answer import describe_recording
from gnet.answers.explorer import Explorer
from gnet.answers.explorers import Explorers
from gnet.answers.live.frame import read_frame
from gnet.answers.live.turns import Turns
from gnet.answers.live.viewing import MOST_WAITING, TooMany, Viewing
from gnet.errors import GnetError
from gnet.network.config import BRANCHES, STAGES
from support.pages import photo, random_network


@pytest.fixture(scope="module")
def viewing() -> Viewing:
    return Viewing(Explorers(Explorer(random_network())), Turns())


def frame(seed: int = 0, side: int = 64) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(photo(160, 120, seed))).resize((side, side)).save(file, "PNG")
    return file.getvalue()


def test_a_light_answer_says_what_the_whole_answer_says(viewing: Viewing) -> None:
    explorer = viewing.explorers.served
    answer = viewing.answer(frame(), stage="4b")
    pixels = read_frame(frame(), explorer.model.info.preprocessing)
    whole = describe_recording(explorer.record(pixels))
    assert answer["heads"] == whole["heads"] and answer["compared"] == whole["compared"]
    assert answer["stages"]["4b"] == whole["stages"]["4b"]
    for stage in STAGES:
        for branch in BRANCHES:
            here, there = (a["stages"][stage]["branches"][branch] for a in (answer, whole))
            assert here["share"] == there["share"]
    assert "map" not in answer["stages"]["3a"]["branches"]["1x1"]
    assert len(explorer.recordings) == 0, "nothing of a frame is kept"


def test_what_changed_is_said_of_a_picture_that_is_still_kept(viewing: Viewing) -> None:
    explorer = viewing.explorers.served
    info = explorer.model.info
    explorer.recordings.get(
        "before",
        info.digest,
        lambda: explorer.record(read_frame(frame(1), info.preprocessing)),
    )
    changed = viewing.answer(frame(), stage="3a", before="before")["changed"]
    assert changed["most"] and len(changed["changes"]) == 3
    assert viewing.answer(frame(), stage="3a", before="gone")["changed"] is None
    same = viewing.answer(frame(1), stage="3a", before="before")["changed"]
    assert same["most"].startswith("No probability changed")


def test_a_frame_and_a_request_run_at_once_without_hearing_each_other(viewing: Viewing) -> None:
    explorer = viewing.explorers.served
    alone = [viewing.answer(frame(seed), stage="4b")["heads"] for seed in range(4)]
    pixels = read_frame(frame(9), explorer.model.info.preprocessing)
    expected, wrong = describe_recording(explorer.record(pixels)), []

    def request() -> None:
        for _ in range(12):
            if describe_recording(explorer.record(pixels)) != expected:
                wrong.append("request")

    thread = threading.Thread(target=request)
    thread.start()
    for _ in range(3):
        for seed in range(4):
            if viewing.answer(frame(seed), stage="4b")["heads"] != alone[seed]:
                wrong.append("frame")
    thread.join()
    assert wrong == []


def test_more_frames_than_can_wait_are_refused() -> None:
    turns = Turns(patience=60.0)
    busy = Viewing(Explorers(Explorer(random_network())), turns)
    with turns.request():
        given = [busy.submit(frame(), stage="3a") for _ in range(MOST_WAITING)]
        with pytest.raises(TooMany, match=f"{MOST_WAITING} frames wait"):
            busy.submit(frame(), stage="3a")
        for one in given[2:]:
            one.cancel()
    assert given[0].result()["stage"] == given[1].result()["stage"] == "3a"
    assert busy.submit(frame(), stage="3a").result()["stage"] == "3a"


def test_an_unknown_module_is_a_sentence(viewing: Viewing) -> None:
    with pytest.raises(GnetError, match="no module '9z'"):
        viewing.answer(frame(), stage="9z")
