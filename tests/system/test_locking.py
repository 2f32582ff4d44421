"""A file is held by one process at a time, and free again however that process ends."""

import errno
import subprocess
import sys

import pytest

from gnet.system.locking import taken, waited_for

HOLD = """
import sys
from pathlib import Path
from gnet.system.locking import taken
lock = taken(Path(sys.argv[1]))
print("held" if lock else "refused", flush=True)
sys.stdin.read()
"""


def holding(path):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_held_file_is_refused_and_a_killed_process_frees_it(tmp_path):
    path = tmp_path / "held.lock"
    with holding(path) as first:
        assert first.stdout and first.stdout.readline() == "held\n"
        assert taken(path) is None
        first.kill()
    lock = taken(path)
    assert lock is not None
    with holding(path) as second:
        assert second.stdout and second.stdin and second.stdout.readline() == "refused\n"
        second.stdin.close()
    lock.release()
    assert taken(path) is not None


def test_looking_whether_a_file_is_held_leaves_its_time_as_it_was(tmp_path):
    path = tmp_path / ".server"
    lock = taken(path)
    assert lock is not None
    before = path.stat().st_mtime_ns
    assert taken(path) is None
    assert path.stat().st_mtime_ns == before
    lock.release()
    assert path.exists()


def test_a_file_that_is_waited_for_can_be_held_again_afterwards(tmp_path):
    for _ in range(2):
        with waited_for(tmp_path / ".changes"):
            assert taken(tmp_path / ".changes") is None


@pytest.mark.skipif(sys.platform == "win32", reason="flock is what Unix locks with")
@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK])
def test_a_file_system_without_locks_stops_nobody(tmp_path, monkeypatch, code):
    def refused(descriptor, operation):
        raise OSError(code, "no locks here")

    monkeypatch.setattr("fcntl.flock", refused)
    lock = taken(tmp_path / "a")
    assert lock is not None
    with waited_for(tmp_path / "b"):
        pass
    lock.release()


def test_a_place_where_no_file_can_be_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        taken(tmp_path / "file" / "a")
