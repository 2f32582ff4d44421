"""Data sets: what a folder or zip may look like, hostile zips, splits, names, torchvision's."""

import io
import json
import stat
import struct
import time
import urllib.error
import warnings
import zipfile
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import FakeData

from gnet import catalogue
from gnet.archives import Limits
from gnet.catalogue import TORCHVISION, Entry
from gnet.data import open_dataset
from gnet.errors import GnetError


def picture(value=100, size=(24, 16), kind="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", size, (value % 256, 50, 200)).save(buffer, kind)
    return buffer.getvalue()


def zipped(path, files, method=zipfile.ZIP_STORED):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the doubtful names some tests want
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    return path


def laid_out(path, files):
    for name, content in files.items():
        target = path / name
        if name.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return path


def either(request, tmp_path, files):
    if request.param == "zip":
        return zipped(tmp_path / "pets.zip", files)
    return laid_out(tmp_path / "pets", files)


@pytest.fixture(params=["zip", "folder"])
def source(request, tmp_path):
    """Make a zip or a folder of the same files: everything is tested on both."""
    return lambda files: either(request, tmp_path, files)


SPLIT = {
    **{f"train/cat/tin{i}.png": picture(i) for i in range(3)},
    **{f"train/dog/ima{i}.png": picture(10 + i) for i in range(2)},
    "val/cat/tin9.png": picture(90),
    "val/dog/clo9.png": picture(91),
}
FLAT = {f"{name}/{i:02}.png": picture(i) for name in ("cat", "dog") for i in range(20)}


