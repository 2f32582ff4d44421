"""A stamp changes when a file or folder does, and only then."""

import os

from gnet.system.stamps import stamp_of


def test_a_file_has_the_same_stamp_until_it_is_written_or_replaced(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    first = stamp_of(path)
    assert first and stamp_of(str(path)) == first
    kept = os.stat(path)
    path.write_bytes(b"longer")
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    written = stamp_of(path)
    (tmp_path / "b").write_bytes(b"longer")
    os.utime(tmp_path / "b", ns=(kept.st_atime_ns, kept.st_mtime_ns))
    os.replace(tmp_path / "b", path)
    assert len({first, written, stamp_of(path)}) == 3


def test_a_folder_has_another_stamp_once_a_file_below_it_comes_or_goes(tmp_path):
    below = tmp_path / "train" / "cat"
    below.mkdir(parents=True)
    os.utime(below, ns=(1, 1))
    before = stamp_of(tmp_path)
    assert stamp_of(tmp_path) == before
    (below / "1.png").touch()
    os.utime(below, ns=(2**62, 2**62))
    assert stamp_of(tmp_path) != before


def test_a_file_that_is_not_there_has_no_stamp(tmp_path):
    assert stamp_of(tmp_path / "none") == stamp_of("built-in") == ()
