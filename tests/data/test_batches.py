"""Batches: repeatable, resumable, the same over any number of processes, balanced, fast."""

import itertools
import queue
import threading
import time
from typing import Any

import numpy as np
import pytest
import torch

from gnet.data.augmentation import SHARP_ABOVE, THUMBNAIL, Augmentation
from gnet.data.batches import (
    batches,
    class_shares,
    classes_with_sharp,
    epoch_order,
    in_order,
    sharp_pictures,
    steps_per_epoch,
)
from gnet.data.datasets import Dataset
from gnet.data.pictures import to_image, to_pixels
from gnet.data.prefetch import prefetch
from gnet.errors import GnetError
from gnet.network.info import Preprocessing


def made(sizes, labels=None):
    """A data set of noise pictures of the given (height, width)."""
    random = np.random.default_rng(0)
    pictures = [
        torch.from_numpy(random.integers(0, 256, (h, w, 3), dtype=np.uint8)).permute(2, 0, 1)
        for h, w in sizes
    ]
    labels = torch.tensor(labels if labels is not None else [i % 3 for i in range(len(sizes))])
    names = tuple(f"class {i}" for i in range(int(labels.max()) + 1))
    return Dataset(
        classes=names, names=names, pictures=pictures, labels=labels, sources=("abc",) * len(sizes)
    )


@pytest.fixture(scope="module")
def mixed():
    random = np.random.default_rng(1)
    return made([tuple(random.integers(20, 160, 2)) for _ in range(53)])


ASKED: dict[str, Any] = {
    "size": 32,
    "batch": 8,
    "seed": 5,
    "epoch": 2,
    "balance": 0.5,
}
VARIED = Augmentation(thumbnails=0.5, aliased=0.5, vary_detail=0.5)
ASKED["augmentation"] = VARIED


def equal(ones, others):
    pairs = list(itertools.zip_longest(ones, others))
    return all(a is not None and b is not None and all(map(torch.equal, a, b)) for a, b in pairs)


def test_a_batch_is_uint8_channels_last_with_int64_labels(mixed):
    pixels, labels, *_ = next(iter(batches(mixed, **ASKED)))
    assert pixels.shape == (8, 3, 32, 32) and pixels.dtype == torch.uint8
    assert pixels.is_contiguous(memory_format=torch.channels_last)
    assert labels.shape == (8,) and labels.dtype == torch.int64


def test_the_same_seed_gives_the_same_epoch_and_another_does_not(mixed):
    assert equal(batches(mixed, **ASKED), batches(mixed, **ASKED))
    for change in ({"seed": 6}, {"epoch": 3}):
        assert not equal(batches(mixed, **ASKED), batches(mixed, **{**ASKED, **change}))


def test_an_epoch_resumed_at_a_step_goes_on_as_if_uninterrupted(mixed):
    whole = list(batches(mixed, **ASKED))
    assert equal(whole[3:], batches(mixed, **ASKED, first_step=3))


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("augmentation", [VARIED, None])
def test_processes_together_see_the_single_process_batch(mixed, world, augmentation):
    asked = ASKED | {"augmentation": augmentation}
    single = list(batches(mixed, **asked))
    ranks = [list(batches(mixed, **asked, rank=rank, world=world)) for rank in range(world)]
    single = single[: steps_per_epoch(len(mixed), ASKED["batch"], world)]
    assert {len(part) for part in ranks} == {len(single)}
    for step, whole in enumerate(single):
        for rank in range(world):
            for part, values in zip(ranks[rank][step], whole, strict=True):
                assert torch.equal(part, values[rank::world])


def test_without_balance_every_picture_comes_once():
    order = epoch_order(torch.tensor([0] * 90 + [1] * 10), seed=1, epoch=0)
    assert sorted(order.tolist()) == list(range(100))


def test_full_balance_draws_all_classes_alike():
    labels = torch.tensor([0] * 90 + [1] * 8 + [2] * 2)
    batch = labels[torch.from_numpy(epoch_order(labels, seed=1, epoch=0, balance=1.0))]
    assert len(batch) == 100
    assert max(abs(n - 100 / 3) for n in batch.bincount().tolist()) <= 1


def test_half_balance_draws_classes_by_the_root_of_their_counts():
    labels = torch.tensor([0] * 100 + [1] * 900)
    batch = labels[torch.from_numpy(epoch_order(labels, seed=4, epoch=0, balance=0.5))]
    assert batch.bincount().tolist() == pytest.approx([250, 750], abs=1)