def refused(spec, split="train", **options):
    with pytest.raises(GnetError) as caught:
        open_dataset(spec, split, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 300
    return sentence


def reds(dataset):
    """The red value of each picture, which says which file it was."""
    return [int(one[0, 0, 0]) for one in dataset.pictures]


def test_split_folders_are_read_by_name(source):
    spec = source(SPLIT)
    train, val = (open_dataset(str(spec), split) for split in ("train", "val"))
    assert train.classes == train.names == val.names == ("cat", "dog")
    assert reds(train) == [0, 1, 2, 10, 11] and train.labels.tolist() == [0, 0, 0, 1, 1]
    assert train.labels.dtype == torch.int64 and train.counts == (3, 2) and len(train) == 5
    assert train.sources == ("tin", "tin", "tin", "ima", "ima")
    assert val.sources == ("tin", "clo") and reds(val) == [90, 91]
    assert train.skipped == {}


def test_pictures_are_uint8_channels_last_and_writable(source):
    one = open_dataset(source(SPLIT), "train").pictures[0]
    assert one.shape == (3, 16, 24) and one.dtype == torch.uint8
    assert one[None].is_contiguous(memory_format=torch.channels_last)


def test_any_top_level_folder_is_a_split(source):
    files = {f"fold-b/{name}/1.png": picture() for name in ("cat", "dog")}
    spec = source(SPLIT | files)
    assert len(open_dataset(spec, "fold-b")) == 2
    assert "'fold-c'" in refused(spec, "fold-c")


def test_validation_may_be_called_valid(source):
    renamed = {name.replace("val/", "valid/"): content for name, content in SPLIT.items()}
    assert reds(open_dataset(source(renamed), "val")) == [90, 91]


def test_one_split_alone_in_a_zip_is_no_wrapper(source):
    files = {name: content for name, content in SPLIT.items() if name.startswith("val/")}
    spec = source(files)
    assert reds(open_dataset(spec, "val")) == [90, 91]
    assert "it has val" in refused(spec, "train")


def test_class_folders_alone_are_split_by_seed_without_overlap(source):
    spec = source(FLAT)
    train, val = (open_dataset(spec, split, seed=3) for split in ("train", "val"))
    assert train.counts == (17, 17) and val.counts == (3, 3)
    for label in (0, 1):
        both = [
            red
            for part in (train, val)
            for red, at in zip(reds(part), part.labels.tolist(), strict=True)
            if at == label
        ]
        assert sorted(both) == list(range(20))
    assert reds(open_dataset(spec, "val", seed=3)) == reds(val)
    assert reds(open_dataset(spec, "val", seed=4)) != reds(val)
    assert "'test'" in refused(spec, "test")


@pytest.mark.parametrize("files", [SPLIT, FLAT])
def test_a_wrapping_folder_and_system_files_do_not_matter(source, files):
    wrapped = {f"My Pets/{name}": content for name, content in files.items()}
    junk = dict.fromkeys(
        ("__MACOSX/My Pets/._cat", "My Pets/.DS_Store", "My Pets/readme.txt", "notes.txt"), b"x"
    )
    dataset = open_dataset(source(wrapped | junk), "train")
    assert dataset.names == ("cat", "dog") and dataset.skipped == {}


def test_per_class_chooses_by_seed_and_keeps_the_order(source):
    spec = source(FLAT)
    few = open_dataset(spec, "train", per_class=4, seed=1)
    assert few.counts == (4, 4) and reds(few)[:4] == sorted(reds(few)[:4])
    assert reds(open_dataset(spec, "train", per_class=4, seed=1)) == reds(few)
    assert reds(open_dataset(spec, "train", per_class=4, seed=2)) != reds(few)
    assert open_dataset(spec, "train", per_class=400).counts == (17, 17)
    assert "per_class is 0" in refused(spec, per_class=0)


def test_names_to_show_come_from_inside_or_beside(source, tmp_path):
    table = json.dumps({"cat": "Hauskatze", "dog": "Hund", "cow": "Kuh"}).encode()
    spec = source(SPLIT)
    (tmp_path / "classes.json").write_bytes(table)
    dataset = open_dataset(spec, "train")
    assert dataset.classes == ("Hauskatze", "Hund") and dataset.names == ("cat", "dog")


def test_names_to_show_may_lie_inside(source):
    table = json.dumps({"cat": "Hauskatze", "dog": "Hund"}).encode()
    dataset = open_dataset(source(SPLIT | {"classes.json": table}), "train")
    assert dataset.classes == ("Hauskatze", "Hund") and dataset.skipped == {}


@pytest.mark.parametrize(
    "table", [b"not json", b"[1]", b'{"cat": "Katze"}', b'{"cat": 1, "dog": 2}', b"[" * 100_000]
)
def test_an_unfit_table_of_names_is_left_aside(source, table):
    assert open_dataset(source(SPLIT | {"classes.json": table}), "train").classes == ("cat", "dog")


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


def test_one_class_is_a_sentence(source):
    files = {name: content for name, content in FLAT.items() if name.startswith("cat")}
    assert "one class (cat)" in refused(source(files))


@pytest.mark.parametrize(
    "empty", [{"train/owl/": b""}, {"train/owl/dot.png": picture(size=(1, 1))}]
)
def test_an_empty_class_is_a_sentence(source, empty):
    sentence = refused(source(SPLIT | empty))
    assert "owl" in sentence
    assert ("smaller than 8 px" in sentence) == any(empty.values())


def test_an_empty_class_folder_without_splits_is_a_sentence(source):
    assert "'owl'" in refused(source(FLAT | {"owl/": b""}))


def test_a_single_picture_cannot_be_split(source):
    assert "one picture of 'owl'" in refused(source(FLAT | {"owl/1.png": picture()}))


def test_pictures_without_class_folders_are_a_sentence(source):
    assert "no class folders" in refused(source({"1.png": picture(), "2.png": picture()}))


def test_a_class_known_only_to_val_is_a_sentence(source):
    assert "owl" in refused(source(SPLIT | {"val/owl/1.png": picture()}), "val")


def test_a_class_missing_from_val_keeps_the_labels_of_train(source):
    val = open_dataset(source(SPLIT | {"train/ape/1.png": picture()}), "val")
    assert val.names == ("ape", "cat", "dog") and val.labels.tolist() == [1, 2]


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


@pytest.mark.parametrize(
    "name", ["../out.png", "train/../../out.png", "/etc/out.png", "C:\\out.png", "a\\..\\..\\b.png"]
)
def test_a_zip_with_a_name_outside_its_folder_is_refused(tmp_path, name):
    sentence = refused(zipped(tmp_path / "bad.zip", SPLIT | {name: picture()}))
    assert "outside its folder" in sentence and "bad.zip" in sentence
    assert [path.name for path in tmp_path.iterdir()] == ["bad.zip"]


def test_a_zip_writes_nothing_to_disk(tmp_path):
    open_dataset(zipped(tmp_path / "good.zip", SPLIT), "train")
    assert [path.name for path in tmp_path.iterdir()] == ["good.zip"]


def test_a_zip_with_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("train/cat/link.png")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zipped(tmp_path / "bad.zip", SPLIT)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "link" in refused(path)


def test_a_zip_that_claims_a_million_entries_is_refused_at_once(tmp_path):
    path = zipped(tmp_path / "million.zip", SPLIT)
    content = path.read_bytes()
    end = content.rindex(b"PK\x05\x06")
    length, offset = struct.unpack("<LL", content[end + 12 : end + 20])
    record = struct.pack(
        "<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, *[10**6] * 2, length, offset
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    path.write_bytes(content[:end] + record + locator + content[end:])
    start = time.perf_counter()
    sentence = refused(path)
    assert "1,000,000 entries" in sentence and "200,000" in sentence
    assert time.perf_counter() - start < 0.5


def test_a_zip_of_a_million_real_entries_is_refused_quickly(tmp_path):
    """Its end record lies about their number, as the old 16-bit field must."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *[0] * 9, 1, *[0] * 6) + b"a"
    path = tmp_path / "million.zip"
    listing = entry * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, len(listing), 0, 0)
    path.write_bytes(listing + end)
    start = time.perf_counter()
    assert "1,000,000 entries" in refused(path)
    assert time.perf_counter() - start < 2
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, 3_000_000_000, 0, 0)
    path.write_bytes(listing + end)
    assert "list of contents" in refused(path)


def test_a_folder_of_too_many_files_is_refused(source):
    assert "allowed are up to 30" in refused(source(FLAT), limits=Limits(entries=30))


def test_a_zip_with_a_password_is_refused(tmp_path):
    path = zipped(tmp_path / "bad.zip", SPLIT)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(content)
    assert "password" in refused(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    bomb = SPLIT | {"train/cat/bomb.png": bytes(30_000_000)}
    assert "200 times" in refused(zipped(tmp_path / "bomb.zip", bomb, zipfile.ZIP_DEFLATED))
    assert "30 MB" in refused(
        zipped(tmp_path / "big.zip", bomb), limits=Limits(entry_bytes=20_000_000)
    )
    assert "unpacks to more" in refused(
        zipped(tmp_path / "big.zip", bomb), limits=Limits(total_bytes=20_000_000)
    )


def test_an_entry_larger_than_it_claims_is_skipped_as_damaged(tmp_path):
    path = zipped(tmp_path / "liar.zip", SPLIT | {"train/cat/x.png": bytes(9_999)})
    content = path.read_bytes().replace(struct.pack("<L", 9_999), struct.pack("<L", 99))
    path.write_bytes(content)
    assert open_dataset(path, "train").skipped == {"damaged or cut off": 1}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_cannot_be_bounded_is_refused(tmp_path, method):
    assert "unusual" in refused(zipped(tmp_path / "odd.zip", SPLIT, method))


def test_a_deflated_zip_is_read_like_a_stored_one(tmp_path):
    path = zipped(tmp_path / "good.zip", SPLIT, zipfile.ZIP_DEFLATED)
    assert reds(open_dataset(path, "train")) == [0, 1, 2, 10, 11]


@pytest.mark.parametrize("keep", [0, 10, 200, -30])
def test_a_cut_off_zip_is_refused(tmp_path, keep):
    path = zipped(tmp_path / "cut.zip", SPLIT)
    path.write_bytes(path.read_bytes()[:keep])
    assert "not a zip" in refused(path)


def test_bytes_changed_anywhere_in_a_zip_give_a_data_set_or_a_sentence(tmp_path):
    content = zipped(tmp_path / "good.zip", SPLIT, zipfile.ZIP_DEFLATED).read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / "changed.zip"
    outcomes = Counter()
    for _ in range(150):
        changed = bytearray(content)
        for at in random.integers(len(content) // 2, len(content), 3):
            changed[at] = random.integers(256)
        path.write_bytes(changed)
        try:
            open_dataset(path, "train")
            outcomes["read"] += 1
        except GnetError:
            outcomes["refused"] += 1
    assert outcomes["read"] and outcomes["refused"]


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


def test_the_built_in_set_is_made_quickly():
    start = time.perf_counter()
    open_dataset("built-in", "train", per_class=40, size=32)
    assert time.perf_counter() - start < 1


class Fake(FakeData):
    classes = ("cat", ("dog", "hound"), "owl")

    def __init__(self, count):
        super().__init__(size=count, image_size=(3, 200, 180), num_classes=3)


@pytest.fixture
def catalogued(monkeypatch, tmp_path):
    """A data set of torchvision's kind under the name "fake", and what was asked of it."""
    asked = []

    def build(root, split, download):
        asked.append((split, download))
        return Fake(60 if split == "train" else 15)

    monkeypatch.setenv("GNET_CACHE", str(tmp_path / "cache"))
    splits = {"train": "train", "val": "test"}
    monkeypatch.setitem(TORCHVISION, "fake", Entry(label="Fake", build=build, splits=splits))
    monkeypatch.setitem(TORCHVISION, "whole", Entry(label="Fake", build=build))
    return asked


def test_a_named_set_is_downloaded_once_and_read_into_memory(catalogued, tmp_path):
    train = open_dataset("fake", "train", max_side=64)
    assert train.classes == ("cat", "dog", "owl") and len(train) == 60
    assert train.labels.tolist() == sorted(train.labels.tolist())
    assert {tuple(one.shape) for one in train.pictures} == {(3, 71, 64)}
    assert set(train.sources) == {"fak"}
    assert len(open_dataset("FAKE", "val")) == 15
    assert catalogued == [("train", True), ("train", False), ("test", False)]
    assert [path.name for path in (tmp_path / "cache" / "data").iterdir()] == ["fake"]
    assert "'test'" in refused("fake", "test")


def test_a_named_set_of_one_split_is_divided_by_seed(catalogued):
    train, val = (open_dataset("whole", split, seed=2) for split in ("train", "val"))
    assert len(train) + len(val) == 15
    assert not any(torch.equal(a, b) for a in train.pictures for b in val.pictures)


def test_per_class_holds_for_named_sets(catalogued):
    assert open_dataset("fake", "train", per_class=5).counts == (5, 5, 5)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (urllib.error.URLError("Name or service not known"), "Name or service not known"),
        (RuntimeError("File not found or corrupted."), "File not found"),
        (ConnectionResetError("reset by peer"), "reset by peer"),
        (ModuleNotFoundError("No module named 'scipy'", name="scipy"), "needs the package scipy"),
    ],
)
def test_a_download_that_fails_is_a_sentence_and_leaves_nothing(monkeypatch, tmp_path, error, told):
    def build(root, split, download):
        raise error

    monkeypatch.setenv("GNET_CACHE", str(tmp_path))
    monkeypatch.setitem(TORCHVISION, "fake", Entry(label="Fake", build=build))
    assert told in refused("fake")
    assert not list((tmp_path / "data").iterdir())


def test_every_named_set_exists_in_torchvision(tmp_path):
    """Without a network each answers that it is missing, so names and options are right."""
    for name, entry in catalogue.TORCHVISION.items():
        for split in entry.splits.values() or [""]:
            with pytest.raises(RuntimeError, match=r"(?i)not found"):
                entry.build(str(tmp_path / name), split, False)
