"""The progress bar: one line on a terminal, nothing anywhere else."""

import io
import threading
from types import SimpleNamespace

import pytest
import tqdm.std

from gnet.system import progress
from gnet.system.progress import EVERY, Bar


class Terminal(io.StringIO):
    """Keeps what is drawn on it."""

    def isatty(self) -> bool:
        return True

    def drawn(self) -> str:
        """What was drawn since last asked."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


class Clock:
    """A clock that the test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    """Standard error as the bar sees it: a terminal of 60 columns."""
    made = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=made))
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    return made


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(tqdm.std, "time", made)
    return made


def test_a_file_or_a_pipe_gets_nothing(capsys):
    bar = Bar("reading")
    bar(1, 2)
    bar(2, 2)
    bar.clear()
    assert capsys.readouterr().err == ""


def test_one_line_is_redrawn_and_taken_away_at_the_end(terminal, clock):
    bar = Bar("reading")
    bar(1, 4, "cat.png")
    line = terminal.drawn()
    assert line.startswith("\rreading  ")
    assert " 25 %  " in line and line.rstrip().endswith(", cat.png")
    clock.now += 1
    bar(2, 4)
    assert " 50 %  " in terminal.drawn()
    bar(4, 4)
    assert terminal.drawn().split("\r")[-2:][0].strip() == ""
    bar.clear()
    assert terminal.drawn() == ""


def test_no_line_is_wider_than_the_terminal(terminal):
    bar = Bar("reading" * 20)
    bar(1, 2)
    assert 50 < len(terminal.drawn().strip("\r")) <= 60
    bar.clear()


def test_it_draws_no_more_often_than_an_eye_can_follow(terminal, clock):
    bar = Bar("reading")
    for done in range(1, 50):
        bar(done, 1000)
    assert terminal.drawn().count("reading") == 1
    clock.now += 2 * EVERY
    bar(50, 1000)
    assert terminal.drawn().count("reading") == 1


def test_a_total_of_nothing_is_no_error(terminal):
    bar = Bar("reading")
    bar(0, 0)
    assert " 0 %" in terminal.drawn()
    bar.clear()
    assert terminal.drawn().strip() == ""


def test_a_bar_starts_no_thread(terminal):
    before = threading.active_count()
    Bar("reading")(1, 2)
    assert threading.active_count() == before
