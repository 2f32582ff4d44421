"""Frames: taken px by px as they are, and refused where they are no square of the right size."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gnet.answers.live.frame import read_frame
from gnet.errors import GnetError
from gnet.network.info import Preprocessing


def png(width: int, height: int) -> tuple[np.ndarray, bytes]:
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return values, file.getvalue()


@pytest.mark.parametrize("changes", [{}, {"crop": 0.875}, {"thumbnail": 32}])
def test_a_square_is_taken_as_it_is_whatever_the_network_does_to_photos(changes: dict) -> None:
    values, content = png(64, 64)
    pixels = read_frame(content, Preprocessing(size=64, **changes))
    assert torch.equal(pixels[0].mul(255).round(), torch.tensor(values).permute(2, 0, 1).float())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png(64, 48)[1], "64×48 px; allowed are 96×96 px"),
        (b"words" * 9, "is not a picture"),
        (png(2000, 1000)[1], "more than 500,000 bytes"),
        (b"", "is empty"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(content: bytes, words: str) -> None:
    with pytest.raises(GnetError, match=words) as caught:
        read_frame(content, Preprocessing(size=96))
    assert str(caught.value).endswith(".")
