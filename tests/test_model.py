"""The network against torchvision, against the papers' figures, and its own promises."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import FrozenInstanceError

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import GoogLeNet as TorchvisionGoogLeNet

from gnet.config import (
    BRANCHES,
    EXITS,
    HEADS,
    PRESETS,
    SIZES,
    STAGES,
    TABLE_1,
    ModelConfig,
    ModelInfo,
    Preprocessing,
    scaled,
)
from gnet.costs import layer_costs
from gnet.errors import GnetError
from gnet.model import ConvBlock, GoogLeNet, Inception, Logits, fold


def network(preset: str, **changes) -> GoogLeNet:
    """A narrow network with weights and norm statistics that no default could pass for."""
    torch.manual_seed(0)
    settings = {"width": 0.0625, "num_classes": 5, "init": "he"} | changes
    model = GoogLeNet(ModelConfig.preset(preset, **settings)).eval()
    unsettle(model)
    return model


def unsettle(model: nn.Module) -> None:
    """Give every batch norm weights, biases and statistics of its own."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(std=0.1)
                module.running_mean.normal_(std=0.3)
                module.running_var.uniform_(0.5, 1.5)


def without_memory(preset: str, **changes) -> GoogLeNet:
    """A network of shapes only."""
    with torch.device("meta"):
        return GoogLeNet(ModelConfig.preset(preset, **changes))


def five_by_five(inception: Inception) -> nn.Conv2d:
    block = inception.branch3[1]
    assert isinstance(block, ConvBlock)
    return block.conv


def side_for(config: ModelConfig) -> int:
    return 224 if config.aux_pool == "paper" else 64


@contextmanager
def calls(modules: dict[str, nn.Module]) -> Iterator[list[str]]:
    """The names of the modules that run, in order."""
    ran: list[str] = []
    handles = [
        module.register_forward_hook(lambda _m, _i, _o, name=name: ran.append(name))
        for name, module in modules.items()
    ]
    try:
        yield ran
    finally:
        for handle in handles:
            handle.remove()


# torchvision


@pytest.fixture(scope="module")
def pair() -> tuple[GoogLeNet, TorchvisionGoogLeNet]:
    """Ours and torchvision's with the same weights, handed over strictly."""
    torch.manual_seed(0)
    ours = GoogLeNet(ModelConfig.preset("torchvision", num_classes=6, init="he"))
    unsettle(ours)
    theirs = TorchvisionGoogLeNet(num_classes=6, init_weights=False)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    return ours, theirs


def test_names_order_and_shapes_are_torchvisions(pair):
    ours, theirs = (model.state_dict() for model in pair)
    assert list(ours) == list(theirs)
    assert [value.shape for value in ours.values()] == [value.shape for value in theirs.values()]
    names = [name for name, _ in pair[0].named_parameters()]
    assert names == [name for name, _ in pair[1].named_parameters()]


def test_torchvisions_state_dict_loads_strictly(pair):
    ours = GoogLeNet(ModelConfig.preset("torchvision", num_classes=6))
    ours.load_state_dict(pair[1].state_dict(), strict=True)


def test_the_preset_holds_torchvisions_defaults():
    theirs = TorchvisionGoogLeNet(init_weights=False)
    config = ModelConfig.preset("torchvision")
    assert config.transform_input is theirs.transform_input is False
    assert config.aux is theirs.aux_logits is True
    assert config.dropout == theirs.dropout.p
    aux_dropout = theirs.get_submodule("aux1.dropout")
    assert isinstance(aux_dropout, nn.Dropout)
    assert config.dropout_aux == aux_dropout.p
    norm = theirs.get_submodule("conv1.bn")
    assert isinstance(norm, nn.BatchNorm2d)
    assert config.norm_eps == norm.eps
    assert config.num_classes == theirs.fc.out_features


@pytest.mark.parametrize("side", [32, 64, 97, 224])
@pytest.mark.parametrize("transform_input", [False, True])
def test_eval_outputs_equal_torchvisions_to_the_bit(pair, side, transform_input):
    ours, theirs = (model.eval() for model in pair)
    x = torch.randn(2, 3, side, side)
    if transform_input:
        config = ModelConfig.preset("torchvision", num_classes=6, transform_input=True)
        with torch.device("meta"):
            ours = GoogLeNet(config)
        ours.load_state_dict(theirs.state_dict(), assign=True)
        ours.eval()
    theirs.transform_input = transform_input
    try:
        with torch.no_grad():
            assert torch.equal(ours(x).main, theirs(x))
    finally:
        theirs.transform_input = False


