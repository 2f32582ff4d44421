"""The copy of a run's numbers that TensorBoard reads."""

import importlib.util
import sys
import threading

import pytest

from gnet.commands.main import main
from gnet.errors import GnetError
from gnet.network.config import ModelConfig
from gnet.runs.events import EpochDone, GradientsMeasured, StepDone
from gnet.runs.scalars import curves, scalars
from gnet.runs.train_config import TrainConfig
from gnet.training.loop import train

TINY = TrainConfig(
    model=ModelConfig(width=0.0625),
    per_class=2,
    size=32,
    epochs=1,
    batch=10,
    precision="fp32",
    gradients_every=2,
)


def test_tensorboard_reads_back_the_numbers_of_the_events(tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = list(train(TINY))
    with scalars(tmp_path) as note:
        for event in events:
            note(event)
    read = reader.EventAccumulator(str(tmp_path)).Reload()
    steps = [event for event in events if isinstance(event, StepDone)]
    (epoch,) = (event for event in events if isinstance(event, EpochDone))
    assert [(s.step, pytest.approx(s.value)) for s in read.Scalars("loss/step")] == [
        (step.step, step.loss) for step in steps
    ]
    assert read.Scalars("accuracy/val/aux2")[0].value == pytest.approx(epoch.val_accuracy["aux2"])
    (look,) = (event for event in events if isinstance(event, GradientsMeasured))
    gradient = read.Scalars("gradient/4a/aux1")[0]
    assert (gradient.step, gradient.value) == (2, pytest.approx(look.norms["4a"]["aux1"]))
    names = [set(curves(event)) for event in (steps[0], look, epoch)]
    assert set(read.Tags()["scalars"]) == set.union(*names)


def test_without_tensorboard_one_sentence_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(GnetError, match="pip install tensorboard"), scalars(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    from support.disks import full_above

    ended = threading.Event()  # TensorBoard writes in a thread, which fails
    monkeypatch.setattr(threading, "excepthook", lambda _: ended.set())

    def write() -> None:
        with scalars(tmp_path) as note:
            for step in range(100):
                note(GradientsMeasured(step=step, epoch=1, norms={"3a": {"main": 1.0}}, cosines={}))

    with full_above(1000), pytest.raises(GnetError, match=r"Cannot write scalars .* room in it"):
        write()
    assert ended.wait(30)


def test_an_untrained_head_has_no_curve(tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with scalars(tmp_path, untrained=["aux2"]) as note:
        for event in train(TINY):
            note(event)
    names = reader.EventAccumulator(str(tmp_path)).Reload().Tags()["scalars"]
    heads = {name.rpartition("/")[2] for name in names if "/" in name and name != "loss/step"}
    assert heads == {"main", "aux1"}


def test_the_command_line_writes_them_beside_a_run(tmp_path, capsys):
    pytest.importorskip("tensorboard")
    run = "train --per-class 2 --size 32 --width 0.0625 --epochs 1 --batch 10 --precision fp32"
    curves_folder = tmp_path / "curves"
    assert main([*run.split(), "--tensorboard", str(curves_folder)]) == 0
    assert "finished after 2 steps" in capsys.readouterr().out
    assert len(list(curves_folder.iterdir())) == 1
