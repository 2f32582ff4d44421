"""The network: Table 1's widths, its presets, sizes and starts, its modules, branches and heads."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from gnet.errors import GnetError
from gnet.network.config import (
    BRANCHES,
    EXITS,
    HEADS,
    PRESETS,
    SIZES,
    STAGES,
    TABLE_1,
    ModelConfig,
    scaled,
)
from gnet.network.model import ConvBlock, GoogLeNet, Inception, Logits
from support.networks import network, side_for, without_memory


def five_by_five(inception: Inception) -> nn.Conv2d:
    block = inception.branch3[1]
    assert isinstance(block, ConvBlock)
    return block.conv


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


def test_table_1s_widths_are_those_of_the_live_modules():
    for preset in PRESETS:
        for stage, inception in without_memory(preset).inceptions().items():
            blocks = [module for module in inception.modules() if isinstance(module, ConvBlock)]
            assert [block.conv.out_channels for block in blocks] == list(TABLE_1[stage])


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


def test_starting_weights_draws_no_truncated_normal(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a truncated normal takes seconds")

    monkeypatch.setattr(nn.init, "trunc_normal_", refuse)
    for init in ("he", "xavier", "normal-0.01"):
        GoogLeNet(ModelConfig(init=init, width=0.0625))


def test_starts_have_the_spread_they_promise():
    def conv(init: str) -> Tensor:
        torch.manual_seed(0)
        return GoogLeNet(ModelConfig(init=init, width=0.25, num_classes=3)).conv3.conv.weight

    fan_in = conv("he")[0].numel()
    assert conv("he").std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)
    assert conv("normal-0.01").std().item() == pytest.approx(0.01, rel=0.05)
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


def test_until_holds_what_its_head_needs_and_nothing_else():
    model = network("batch-norm")
    whole = dict(model.named_parameters())
    for head, deepest in EXITS.items():
        needed = {id(p) for p in model.until(head).parameters()}
        names = {name for name, p in whole.items() if id(p) in needed}
        other = {"aux1.", "aux2.", "fc."} - {"fc." if head == "main" else f"{head}."}
        assert not any(name.startswith(tuple(other)) for name in names)
        reached = {name[9:11] for name in names if name.startswith("inception")}
        assert reached == set(STAGES[: STAGES.index(deepest) + 1])


def test_the_trunk_ends_at_the_module_requested():
    model = network("batch-norm")
    assert [layer.stage for layer in model.trunk() if layer.stage in STAGES] == list(STAGES)
    assert [layer.name for layer in model.trunk("3a")][-1] == "inception3a"


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
