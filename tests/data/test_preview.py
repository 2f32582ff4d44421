"""A look at a data set: its counts and split, what is skipped, and pictures as a run sees them."""

import io
import json
from collections.abc import Mapping

import numpy as np
import pytest
from PIL import Image

from gnet.commands.main import main
from gnet.data import preview as module
from gnet.data.datasets import open_dataset
from gnet.data.files.archives import Limits
from gnet.data.preview import check_layout, preview
from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.training.finder import thinned
from support.folders import FLAT, SPLIT, laid_out, picture, zipped


def noisy(seed: int, size: tuple[int, int] = (80, 64)) -> bytes:
    random = np.random.default_rng(seed)
    file = io.BytesIO()
    image = Image.fromarray(random.integers(0, 255, (*size[::-1], 3), dtype=np.uint8))
    image.save(file, "PNG")
    return file.getvalue()


def classes(counts: Mapping[str, int]) -> dict[str, bytes]:
    seeds = iter(range(1000))
    return {
        f"{name}/{i:03}.png": noisy(next(seeds))
        for name, count in counts.items()
        for i in range(count)
    }


def test_counts_are_those_that_a_run_would_take(source):
    spec = source(FLAT)
    found = preview(spec, size=32, seed=3)
    assert found.made_split
    for split in ("train", "val"):
        expected = open_dataset(spec, split, seed=3).counts
        assert tuple(getattr(c, split) for c in found.classes) == expected
    assert (found.train, found.val) == (34, 6)
    few = preview(spec, size=32, per_class=4)
    assert [(c.train, c.val) for c in few.classes] == [(4, 3), (4, 3)]


def test_a_preview_says_whether_the_split_was_made_here(source):
    found = preview(source(SPLIT), size=32)
    assert not found.made_split
    assert [(c.name, c.train, c.val) for c in found.classes] == [("cat", 3, 1), ("dog", 2, 1)]


def test_what_is_skipped_is_counted_by_reason(tmp_path):
    files = SPLIT | {
        "train/cat/notes.txt": b"no picture",
        "train/cat/dot.png": picture(1, size=(1, 1)),
        "val/dog/cut.png": picture()[:40],
    }
    found = preview(zipped(tmp_path / "pets.zip", files), size=32)
    assert sum(found.skipped.values()) == 3 and found.opened == 10
    assert (found.train, found.val) == (5, 2)
    assert found.skipped["smaller than 8 px"] == 1
    assert any("3 of 10 pictures" in sentence for sentence in found.warnings)


def test_a_teacher_is_warned_of_few_uneven_and_repeated_pictures(tmp_path):
    files = classes({"cat": 24, "dog": 4})
    files["dog/again.png"] = files["dog/000.png"]
    files["dog/more.png"] = files["dog/000.png"]
    said = " ".join(preview(laid_out(tmp_path / "pets", files), size=32, seed=1).warnings)
    assert "Uneven classes: cat has 20 pictures and dog 5" in said
    assert "Few training pictures: dog has 5" in said
    assert "Few validation pictures: cat has 4, dog has 1" in said


def test_a_picture_in_both_splits_gives_a_warning(tmp_path):
    files = {f"train/{n}/{i}.png": noisy(10 * j + i) for j, n in enumerate("ab") for i in range(3)}
    files |= {"val/a/x.png": files["train/a/0.png"], "val/b/y.png": noisy(99)}
    said = preview(laid_out(tmp_path / "pets", files), size=32).warnings
    assert any(sentence.startswith("1 of 2 validation pictures") for sentence in said)


def test_an_even_set_of_many_pictures_raises_no_warning():
    assert preview("built-in", size=32).warnings == ()


def test_the_sheet_shows_pictures_as_validated_and_beside_them_augmented(tmp_path):
    files = {
        f"{name}/{i}.png": picture(value)
        for name, value in (("a", 20), ("b", 220))
        for i in range(8)
    }
    found = preview(laid_out(tmp_path / "two", files), size=32)
    sheet = np.asarray(Image.open(io.BytesIO(found.sheet)).convert("RGB"))
    assert found.rows == ("a", "b") and (found.columns, found.side) == (4, 32)
    assert sheet.shape == (64, 256, 3)
    cells = sheet[..., 0].reshape(2, 32, 8, 32).mean(axis=(1, 3))
    assert np.abs(cells - [[20], [220]]).max() < 12  # what WebP loses


