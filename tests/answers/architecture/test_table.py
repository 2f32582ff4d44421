"""Table 1 beside a live network: the quotations, the counts, and what is marked."""

import pytest

from gnet.answers.architecture import paper
from gnet.answers.architecture.architecture import describe_architecture
from gnet.answers.architecture.differences import differences
from gnet.answers.architecture.plans import Plan, begun, shape_of
from gnet.answers.architecture.table import follows, table_rows
from gnet.errors import FieldError, GnetError
from gnet.network.config import PRESETS, ModelConfig
from gnet.network.costs import layer_costs
from support.networks import network, without_memory


def marked(rows) -> dict[str, set[str]]:
    """Line → the ids of the differences marked in it, the paper's own apart."""
    cells = ("patch", "output", "weights", "macs", "field")
    found = {}
    for row in rows:
        whys = [why for cell in (*(row[c] for c in cells), *row["widths"]) for why in cell["why"]]
        found[row["layer"]] = set(whys) - {"quoted"}
    return {layer: whys for layer, whys in found.items() if whys}


def test_the_paper_preset_differs_from_the_table_nowhere_but_in_the_papers_own_sums():
    rows = table_rows(shape_of("paper"), 224)
    assert marked(rows) == {}
    own = {row["layer"] for row in rows if "quoted" in row["weights"]["why"]}
    assert own == {"conv1", *(f"inception{s}" for s in ("4a", "4c", "4d", "4e", "5a", "5b"))}
    assert {r["layer"] for r in rows if "quoted" in r["macs"]["why"]} == {"conv1", "inception5a"}


def test_a_quoted_figure_follows_if_it_is_the_sum_but_for_rounding():
    assert follows("112K", 114_688) and follows("437K", 448_512) and follows("128M", 128_049_152)
    assert not follows("2.7K", 9_408) and not follows("1072K", 1_042_432)


def test_torchvisions_table_marks_kernels_pool_and_dropout():
    found = marked(table_rows(shape_of("torchvision"), 224))
    assert found["inception3a"] == {"kernel"}
    assert found["maxpool4"] == {"pool4", "kernel"}
    assert found["dropout"] == {"dropout"}
    assert "conv1" not in found and "fc" not in found


@pytest.mark.parametrize("preset", PRESETS)
def test_the_lines_sum_to_what_the_network_has(preset):
    model = shape_of(preset)
    rows = {row["layer"]: row for row in table_rows(model, 224)}
    total = sum(cost.macs for cost in layer_costs(model, 224) if "aux" not in cost.stage)
    assert rows["total"]["macs"]["live"] == f"{total:,}"
    numbers = [int((row["macs"]["live"] or "0").replace(",", "")) for row in rows.values()]
    heads = sum(cost.macs for cost in layer_costs(model, 224) if "aux" in cost.stage)
    assert sum(numbers) == 2 * total + heads
    for layer, row in rows.items():
        if row["units"] and layer != "total":
            weights = [int(unit.get("weights", "0").replace(",", "")) for unit in row["units"]]
            assert f"{sum(weights):,}" == (row["weights"]["live"] or "0"), layer


def test_every_mark_leads_to_a_difference_that_is_told():
    config = ModelConfig.preset(
        "torchvision", width=0.25, num_classes=7, stem="small", left_out="5x5", aux=False
    )
    model = without_memory("torchvision", **config.to_json())
    told = {point["id"] for point in differences(config, 64)}
    rows = table_rows(model, 64)
    assert set().union(*marked(rows).values()) <= told
    for row in rows:
        for name in ("patch", "output", "weights", "macs", "field"):
            cell = row[name]
            if row["layer"] in ("total", "softmax") or not cell["paper"]:
                continue
            counted = name in ("weights", "macs")
            assert cell["why"] or counted or cell["paper"] == cell["live"], (row["layer"], name)
    assert "aux" in told and "left-out" in told


def test_a_size_is_the_papers_where_none_is_given_and_refused_where_impossible():
    plan = Plan(model=network("batch-norm"))
    assert describe_architecture(plan)["size"] == 224
    assert describe_architecture(plan, 64)["rows"][0]["output"]["live"] == "32×32×4"
    for size in (0, 31, 321, "64", None, True, float("nan"), 64.0):
        if size is not None:
            with pytest.raises(FieldError):
                describe_architecture(plan, size)
    with pytest.raises(GnetError, match="224"):
        describe_architecture(Plan(model=shape_of("paper"), preset="paper"), 64)


def test_three_models_in_one_share_what_they_can():
    found = describe_architecture(Plan(model=shape_of("pre-activation"), preset="pre-activation"))
    assert [model["head"] for model in found["models"]] == ["aux1", "aux2", "main"]
    whole = sum(p.numel() for p in shape_of("pre-activation").parameters())
    assert all(model["parameters"] < whole for model in found["models"])
    assert f"{whole:,}" in found["together"]
    separate = sum(model["parameters"] for model in found["models"])
    assert f"{separate:,}" in found["together"] and separate > whole


def test_a_presets_first_weights_are_the_same_each_time_and_leave_the_dice_alone():
    import torch

    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, other = begun("paper"), begun("paper")
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.conv1.conv.weight, other.conv1.conv.weight)


def test_the_quoted_rows_are_as_many_as_the_printed_table_has():
    assert len(paper.ROWS) == 19 and sum(bool(row.params) for row in paper.ROWS) == 12
