"""One network on the page: its pictures are recorded by one session of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from gnet.answers import examples
from gnet.answers import explorer as exploring
from gnet.answers.answer import how_often_right
from gnet.answers.explorer import Explorer
from gnet.explain.recording import record
from gnet.inference.forward import Forward
from gnet.inference.session import Session
from gnet.network.model import GoogLeNet
from support.pages import random_network


def test_how_often_a_head_is_right_is_said_in_words_that_everybody_reads() -> None:
    assert how_often_right(0.714) == "Right for 71 of 100 new pictures."
    told = "Right for 71 of 100 new pictures, in the right family for 83."
    assert how_often_right(0.714, 0.828) == told
    assert how_often_right(None) == ""


def test_a_slow_question_stands_aside_and_gives_way_before_each_step() -> None:
    explorer, steps = Explorer(random_network()), list[float]()
    with explorer.reasoning():  # another one is being answered
        asked = (examples.chosen("cat"), "integrated-gradients", "main", 0, None)
        with ThreadPoolExecutor(1) as other:
            answer = other.submit(explorer.attribute, *asked, steps.append, True).result(60)
    assert len(steps) > 8 and steps == sorted(steps)
    assert answer["key"] == explorer.view(examples.chosen("cat")).key


def test_pictures_are_recorded_by_one_session_of_the_folded_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[GoogLeNet] = []
    answered: list[Tensor] = []

    class Counted(Session):
        def __init__(self, model: GoogLeNet) -> None:
            super().__init__(model)
            made.append(model)

        def __call__(self, pixels: Tensor) -> Forward:
            answered.append(pixels)
            return super().__call__(pixels)

    monkeypatch.setattr(exploring, "Session", Counted)
    explorer = Explorer(random_network())
    for name in ("cat", "coffee", "cat"):
        explorer.explore(examples.chosen(name))
    assert made == [explorer.model] and len(answered) == 2  # what is kept is not computed again
    recording = explorer.record(torch.full((1, 3, 64, 64), 0.5))
    expected = record(explorer.model, recording.pixels)
    for head, logits in expected.logits.items():
        torch.testing.assert_close(recording.logits[head], logits, rtol=1e-4, atol=1e-4)
