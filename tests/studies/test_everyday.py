"""The bundled network's data set: its table of classes, and how its pictures are divided."""

import json
import sys
import zipfile

import pytest

from gnet.data.datasets import held_out, open_dataset
from gnet.errors import GnetError
from gnet.studies.everyday import ZIPS, known_classes, lay_out
from support.folders import picture, reds


@pytest.fixture(scope="module")
def files():
    """By zip: two classes learned small, one of them with sharp photos, and a new one."""
    small = {
        f"{split}/{name}/tin{i:02}.png": picture(60 * (name == "bee") + i + 30 * (split == "val"))
        for split, count in (("train", 30), ("val", 4))
        for name in ("banana", "bee")
        for i in range(count)
    }
    return {
        "everyday": small,
        "sharp-train": {f"train/bee/tin{i:02}.png": picture(150 + i) for i in range(15)},
        "sharp-new": {f"train/horse/a{i}.png": picture(180 + i) for i in range(6)}
        | {f"test/horse/b{i}.png": picture(190 + i) for i in range(2)},
        "mined-train": {f"train/bee/c{i}.png": picture(200 + i) for i in range(5)},
    }


@pytest.fixture(scope="module")
def laid_out(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    for name in ZIPS:
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            for path, content in files[name].items():
                archive.writestr(path, content)
    return folder, lay_out(folder, folder / "out")


def test_every_picture_goes_to_one_split(laid_out, files):
    folder, count = laid_out
    assert count == {"train": 28 + 28 + 15 + 5, "tune": 2 + 2 + 1 + 1, "val": 8, "sharp": 4 + 2}
    assert sum(count.values()) == sum(map(len, files.values()))
    written = [path.read_bytes() for path in (folder / "out").rglob("*.png")]
    assert sorted(written) == sorted(c for content in files.values() for c in content.values())


def test_the_split_of_a_picture_does_not_depend_on_the_other_folders(laid_out, files, tmp_path):
    folder, _ = laid_out
    for name in ZIPS:
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for path, content in files[name].items():
                if "/bee/" in path:
                    archive.writestr(path, content)
    lay_out(tmp_path, tmp_path / "out")
    alone = {p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*.png")}
    among = {p.relative_to(folder / "out") for p in (folder / "out").glob("*/bee/*.png")}
    assert alone == among


def test_tune_is_what_the_small_pictures_alone_would_have_set_aside(laid_out):
    folder, _ = laid_out
    _, tune = held_out(open_dataset(folder / "everyday.zip", "train"))
    laid = open_dataset(folder / "out", "tune", classes=("banana", "bee"))
    assert set(reds(tune)) <= set(reds(laid))


def test_names_families_and_the_teachers_names_lie_beside_the_pictures(laid_out):
    folder, _ = laid_out
    data = open_dataset(folder / "out", "train")
    assert data.names == ("banana", "bee", "horse")
    assert data.families == ("food or plant", "insect or spider", "hoofed animal")
    assert json.loads((folder / "out" / "teacher.json").read_text())["horse"] == ["sorrel"]


def test_every_class_has_a_family_and_each_folder_and_teachers_name_one_class():
    classes = known_classes()
    assert 110 <= len(classes) <= 150 and all(row["family"] for row in classes.values())
    for key in ("from", "teacher"):
        names = [name for row in classes.values() for name in row[key]]
        assert len(names) == len(set(names))
    assert list(classes) == sorted(classes)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
def test_on_a_full_disk_it_is_one_sentence_and_nothing_is_left(laid_out, tmp_path):
    from support.disks import full_above

    folder, _ = laid_out
    largest = max(path.stat().st_size for path in (folder / "out").rglob("*"))
    out = tmp_path / "new" / "out"
    with (
        full_above(largest - 1),
        pytest.raises(GnetError, match=r"Cannot write .*out \(File too large\)"),
    ):
        lay_out(folder, out)
    assert not out.exists() and not list(tmp_path.rglob("*.png"))


def test_a_folder_without_the_zips_is_refused(tmp_path):
    with pytest.raises(GnetError, match=r"everyday\.zip, sharp-train\.zip"):
        lay_out(tmp_path, tmp_path / "out")
