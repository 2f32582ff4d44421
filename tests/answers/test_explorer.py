"""One network on the page: its pictures are recorded by one session of it."""

import pytest
import torch
from torch import Tensor

from gnet.answers import examples
from gnet.answers import explorer as exploring
from gnet.answers.explorer import Explorer
from gnet.explain.recording import record
from gnet.inference.forward import Forward
from gnet.inference.session import Session
from gnet.network.model import GoogLeNet
from support.pages import random_network


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
