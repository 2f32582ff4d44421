"""The what-if of the 1×1 reduces: exact sums, ranges, refusals."""

import pytest

from gnet.answers.architecture.plans import Plan, shape_of
from gnet.answers.architecture.reduces import describe_reduces
from gnet.errors import FieldError
from support.networks import without_memory

PAPER = Plan(model=shape_of("paper"), preset="paper")


def test_without_a_change_the_module_is_as_it_is():
    found = describe_reduces(PAPER, "3a", None, 224)
    assert (
        found["same"] and found["modules"]["built"]["lanes"] == found["modules"]["changed"]["lanes"]
    )
    assert found["modules"]["built"]["weights"] == 163_328
    assert found["modules"]["built"]["times"] == "2.37"
    assert [(s["name"], s["own"], s["most"]) for s in found["sliders"]] == [
        ("reduce3", 96, 192),
        ("reduce5", 16, 192),
        ("pool", 32, 192),
    ]


def test_other_widths_change_the_sums_by_hand():
    found = describe_reduces(PAPER, "3a", {"reduce3": 10, "pool": 7}, 224)
    changed = found["modules"]["changed"]
    weights = 192 * 64 + 192 * 10 + 10 * 128 * 9 + 192 * 16 + 16 * 32 * 25 + 192 * 7
    assert changed["weights"] == weights and changed["macs"] == weights * 28 * 28
    assert changed["channels"] == 64 + 128 + 32 + 7
    biases = 64 + 10 + 128 + 16 + 32 + 7
    assert changed["parameters"] == weights + biases
    values = (64 + 10 + 128 + 16 + 32 + 192 + 7) * 28 * 28
    assert changed["bytes"] == 4 * (weights + biases + values)
    assert changed["lanes"][1]["parts"][1]["sum"] == "10 · 128 · 3 · 3 = 11,520"
    assert not found["same"] and "With your widths" in found["sentence"]


@pytest.mark.parametrize(
    ("stage", "given", "field"),
    [
        ("9z", None, "stage"),
        (None, None, "stage"),
        ("3a", {"reduce3": 0}, "reduce3"),
        ("3a", {"reduce5": 193}, "reduce5"),
        ("3a", {"pool": float("nan")}, "pool"),
        ("3a", {"pool": True}, "pool"),
        ("3a", {"reduce3": "8"}, "reduce3"),
        ("3a", {"reduce7": 8}, "reduces"),
        ("3a", "reduce3", "reduces"),
        ("3a", [1], "reduces"),
    ],
)
def test_what_is_no_width_is_refused_in_a_sentence(stage, given, field):
    with pytest.raises(FieldError) as caught:
        describe_reduces(PAPER, stage, given, 224)
    assert caught.value.field == field


def test_a_branch_that_is_left_out_has_no_slider():
    plan = Plan(model=without_memory("batch-norm", left_out="5x5"))
    found = describe_reduces(plan, "4b", None, 224)
    assert [slider["name"] for slider in found["sliders"]] == ["reduce3", "pool"]
    with pytest.raises(FieldError):
        describe_reduces(plan, "4b", {"reduce5": 8}, 224)
