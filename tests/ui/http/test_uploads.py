"""Where the page's pictures live, how long, and which of them a client may name."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import torch

from gnet.answers import recordings
from gnet.answers.recordings import Recordings
from gnet.errors import GnetError
from gnet.explain.recording import Recording, record
from gnet.ui.http import uploads
from support.pages import Server, photo, random_network
from support.root import ROOT

# Not the module's own functions: other threads tell the time, too.
later = SimpleNamespace(monotonic=lambda: time.monotonic() + uploads.KEPT_SECONDS + 1)


@pytest.fixture(scope="module")
def one() -> Recording:
    return record(random_network(), torch.rand(1, 3, 64, 64))


def test_recordings_are_kept_within_bounds_and_made_again_after_a_miss(one: Recording) -> None:
    kept = Recordings(max_bytes=2 * one.nbytes)
    made: list[str] = []

    def ask(key: str) -> None:
        kept.get(key, "weights", lambda: made.append(key) or one)

    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert made == ["a", "b", "c", "b"]
    assert len(kept) == 2 and kept.nbytes <= kept.max_bytes


def test_recordings_are_forgotten_with_their_pictures(one: Recording, monkeypatch) -> None:
    kept = Recordings()
    kept.get("a", "weights", lambda: one)
    monkeypatch.setattr(recordings, "time", later)
    kept.sweep()
    assert len(kept) == 0 and kept.nbytes == 0
    kept.get("b", "weights", lambda: one)
    assert len(kept) == 1 and kept.nbytes == one.nbytes


def test_the_oldest_uploads_go_where_all_together_are_too_large(tmp_path) -> None:
    def upload(name: str, age: float) -> Path:
        path = tmp_path / name / "picture.jpg"
        path.parent.mkdir()
        path.write_bytes(bytes(1000))
        made = time.time() - age
        os.utime(path, (made, made))
        return path

    old, middle, new = (upload(name, age) for name, age in (("a", 30), ("b", 20), ("c", 10)))
    zipped = upload(uploads.ZIPS, 90)

    asked: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        asked.append(scope["path"])

    bounded: Any = uploads.BoundedUploads(app, tmp_path, most_bytes=2500)

    def ask(path: str) -> None:
        with ThreadPoolExecutor(max_workers=1) as pool:  # a browser's loop may run in this thread
            pool.submit(asyncio.run, bounded({"type": "http", "path": path}, None, None)).result()

    ask("/gradio_api/info")
    assert old.exists()
    ask("/gradio_api/upload")
    assert asked == ["/gradio_api/info", "/gradio_api/upload"]
    assert [path.exists() for path in (old, middle, new, zipped)] == [False, True, True, True]


def test_uploads_older_than_an_hour_are_deleted(tmp_path) -> None:
    old, new = tmp_path / "a" / "old.jpg", tmp_path / "b" / "new.jpg"
    for path in (old, new):
        path.parent.mkdir()
        path.write_bytes(b"x")
    past = time.time() - uploads.KEPT_SECONDS - 5
    os.utime(old, (past, past))
    uploads.sweep(tmp_path)
    assert not old.exists() and new.exists()


class Elapsed(Exception):
    """Ends the sweeper, which would go on for ever."""


def test_the_sweeper_survives_what_it_cannot_delete_and_sweeps_recordings_too(
    tmp_path: Path, one: Recording, monkeypatch
) -> None:
    kept, rounds, old = Recordings(), [], tmp_path / "old.jpg"
    kept.get("a", "weights", lambda: one)
    uploads.sweep_also(kept)
    old.write_bytes(b"x")
    os.utime(old, (0, 0))
    mine, sweep, rest = threading.current_thread(), uploads.sweep, time.sleep

    def race(folder: Path) -> None:
        if threading.current_thread() is mine and not rounds:
            raise FileNotFoundError("another was faster")
        sweep(folder)

    def sleep(seconds: float) -> None:
        if threading.current_thread() is not mine:
            return rest(seconds)  # the sweeper of the tests' server
        rounds.append((seconds, old.exists(), len(kept)))
        if len(rounds) == 3:
            raise Elapsed
        if len(rounds) == 2:
            monkeypatch.setattr(recordings, "time", later)

    monkeypatch.setattr(uploads, "sweep", race)
    monkeypatch.setattr(uploads, "time", SimpleNamespace(time=time.time, sleep=sleep))
    with pytest.raises(Elapsed):
        uploads._keep_swept(tmp_path)
    assert rounds == [(60, True, 1), (60, False, 1), (60, False, 0)]
    assert kept.nbytes == 0


def test_sweeping_goes_on_past_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    rmdir = Path.rmdir

    def failing(path: Path) -> None:
        if path.name == "b":
            raise OSError("not empty any more")
        rmdir(path)

    monkeypatch.setattr(Path, "rmdir", failing)
    uploads.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_servers_sweeper_runs_beside_it(gradio_environment) -> None:
    assert any(thread.name == "uploads" for thread in threading.enumerate())


def test_uploads_go_with_their_server_and_leftovers_of_a_killed_one_with_the_next(tmp_path) -> None:
    dead, living = tmp_path / "server-dead", tmp_path / "server-living"
    for folder in (dead, living):
        folder.mkdir()
        (folder / "picture.jpg").write_bytes(b"x")
    os.utime(dead, (0, 0))
    script = (
        "import sys; from pathlib import Path; from gnet.ui.http.uploads import open_folder\n"
        "folder = open_folder(Path(sys.argv[1])); (folder / 'a.jpg').write_bytes(b'x')\n"
        "print(folder.stat().st_mode & 0o777)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(0o700)
    assert [path.name for path in tmp_path.iterdir()] == ["server-living"]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch) -> Path:
    """The folder for temporary files; no sweeper is started."""
    monkeypatch.setattr(uploads.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(uploads, "threading", SimpleNamespace(Thread=lambda **_: Idle()))
    return tmp_path


class Idle:
    def start(self) -> None:
        pass


def test_a_file_in_the_place_of_the_folder_is_left_alone(elsewhere: Path) -> None:
    taken = elsewhere / "gnet-somebody"
    taken.write_text("mine")
    folder = uploads.open_folder(taken)
    assert folder.is_dir() and folder.parent.parent == elsewhere and taken.read_text() == "mine"
    assert folder.parent.name.startswith("gnet-somebody-")
    assert (folder.parent.stat().st_mode & 0o777) == 0o700


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners of folders")
def test_somebody_elses_folder_is_not_used(elsewhere: Path, monkeypatch) -> None:
    theirs = elsewhere / "gnet-somebody"
    theirs.mkdir()
    monkeypatch.setattr(uploads.os, "getuid", lambda: theirs.stat().st_uid + 1)
    assert uploads.open_folder(theirs).parent != theirs


def test_no_place_for_uploads_is_a_sentence(elsewhere: Path, monkeypatch) -> None:
    monkeypatch.setattr(uploads.tempfile, "tempdir", str(elsewhere / "gone"))
    (elsewhere / "file").touch()
    with pytest.raises(GnetError, match=r"no place for uploaded pictures .*; set TMPDIR"):
        uploads.open_folder(elsewhere / "file")


def test_the_files_to_be_fetched_do_not_pile_up(tmp_path):
    paths = [
        uploads.keep(tmp_path, "a.csv", str(number).encode())
        for number in range(uploads.MOST_KEPT + 5)
    ]
    assert paths[-1].read_bytes() == str(uploads.MOST_KEPT + 4).encode()
    assert sum(path.is_file() for path in paths) == uploads.MOST_KEPT


def test_on_a_full_disk_a_file_to_be_fetched_is_one_sentence(tmp_path) -> None:
    from support.disks import full_above

    with full_above(1000), pytest.raises(GnetError) as caught:
        uploads.keep(tmp_path, "answer.png", bytes(2000))
    assert str(caught.value) == (
        "The server cannot keep answer.png to be fetched (File too large); try again later."
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_on_a_full_disk_an_upload_is_one_sentence(server: Server, capfd) -> None:
    from gradio.utils import get_upload_folder

    from support.disks import full_above

    folder = Path(get_upload_folder())
    before = set(folder.rglob("*"))
    picture = photo(900, 700)
    with full_above(len(picture) // 2):
        answer = httpx.post(
            f"{server.address}gradio_api/upload",
            files={"files": ("mine.jpg", picture)},
            timeout=20,
            trust_env=False,
        )
    gc.collect()  # Gradio leaves the file open
    assert answer.status_code == 507
    assert answer.json() == {
        "detail": "The server cannot keep that file (File too large); try again later."
    }
    assert not [path for path in set(folder.rglob("*")) - before if path.is_file()]
    assert "Traceback" not in capfd.readouterr().err
