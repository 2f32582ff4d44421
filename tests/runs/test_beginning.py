"""How far a run's start is, noted while its pictures are read."""

import json

import pytest

from gnet.runs.beginning import BEGINNING, Beginning, noting, read_beginning


def test_the_pictures_read_are_noted_and_passed_on(tmp_path):
    passed = []
    note = noting(tmp_path, lambda done, total: passed.append((done, total)))
    note(1, 30)
    assert read_beginning(tmp_path) == Beginning(done=1, total=30)
    for done in range(2, 31):
        note(done, 30)
    assert read_beginning(tmp_path) == Beginning(done=30, total=30)
    assert passed == [(done, 30) for done in range(1, 31)]


def test_a_folder_that_cannot_be_written_to_stops_nothing(tmp_path):
    (tmp_path / "file").touch()
    noting(tmp_path / "file", None)(1, 2)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"done": "1", "total": 2}'])
def test_what_is_no_note_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / BEGINNING).write_text(content)
    assert read_beginning(tmp_path) is None
    (tmp_path / BEGINNING).write_text(json.dumps({"done": 1, "total": 0}))
    assert read_beginning(tmp_path) == Beginning(done=1, total=0)