def test_training_outputs_of_all_heads_equal_torchvisions_to_the_bit(pair):
    ours, theirs = (model.train() for model in pair)
    x = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        torch.manual_seed(7)
        a = ours(x)
        torch.manual_seed(7)
        b = theirs(x)
    assert torch.equal(a.main, b.logits)
    assert torch.equal(a.aux1, b.aux_logits1)
    assert torch.equal(a.aux2, b.aux_logits2)
    for name, value in ours.state_dict().items():
        assert torch.equal(value, theirs.state_dict()[name]), name
    for model in pair:
        model.eval()


def test_gradients_equal_torchvisions(pair):
    ours, theirs = (model.eval() for model in pair)
    x = torch.randn(2, 3, 32, 32)
    a = torch.autograd.grad(ours(x).main.square().sum(), list(ours.inception3a.parameters()))
    b = torch.autograd.grad(theirs(x).square().sum(), list(theirs.inception3a.parameters()))
    assert all(torch.equal(g, h) for g, h in zip(a, b, strict=True))


# the papers' figures


def test_table_1s_widths_are_those_of_the_live_modules():
    for preset in PRESETS:
        for stage, inception in without_memory(preset).inceptions().items():
            blocks = [module for module in inception.modules() if isinstance(module, ConvBlock)]
            assert [block.conv.out_channels for block in blocks] == list(TABLE_1[stage])


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


# presets


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_runs_in_both_modes_and_learns(preset):
    model = network(preset)
    side = side_for(model.config)
    x = torch.randn(2, 3, side, side)
    with torch.no_grad():
        logits = model(x)
    assert isinstance(logits, Logits)
    assert [head is not None and tuple(head.shape) for head in logits] == [(2, 5)] * 3
    logits = model.train()(x)
    torch.cat(logits).logsumexp(1).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_the_paper_preset_is_the_papers_network():
    model = without_memory("paper")
    for inception in model.inceptions().values():
        assert five_by_five(inception).kernel_size == (5, 5)
    kinds = [type(module) for module in model.modules()]
    assert nn.BatchNorm2d not in kinds
    norms = [module for module in model.modules() if isinstance(module, nn.LocalResponseNorm)]
    assert [(n.size, n.alpha, n.beta, n.k) for n in norms] == [(5, 1e-4, 0.75, 1.0)] * 2
    assert model.dropout.p == 0.4
    assert model.aux1 is not None
    assert model.aux1.dropout.p == 0.7
    assert isinstance(model.aux1.pool, nn.AvgPool2d)
    pools = [model.maxpool1, model.maxpool2, model.maxpool3, model.maxpool4]
    for pool in pools:
        assert isinstance(pool, nn.MaxPool2d)
        assert (pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode) == (3, 2, 0, True)


def test_the_paper_preset_gives_the_papers_output_sizes():
    outputs = {cost.unit: cost.output for cost in layer_costs(without_memory("paper"), 224)}
    assert outputs["conv1/7x7_s2"] == (64, 112, 112)
    assert outputs["conv2/3x3"] == (192, 56, 56)
    for stage, side in {"3": 28, "4": 14, "5": 7}.items():
        sizes = {o[1:] for unit, o in outputs.items() if unit.startswith(f"inception_{stage}")}
        assert sizes == {(side, side)}
    assert outputs["loss1/conv"] == outputs["loss2/conv"] == (128, 4, 4)


def test_response_norm_stands_after_pool_1_and_before_pool_2():
    model = network("paper")
    watched = {n: getattr(model, n) for n in ("maxpool1", "norm1", "conv2", "conv3", "norm2")}
    with calls(watched | {"maxpool2": model.maxpool2}) as ran, torch.no_grad():
        model(torch.randn(1, 3, 224, 224))
    assert ran == ["maxpool1", "norm1", "conv2", "conv3", "norm2", "maxpool2"]


