"""Files are written whole or not at all."""

import pytest

from gnet.errors import GnetError
from gnet.system.atomic import atomically, folder_atomically


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomically(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent, "renaming works only within one file system"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path):
    path = tmp_path / "runs" / "first" / "a.txt"
    with atomically(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


@pytest.mark.parametrize("failure", [RuntimeError("a bug"), KeyboardInterrupt()])
def test_after_a_failure_the_old_file_stands_alone(tmp_path, failure):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted():
        with atomically(path) as temporary:
            temporary.write_text("half of")
            raise failure

    with pytest.raises(type(failure)):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to_is_one_sentence(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")
    with pytest.raises(GnetError) as caught, atomically(file / "b.txt") as temporary:
        temporary.write_text("new")
    assert str(caught.value).startswith(f"Cannot write {file / 'b.txt'} (")
    assert str(caught.value).endswith(".")


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    def overflow():
        with atomically(tmp_path / "a.txt") as temporary:
            temporary.write_text("half of")
            raise OSError(28, "No space left on device")

    with pytest.raises(GnetError, match="No space left on device"):
        overflow()
    assert not list(tmp_path.iterdir())


def test_a_folder_is_filled_whole_or_not_at_all(tmp_path):
    def fill(path, failure=None):
        with folder_atomically(path) as temporary:
            (temporary / "a" / "b").mkdir(parents=True)
            (temporary / "a" / "b" / "new.txt").write_text("new")
            (temporary / "top.txt").write_text("new")
            if failure:
                raise failure

    def held(path):
        return {p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()}

    with pytest.raises(GnetError, match=r"Cannot write .*out \(no room\); make room there"):
        fill(tmp_path / "out", OSError(28, "no room"))
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "out", KeyboardInterrupt())
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out" / "a").mkdir(parents=True)
    (tmp_path / "out" / "a" / "old.txt").write_text("old")
    (tmp_path / "out" / "top.txt").write_text("old")
    with pytest.raises(GnetError):
        fill(tmp_path / "out", OSError(28, "no room"))
    assert held(tmp_path / "out") == {"a/old.txt", "top.txt"}
    fill(tmp_path / "out")
    assert held(tmp_path / "out") == {"a/old.txt", "a/b/new.txt", "top.txt"}
    assert (tmp_path / "out" / "top.txt").read_text() == "new"
