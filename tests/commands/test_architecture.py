"""The commands architecture and export: what they print, and what they refuse."""

import json

import pytest

from gnet.commands.main import main


def test_the_table_is_that_of_the_preset(answer, capsys):
    found = answer("architecture", "--preset", "paper")
    assert found["rows"][-1]["weights"]["live"] == "6,990,272"
    assert main(["architecture", "--preset", "paper"]) == 0
    printed = capsys.readouterr().out
    assert "inception (4b)" in printed and "aux1 alone" in printed


def test_a_module_is_shown_with_other_widths(answer, weights):
    found = answer("architecture", "--weights", weights, "--module", "4b", "--reduces", "reduce3=3")
    assert found["modules"]["changed"]["lanes"][1]["parts"][0]["channels"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--preset", "x"), "preset is 'x'"),
        (("--module", "9z"), "stage is '9z'"),
        (("--module", "4b", "--reduces", "reduce3=0"), "reduce3 is '0'"),
        (("--module", "4b", "--reduces", "reduce3=nan"), "reduce3 is 'nan'"),
        (("--module", "4b", "--reduces", "pool"), "pool is ''"),
        (("--reduces", "pool=3"), "--reduces needs --module"),
        (("--preset", "paper", "--size", "64"), "224×224"),
    ],
)
def test_mistakes_are_one_sentence(refusal, weights, arguments, words):
    given = arguments if "--preset" in arguments else ("--weights", weights, *arguments)
    assert words in refusal("architecture", *given)


def test_one_heads_architecture_is_exported(answer, weights, tmp_path):
    out = tmp_path / "aux1.json"
    answer("export", "--weights", weights, "--format", "json", "--head", "aux1", "--out", out)
    assert list(json.loads(out.read_text())["modules"]) == ["3a", "3b", "4a"]


@pytest.mark.parametrize(
    "options",
    [("json", "--branches"), ("torchvision", "--head", "main"), ("json", "--head", "tail")],
)
def test_what_an_export_cannot_hold_is_refused(refusal, weights, options):
    refusal("export", "--weights", weights, "--format", *options)
