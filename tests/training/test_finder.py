"""Before a run: a sweep of learning rates, and how long it will take; nothing is left behind."""

import json
import math
from dataclasses import replace

import pytest
import torch

from gnet.commands.main import main
from gnet.errors import GnetError
from gnet.training import finder
from gnet.training.finder import HIGHEST, LOWEST, estimate, find_rate
from gnet.training.learner import Diverged
from support.training_runs import tiny

CONFIG = tiny(pinned=-1)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Sweeps of twelve steps."""
    monkeypatch.setattr(finder, "STEPS", 12)


def losses_of(monkeypatch, losses):
    """Let the learner tell of these losses in place of its own; it refuses what is not finite."""
    told = iter(losses)
    taken = finder.Learner.take

    def take(learner, *given):
        result = replace(taken(learner, *given), loss=next(told))
        if not math.isfinite(result.loss):
            raise Diverged("The loss of main became NaN", learner.step)
        return result

    monkeypatch.setattr(finder.Learner, "take", take)


def test_rates_grow_by_the_same_factor_from_the_lowest_to_the_highest():
    found = find_rate(CONFIG)
    assert found.rates[0] == LOWEST and len(found.rates) == len(found.losses)
    factor = (HIGHEST / LOWEST) ** (1 / 11)
    for one, other in zip(found.rates, found.rates[1:], strict=False):
        assert other / one == pytest.approx(factor)
    assert found == find_rate(CONFIG)  # the same for the same seed


def test_the_suggestion_is_a_third_of_where_the_smoothed_loss_is_least(monkeypatch):
    losses_of(monkeypatch, [5.0, 4.0, 3.0, 2.0, 1.0, 1.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    found = find_rate(CONFIG)
    assert found.losses[:2] == pytest.approx((5.0, (0.2 * 4 + 0.8 * 0.2 * 5) / (0.2 + 0.16)))
    best = found.losses.index(min(found.losses))
    assert best == 5
    assert found.suggested == pytest.approx(found.rates[best] / 3)


@pytest.mark.parametrize("end", [1e9, math.nan, math.inf])
def test_a_sweep_ends_where_the_loss_runs_away(end, monkeypatch):
    losses_of(monkeypatch, [2.0, 1.9, 1.8, end])
    found = find_rate(CONFIG)
    assert len(found.rates) == (4 if end == 1e9 else 3)
    assert found.suggested == pytest.approx(found.rates[2] / 3)


def test_where_the_loss_falls_at_no_rate_none_is_suggested(monkeypatch):
    losses_of(monkeypatch, [2.3, 2.31, 2.29] * 4)
    with pytest.raises(GnetError, match="did not fall at any learning rate from 1e-05 to "):
        find_rate(CONFIG)


def test_a_network_whose_loss_is_no_number_is_refused(monkeypatch):
    losses_of(monkeypatch, [math.nan])
    with pytest.raises(GnetError, match="NaN even at a learning rate of 1e-05; "):
        find_rate(CONFIG)


def test_random_state_and_threads_are_afterwards_what_they_were():
    random, threads = torch.random.get_rng_state(), torch.get_num_threads()
    find_rate(CONFIG)
    with pytest.raises(GnetError):
        estimate(replace(CONFIG, threads=2, data="nothing"))
    assert torch.equal(torch.random.get_rng_state(), random)
    assert torch.get_num_threads() == threads


def test_progress_counts_steps():
    told = []
    find_rate(CONFIG, lambda done, total: told.append((done, total)))
    assert told[-1] in [(n, 12) for n in range(1, 13)]


@pytest.fixture
def slowly(monkeypatch):
    """A clock that only some functions move, each call by so many seconds."""
    now = [0.0]
    monkeypatch.setattr("gnet.training.finder.time.monotonic", lambda: now[0])

    def slow(place, name, seconds):
        function = getattr(place, name)

        def timed(*given, **options):
            now[0] += seconds
            return function(*given, **options)

        monkeypatch.setattr(place, name, timed)

    return slow


LONG = tiny(per_class=10, epochs=4, size=48, grow="32x1")
EACH = 13
"""Steps of an epoch of its 100 pictures in batches of 8."""


def test_an_estimate_counts_the_runs_steps_and_its_epochs_with_their_judgement(slowly):
    slowly(finder.Learner, "take", 3.0)
    slowly(finder, "evaluate", 3.0)
    told = estimate(LONG)
    assert told.steps == 4 * EACH
    judging = 3.0 * 100 / 64
    assert told.seconds_per_epoch == pytest.approx(3.0 * EACH + judging)
    assert told.pictures_per_second == pytest.approx(100 / (3.0 * EACH))


def test_an_estimate_counts_checkpoints_and_looks_at_gradients(slowly):
    slowly(finder.Learner, "take", 3.0)
    slowly(finder, "save_state", 2.0)
    slowly(finder, "gradients_by_head", 5.0)
    assert estimate(LONG).seconds_per_epoch == pytest.approx(3.0 * EACH + 2.0)
    often = replace(LONG, checkpoint_seconds=15.0)  # 39 s of steps: twice before the epoch's end
    assert estimate(often).seconds_per_epoch == pytest.approx(3.0 * EACH + 3 * 2.0)
    each = replace(LONG, checkpoint_seconds=0.0)
    assert estimate(each).seconds_per_epoch == pytest.approx(3.0 * EACH + (EACH + 1) * 2.0)
    looked = replace(LONG, gradients_every=5)
    assert estimate(looked).seconds_per_epoch == pytest.approx(3.0 * EACH + 2.0 + 2 * 5.0)


def test_an_estimate_from_some_pictures_reckons_with_all_of_the_run(slowly):
    slowly(finder.Learner, "take", 3.0)
    slowly(finder, "evaluate", 3.0)
    told = estimate(LONG, whole={"train": 1000, "val": 128})
    assert told.steps == 4 * 125
    assert told.seconds_per_epoch == pytest.approx(3.0 * 125 + 3.0 * 2)


def test_too_few_pictures_are_refused_before_anything_is_looked_for(tmp_path):
    with pytest.raises(GnetError, match="train_only"):
        estimate(tiny(train_only="heads"))
    with pytest.raises(GnetError, match="There is no data set"):
        find_rate(tiny(data=str(tmp_path / "none")))


ARGUMENTS = ("--per-class", "2", "--size", "32", "--batch", "8", "--width", "0.0625")


def test_the_commands_print_what_was_found(capsys):
    assert main(["find-rate", *ARGUMENTS, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"rates", "losses", "suggested"}
    assert main(["estimate", *ARGUMENTS, "--epochs", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 6
    assert main(["find-rate", *ARGUMENTS]) == 0
    assert "suggested: --learning-rate " in capsys.readouterr().out
    assert main(["estimate", *ARGUMENTS]) == 0
    assert capsys.readouterr().out.startswith("15 steps, ")
