"""No JSON of the project holds NaN or infinity."""

import json
import math

import pytest
from test_project import ROOT, python_files

from gnet.strict_json import dumps


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_null_stands_for_a_number_that_is_not_finite(wrong):
    record = {"loss": wrong, "rows": [1.5, (wrong, "ä")], "more": {"a": wrong, "b": None}}
    expected = {"loss": None, "rows": [1.5, [None, "ä"]], "more": {"a": None, "b": None}}
    assert json.loads(dumps(record)) == expected


def test_options_are_those_of_json():
    assert dumps({"ä": math.nan}, ensure_ascii=False, indent=1) == '{\n "ä": null\n}'


def test_nobody_writes_json_in_another_way():
    others = [
        path
        for path in python_files()
        if path.parts[0] in ("gnet", "app.py") and path.name != "strict_json.py"
        if " json.dump" in (ROOT / path).read_text(encoding="utf-8").replace("(json", " json")
    ]
    assert others == []
