"""Both arithmetics are timed beside what the rule takes."""

import json

from gnet.commands.main import main
from gnet.studies import precision


def test_the_command_times_both_and_says_what_auto_takes(monkeypatch, capsys):
    monkeypatch.setattr(precision, "CASES", ((0.0625, 32),))
    assert main(["precision", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["width"], row["size"]) == (0.0625, 32)
    assert row["fp32"] > 0 and row["bf16"] > 0 and row["auto"] == "fp32"
