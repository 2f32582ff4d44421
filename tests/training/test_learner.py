"""What a step minimises where pictures get pieces of others: sums done by hand."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gnet.data.batches import class_shares
from gnet.data.datasets import Dataset
from gnet.training.distributed import Group
from gnet.training.learner import Learner, training_batches
from gnet.training.optimisation import head_losses, mix
from gnet.training.precision import Machine
from gnet.training.starting import resolved
from support.training_runs import curve, run, tiny

ALONE = Group()


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Noise in three classes, of which the last has only small pictures."""
    random = np.random.default_rng(0)
    labels = [i % 3 for i in range(24)]
    pictures = [
        torch.from_numpy(random.integers(0, 256, (side, side, 3), dtype=np.uint8)).permute(2, 0, 1)
        for side in (64 if label == 2 else 120 for label in labels)
    ]
    names = ("one", "two", "small")
    return Dataset(
        classes=names,
        names=names,
        pictures=pictures,
        labels=torch.tensor(labels),
        sources=("abc",) * len(labels),
    )


def learner(data: Dataset, **changes) -> Learner:
    config = resolved(tiny(batch=24, **changes), 3, None, Machine())
    return Learner(config, data, 10, ALONE)


def test_a_piece_of_another_picture_brings_its_class_along_by_its_area(data):
    mixing = learner(data, cutmix=1.0)
    (batch,) = training_batches(mixing.config, data, 0, 32, ALONE)
    x, labels = mixing.inputs(batch)
    torch.manual_seed(1)
    mixed = mix(x, 1.0)
    assert mixed is not None and 0 < mixed.share < 1
    logits = mixing.model.eval()(x)
    own = F.cross_entropy(logits.main, labels, reduction="sum")
    other = F.cross_entropy(logits.main, labels[mixed.others], reduction="sum")
    expected = (1 - mixed.share) * own + mixed.share * other
    torch.testing.assert_close(
        mixing.losses(logits, labels, batch, mixed)["main"], expected, rtol=1e-5, atol=1e-5
    )


def test_a_sharp_view_with_a_piece_of_a_small_one_competes_with_all_classes(data):
    mixing = learner(data, cutmix=1.0, within_sharp=True)
    (batch,) = training_batches(mixing.config, data, 0, 32, ALONE)
    x, labels = mixing.inputs(batch)
    mixed = mix(x, 1.0)
    assert mixed is not None
    logits = mixing.model.eval()(x)
    found = mixing.losses(logits, labels, batch, mixed)["main"]
    both = batch.sharp & batch.sharp[mixed.others]
    rivals = torch.ones(24, 3, dtype=torch.bool)
    rivals[both, 2] = False
    own = head_losses(logits, labels, mixing.config, rivals)["main"]
    other = head_losses(logits, labels[mixed.others], mixing.config, rivals)["main"]
    torch.testing.assert_close(found, own.lerp(other, mixed.share))
    assert found.isfinite() and 0 < both.sum() < 24


def test_a_run_with_pieces_of_others_is_the_same_every_time():
    config = tiny(cutmix=0.5, seed=4)
    assert curve(run(config)) == curve(run(config))
    assert curve(run(config)) != curve(run(tiny(seed=4)))


def test_a_run_that_evens_sharpness_out_adds_each_kinds_shares(data):
    evened = learner(data, even_sharpness=True, sharp_weight=2.0, thumbnails=0.5)
    (batch,) = training_batches(evened.config, data, 0, 32, ALONE)
    x, labels = evened.inputs(batch)
    logits = evened.model.eval()(x)
    shares = class_shares(data, balance=0.0, sharp_weight=2.0, thumbnails=0.5)
    expected = head_losses(logits, labels, evened.config, shares=shares[batch.sharp.long()])
    torch.testing.assert_close(evened.losses(logits, labels, batch), expected)
