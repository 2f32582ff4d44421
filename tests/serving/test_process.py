"""The process of a run, what it leaves behind, and its server's sign of life."""

import os
import sys
import time
from pathlib import Path

import pytest

from gnet.commands.main import main
from gnet.errors import GnetError
from gnet.runs.events import RunEnded
from gnet.runs.folder import RunFolder
from gnet.serving.process import LOG, begin, last_error
from gnet.serving.run_card import RunCard, cleaned_name, hashed, new_token, read_card, write_card
from gnet.system.lease import RUNS_OUT_AFTER, Lease, touch
from gnet.system.processes import NICENESS, ProcessHandle, start_time
from support.root import ROOT
from support.training_runs import tiny

SAYS = """
import os, sys
print(os.nice(0), os.getsid(0) == os.getpid(), sys.argv[1:], file=sys.stderr)
print(os.environ["GLIBC_TUNABLES"], os.environ["PYTHONPATH"], file=sys.stderr)
sys.stdin.read()
"""


def test_a_process_sits_apart_gives_way_and_is_told_where_things_are(tmp_path):
    # It waits until it is niced, which happens from outside.
    wait = "import os, time\nwhile not os.nice(0): time.sleep(0.01)\n"
    child, handle = begin(tmp_path, tmp_path / "lease", (sys.executable, "-c", wait + SAYS))
    assert child.wait(timeout=60) == 0
    first, second = (tmp_path / LOG).read_text().splitlines()
    assert first == f"{NICENESS} True {[str(tmp_path), '--lease', str(tmp_path / 'lease')]}"
    assert second.startswith("glibc.malloc.hugetlb=1:")
    assert str(ROOT) in second
    assert not handle.lives()


def test_a_process_is_known_by_its_number_and_its_start():
    own = start_time(os.getpid())
    assert own and ProcessHandle(process=os.getpid(), started=own).lives()
    assert not ProcessHandle(process=os.getpid(), started="1").lives()
    assert not ProcessHandle(process=0, started="").lives()
    assert start_time(2**22 + 1) == ""
    ProcessHandle(process=os.getpid(), started="1").kill()  # another process: nothing happens


@pytest.mark.skipif(os.name != "posix", reason="there is no ps")
def test_ps_tells_the_same_where_there_is_no_proc(tmp_path):
    one, two = (start_time(os.getpid(), tmp_path) for _ in range(2))
    assert one == two
    assert one or not any(Path(p, "ps").exists() for p in ("/bin", "/usr/bin"))


@pytest.mark.parametrize(
    "log, words",
    [
        ("", ""),
        ("a warning\ngnet: first.\ngnet: There is no data set 'x'.\n", "There is no data set 'x'."),
        ("gnet: stopped.\n", ""),
        ("Traceback (most recent call last):\n  File\nKeyboardInterrupt\n", ""),
        (
            "Traceback (most recent call last):\n  File '/secret'\nMemoryError: too much\n",
            "Training ended with an unexpected error: MemoryError: too much",
        ),
        ("a warning\n", ""),
    ],
)
def test_the_last_error_is_one_sentence(tmp_path, log, words):
    assert last_error(tmp_path) == ""
    (tmp_path / LOG).write_text(log)
    assert last_error(tmp_path) == words


def test_a_lease_runs_out_when_nobody_touches_it(tmp_path):
    now = 0.0
    path = tmp_path / "lease"
    touch(path)
    lease = Lease(path, clock=lambda: now)
    assert not lease.has_run_out()
    now += RUNS_OUT_AFTER - 1
    assert not lease.has_run_out()
    os.utime(path, (5, 5))  # any new time is a sign of life, wherever the clocks stand
    assert not lease.has_run_out()
    now += RUNS_OUT_AFTER - 1
    assert not lease.has_run_out()
    now += 1
    assert lease.has_run_out()


def test_a_lease_that_is_gone_runs_out_as_well(tmp_path):
    now = 0.0
    lease = Lease(tmp_path / "lease", clock=lambda: now)
    assert not lease.has_run_out()
    now += RUNS_OUT_AFTER
    assert lease.has_run_out()
    with pytest.raises(GnetError, match="Cannot write"):
        touch(tmp_path / "no" / "lease")


def test_a_run_whose_lease_runs_out_stops_at_its_next_step(tmp_path, monkeypatch):
    monkeypatch.setattr("gnet.system.lease.RUNS_OUT_AFTER", 0.0)
    folder = RunFolder(tmp_path / "run")
    folder.create(tiny())
    assert main(["train", "--resume", str(folder.path), "--lease", str(tmp_path / "lease")]) == 0
    ended = folder.events()[-1]
    assert isinstance(ended, RunEnded) and (ended.reason, ended.step < 2) == ("stopped", True)


def test_a_card_comes_back_as_it_was_written(tmp_path):
    card = RunCard(
        name="ü", experiment="p", owner=hashed(new_token()), created=time.time(), queued=3.0
    )
    write_card(tmp_path, card)
    assert read_card(tmp_path) == card


@pytest.mark.parametrize("older", ["lesson", "preset"])
def test_a_card_of_an_older_program_calls_its_experiment_by_an_older_name(tmp_path, older):
    card = RunCard(name="a", experiment="depth", owner=hashed(new_token()), created=1.0)
    write_card(tmp_path, card)
    text = (tmp_path / "run.json").read_text()
    (tmp_path / "run.json").write_text(text.replace('"experiment"', f'"{older}"'))
    assert read_card(tmp_path) == card


@pytest.mark.parametrize("text", ["", "{", "[]", '"a"', "{}", '{"name": 5}', "\x00"])
def test_a_card_that_no_server_wrote_is_none(tmp_path, text):
    assert read_card(tmp_path) is None
    (tmp_path / "run.json").write_text(text)
    assert read_card(tmp_path) is None


@pytest.mark.parametrize(
    "text, name",
    [
        ("  two   words ", "two words"),
        ("a\nb\x00c\u202ed", "a b c d"),
        ("", "otherwise"),
        ("\u200b \t", "otherwise"),
        (None, "otherwise"),
        ("x" * 10_000, "x" * 60),
        ("<b>über</b> 🐈", "<b>über</b> 🐈"),
    ],
)
def test_names_are_one_short_visible_line(text, name):
    assert cleaned_name(text, "otherwise") == name


def test_an_owner_is_known_by_a_token_that_is_not_kept():
    token = new_token()
    card = RunCard(name="a", experiment="", owner=hashed(token), created=0.0)
    assert card.owned_by(token) and not card.owned_by(new_token())
    assert token not in repr(card)
