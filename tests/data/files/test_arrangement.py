"""Splits and classes in folders as people lay them out, and what is said of the rest."""

import pytest

from gnet.data.datasets import open_dataset, train_and_tune
from gnet.data.preview import preview
from gnet.runs.train_config import names_in
from support.folders import FLAT, SPLIT, laid_out, picture, reds, refused


def renamed(files, **folders):
    """The same files with other names for their top-level folders."""
    return {
        "/".join((folders.get(name.split("/")[0], name.split("/")[0]), *name.split("/")[1:])): data
        for name, data in files.items()
    }


def said(spec):
    return " ".join(preview(spec, size=32).warnings)


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ("Train", "Val"),
        ("TRAIN", "VALID"),
        ("training", "Validation"),
        ("training_set", "validation_set"),
        ("Train Data", "valid-images"),
    ],
)
def test_splits_are_known_by_their_usual_names_in_any_case(source, train, val):
    spec = source(renamed(SPLIT, train=train, val=val))
    assert reds(open_dataset(spec, "train")) == [0, 1, 2, 10, 11]
    assert reds(open_dataset(spec, "val")) == [90, 91]


@pytest.mark.parametrize("name", ["test", "Testing", "TEST", "test_set"])
def test_a_test_folder_is_no_validation_set_and_is_found_by_its_usual_names(source, name):
    train = {f"training/{c}/{i:02}.png": picture(i) for c in ("cat", "dog") for i in range(10)}
    test = {f"{name}/{c}/{i}.png": picture(100 + i) for c in ("cat", "dog") for i in range(2)}
    spec = source(train | test)
    assert reds(open_dataset(spec, "test")) == [100, 101, 100, 101]
    made = [open_dataset(spec, split, seed=1) for split in ("train", "val")]
    assert [part.counts for part in made] == [(8, 8), (2, 2)]
    assert max(reds(made[1])) < 100, "not from the test folder"


def test_a_tune_folder_is_found_in_capitals(source):
    files = {f"Tune/{c}/1.png": picture(200) for c in ("cat", "dog")}
    _, tune = train_and_tune(source(SPLIT | files))
    assert reds(tune) == [200, 200]


def test_a_missing_val_is_made_from_train_by_the_seed_and_said(source):
    spec = source({f"train/{name}": data for name, data in FLAT.items()})
    train, val = (open_dataset(spec, split, seed=3) for split in ("train", "val"))
    assert train.counts == (17, 17) and val.counts == (3, 3)
    assert sorted(reds(train) + reds(val)) == sorted([*range(20), *range(20)])
    assert reds(open_dataset(spec, "val", seed=4)) != reds(val)
    found = preview(spec, size=32)
    assert found.made_split
    assert "There is no folder val, so the seed chooses its pictures from train." in found.warnings


def test_where_val_is_made_a_class_of_one_picture_keeps_it_for_training(source):
    files = {f"train/{name}": data for name, data in FLAT.items()} | {"train/owl/1.png": picture()}
    spec = source(files)
    assert open_dataset(spec, "train").counts == (17, 17, 1)
    assert open_dataset(spec, "val").counts == (3, 3, 0)


@pytest.mark.parametrize(
    ("files", "around"),
    [
        *((files, around) for files in (FLAT, SPLIT) for around in ("a/PetImages", "a/b/c", "a")),
        (SPLIT, "test"),  # test with classes in it is a split
    ],
)
def test_any_number_of_wrapping_folders_is_peeled(source, files, around):
    spec = source({f"{around}/{name}": data for name, data in files.items()})
    assert open_dataset(spec, "train").names == ("cat", "dog")


def test_a_split_folder_in_one_of_its_own_name_is_peeled(source):
    doubled = {f"{name.split('/')[0]}/{name}": data for name, data in SPLIT.items()}
    spec = source(doubled)
    assert reds(open_dataset(spec, "train")) == [0, 1, 2, 10, 11]
    assert reds(open_dataset(spec, "val")) == [90, 91]


def test_kinds_within_kinds_are_a_sentence_that_says_what_to_do(source):
    kinds = {"cat": ("manx", "siam"), "dog": ("husky", "pug")}
    names = [f"pets/{top}/{kind}/{i}.png" for top in kinds for kind in kinds[top] for i in range(2)]
    sentence = refused(source(dict.fromkeys(names, picture())))
    assert "has folders within folders, such as cat/manx" in sentence
    assert "may be cat, dog or husky, manx, pug and 1 more" in sentence
    assert sentence.endswith("put the pictures of each class directly into one folder.")


