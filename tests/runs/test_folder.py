"""A run on disk: what is damaged is refused, and a full disk costs nothing that was kept."""

import errno
import os
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gnet.commands.main import main
from gnet.errors import GnetError
from gnet.runs.events import RunEnded, RunPaused, RunResumed, StepDone, to_line
from gnet.runs.folder import BEST, CONFIG, EVENTS, HELD, STATE, RunFolder
from gnet.training.loop import resume, train
from support.training_runs import curve, run, tiny

ENDED = RunEnded(step=1, reason="stopped", seconds=1.0)


@pytest.mark.parametrize(
    "line",
    [b"not JSON", b"3", b"[]", b"{}", b'{"type": "Picnic"}', b'{"type": "RunEnded"}', b"\xff"],
)
def test_damaged_events_are_refused_in_a_sentence(line, tmp_path, capsys):
    folder = RunFolder(tmp_path)
    folder.create(tiny())
    (tmp_path / EVENTS).write_bytes(line + b"\n" + to_line(ENDED).encode())
    with pytest.raises(
        GnetError, match=r"events\.jsonl is damaged .*; put a complete copy back"
    ) as caught:
        folder.events()
    assert "\n" not in str(caught.value)
    assert main(["train", "--resume", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"gnet: {caught.value}\n"


class Full:
    """A file that takes half of what it is given, as on a disk that fills up."""

    def __init__(self, path: Path) -> None:
        self.path, self.file = path, os.open(path, os.O_WRONLY | os.O_APPEND)

    def __enter__(self) -> "Full":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.file)

    def tell(self) -> int:
        return self.path.stat().st_size

    def write(self, data: bytes) -> None:
        os.write(self.file, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_ends_the_run_in_a_sentence_and_it_goes_on_later(tmp_path, monkeypatch):
    config = tiny()
    plain = Path.open

    def opened(path: Path, mode: str = "r", *rest, **options):
        return Full(path) if mode == "ab" else plain(path, mode, *rest, **options)

    with closing(train(config, tmp_path)) as events:
        for event in events:
            if isinstance(event, StepDone) and event.step == 5:
                break
        monkeypatch.setattr(Path, "open", opened)
        with pytest.raises(GnetError, match=r"Cannot write .*No space left.*resume the run"):
            next(events)
    kept = (tmp_path / EVENTS).read_bytes()
    assert kept.endswith(b"\n")
    monkeypatch.setattr(Path, "open", plain)
    list(resume(tmp_path))
    assert curve(RunFolder(tmp_path).events()) == curve(run(config))


def test_two_processes_never_train_one_run(tmp_path, capsys):
    config = tiny()
    with closing(train(config, tmp_path)) as events:
        next(events)
        said = (tmp_path / EVENTS).read_bytes()
        with pytest.raises(GnetError, match="is being trained by another process") as caught:
            next(resume(tmp_path))
        assert main(["train", "--resume", str(tmp_path)]) == 2
        assert capsys.readouterr().err == f"gnet: {caught.value}\n"
        assert (tmp_path / EVENTS).read_bytes() == said
    assert isinstance(list(resume(tmp_path))[-1], RunEnded)  # it lets go with its end


def test_of_two_processes_that_begin_in_one_new_folder_the_second_is_refused(tmp_path):
    first, second = tiny(seed=1), tiny(seed=2)
    folder = RunFolder(tmp_path / "run")

    def meanwhile(*_: int) -> None:  # while the second one reads its pictures
        folder.create(first)

    with pytest.raises(GnetError, match="holds a run already"):
        next(train(second, folder.path, progress=meanwhile))
    assert folder.config() == first
    (folder.path / CONFIG).unlink()
    with folder.held(), pytest.raises(GnetError, match="is being trained by another process"):
        next(train(second, folder.path))


def test_a_folder_that_cannot_be_held_is_a_sentence(tmp_path):
    (tmp_path / HELD).mkdir()
    with (
        pytest.raises(GnetError, match=r"Cannot write .*; make the folder writable"),
        RunFolder(tmp_path).held(),
    ):
        pass


@pytest.mark.parametrize("rest", ["", '{"type": "Ste', "x" * 10_000])
@pytest.mark.parametrize("whole", [0, 1, 300])
def test_a_resumed_run_drops_an_unfinished_last_line_however_long(whole, rest, tmp_path):
    folder = RunFolder(tmp_path)
    lines = "".join(to_line(RunPaused(step=step)) for step in range(whole))
    (tmp_path / EVENTS).write_text(lines + rest)
    folder.append(RunResumed(step=whole))
    assert (tmp_path / EVENTS).read_text() == lines + to_line(RunResumed(step=whole))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
@pytest.mark.parametrize("size, file", [(100_000, BEST), (300_000, STATE)])
def test_weights_and_states_that_find_no_room_end_the_run_in_a_sentence(size, file, tmp_path):
    from support.disks import full_above

    with full_above(size), pytest.raises(GnetError, match=rf"Cannot write .*{file}.*; make room"):
        list(train(tiny(), tmp_path))
    *_, ended = RunFolder(tmp_path).events()
    assert isinstance(ended, RunEnded) and ended.reason == "failed"
    assert ended.message.startswith("Cannot write") and ended.message.endswith("another disk.")
    list(resume(tmp_path))
    assert curve(RunFolder(tmp_path).events()) == curve(run(tiny()))
