"""The progress bar: one line on a terminal, nothing anywhere else."""

import io
import time
from types import SimpleNamespace

import pytest

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


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    """Standard error as the bar sees it: a terminal of 60 columns."""
    made = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=made))
    monkeypatch.setenv("COLUMNS", "60")
    return made


def test_a_file_or_a_pipe_gets_nothing(capsys):
    bar = Bar("reading")
    bar(1, 2)
    bar(2, 2)
    bar.clear()
    assert capsys.readouterr().err == ""


def test_one_line_is_redrawn_and_taken_away_at_the_end(terminal):
    bar = Bar("reading")
    bar(1, 4, "cat.png")
    line = terminal.drawn()
    assert line.startswith("\rreading  ━━━━━━ ")
    assert line.rstrip().endswith(" 25 %  cat.png")
    bar(4, 4)
    nothing, full, blank, end = terminal.drawn().split("\r")
    assert "100 %" in full
    assert nothing == blank.strip() == end == ""
    assert len(blank) == len(full) == len(line) - 1


def test_no_line_is_wider_than_the_terminal(terminal):
    Bar("reading" * 20)(1, 2)
    assert 50 < len(terminal.drawn().lstrip("\r")) < 60


def test_it_draws_no_more_often_than_an_eye_can_follow(terminal, monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    bar = Bar("reading")
    for done in range(1, 50):
        bar(done, 1000)
    assert terminal.drawn().count("\r") == 1
    now += 2 * EVERY
    bar(50, 1000)
    assert terminal.drawn().count("\r") == 1


def test_a_total_of_nothing_is_no_error(terminal):
    bar = Bar("reading")
    bar(0, 0)
    assert " 0 %" in terminal.drawn()
    bar.clear()
    assert terminal.drawn().strip() == ""
