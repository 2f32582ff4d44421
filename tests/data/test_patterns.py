"""The generated pictures: repeatable, of every size, told apart by form and not by colour."""

import pytest
import torch

from gnet.data.patterns import CLASSES, pattern, pattern_at
from gnet.errors import GnetError


def grey(picture):
    return picture.float().mean(0)


def edges(picture):
    """How often lightness changes: mean absolute difference of neighbours over the deviation."""
    light = torch.nn.functional.avg_pool2d(grey(picture)[None], 3, 1)[0]
    steps = light.diff(dim=0).abs().mean() + light.diff(dim=1).abs().mean()
    return (steps / light.std()).item()


@pytest.mark.parametrize("size", [32, 47, 320])
def test_every_class_gives_a_picture_of_every_size(size):
    for index in range(len(CLASSES)):
        picture = pattern(index, size, 3)
        assert picture.shape == (3, size, size) and picture.dtype == torch.uint8
        assert grey(picture).std() > 5


def test_there_are_ten_classes_with_names_of_their_own():
    assert len(CLASSES) == len(set(CLASSES)) == 10


def test_class_size_and_seed_decide_the_picture():
    assert torch.equal(pattern(4, 40, 7), pattern(4, 40, 7))
    assert torch.equal(pattern(4, 40, (1, 2)), pattern(4, 40, [1, 2]))
    assert not torch.equal(pattern(4, 40, 7), pattern(4, 40, 8))
    assert not torch.equal(pattern(4, 40, 7), pattern(5, 40, 7))


def test_fine_and_coarse_differ_in_scale_alone():
    for fine, coarse in (("fine stripes", "coarse stripes"), ("small dots", "large dots")):
        few, many = (
            [edges(pattern(CLASSES.index(name), 96, seed)) for seed in range(20)]
            for name in (coarse, fine)
        )
        assert max(few) < min(many)


def test_a_pattern_of_a_scale_of_ones_own_keeps_its_colours() -> None:
    for name in ("stripes", "dots", "crosses"):
        coarse, fine = (pattern_at(name, repeats, 96, 1) for repeats in (3, 9))
        assert edges(coarse) < edges(fine)
        assert torch.equal(fine, pattern_at(name, 9, 96, 1))
        assert (coarse.float().mean((1, 2)) - fine.float().mean((1, 2))).abs().max() < 20


def test_colour_says_nothing_of_the_class():
    means = torch.stack(
        [
            torch.stack([pattern(i, 32, s).float().mean((1, 2)) for s in range(60)])
            for i in range(len(CLASSES))
        ]
    )
    within = means.std(1).mean()
    between = means.mean(1).std(0).mean()
    assert within > 25  # of 255: colours vary widely in each class
    assert between < within / 2


@pytest.mark.parametrize(("index", "size"), [(10, 32), (-1, 32), (0, 16), (0, 1000)])
def test_an_unknown_pattern_or_size_is_refused_in_a_sentence(index, size):
    with pytest.raises(GnetError, match=r"allowed are .*\.$"):
        pattern(index, size, 0)
