"""Parameters and multiply-adds: the papers' figures, and counted again by hand."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from gnet.network.config import PRESETS, STAGES, TABLE_1, ModelConfig
from gnet.network.costs import (
    branch_costs,
    head_costs,
    layer_costs,
    module_cost,
    naive_module_cost,
)
from support.networks import network, without_memory
from support.root import ROOT


def test_weights_per_module_are_those_derived_from_table_1():
    quoted = {"3a": 163_328, "3b": 388_096, "4a": 375_552, "4b": 448_512, "4c": 509_440}
    quoted |= {"4d": 604_672, "4e": 867_328, "5a": 1_042_432, "5b": 1_442_816}
    costs = layer_costs(without_memory("paper"), 224)
    per_stage = {s: sum(cost.weights for cost in costs if cost.stage == s) for s in STAGES}
    assert per_stage == quoted
    weights = {cost.unit: cost.weights for cost in costs}
    assert weights["conv1/7x7_s2"] == 9_408
    assert weights["conv2/3x3_reduce"] + weights["conv2/3x3"] == 114_688
    assert weights["loss3/classifier"] == 1_024_000


@pytest.mark.parametrize(
    ("preset", "weights", "parameters", "gmacs"),
    [("batch-norm", 6_990_272, 7_005_832, 1.583), ("torchvision", 6_609_344, 6_624_904, 1.498)],
)
def test_totals_are_the_known_ones(preset, weights, parameters, gmacs):
    model = without_memory(preset)
    kept = [cost for cost in layer_costs(model, 224) if cost.stage not in ("aux1", "aux2")]
    assert sum(cost.weights for cost in kept) == weights
    assert sum(cost.parameters for cost in kept) == parameters
    assert round(sum(cost.macs for cost in kept) / 1e9, 3) == gmacs
    heads = [module for module in (model.aux1, model.aux2) if module is not None]
    counted = sum(p.numel() for p in model.parameters())
    assert counted - sum(p.numel() for h in heads for p in h.parameters()) == parameters


def test_an_auxiliary_head_has_about_3_19_million_parameters():
    costs = layer_costs(without_memory("torchvision"), 224)
    for head in ("aux1", "aux2"):
        total = sum(cost.parameters for cost in costs if cost.stage == head)
        assert total == pytest.approx(3.19e6, rel=2e-3)


@pytest.mark.parametrize("preset", PRESETS)
def test_costs_count_every_parameter_once(preset):
    model = without_memory(preset, width=0.25)
    costs = layer_costs(model, 224)
    assert len({cost.unit for cost in costs}) == len(costs) == 3 + 9 * 6 + 2 * 3 + 1
    beyond = sum(p.numel() for p in model.last_norm.parameters())
    total = sum(p.numel() for p in model.parameters())
    assert sum(cost.parameters for cost in costs) == total - beyond


def test_multiply_adds_are_those_of_the_shapes_that_ran():
    model = network("batch-norm")
    shapes: dict[nn.Module, torch.Size] = {}
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [
        m.register_forward_hook(lambda m, _i, o: shapes.update({m: o.shape})) for m in layers
    ]
    with torch.no_grad():
        model(torch.randn(1, 3, 96, 96))
    for handle in handles:
        handle.remove()
    by_hand = sum(module.weight[0].numel() * shapes[module].numel() for module in layers)
    assert sum(cost.macs for cost in layer_costs(model, 96)) == by_hand


def test_shares_of_the_work_are_the_known_ones():
    costs = [c for c in layer_costs(without_memory("torchvision"), 224) if "aux" not in c.stage]
    total = sum(cost.macs for cost in costs)
    shares = {"stem": 31.9, "3a": 8.1, "3b": 17.7, "4a": 4.8, "4b": 5.5, "4c": 6.3}
    shares |= {"4d": 7.5, "4e": 10.5, "5a": 3.2, "5b": 4.4}
    for stage, share in shares.items():
        measured = 100 * sum(cost.macs for cost in costs if cost.stage == stage) / total
        assert measured == pytest.approx(share, abs=0.06), stage


def test_the_paper_preset_gives_the_papers_output_sizes():
    outputs = {cost.unit: cost.output for cost in layer_costs(without_memory("paper"), 224)}
    assert outputs["conv1/7x7_s2"] == (64, 112, 112)
    assert outputs["conv2/3x3"] == (192, 56, 56)
    for stage, side in {"3": 28, "4": 14, "5": 7}.items():
        sizes = {o[1:] for unit, o in outputs.items() if unit.startswith(f"inception_{stage}")}
        assert sizes == {(side, side)}
    assert outputs["loss1/conv"] == outputs["loss2/conv"] == (128, 4, 4)


def test_the_small_stem_has_stride_2_before_3a():
    small = network("batch-norm", stem="small")
    costs = {cost.unit: cost.output for cost in layer_costs(small, 64)}
    assert costs["inception_3a/1x1"][1:] == (32, 32)
    with torch.no_grad():
        assert small(torch.randn(2, 3, 32, 32)).main.shape == (2, 5)


def test_a_branch_without_its_reduce_costs_what_its_last_layer_costs_on_all_inputs():
    costs = branch_costs(without_memory("paper"), 224)["3a"]
    cells = 28 * 28
    assert costs["1x1"].macs == 192 * 64 * cells and costs["1x1"].direct is None
    assert costs["3x3"].macs == (192 * 96 + 96 * 128 * 9) * cells
    assert costs["3x3"].direct == 192 * 128 * 9 * cells
    assert costs["5x5"].direct == 192 * 32 * 25 * cells
    assert costs["pool"].macs == 192 * 32 * cells and costs["pool"].direct is None


def test_a_branch_that_is_left_out_costs_nothing():
    costs = branch_costs(network("batch-norm", left_out="5x5"), 64)
    assert all(branches["5x5"].layers == () for branches in costs.values())
    assert all(branches["5x5"].macs == 0 for branches in costs.values())


@pytest.mark.parametrize("preset", PRESETS)
def test_a_head_alone_costs_its_own_way_and_less_than_the_whole(preset):
    model = without_memory(preset)
    costs = head_costs(model, 224)
    whole = sum(p.numel() for p in model.parameters())
    for head, cost in costs.items():
        assert cost.parameters == sum(p.numel() for p in model.until(head).parameters()) < whole
    assert costs["aux1"].macs < costs["aux2"].macs < costs["main"].macs
    assert list(head_costs(without_memory(preset, aux=False), 224)) == ["main"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("stage", ["3a", "4d", "5b"])
def test_a_modules_parts_cost_what_its_layers_cost(preset, stage):
    model = without_memory(preset)
    module = model.inceptions()[stage]
    side = {"3": 28, "4": 14, "5": 7}[stage[0]]
    cost = module_cost(model.config, module.in_channels, module.widths, side)
    layers = [one for one in layer_costs(model, 224) if one.stage == stage]
    assert [part.weights for part in cost.parts if part.shape] == [one.weights for one in layers]
    assert [part.macs for part in cost.parts if part.shape] == [one.macs for one in layers]
    assert cost.parameters == sum(p.numel() for p in module.parameters())
    assert cost.channels == module.widths.total


def test_the_naive_module_of_3a_is_the_one_counted_by_hand():
    config = ModelConfig.preset("paper")
    naive = naive_module_cost(config, 192, TABLE_1["3a"], 28)
    assert naive.weights == 192 * 64 + 192 * 128 * 9 + 192 * 32 * 25
    assert naive.parameters == naive.weights + 64 + 128 + 32
    assert naive.macs == naive.weights * 28 * 28
    assert naive.channels == 64 + 128 + 32 + 192, "the pooled input goes on as it is"
    assert naive.values == naive.channels * 28 * 28
    assert naive.bytes == 4 * (naive.parameters + naive.values)


def test_the_reduces_save_what_is_known_of_each_module():
    known = {"3a": 2.37, "3b": 2.81, "4a": 4.17, "4b": 4.31, "4c": 4.05}
    known |= {"4d": 3.64, "4e": 3.86, "5a": 5.06, "5b": 4.06}
    model = without_memory("paper")
    for stage, module in model.inceptions().items():
        asked = (model.config, module.in_channels, module.widths, 14)
        saved = naive_module_cost(*asked).weights / module_cost(*asked).weights
        assert round(saved, 2) == known[stage], stage


def test_what_is_left_out_costs_nothing_in_either_module():
    config = ModelConfig.preset("batch-norm", left_out="5x5,pool")
    for count in (module_cost, naive_module_cost):
        assert set(count(config, 192, TABLE_1["3a"], 28).lanes()) == {"1x1", "3x3"}


def test_shapes_are_told_without_torchs_compiler() -> None:
    script = """if True:
        import sys
        from gnet.network.config import ModelConfig
        from gnet.network.costs import output_shapes
        assert tuple(output_shapes(ModelConfig(), 64, ["conv1"])["conv1"]) == (1, 64, 32, 32)
        print([name for name in ("sympy", "torch._dynamo", "torchvision") if name in sys.modules])
    """
    command = [sys.executable, "-c", script]
    assert subprocess.check_output(command, cwd=ROOT, text=True).strip() == "[]"
