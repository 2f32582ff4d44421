"""Where a file is read, a pipe, a socket, a device or a folder is refused and never waited for."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gnet.answers.lessons.reader import read_lesson, read_lessons
from gnet.commands.main import main
from gnet.data.files.archives import open_files
from gnet.data.pictures import open_picture
from gnet.errors import GnetError
from gnet.evaluation.depth import Depth
from gnet.network.conversion import convert, read_classes
from gnet.network.weights import load
from gnet.runs.control import read_requests
from gnet.runs.folder import CONFIG, EVENTS, RunFolder
from gnet.studies.model_card import EXITS, between_marks
from gnet.system.paths import regular

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")

READERS: dict[str, Callable[[Path], Any]] = {
    "weights": load,
    "another program's weights": lambda path: convert(path, ("a",), transform_input=True),
    "class names": read_classes,
    "lesson": read_lesson,
    "picture": open_picture,
    "requests": read_requests,
    "depth": Depth.read,
    "model card": lambda path: between_marks(path, "", EXITS),
}


@pytest.fixture(autouse=True)
def _never_waits() -> Iterator[None]:
    """A reader that waits for a pipe fails its test."""

    def late(*_: object) -> None:
        raise AssertionError("it waited")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 20)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_what_is_no_file_is_called_what_it_is(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # the name of a socket has to be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for name in ("pipe", "socket", "/dev/null"):
            with pytest.raises(OSError, match=r"it is a (pipe|socket|device)"):
                regular(name)
    with pytest.raises(IsADirectoryError):
        regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        regular(tmp_path / "none")
    (tmp_path / "file").touch()
    os.symlink("file", "link")
    assert regular("link") == Path("link")


@pytest.mark.parametrize("what", READERS)
def test_a_pipe_is_one_sentence(what, tmp_path):
    path = tmp_path / "a-pipe.json"
    os.mkfifo(path)
    with pytest.raises(GnetError) as caught:
        READERS[what](path)
    sentence = str(caught.value)
    assert "a-pipe.json" in sentence and sentence.endswith(".") and "\n" not in sentence
    with pytest.raises(GnetError):
        READERS[what](tmp_path)


def test_a_pipe_among_lessons_or_instead_of_a_data_set_is_one_sentence(tmp_path):
    os.mkfifo(tmp_path / "a-pipe.json")
    for read in (lambda path: read_lessons([path]), lambda path: open_files(path / "a-pipe.json")):
        with pytest.raises(GnetError):
            read(tmp_path)


@pytest.mark.parametrize("name", [CONFIG, EVENTS])
def test_a_pipe_in_a_run_is_one_sentence(name, tmp_path):
    os.mkfifo(tmp_path / name)
    folder = RunFolder(tmp_path)
    with pytest.raises(GnetError):
        folder.config() if name == CONFIG else folder.events()


def test_the_command_line_says_it_too(tmp_path, capsys):
    path = tmp_path / "weights.safetensors"
    os.mkfifo(path)
    assert main(["architecture", "--weights", str(path)]) == 2
    said = capsys.readouterr().err
    assert said == f"gnet: {path} cannot be read (it is a pipe); give a .safetensors file.\n"