def test_kinds_within_classes_of_a_split_belong_to_the_class(source):
    files = {f"train/{c}/{k}/{i}.png": picture(i) for c in "ab" for k in "xy" for i in range(3)}
    assert open_dataset(source(files | {"val/a/1.png": picture()}), "train").counts == (6, 6)


def test_pictures_directly_in_split_folders_are_a_sentence(source):
    files = {f"{split}/cat.{i}.png": picture() for split in ("train", "test") for i in range(3)}
    assert "pictures directly in test, train" in refused(source(files))


def test_a_class_may_be_called_like_a_split(source):
    files = {f"{name}/{i}.png": picture() for name in ("train", "car") for i in range(3)}
    assert open_dataset(source(files), "train").names == ("car", "train")


@pytest.mark.parametrize(
    ("extra", "names"),
    [
        ({"labels/train.csv": b"a,b", "labels/val.csv": b""}, "labels"),
        ({"empty/": b"", "empty/deeper/": b""}, "empty"),
        ({"docs/readme": b"This is text.", "docs/more/index.html": b"<html>"}, "docs"),
        ({"cat/annotations/01.xml": b"<a/>"}, "cat/annotations"),
    ],
)
def test_folders_without_pictures_are_left_out_and_said(source, extra, names):
    spec = source(FLAT | extra)
    for split in ("train", "val"):
        assert open_dataset(spec, split).names == ("cat", "dog")
    assert f"Left out, as they hold no pictures: {names}." in said(spec)


def test_folders_without_pictures_are_left_out_of_splits(source):
    extra = {"train/owl/": b"", "val/owl/notes.txt": b"none yet", "labels/a.txt": b"1"}
    spec = source(SPLIT | extra)
    assert open_dataset(spec, "train").names == open_dataset(spec, "val").names == ("cat", "dog")
    assert "no pictures: labels, train/owl, val/owl." in said(spec)


def test_a_folder_beside_the_pictures_is_no_class_that_hides_a_wrapper(source):
    files = {f"images/{name}": data for name, data in FLAT.items()}
    spec = source(files | {"annotations/01.xml": b"<a/>"})
    assert open_dataset(spec, "train").names == ("cat", "dog")


def test_pictures_without_an_ending_are_found_by_looking_into_them(source):
    files = {name.removesuffix(".png"): data for name, data in FLAT.items()}
    assert open_dataset(source(files | {"notes/1": b"text"}), "train").counts == (17, 17)


def test_folders_of_the_system_are_left_out_and_said(source):
    junk = {
        "cat/@eaDir/01.jpg/SYNOPHOTO_THUMB_M.jpg": picture(),
        "@eaDir/x/y.jpg": picture(),
        "cat/Desktop.ini": b"x",
        "cat/Icon\r": b"",
        "dog/THUMBS.DB": b"x",
        "labels.csv": b"x",
    }
    spec = source(FLAT | junk)
    assert open_dataset(spec, "train").counts == (17, 17)
    assert "a system keeps its own files there: @eaDir." in said(spec)


def test_pictures_beside_the_class_folders_are_said(source):
    spec = source(SPLIT | {"cover.png": picture(), "train/loose.png": picture()})
    assert "they lie in no class folder: cover.png, train/loose.png." in said(spec)


@pytest.mark.parametrize(
    "text",
    [
        "crane, bird,crane, machine",
        "crane, bird, crane, machine",
        '"crane, bird","crane, machine"',
        '"crane, bird", crane, machine',
    ],
)
def test_classes_with_commas_in_their_names_can_be_chosen(tmp_path, text):
    classes = ("crane, bird", "crane, machine", "crane", "dog")
    files = {f"{name}/{i}.png": picture(i) for name in classes for i in range(3)}
    dataset = open_dataset(laid_out(tmp_path, files), "train", classes=names_in(text))
    assert dataset.names == ("crane, bird", "crane, machine")


def test_classes_are_chosen_by_plain_names_too(source):
    files = FLAT | {f"owl/{i}.png": picture(i) for i in range(3)}
    assert open_dataset(source(files), "train", classes=("cat", " owl")).names == ("cat", "owl")
    assert "has no class mouse; it has cat, dog, owl" in refused(source(files), classes=("mouse",))
