"""Data sets in memory: pictures, labels, what is skipped, what is bounded; the built-in set."""

import time

import pytest
import torch

from gnet.data.datasets import held_out, open_dataset, train_and_tune
from gnet.data.files.archives import Limits
from support.folders import FLAT, SPLIT, laid_out, picture, reds, refused, zipped


def test_pictures_are_uint8_channels_last_and_writable(source):
    one = open_dataset(source(SPLIT), "train").pictures[0]
    assert one.shape == (3, 16, 24) and one.dtype == torch.uint8
    assert one[None].is_contiguous(memory_format=torch.channels_last)


def test_broken_pictures_are_skipped_and_counted_with_their_reason(source):
    broken = {
        "train/cat/cut.png": picture()[:60],
        "train/cat/text.png": b"hello, this is text",
        "train/dog/empty.png": b"",
        "train/dog/dot.png": picture(size=(1, 1)),
        "train/dog/line.png": picture(size=(300, 2)),
    }
    dataset = open_dataset(source(SPLIT | broken), "train")
    assert reds(dataset) == [0, 1, 2, 10, 11]
    assert dataset.skipped == {
        "damaged or cut off": 1,
        "not a picture": 1,
        "empty file": 1,
        "smaller than 8 px": 2,
    }


def test_large_pictures_are_shrunk_and_small_ones_kept(source):
    files = {f"{c}/{i}.png": picture(size=(600, 300)) for c in "ab" for i in range(2)}
    files["a/s.png"] = picture(size=(30, 20))
    spec = source(files)

    def shapes(**options):
        return {tuple(p.shape[1:]) for p in open_dataset(spec, "train", **options).pictures}

    assert shapes(max_side=50) <= {(50, 100), (20, 30)}
    assert shapes() <= {(144, 288), (20, 30)}
    assert shapes(size=200) <= {(250, 500), (20, 30)}


def test_progress_counts_up_to_all_pictures(source):
    told = []
    open_dataset(source(FLAT), "train", progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (34, 34) and told == sorted(told)


def test_an_exception_of_the_progress_function_ends_the_reading(source):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_dataset(source(FLAT), "train", progress=stop)


def test_the_memory_pictures_take_is_bounded(source):
    limits = Limits(held_bytes=10_000)
    assert "memory" in refused(source(FLAT), limits=limits)


def test_a_data_set_nobody_knows_is_answered_with_those_there_are(tmp_path):
    sentence = refused("cifar11")
    assert "'cifar11'" in sentence and "built-in" in sentence and "cifar10" in sentence
    plain = tmp_path / "plain.txt"
    plain.write_text("no zip")
    assert "not a zip" in refused(plain)


def test_the_built_in_set_differs_between_splits_and_seeds():
    train, val, other = (
        open_dataset("built-in", split, per_class=2, size=32, seed=seed)
        for split, seed in (("train", 0), ("val", 0), ("train", 1))
    )
    assert len(train) == 20 and train.counts == (2,) * 10 and train.pictures[0].shape == (3, 32, 32)
    for one in (val, other):
        assert not any(map(torch.equal, train.pictures, one.pictures))
    assert set(train.sources) == {"pat"}
    assert "'night'" in refused("built-in", "night")


def test_the_built_in_set_grows_without_changing_what_was_there():
    few, more = (open_dataset("built-in", "train", per_class=n, size=32) for n in (1, 3))
    assert all(torch.equal(few.pictures[i], more.pictures[3 * i]) for i in range(10))


def test_the_built_in_set_makes_any_number_of_training_pictures_within_bounds():
    limits = Limits(held_bytes=3 * 32 * 32 * 5000)
    assert open_dataset("built-in", "train", per_class=500, limits=limits).counts == (500,) * 10
    assert open_dataset("built-in", "val", per_class=500).counts == (50,) * 10
    assert "memory" in refused("built-in", per_class=501, limits=limits)
    assert "memory" in refused("built-in", per_class=1_000_000, size=320)


def test_the_built_in_set_is_made_quickly():
    start = time.perf_counter()
    open_dataset("built-in", "train", per_class=40, size=32)
    assert time.perf_counter() - start < 1


def test_the_held_out_part_is_a_twentieth_of_each_class_and_disjoint():
    whole = open_dataset("built-in", "train", per_class=40, size=32)
    rest, tune = held_out(whole)
    assert tune.counts == (2,) * 10 and rest.counts == (38,) * 10
    assert tune.classes == rest.classes == whole.classes
    seen = [id(picture) for part in (rest, tune) for picture in part.pictures]
    assert sorted(seen) == sorted(id(picture) for picture in whole.pictures)
    assert len(tune.sources) == len(tune) and len(rest.sources) == len(rest)
    for part in (rest, tune):
        for one, label in zip(part.pictures, part.labels, strict=True):
            at = next(i for i, other in enumerate(whole.pictures) if other is one)
            assert whole.labels[at] == label


def test_the_held_out_part_is_always_the_same_and_a_split_of_its_own():
    whole = open_dataset("built-in", "train", per_class=20, size=32)
    ones, others = held_out(whole)[1], held_out(whole)[1]
    assert all(map(torch.equal, ones.pictures, others.pictures))
    opened = open_dataset("built-in", "tune", per_class=20, size=32)
    assert opened.counts == (1,) * 10
    assert all(map(torch.equal, ones.pictures, opened.pictures))


def test_what_is_held_out_of_a_class_does_not_depend_on_the_other_classes(tmp_path):
    files = {f"train/{name}/{i:02}.png": picture(i) for name in ("cat", "dog") for i in range(20)}
    one = open_dataset(laid_out(tmp_path / "a", files), "tune")
    files |= {f"train/ant/{i}.png": picture(200 + i) for i in range(3)}
    more = open_dataset(laid_out(tmp_path / "b", files), "tune")
    assert reds(more)[1:] == reds(one) and len(one) == 2
    assert more.counts == (1, 1, 1)


def test_a_data_set_may_bring_a_tune_folder_of_its_own(tmp_path):
    files = {f"train/{name}/{i:02}.png": picture(i) for name in ("cat", "dog") for i in range(20)}
    files |= {f"tune/dog/{i}.png": picture(100 + i) for i in range(3)}
    for spec in (laid_out(tmp_path / "a", files), zipped(tmp_path / "b.zip", files)):
        rest, tune = train_and_tune(spec)
        assert rest.counts == (17, 17) and tune.counts == (0, 3), "3 are for validation"
        assert reds(open_dataset(spec, "tune")) == reds(tune)
    rest, tune = train_and_tune("built-in", per_class=40, size=32)
    assert rest.counts == (38,) * 10 and tune.counts == (2,) * 10


def test_a_class_of_one_picture_keeps_it_for_training(tmp_path):
    files = {f"train/cat/{i}.png": picture(i) for i in range(5)} | {"train/dog/0.png": picture(9)}
    rest, tune = held_out(open_dataset(laid_out(tmp_path, files), "train"))
    assert rest.counts == (3, 1) and tune.counts == (1, 0)