def test_sharp_pictures_come_more_often_within_their_class_alone():
    labels = torch.tensor([0] * 50 + [1] * 50)
    sharp = torch.tensor(([True] * 10 + [False] * 40) + [False] * 50)
    times = np.zeros(100)
    for epoch in range(40):
        order = epoch_order(labels, seed=2, epoch=epoch, sharp=sharp, sharp_weight=4.0)
        times += np.bincount(order, minlength=100)
    assert times[:50].sum() == times[50:].sum() == 2000
    assert times[:10].mean() == pytest.approx(4 * times[10:50].mean(), rel=0.05)


def test_class_shares_say_how_views_of_a_kind_are_spread_over_the_classes():
    dataset = made([(120, 120)] * 3 + [(64, 64)] * 5, labels=[0, 0, 1, 0, 0, 1, 1, 1])
    small, sharp = class_shares(dataset, balance=0.0, sharp_weight=1.0, thumbnails=0.0)
    torch.testing.assert_close(sharp, torch.tensor([2 / 3, 1 / 3]))
    torch.testing.assert_close(small, torch.tensor([2 / 5, 3 / 5]))
    small, sharp = class_shares(dataset, balance=0.0, sharp_weight=1.0, thumbnails=1.0)
    torch.testing.assert_close(small, torch.tensor([0.5, 0.5]))


def test_balance_repeats_pictures_evenly():
    labels = torch.tensor([0] * 90 + [1] * 10)
    times = np.bincount(epoch_order(labels, seed=0, epoch=0, balance=1.0), minlength=100)
    assert set(times[90:].tolist()) == {5} and set(times[:90].tolist()) <= {0, 1}


def test_a_batch_larger_than_the_data_costs_what_the_data_cost(mixed):
    few = made([(32, 32)] * 14)
    (batch,) = batches(few, size=32, batch=4096, seed=0, epoch=0)
    assert len(batch.labels) == 14
    assert batch.pixels.untyped_storage().nbytes() == 14 * 3 * 32 * 32


def test_a_last_batch_of_one_picture_is_dropped():
    for count, expected in ((16, [8, 8]), (17, [8, 8]), (18, [8, 8, 2])):
        dataset = made([(32, 32)] * count)
        batch = [len(batch.labels) for batch in batches(dataset, size=32, batch=8, seed=0, epoch=0)]
        assert batch == expected
        assert steps_per_epoch(count, 8) == len(expected)


@pytest.mark.parametrize("count, expected", [(10, [2]), (15, [2]), (16, [2, 2]), (8, [2])])
def test_a_last_batch_with_one_picture_for_a_process_is_dropped_by_all(count, expected):
    dataset = made([(32, 32)] * count)
    assert steps_per_epoch(count, 8, 4) == len(expected)
    for rank in range(4):
        steps = batches(dataset, size=32, batch=8, seed=0, epoch=0, rank=rank, world=4)
        assert [len(batch.labels) for batch in steps] == expected


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_every_process_gets_two_pictures_at_each_step(world):
    for count in range(2 * world, 40):
        dataset = made([(8, 8)] * count)
        asked: dict[str, Any] = {
            "size": 32,
            "batch": 9,
            "seed": 0,
            "epoch": 0,
            "augmentation": None,
            "world": world,
        }
        batch = [
            [len(batch.labels) for batch in batches(dataset, **asked, rank=r)] for r in range(world)
        ]
        assert {len(steps) for steps in batch} == {steps_per_epoch(count, 9, world)}
        assert min(min(steps, default=2) for steps in batch) >= 2


def test_in_order_drops_nothing_and_keeps_the_order(mixed):
    batch = list(in_order(mixed, Preprocessing(size=32), batch=13))
    assert torch.equal(torch.cat([y for _, y in batch]), mixed.labels)
    assert [len(y) for _, y in batch] == [13, 13, 13, 13, 1]


def test_without_augmentation_a_picture_is_the_square_the_page_shows(mixed):
    seen = Preprocessing(size=40, crop=0.875, thumbnail=30)
    pixels, _ = next(in_order(mixed, seen, batch=20))
    for row, picture in zip(pixels, mixed.pictures, strict=False):
        shown = to_pixels(to_image(picture), seen)
        assert torch.equal(row.float().div(255), shown[0])


