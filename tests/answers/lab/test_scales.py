"""The scale lesson as the page gets it."""

import pytest

from gnet.answers.explorer import Explorer
from gnet.answers.lab.scales import describe_scales
from gnet.errors import FieldError
from gnet.network.config import BRANCHES
from support.pages import random_network


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return Explorer(random_network())


def test_four_curves_stand_on_one_scale_with_a_picture_each(explorer):
    found = describe_scales(explorer, "4b")
    assert set(found["curves"]) == set(BRANCHES)
    assert len(found["patterns"]) == len(found["periods"]) >= 8
    assert all(one.startswith("data:image/webp") for one in found["patterns"])
    highest = max(max(curve["high"]) for curve in found["curves"].values())
    assert found["limit"] == pytest.approx(highest)
    for curve in found["curves"].values():
        rows = zip(curve["low"], curve["mean"], curve["high"], strict=True)
        assert all(low <= mean <= high for low, mean, high in rows)


def test_all_modules_are_measured_at_once(explorer):
    before = explorer.scales
    describe_scales(explorer, "5b")
    assert explorer.scales is before


@pytest.mark.parametrize("stage", ["4f", None, 3, {}])
def test_a_module_that_is_not_there_is_refused(explorer, stage):
    with pytest.raises(FieldError):
        describe_scales(explorer, stage)
