"""The command evaluate: what it measures, and what it refuses."""

import zipfile

from gnet.evaluation.depth import SHIPPED, Depth
from support.folders import SPLIT, picture, zipped


def test_evaluate_gives_heads_groups_and_a_count(weights, answer, tmp_path):
    data = zipped(tmp_path / "pets.zip", SPLIT)
    told = answer("evaluate", "--data", data, "--split", "train", "--weights", weights)
    assert told["count"] == 5 and set(told["groups"]) == {"tin", "ima"}
    for tops in (told["heads"], *told["groups"].values()):
        assert set(tops) == {"main", "aux1", "aux2"}
        assert all({"top1", "top5"} <= set(row) for row in tops.values())
        assert all(row["top5"] == 1.0 for row in tops.values())


def test_evaluate_takes_the_classes_that_the_network_knows(weights, answer, refusal, tmp_path):
    strangers = {f"{split}/stranger/tin0.png": picture(5) for split in ("train", "val")}
    data = zipped(tmp_path / "pets.zip", SPLIT | strangers)
    assert "has 3 classes" in refusal("evaluate", "--data", data, "--weights", weights)
    told = answer("evaluate", "--data", data, "--classes", "cat,dog", "--weights", weights)
    assert told["count"] == 2


def test_evaluate_reads_any_top_level_folder(weights, answer, tmp_path):
    moved = {name.replace("val/", "holiday/"): content for name, content in SPLIT.items()}
    data = zipped(tmp_path / "pets.zip", moved)
    told = answer("evaluate", "--data", data, "--split", "holiday", "--weights", weights)
    assert told["count"] == 2


def test_a_zip_with_names_outside_its_folder_is_refused(weights, refusal, tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../cat/a.png", b"")
    refusal("evaluate", "--data", tmp_path / "evil.zip", "--weights", weights)
    assert not (tmp_path.parent / "cat").exists()


def test_a_size_that_cannot_be_is_refused_before_anything_is_read(weights, refusal):
    said = refusal("evaluate", "--data", "nothing", "--size", "100000", "--weights", weights)
    assert "size is 100000" in said and "from 32 to 320" in said


def test_a_data_set_of_other_classes_is_refused(weights, refusal):
    said = refusal("evaluate", "--data", "built-in", "--weights", weights)
    assert "10 classes; the network has 2" in said


def test_draw_depth_writes_what_was_measured(answer, refusal, tmp_path):
    figure = tmp_path / "agreement.svg"
    told = answer("draw-depth", "agreement", "--from", SHIPPED, "--out", figure)
    assert told["rows"][0]["3b"] == Depth.read(SHIPPED).agreement[0][1]
    assert "Who gives the same answer?" in figure.read_text()
    assert "allowed are accuracy" in refusal("draw-depth", "magic")
    assert "leave is 7" in refusal("draw-depth", "early", "--leave", 7)
    assert "missing.json" in refusal("draw-depth", "early", "--from", tmp_path / "missing.json")