def test_the_three_by_three_variant_differs_in_one_kernel_per_module():
    five, three = (without_memory("batch-norm", kernel_5x5=kernel) for kernel in (5, 3))
    for a, b in zip(five.inceptions().values(), three.inceptions().values(), strict=True):
        assert (five_by_five(a).kernel_size, five_by_five(a).padding) == ((5, 5), (2, 2))
        assert (five_by_five(b).kernel_size, five_by_five(b).padding) == ((3, 3), (1, 1))
    saved = sum(p.numel() for p in five.parameters()) - sum(p.numel() for p in three.parameters())
    assert saved == sum(16 * row.reduce5 * row.b5 for row in TABLE_1.values())


def test_pre_activation_sees_the_picture_bare_and_ends_in_norm_and_relu():
    model = network("pre-activation")
    assert isinstance(model.conv1.bn, nn.Identity)
    assert isinstance(model.conv1.relu, nn.Identity)
    assert isinstance(model.last_norm, nn.BatchNorm2d)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        block = model.inception3a.branch1
        y = torch.randn(1, block.conv.in_channels, 5, 5)
        assert torch.equal(block(y), block.conv(block.bn(y).relu()))
        assert torch.equal(model.conv1(x), model.conv1.conv(x))
        branches = model.inception3a.branches(torch.randn(1, block.conv.in_channels, 8, 8))
    assert all((branch < 0).any() for branch in branches.values()), "branch maps are signed"


def test_without_heads_there_are_none_and_the_main_logits_stay():
    with_heads, without = network("batch-norm"), network("batch-norm", aux=False)
    state = {n: v for n, v in with_heads.state_dict().items() if not n.startswith("aux")}
    without.load_state_dict(state, strict=True)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        logits = without(x)
        assert torch.equal(logits.main, with_heads(x).main)
    assert logits.aux1 is None
    assert logits.aux2 is None
    with pytest.raises(GnetError, match="main"):
        without.until("aux1")


def test_rectified_outputs_are_never_negative():
    plain, rectified = network("batch-norm"), network("batch-norm", rectified_outputs=True)
    rectified.load_state_dict(plain.state_dict())
    x = torch.randn(8, 3, 32, 32)
    with torch.no_grad():
        for a, b in zip(plain(x), rectified(x), strict=True):
            assert (a < 0).any()
            assert torch.equal(a.relu(), b)


# widths, sizes, starts


@pytest.mark.parametrize("width", [0.0625, 0.1, 0.25, 0.5, 1.0, 1.3, 2.0])
def test_every_width_gives_multiples_of_4(width):
    with torch.device("meta"):
        model = GoogLeNet(ModelConfig(width=width, num_classes=7))
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            assert module.out_channels % 4 == 0, name
            assert module.out_channels >= 4, name
        elif isinstance(module, nn.Linear) and module.out_features != 7:
            assert module.out_features % 4 == 0, name
    assert model.aux1 is not None
    assert model.aux1.fc1.out_features == scaled(1024, width)


def test_width_1_is_exact():
    assert all(scaled(channels, 1.0) == channels for channels in range(1, 300))


def test_sizes_from_32_to_320_run_and_others_are_refused():
    model = network("batch-norm")
    low, high = SIZES
    assert SIZES == (32, 320)
    with torch.no_grad():
        for size in ((low, low), (97, 64), (high, high)):
            assert model(torch.randn(1, 3, *size)).main.shape == (1, 5)
        for size in ((low - 1, 64), (64, high + 1), (1, 1)):
            with pytest.raises(GnetError, match="32 to 320"):
                model(torch.empty(1, 3, *size))
        for shape in ((1, 1, 64, 64), (3, 64, 64), (1, 4, 64, 64)):
            with pytest.raises(GnetError, match="3, H, W"):
                model(torch.empty(shape))


def test_the_papers_pooling_refuses_other_sizes_in_a_sentence():
    model = network("paper")
    with pytest.raises(GnetError, match=r"128×128 px; .*224×224"):
        model(torch.empty(1, 3, 128, 128))
    assert network("paper", aux=False)(torch.randn(1, 3, 64, 64)).main.shape == (1, 5)
    assert network("paper", aux_pool="adaptive")(torch.randn(1, 3, 64, 64)).main.shape == (1, 5)


def test_the_small_stem_has_stride_2_before_3a():
    small = network("batch-norm", stem="small")
    costs = {cost.unit: cost.output for cost in layer_costs(small, 64)}
    assert costs["inception_3a/1x1"][1:] == (32, 32)
    with torch.no_grad():
        assert small(torch.randn(2, 3, 32, 32)).main.shape == (2, 5)


