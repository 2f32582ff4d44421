"""macOS and Windows by imitation: what the code does where a system lacks a call."""

import ctypes
import errno
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gnet import app
from gnet.data.files.archives import open_files
from gnet.errors import GnetError
from gnet.serving.networks.own import OwnNetworks
from gnet.serving.offers import cleaned_file_name
from gnet.system import atomic, processes
from gnet.system.paths import file_stem
from gnet.system.processes import ProcessHandle, give_back_memory, launch, start_time
from gnet.ui.http.uploads import make_room

DEVICES = ("CON", "con", "Aux", "NUL", "prn", "COM1", "lpt9", "com¹")


@contextmanager
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`os.name` as on Windows; no path can be made meanwhile."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        yield


def kernel32(started: dict[int, int], ended: tuple[int, ...] = ()) -> SimpleNamespace:
    """The calls of that library that are used: process → when it started."""
    closed: list[int] = []

    def open_process(_rights: int, _inherit: bool, process: int) -> int | None:
        return process + 1000 if process in started else None

    def exit_code(handle: ctypes.c_void_p, code: Any) -> int:
        assert handle.value
        code._obj.value = 1 if handle.value - 1000 in ended else 259
        return 1

    def times(handle: ctypes.c_void_p, begun: Any, *_others: Any) -> int:
        assert handle.value
        begun._obj.value = started[handle.value - 1000]
        return 1

    def close(handle: ctypes.c_void_p) -> int:
        closed.append(handle.value or 0)
        return 1

    return SimpleNamespace(
        OpenProcess=open_process,
        GetExitCodeProcess=exit_code,
        GetProcessTimes=times,
        CloseHandle=close,
        closed=closed,
    )


def test_windows_tells_a_process_from_a_later_one_with_its_number(monkeypatch) -> None:
    library = kernel32({7: 2**60, 8: 5}, ended=(8,))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: {"kernel32": library}[name])
    with windows(monkeypatch):
        assert start_time(7) == str(2**60)
        assert ProcessHandle(process=7, started=str(2**60)).lives()
        assert not ProcessHandle(process=7, started="3").lives()
        assert start_time(8) == start_time(9) == "", "one has ended, one never was"
    assert library.closed == [1007, 1007, 1007, 1008]


def test_a_system_without_ps_knows_no_start(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert start_time(os.getpid(), tmp_path) == ""


def test_a_child_starts_where_its_niceness_cannot_be_set(monkeypatch) -> None:
    monkeypatch.delattr(os, "setpriority", raising=False)
    with launch([sys.executable, "-S", "-c", "print(1)"], stdout=subprocess.PIPE) as process:
        assert process.communicate(timeout=60)[0] == "1\n"


@pytest.mark.parametrize(("niceness", "flags"), [(10, 0x4200), (0, 0x200)])
def test_windows_is_told_that_a_child_stands_apart_and_behind(monkeypatch, niceness, flags) -> None:
    given = {}

    def popen(_command: list[str], **options: Any) -> SimpleNamespace:
        given.update(options)
        return SimpleNamespace(pid=2**22 + 1)

    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0x4000, raising=False)
    monkeypatch.setattr(subprocess, "Popen", popen)
    launch(["python"], niceness=niceness)
    assert given["creationflags"] == flags


def test_a_process_is_ended_where_there_is_no_sigkill(monkeypatch) -> None:
    monkeypatch.delattr(processes.signal, "SIGKILL")
    with launch([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        ProcessHandle(process=process.pid, started=start_time(process.pid)).kill()
        assert process.wait(60) != 0


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_without_glibc_no_memory_is_given_back(monkeypatch, error) -> None:
    def none(_: object) -> None:
        raise error("there is no such library")

    monkeypatch.setattr(ctypes, "CDLL", none)
    assert give_back_memory() is False


def test_a_port_in_use_is_told_where_ports_cannot_be_shared(monkeypatch) -> None:
    monkeypatch.delattr(socket, "SO_REUSEADDR")
    with socket.socket() as other, windows(monkeypatch):
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(GnetError, match=f"cannot listen on 127.0.0.1:{port} "):
            app.check_port("127.0.0.1", port)
        other.close()
        app.check_port("127.0.0.1", port)


def test_a_file_that_a_reader_has_open_is_replaced_a_little_later(tmp_path, monkeypatch) -> None:
    tries = []

    def held(source: Path, target: Path, real: Any = os.replace) -> None:
        tries.append(target)
        if len(tries) < 3:
            raise PermissionError(errno.EACCES, "it is being used by another process")
        real(source, target)

    new, old = tmp_path / "new", tmp_path / "old"
    new.write_text("new")
    old.write_text("old")
    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(PermissionError):
        atomic.rename(new, old, waits=(0.0,))
    atomic.rename(new, old, waits=(0.0, 0.0))
    assert old.read_text() == "new" and len(tries) == 3


def test_an_upload_that_is_being_read_stays_for_the_next_sweep(tmp_path, monkeypatch) -> None:
    for name in ("read.png", "free.png"):
        (tmp_path / name).write_bytes(bytes(100))

    def unlink(path: Path, missing_ok: bool = False, real: Any = os.unlink) -> None:
        if path.name == "read.png":
            raise PermissionError(errno.EACCES, "it is being used by another process")
        real(path)

    monkeypatch.setattr(Path, "unlink", unlink)
    make_room(tmp_path, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["read.png"]


@pytest.mark.parametrize("name", DEVICES)
def test_no_file_is_named_as_a_device_of_windows(name: str, tmp_path: Path) -> None:
    assert file_stem(name, 40, "file") == f"{name}_"
    assert cleaned_file_name(f"{name}.zip") == f"{name}_.zip"
    path = OwnNetworks(tmp_path).reserve(f"{name}.safetensors", 10)
    assert path.name == f"{name}_.safetensors"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a:", "a"),
        ("a:b?*|<>\"'", "a-b"),
        ("ends in a dot.", "ends-in-a-dot"),
        (" . ", "file"),
        ("consul", "consul"),
        ("日本", "日本"),
        ("x" * 90, "x" * 40),
    ],
)
def test_signs_that_windows_forbids_are_left_out(name: str, stem: str) -> None:
    assert file_stem(name, 40, "file") == stem


def test_classes_of_any_name_are_read_from_a_zip_and_never_written(tmp_path: Path) -> None:
    names = ("CON", "ends.", "a:b", "what?")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.writestr(f"{name}/1.png", "picture")
    files = open_files(tmp_path / "a.zip")
    assert {parts[0] for parts in files.paths} == set(names)
    assert files.read(("a:b", "1.png")) == b"picture"
    files.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
