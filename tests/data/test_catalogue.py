"""torchvision's sets by name: downloaded once, whole or not at all, and read into memory."""

import urllib.error

import pytest
import torch
from torchvision.datasets import FakeData

from gnet.data.catalogue import TORCHVISION, Entry, fetch
from gnet.data.datasets import open_dataset
from support.folders import refused


class Fake(FakeData):
    classes = ("cat", ("dog", "hound"), "owl")

    def __init__(self, count):
        super().__init__(size=count, image_size=(3, 200, 180), num_classes=3)


class Damaged(Fake):
    """Its second picture cannot be read."""

    def __getitem__(self, index):
        if index == 1:
            raise OSError("image file is truncated")
        return super().__getitem__(index)


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
    for name, entry in TORCHVISION.items():
        for split in entry.splits.values() or [""]:
            with pytest.raises(RuntimeError, match=r"(?i)not found"):
                entry.build(str(tmp_path / name), split, False)


@pytest.mark.parametrize("attribute", ["targets", "_labels", "labels", "_samples"])
def test_labels_are_read_without_decoding_a_picture(monkeypatch, tmp_path, attribute):
    """torchvision's sets keep them under one of four names."""
    labels = [0, 1, 2] * 4

    def build(root, split, download):
        made = Damaged(12)
        kept = [("a path", label) for label in labels] if attribute == "_samples" else labels
        setattr(made, attribute, kept)
        return made

    monkeypatch.setenv("GNET_CACHE", str(tmp_path))
    entry = Entry(label="Fake", build=build, splits={"train": "train"})
    monkeypatch.setitem(TORCHVISION, "fake", entry)
    assert fetch("fake", "train").labels == tuple(labels)
    dataset = open_dataset("fake", "train")
    assert dataset.counts == (4, 3, 4)
    assert dataset.skipped == {"damaged or cut off": 1}


def test_of_two_downloads_at_once_one_is_kept(monkeypatch, tmp_path):
    """The other process is faster: its folder stands when this one's download is whole."""
    folder = tmp_path / "data" / "fake"

    def build(root, split, download):
        if download:
            folder.mkdir()
            (folder / "theirs").touch()
        return Fake(6)

    monkeypatch.setenv("GNET_CACHE", str(tmp_path))
    monkeypatch.setitem(TORCHVISION, "fake", Entry(label="Fake", build=build))
    assert len(fetch("fake", "train").labels) == 6
    assert list(folder.parent.iterdir()) == [folder]
    assert [path.name for path in folder.iterdir()] == ["theirs"]