def test_augmented_pictures_stand_in_the_order_of_the_others():
    """Flat pictures have one colour however they are cropped, so each tells which one it is."""
    values = np.array([10, 80, 160, 240])
    found = preview_of(values)
    cells = np.asarray(Image.open(io.BytesIO(found)).convert("RGB"))[:32].reshape(32, 8, 32, 3)
    reds = cells[..., 0].mean(axis=(0, 2))
    assert np.abs(reds - np.tile(values, 2)).max() < 12


def preview_of(values: np.ndarray) -> bytes:
    import torch

    from gnet.data.datasets import Dataset

    pictures = [torch.full((3, 40, 40), int(v), dtype=torch.uint8) for v in values]
    data = Dataset(
        classes=("a",),
        names=("a",),
        pictures=pictures,
        labels=torch.zeros(len(values), dtype=torch.int64),
        sources=("",) * len(values),
    )
    return module.contact_sheet(data, size=32, seed=0)[2]


def test_the_sheet_is_bounded_however_many_classes_and_px_there_are(tmp_path):
    files = {f"{i:02}/{j}.png": picture(i) for i in range(30) for j in range(3)}
    found = preview(laid_out(tmp_path / "many", files), size=160)
    assert len(found.rows) == module.MOST_ROWS and found.rows[0] == "00"
    image = Image.open(io.BytesIO(found.sheet))
    assert image.size == (8 * module.MOST_SIDE, 12 * module.MOST_SIDE)


def test_no_more_pictures_are_opened_than_the_limit(tmp_path):
    spec = laid_out(tmp_path / "pets", FLAT)
    told = []
    found = preview(spec, size=32, opened=10, progress=lambda done, total: told.append(total))
    assert found.train == 34 and max(told) == 10 and found.opened < 20


def test_what_is_measured_on_a_few_steps_needs_few_pictures(tmp_path):
    spec = str(laid_out(tmp_path / "pets", FLAT))
    config = TrainConfig(data=spec)
    assert thinned(config) == (config, None)
    few, whole = thinned(config, most=8)
    assert few.per_class == 4 and whole == {"train": 34, "val": 6}
    assert thinned(TrainConfig(data=spec, per_class=8), most=8)[1] == {"train": 16, "val": 6}
    tuned = TrainConfig(data=spec, tune=True)
    assert thinned(tuned, most=8)[1] == {"train": 32, "val": 2}
    assert thinned(TrainConfig(per_class=900), most=8) == (TrainConfig(per_class=900), None)


@pytest.mark.parametrize(
    "files, sentence",
    [
        (SPLIT | {"../out.png": picture()}, "outside its folder"),
        ({"cat/1.png": picture(), "cat/2.png": picture()}, "has one class"),
        ({"1.png": picture(), "2.png": picture()}, "no class folders"),
        ({f"{n}/{i}.png": picture(size=(1, 1)) for n in "ab" for i in range(3)}, "smaller than 8"),
    ],
)
def test_a_zip_that_is_no_data_set_is_refused_in_a_sentence(tmp_path, files, sentence, capsys):
    spec = zipped(tmp_path / "bad.zip", files)
    with pytest.raises(GnetError, match=sentence):
        preview(spec, size=32)
    assert main(["preview", "--data", str(spec), "--size", "32"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and sentence in said


def test_names_alone_tell_that_a_zip_is_none(tmp_path):
    check_layout(zipped(tmp_path / "good.zip", SPLIT))
    with pytest.raises(GnetError, match="entries"):
        check_layout(zipped(tmp_path / "many.zip", FLAT), Limits(entries=30))
    (tmp_path / "no.zip").write_bytes(b"not at all")
    with pytest.raises(GnetError, match="is not a zip"):
        check_layout(tmp_path / "no.zip")


def test_the_command_prints_a_table_and_writes_the_sheet(tmp_path, capsys):
    spec = str(zipped(tmp_path / "pets.zip", FLAT))
    assert main(["preview", "--data", spec, "--size", "32", "--out", str(tmp_path / "new")]) == 0
    said = capsys.readouterr().out
    assert "2 classes, 34 + 6 pictures, split here, by the seed" in said
    with Image.open(tmp_path / "new" / "sheet.webp") as sheet:
        assert sheet.size == (256, 64)
    assert main(["preview", "--data", spec, "--size", "32", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["classes"][0] == {"name": "cat", "train": 17, "val": 3}
    assert record["sheet"] is None and record["name"] == "pets.zip"
