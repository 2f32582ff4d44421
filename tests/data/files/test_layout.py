"""Splits, classes and their names, from the folders of a zip or a folder alike."""

import json

import pytest
import torch

from gnet.data.datasets import open_dataset
from support.folders import FLAT, SPLIT, picture, reds, refused


def test_split_folders_are_read_by_name(source):
    spec = source(SPLIT)
    train, val = (open_dataset(str(spec), split) for split in ("train", "val"))
    assert train.classes == train.names == val.names == ("cat", "dog")
    assert reds(train) == [0, 1, 2, 10, 11] and train.labels.tolist() == [0, 0, 0, 1, 1]
    assert train.labels.dtype == torch.int64 and train.counts == (3, 2) and len(train) == 5
    assert train.sources == ("tin", "tin", "tin", "ima", "ima")
    assert val.sources == ("tin", "clo") and reds(val) == [90, 91]
    assert train.skipped == {}


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


def test_families_come_from_a_table_that_has_every_class(source):
    table = json.dumps({"cat": "pet", "dog": "pet"}).encode()
    assert open_dataset(source(SPLIT | {"families.json": table}), "train").families == ("pet",) * 2


@pytest.mark.parametrize("files", [{}, {"families.json": b'{"cat": "pet"}'}])
def test_without_a_whole_table_classes_have_no_families(source, files):
    assert open_dataset(source(SPLIT | files), "train").families == ()


@pytest.mark.parametrize(
    "table", [b"not json", b"[1]", b'{"cat": "Katze"}', b'{"cat": 1, "dog": 2}', b"[" * 100_000]
)
def test_an_unfit_table_of_names_is_left_aside(source, table):
    assert open_dataset(source(SPLIT | {"classes.json": table}), "train").classes == ("cat", "dog")


def test_one_class_is_a_sentence(source):
    files = {name: content for name, content in FLAT.items() if name.startswith("cat")}
    assert "one class (cat)" in refused(source(files))


def test_a_class_without_a_usable_picture_is_a_sentence(source):
    sentence = refused(source(SPLIT | {"train/owl/dot.png": picture(size=(1, 1))}))
    assert "owl" in sentence and "smaller than 8 px" in sentence


def test_a_single_picture_cannot_be_split(source):
    assert "one picture of 'owl'" in refused(source(FLAT | {"owl/1.png": picture()}))


def test_pictures_without_class_folders_are_a_sentence(source):
    assert "no class folders" in refused(source({"1.png": picture(), "2.png": picture()}))


def test_a_class_known_only_to_val_is_a_sentence(source):
    assert "owl" in refused(source(SPLIT | {"val/owl/1.png": picture()}), "val")


def test_a_class_missing_from_val_keeps_the_labels_of_train(source):
    val = open_dataset(source(SPLIT | {"train/ape/1.png": picture()}), "val")
    assert val.names == ("ape", "cat", "dog") and val.labels.tolist() == [1, 2]
