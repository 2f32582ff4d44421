"""A run whose loss or weights are no longer finite says so, ends, and keeps nothing of them."""

import json
import math

import pytest
import torch

from gnet.commands.main import main
from gnet.errors import GnetError
from gnet.network.weights import is_finite, load
from gnet.runs.events import EpochDone, GradientsMeasured, RunEnded, StepDone, from_record, to_line
from gnet.runs.folder import BEST, EVENTS, LAST, RunFolder
from gnet.runs.scalars import curves
from gnet.studies.publishing import publish
from gnet.training.learner import Learner
from gnet.training.loop import resume, train
from support.training_runs import run, tiny

HOPELESS = tiny(network={"norm": "none"}, optimiser="sgd", learning_rate=100.0)
COMMAND = (
    *("--data", "built-in", "--per-class", "2", "--size", "32", "--epochs", "2", "--batch", "8"),
    *("--seed", "3", "--precision", "fp32", "--width", "0.0625"),
    *("--optimiser", "sgd", "--norm", "none", "--learning-rate", "100"),
)


def no_json(constant):
    raise AssertionError(f"JSON has no {constant}")


def spoil(model):
    with torch.no_grad():
        model.fc.weight[0, 0] = math.nan


def test_a_run_that_diverges_ends_with_a_reason_of_its_own(tmp_path):
    *_, ended = events = run(HOPELESS, tmp_path)
    assert isinstance(ended, RunEnded) and ended.reason == "diverged"
    assert ended.message.startswith("The loss of ") and ended.message.endswith("batch norm.")
    steps = [event for event in events if isinstance(event, StepDone)]
    assert ended.step == len(steps) and all(math.isfinite(step.loss) for step in steps)
    assert not (tmp_path / BEST).exists() and not (tmp_path / LAST).exists()
    for line in (tmp_path / EVENTS).read_text().splitlines():
        json.loads(line, parse_constant=no_json)
    with pytest.raises(GnetError, match=r"diverged and has nothing to publish\. The loss of"):
        publish(tmp_path, tmp_path / "out.safetensors")


def test_a_loss_of_probabilities_diverges_with_the_same_words(monkeypatch):
    step = torch.optim.AdamW.step

    def spoiling(optimiser, *arguments):
        step(optimiser, *arguments)
        with torch.no_grad():
            optimiser.param_groups[0]["params"][0].fill_(math.nan)

    monkeypatch.setattr(torch.optim.AdamW, "step", spoiling)
    *_, ended = run(tiny(loss="probabilities", network={"rectified_outputs": True}))
    assert isinstance(ended, RunEnded) and (ended.reason, ended.step) == ("diverged", 1)
    assert "main" in ended.message and "became NaN" in ended.message


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_weights_that_became_nan_in_an_epochs_last_step_are_neither_best_nor_last(ema, tmp_path):
    spoiled = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        take = Learner.take

        def spoiling(learner, *arguments):
            result = take(learner, *arguments)
            if learner.step == 6:
                spoil(learner.model)
            return result

        patch.setattr(Learner, "take", spoiling)
        *_, ended = seen = run(tiny(ema=ema), spoiled)
    assert isinstance(ended, RunEnded) and ended.reason == "diverged"
    assert "weights became NaN" in ended.message
    assert [event.epoch for event in seen if isinstance(event, EpochDone)] == [1]
    assert is_finite(load(spoiled / BEST)) and is_finite(load(spoiled / LAST))
    assert RunFolder(spoiled).finished() is False
    *_, ended = resume(spoiled)  # from the checkpoint before; nothing spoils it now
    assert isinstance(ended, RunEnded) and ended.reason == "finished"


def test_a_checkpoint_is_not_written_of_weights_that_are_not_finite(tmp_path):
    events = train(tiny(epochs=1, checkpoint_seconds=0.0), tmp_path)
    for event in events:
        if isinstance(event, StepDone) and event.step == 1:
            break
    before = (tmp_path / LAST).read_bytes() if (tmp_path / LAST).exists() else b""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "finite", lambda learner: False)
        events.close()
    after = (tmp_path / LAST).read_bytes() if (tmp_path / LAST).exists() else b""
    assert before == after


def test_the_command_says_it_in_a_sentence_and_ends_with_2(capsys):
    assert main(["train", *COMMAND]) == 2
    said = capsys.readouterr()
    assert said.out.startswith("diverged after ") and "nan" not in said.out
    assert said.err.splitlines()[-1].startswith("gnet: The loss of ")
    assert main(["train", *COMMAND, "--json"]) == 2
    lines = capsys.readouterr().out.splitlines()
    last = [json.loads(line, parse_constant=no_json) for line in lines][-1]
    assert last["reason"] == "diverged"


@pytest.mark.parametrize("rate", ["inf", "nan", "-1"])
def test_a_learning_rate_that_is_no_number_in_range_is_refused(rate, capsys):
    assert main(["train", "--data", "built-in", "--learning-rate", rate]) == 2
    assert "learning_rate is" in capsys.readouterr().err


def test_figures_that_are_not_finite_are_null_in_the_events():
    measured = GradientsMeasured(
        step=1, epoch=1, norms={"3a": {"main": math.inf, "aux1": 1.0}}, cosines={}
    )
    record = json.loads(to_line(measured), parse_constant=no_json)
    assert record["norms"] == {"3a": {"main": None, "aux1": 1.0}}
    assert curves(from_record(record)) == {"gradient/3a/aux1": 1.0}
