"""The figure of scales: drawn with flat, silent and crowded curves, and it says its sentence."""

import pytest
import torch

from gnet.channels.scales import DIRECTIONS, PERIODS, ScaleResponses, scale_periods, sentence
from gnet.figures.scales import scales_figure
from gnet.figures.sheet import to_bytes
from gnet.network.config import BRANCHES


@pytest.mark.parametrize("values", [[0, 0, 0, 0], [1, 1, 1, 1], [0.1, 2, 0.3, 1.5]])
def test_a_figure_is_drawn_with_its_sentence(values):
    responses = {
        branch: value * torch.rand(PERIODS, len(DIRECTIONS))
        for branch, value in zip(BRANCHES, values, strict=True)
    }
    found = ScaleResponses(
        size=64,
        periods=scale_periods(64),
        directions=DIRECTIONS,
        responses={"4b": responses},
        kernel_5x5=5,
    )
    figure = scales_figure(found, "4b")
    words = " ".join(text.get_text() for text in figure.texts)
    assert sentence(found, "4b") in words
    assert to_bytes(figure, "png").startswith(b"\x89PNG")