def test_random_crops_keep_to_their_range_and_flip_half():
    """A picture whose colours are its coordinates shows where a crop came from."""
    ramp = torch.linspace(0, 255, 90)
    picture = torch.stack([ramp.expand(90, 90), ramp[:, None].expand(90, 90), ramp.expand(90, 90)])
    dataset = made([(90, 90)] * 200)
    dataset.pictures[:] = [picture.to(torch.uint8)] * 200
    shares, ratios, flips = [], [], []
    for pixels, *_ in batches(dataset, size=32, batch=100, seed=3, epoch=0):
        across = pixels[:, 0, 16, -1].float() - pixels[:, 0, 16, 0].float()
        down = pixels[:, 1, -1, 16].float() - pixels[:, 1, 0, 16].float()
        assert (down > 0).all()
        flips += (across < 0).tolist()
        shares += (across.abs() * down / 248**2).tolist()
        ratios += (across.abs() / down).tolist()
    assert 0.28 < min(shares) < 0.45 and 0.85 < max(shares) < 1.1
    assert min(ratios) > 0.7 and max(ratios) < 1.45
    assert 70 < sum(flips) < 130


def first(dataset, **asked):
    """The pixels of an epoch's first batch, float; an augmentation's fields may be named."""
    settings: dict[str, Any] = {"size": 64, "batch": len(dataset), "seed": 0, "epoch": 0}
    settings["size"] = asked.pop("size", 64)
    how = Augmentation(**asked)
    return next(iter(batches(dataset, **settings, augmentation=how))).pixels.float()


def test_thumbnails_are_made_of_sharp_pictures_only():
    """Noise loses most of its contrast where it is shrunk; the crops are drawn alike."""
    sharp, small = made([(200, 160)] * 8), made([(SHARP_ABOVE, 100)] * 8)
    contrast = first(sharp).std(dim=(1, 2, 3))
    assert (first(sharp, thumbnails=1.0).std(dim=(1, 2, 3)) < contrast).all()
    assert torch.equal(first(small, thumbnails=1.0), first(small))
    assert THUMBNAIL < SHARP_ABOVE


def test_some_of_the_sharp_pictures_become_thumbnails_at_the_given_rate():
    dataset = made([(120, 120)] * 200)
    some = Augmentation(thumbnails=0.3)
    batch = next(iter(batches(dataset, size=32, batch=200, seed=0, epoch=0, augmentation=some)))
    assert 40 < 200 - int(batch.sharp.sum()) < 80


def test_a_view_is_called_sharp_unless_it_is_small_or_made_small():
    dataset = made([(120, 120), (90, 200)] * 6)
    asked: dict[str, Any] = {"size": 32, "batch": 12, "seed": 0, "epoch": 0}
    assert sharp_pictures(dataset, np.arange(12)).tolist() == [True, False] * 6
    order = epoch_order(dataset.labels, seed=0, epoch=0)
    for how in (Augmentation(), None):
        batch = next(iter(batches(dataset, **asked, augmentation=how)))
        assert torch.equal(batch.sharp, sharp_pictures(dataset, order))
    asked["augmentation"] = Augmentation(thumbnails=1.0)
    assert not next(iter(batches(dataset, **asked))).sharp.any()


def test_aliased_pictures_keep_the_contrast_that_smoothing_takes_from_noise():
    dataset = made([(150, 150), (90, 200)] * 20)
    sharp = sharp_pictures(dataset, np.arange(40))
    asked: dict[str, Any] = {"size": 16, "batch": 40, "seed": 0, "epoch": 0}
    order = epoch_order(dataset.labels, seed=0, epoch=0)
    smooth = next(iter(batches(dataset, **asked)))
    some = next(iter(batches(dataset, **asked, augmentation=Augmentation(aliased=0.5))))
    assert torch.equal(some.pixels[~some.sharp], smooth.pixels[~some.sharp])
    gained = edges(some.pixels.float()) > 1.5 * edges(smooth.pixels.float())
    assert 5 <= int(gained.sum()) <= 15 and not gained[~sharp[torch.from_numpy(order)]].any()
    thumbnails, aliased = (
        next(iter(batches(dataset, **asked, augmentation=Augmentation(thumbnails=1.0, aliased=a))))
        for a in (0.0, 1.0)
    )
    louder = edges(aliased.pixels.float()) / edges(thumbnails.pixels.float())
    assert (louder[sharp[torch.from_numpy(order)]] > 1.5).all()