def test_starting_weights_draws_no_truncated_normal(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a truncated normal takes seconds")

    monkeypatch.setattr(nn.init, "trunc_normal_", refuse)
    for init in ("he", "xavier", "normal-0.01", "zeros"):
        GoogLeNet(ModelConfig(init=init, width=0.0625))


def test_starts_have_the_spread_they_promise():
    def conv(init: str) -> Tensor:
        torch.manual_seed(0)
        return GoogLeNet(ModelConfig(init=init, width=0.25, num_classes=3)).conv3.conv.weight

    fan_in = conv("he")[0].numel()
    assert conv("he").std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)
    assert conv("normal-0.01").std().item() == pytest.approx(0.01, rel=0.05)
    assert conv("zeros").abs().max().item() == 0
    fan_out = conv("xavier").shape[0] * 9
    assert conv("xavier").std().item() == pytest.approx((2 / (fan_in + fan_out)) ** 0.5, rel=0.05)


def test_the_same_seed_starts_the_same_network():
    a, b = network("batch-norm").state_dict(), network("batch-norm").state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


# modules, branches, heads


def test_branches_concatenate_to_the_module_output():
    model = network("batch-norm")
    for stage, inception in model.inceptions().items():
        assert isinstance(inception, Inception)
        x = torch.randn(2, inception.branch1.conv.in_channels, 6, 6)
        with torch.no_grad():
            branches = inception.branches(x)
            assert tuple(branches) == BRANCHES, stage
            assert torch.equal(torch.cat(list(branches.values()), 1), inception(x))
        assert tuple(b.shape[1] for b in branches.values()) == inception.widths.branches


def test_relus_are_modules_and_not_in_place():
    model = network("batch-norm")
    relus = [module for module in model.modules() if isinstance(module, nn.ReLU)]
    assert len(relus) >= 3 + 9 * 6 + 2 * 2
    assert not any(relu.inplace for relu in relus)
    with calls({str(i): relu for i, relu in enumerate(relus)}) as ran, torch.no_grad():
        model(torch.randn(1, 3, 32, 32))
    assert len(ran) == len(set(ran)) == len(relus), "each runs once, so that hooks on it are sound"


def test_aux1_depends_on_nothing_after_4a_and_aux2_on_nothing_after_4d():
    model = network("batch-norm")
    x = torch.randn(1, 3, 64, 64)

    def changed(stage: str) -> dict[str, bool]:
        with torch.no_grad():
            before = model(x)._asdict()
            weight = model.inceptions()[stage].branch1.conv.weight
            kept = weight.clone()
            weight.add_(1)
            after = model(x)._asdict()
            weight.copy_(kept)
        return {head: not torch.equal(before[head], after[head]) for head in HEADS}

    assert changed("4a") == {"aux1": True, "aux2": True, "main": True}
    assert changed("4b") == {"aux1": False, "aux2": True, "main": True}
    assert changed("4d") == {"aux1": False, "aux2": True, "main": True}
    assert changed("4e") == {"aux1": False, "aux2": False, "main": True}


@pytest.mark.parametrize("preset", PRESETS)
def test_until_gives_a_heads_logits_and_runs_nothing_behind_it(preset):
    model = network(preset)
    side = side_for(model.config)
    x = torch.randn(2, 3, side, side)
    with torch.no_grad():
        logits = model(x)._asdict()
    for head in HEADS:
        until = model.until(head)
        with calls(dict(model.inceptions())) as ran, torch.no_grad():
            answer = until(x)
        assert isinstance(answer, Tensor)
        assert torch.equal(answer, logits[head])
        assert ran == list(STAGES[: STAGES.index(EXITS[head]) + 1])
        others = {h: getattr(model, h) for h in ("aux1", "aux2") if h != head}
        with calls(others) as ran, torch.no_grad():
            until(x)
        assert ran == []


