"""The table of claims: every setting once, and a row only from runs that have ended."""

import json
from dataclasses import replace

import pytest

from gnet.commands.main import main
from gnet.runs.experiments import EXPERIMENTS
from gnet.studies.claims import Claim, Setting, claims, plan, settings, table
from support.training_runs import tiny

WITHIN = settings(2, (1, 2), ("fp32", "bf16"))


def claim(margin: float, **changes) -> Claim:
    setting = Setting(**({"seed": 0, "threads": 1, "precision": "fp32"} | changes))
    return Claim(experiment="heads", setting=setting, margin=margin)


def test_the_plan_holds_each_run_of_each_experiment_in_each_setting():
    assert len(set(WITHIN)) == 8
    chosen = [EXPERIMENTS["heads"], EXPERIMENTS["depth"]]
    configs = plan(chosen, WITHIN)
    assert len(configs) == 8 * 4
    assert {(c.seed, c.threads, c.precision) for c in configs.values()} == {
        (s.seed, s.threads, s.precision) for s in WITHIN
    }


def test_a_row_holds_the_margins_of_all_seeds_and_the_least_of_them():
    found = [claim(0.25), claim(-0.013, seed=1), claim(0.5, precision="bf16")]
    assert table(found).splitlines()[2:] == [
        "| heads | fp32 | 1 | 1 of 2 | −0.013 | +0.250, −0.013 |",
        "| heads | bf16 | 1 | 1 of 1 | +0.500 | +0.500 |",
    ]


@pytest.mark.parametrize("key", ["heads", "first-run"])
def test_nothing_is_claimed_where_no_run_has_ended(key):
    assert list(claims([EXPERIMENTS[key]], WITHIN, {})) == []


def test_the_command_carries_out_what_is_missing(monkeypatch, tmp_path, capsys):
    experiment = replace(EXPERIMENTS["first-run"], runs=(("first run", tiny(epochs=1)),))
    monkeypatch.setitem(EXPERIMENTS, "first-run", experiment)
    command = ["claims", "first-run", "--out", str(tmp_path), "--threads", "1"]
    assert main([*command, "--precision", "fp32", "--seeds", "1", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert [row["setting"] for row in first] == [{"seed": 0, "threads": 1, "precision": "fp32"}]
    assert all(row["shown"] is (row["margin"] > 0) for row in first)
    assert main([*command, "--precision", "fp32", "bf16", "--seeds", "1", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert len(again) == 2 and again[0] == first[0]
    assert len(list(tmp_path.iterdir())) == 2
