"""How far a run's start is, noted while its pictures are read."""

import json

import pytest

from gnet.runs.beginning import BEGINNING, Beginning, noting, read_beginning


def test_the_pictures_read_are_noted_and_passed_on(tmp_path):
    passed = []
    note = noting(tmp_path, lambda done, total: passed.append((done, total)))
    note(1, 30)
    assert read_beginning(tmp_path) == Beginning(split="train", done=1, total=30)
    for done in range(2, 31):
        note(done, 30)
    assert read_beginning(tmp_path) == Beginning(split="train", done=30, total=30)
    assert passed == [(done, 30) for done in range(1, 31)]


@pytest.mark.parametrize("pictures", [1, 30])
def test_the_second_split_is_told_from_the_first(pictures, tmp_path):
    note = noting(tmp_path, None)
    for done in range(1, pictures + 1):
        note(done, pictures)
    assert read_beginning(tmp_path) == Beginning(split="train", done=pictures, total=pictures)
    for done in range(1, 9):
        note(done, 8)
    assert read_beginning(tmp_path) == Beginning(split="val", done=8, total=8)


def test_a_folder_that_cannot_be_written_to_stops_nothing(tmp_path):
    (tmp_path / "file").touch()
    noting(tmp_path / "file", None)(1, 2)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "[]",
        "{}",
        '{"split": "train", "done": "1", "total": 2}',
        '{"split": [], "done": 1, "total": 2}',
    ],
)
def test_what_is_no_note_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / BEGINNING).write_text(content)
    assert read_beginning(tmp_path) is None
    (tmp_path / BEGINNING).write_text(json.dumps({"split": "train", "done": 1, "total": 0}))
    assert read_beginning(tmp_path) == Beginning(split="train", done=1, total=0)