def test_until_shares_modules_so_that_hooks_and_gradients_reach_them():
    model = network("batch-norm")
    until = model.until("aux1")
    x = torch.randn(1, 3, 32, 32, requires_grad=True)
    seen: list[Tensor] = []
    handle = model.inception4a.branch2.register_full_backward_hook(
        lambda _module, _given, output: seen.append(output[0])
    )
    until(x)[0, 1].backward()
    handle.remove()
    assert len(seen) == 1
    assert seen[0].abs().sum() > 0
    assert x.grad is not None
    assert model.get_parameter("inception4a.branch2.0.conv.weight").grad is not None
    assert model.inception4b.branch1.conv.weight.grad is None
    until.eval()
    assert not model.training


@pytest.mark.parametrize("head", ["aux3", "", "main "])
def test_an_unknown_head_is_a_sentence(head):
    with pytest.raises(GnetError, match="aux1, aux2, main"):
        network("batch-norm").until(head)


# folding


@pytest.mark.parametrize("preset", ["batch-norm", "torchvision"])
def test_the_folded_network_computes_the_same(preset):
    model = network(preset, width=0.25, transform_input=True)
    x = torch.randn(2, 3, 96, 96)
    folded = fold(model)
    assert folded.config.norm == "none"
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert not folded.training
    assert folded.conv3.conv.weight.is_contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        for a, b in zip(model(x), folded(x), strict=True):
            scale = a.abs().max()
            assert ((a - b).abs().max() / scale).item() < 1e-4


@pytest.mark.parametrize("preset", ["paper", "pre-activation"])
def test_nothing_is_folded_where_no_norm_follows_its_convolution(preset):
    model = network(preset)
    folded = fold(model)
    assert folded.config == model.config
    for name, value in model.state_dict().items():
        assert torch.equal(folded.state_dict()[name], value), name
    side = side_for(model.config)
    x = torch.randn(1, 3, side, side)
    with torch.no_grad():
        for a, b in zip(model(x), folded(x), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_folding_twice_changes_nothing_more_and_leaves_the_original_alone():
    model = network("batch-norm").train()
    model.info = ModelInfo(name="kept", classes=("a", "b", "c", "d", "e"))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    once = fold(model)
    twice = fold(once)
    assert once.info == twice.info == model.info
    assert twice.config == once.config
    for name, value in once.state_dict().items():
        assert torch.equal(twice.state_dict()[name], value), name
    with torch.no_grad():
        for parameter in once.parameters():
            parameter.zero_()
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert any(p.abs().sum() > 0 for p in twice.parameters()), "copies share no memory"


# config and info


def test_a_config_survives_json_and_cannot_be_changed():
    for name in PRESETS:
        config = ModelConfig.preset(name, width=0.5)
        assert ModelConfig.from_json(config.to_json()) == config
        with pytest.raises(FrozenInstanceError):
            config.width = 1.0  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(GnetError, match="paper"):
        ModelConfig.preset("vgg")


@pytest.mark.parametrize(
    "changes",
    [
        {"num_classes": 1},
        {"num_classes": 2.5},
        {"num_classes": True},
        {"width": 0},
        {"width": float("nan")},
        {"width": "wide"},
        {"kernel_5x5": 4},
        {"kernel_5x5": 5.0},
        {"norm": "group"},
        {"order": ["conv"]},
        {"dropout": 1.0},
        {"aux": 1},
        {"transform_input": "yes"},
        {"init": "lucky"},
    ],
)
def test_what_no_network_can_be_built_from_is_a_sentence(changes):
    with pytest.raises(GnetError, match="allowed"):
        ModelConfig(**changes)


def test_info_survives_json_and_names_every_class():
    info = ModelInfo(
        name="x",
        classes=("cat", "dog"),
        preprocessing=Preprocessing(size=64, crop=0.9, mean=(0.1, 0.2, 0.3)),
        heads={"aux1": "untrained", "aux2": "probe on frozen features", "main": "untrained"},
        metrics={"top1": 0.5},
        digest="ab",
    )
    assert ModelInfo.from_json(info.to_json()) == info
    assert info.class_name(1) == "dog"
    assert info.class_name(7) == "class 7"


def test_normalising_gives_mean_0_and_deviation_1_per_colour():
    preprocessing = Preprocessing(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 0.125))
    mean = torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    torch.testing.assert_close(preprocessing.normalise(mean), torch.zeros(2, 3, 4, 4))
    spread = torch.tensor([0.5, 0.25, 0.125]).view(3, 1, 1)
    torch.testing.assert_close(preprocessing.normalise(mean + spread), torch.ones(2, 3, 4, 4))