def test_classes_with_sharp_pictures_are_found():
    assert classes_with_sharp(made([(120, 120), (90, 90), (90, 200)])).tolist() == [
        True,
        False,
        False,
    ]


def test_varied_detail_makes_some_crops_softer_and_some_crisper():
    """The mean colour stays, the differences of neighbours shrink or grow."""
    dataset = made([(64, 64)] * 200)
    plain, varied = first(dataset, size=32), first(dataset, size=32, vary_detail=1.0)
    ratio = (edges(varied) / edges(plain)).log()
    assert 60 < int((ratio < 0).sum()) < 140
    assert ratio.min() < -0.2 and ratio.max() > 0.2
    assert (varied.mean((1, 2, 3)) - plain.mean((1, 2, 3))).abs().max() < 6
    half = first(dataset, size=32, vary_detail=0.5)
    same = sum(torch.equal(a, b) for a, b in zip(half, plain, strict=True))
    assert 60 < same < 140


def edges(pixels):
    return (pixels[..., 1:] - pixels[..., :-1]).abs().mean((1, 2, 3))


def test_very_long_and_very_small_pictures_still_give_batches():
    dataset = made([(8, 900), (900, 8), (8, 8), (9, 31)])
    asked: dict[str, Any] = {"size": 32, "batch": 4, "seed": 0, "epoch": 0}
    how = Augmentation(thumbnails=1.0, vary_detail=1.0)
    batch = next(iter(batches(dataset, **asked, augmentation=how)))
    assert batch.pixels.shape == (4, 3, 32, 32)


def test_flipped_pictures_are_whole(mixed):
    dataset = made([(64, 64)] * 64)
    dataset.pictures[:] = [torch.full((3, 64, 64), 77, dtype=torch.uint8)] * 64
    for pixels, *_ in batches(dataset, size=32, batch=32, seed=0, epoch=0):
        assert (pixels == 77).all()


@pytest.mark.parametrize(
    "wrong",
    [{"batch": 1}, {"rank": 2, "world": 2}, {"batch": 3, "world": 2}, {"balance": 1.5}],
)
def test_impossible_batches_are_refused_in_a_sentence(mixed, wrong):
    with pytest.raises(GnetError, match=r"allowed are .*\.$"):
        next(iter(batches(mixed, **{**ASKED, **wrong})))


def test_batches_are_made_fast_enough_to_feed_training():
    dataset = made([(144, 192)] * 100 + [(64, 64)] * 400)
    for size, at_least in ((64, 1500), (128, 600)):
        best = 0.0
        for epoch in range(3):
            start = time.thread_time()
            batch = batches(dataset, size=size, batch=100, seed=0, epoch=epoch)
            count = sum(len(one.labels) for one in batch)
            best = max(best, count / (time.thread_time() - start))
        assert best > at_least


class Room(queue.Queue):
    """Room for a few items, that tells when it had none for item 3."""

    def __init__(self, size):
        super().__init__(size)
        self.refused = threading.Event()

    def put(self, item, block=True, timeout=None):
        try:
            super().put(item, block, timeout)
        except queue.Full:
            if item == 3:
                self.refused.set()
            raise


def prefetching():
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_prefetch_gives_the_same_items_in_order():
    assert list(prefetch(iter(range(50)), depth=3)) == list(range(50))
    assert not prefetching()


def test_prefetch_works_ahead_and_no_further_than_its_depth():
    made_so_far = []
    room = Room(2)

    def items():
        for item in range(20):
            made_so_far.append(item)
            yield item

    ahead = prefetch(items(), depth=2, make_queue=lambda _: room)
    assert next(ahead) == 0
    assert room.refused.wait(20)  # no room for the item in hand, and nothing is made behind it
    assert made_so_far == [0, 1, 2, 3]  # one taken, two waiting, one in hand
    ahead.close()


def test_an_exception_behind_prefetch_reaches_the_consumer():
    def items():
        yield 1
        raise GnetError("the disk is gone; plug it in.")

    ahead = prefetch(items())
    assert next(ahead) == 1
    with pytest.raises(GnetError, match="the disk is gone"):
        next(ahead)
    assert not prefetching()


def test_a_consumer_that_stops_leaves_no_thread_and_closes_the_source():
    closed = []

    def items():
        try:
            yield from itertools.count()
        finally:
            closed.append(True)

    ahead = prefetch(items())
    assert [next(ahead), next(ahead)] == [0, 1]
    assert prefetching()
    ahead.close()
    assert not prefetching() and closed == [True]
