"""A network's architecture as plain values and as a JSON file."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from gnet import strict_json
from gnet.errors import FieldError
from gnet.network.config import BRANCHES, EXITS
from gnet.network.costs import Cost, head_costs, layer_costs, unit_name
from gnet.network.model import ConvBlock, GoogLeNet, Inception, LeftOut, deepest
from gnet.system.atomic import atomically
from gnet.words import cut, listed


def to_json(model: GoogLeNet, size: int | None = None, head: str | None = None) -> dict[str, Any]:
    """Describe the architecture as plain values that `json.dumps` takes.

    With `head` only what that head needs, `model.until(head)`. Layers stand in the order they run,
    grouped as stem, modules (by stage and branch) and heads, each with its sums; parameters, MACs
    and output shapes (channels, height, width) are those of one square picture of `size` px
    (default: the size of the network's preprocessing).
    """
    size = size or model.info.preprocessing.size
    heads = heads_of(model, head)
    last = deepest(heads)
    costs = {cost.unit: cost for cost in layer_costs(model, size)}
    stem: list[dict[str, Any]] = []
    modules: dict[str, dict[str, Any]] = {}
    stage_before = ""
    for name, stage, layer in model.trunk(last):
        if stage == "stem":
            stem += _layers(name, layer, costs)
        elif stage is None:  # a pooling layer between two modules
            (modules[stage_before]["then"],) = _layers(name, layer, costs)
        else:
            modules[stage] = _module(model.inceptions()[stage], name, costs)
            stage_before = stage
    layers_of = {
        head: [
            layer
            for name, module in model.head_modules(head).items()
            for layer in _layers(name, module, costs)
        ]
        for head in heads
    }
    return {
        "name": model.info.name,
        "digest": model.info.digest,
        "config": model.config.to_json(),
        "preprocessing": {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(model.info.preprocessing).items()
        },
        "input": [3, size, size],
        "totals": _totals(model, costs, size, head),
        "stem": {"layers": stem} | _sums(stem),
        "modules": modules,
        "heads": {
            head: {"status": model.info.heads.get(head), "reads": EXITS[head], "layers": layers}
            | _sums(layers)
            for head, layers in layers_of.items()
        },
    }


def heads_of(model: GoogLeNet, head: str | None) -> tuple[str, ...]:
    """The heads that are written: all there are, or the one asked for, checked."""
    present = ("main", "aux1", "aux2") if model.config.aux else ("main",)
    if head is None:
        return present
    if head not in present:
        raise FieldError("head", cut(head), listed(present, "or"))
    return (head,)


def _layers(name: str, module: nn.Module, costs: dict[str, Cost]) -> list[dict[str, Any]]:
    """The layers in `module`, whose name in the network is `name`, as plain values."""
    named = module.named_modules(prefix=name)
    return [layer for own, part in named if (layer := _layer(own, part, costs)) is not None]


def _module(inception: Inception, name: str, costs: dict[str, Cost]) -> dict[str, Any]:
    branches = {
        branch: _layers(f"{name}.{own}", module, costs)
        for (own, module), branch in zip(inception.named_children(), BRANCHES, strict=True)
    }
    return {
        "input_channels": inception.in_channels,
        "output_channels": inception.widths.total,
        "branches": branches,
    } | _sums([layer for layers in branches.values() for layer in layers])


def write_json(
    model: GoogLeNet, path: str | Path, size: int | None = None, head: str | None = None
) -> Path:
    """Write what `to_json` says to a file, whole or not at all, and return the path."""
    text = strict_json.dumps(to_json(model, size, head), indent=2, ensure_ascii=False)
    with atomically(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return Path(path)


def _layer(name: str, module: nn.Module, costs: dict[str, Cost]) -> dict[str, Any] | None:
    """One layer's line, or None for what is no layer of its own (containers, ReLUs)."""
    if isinstance(module, ConvBlock):
        conv = module.conv
        order = "norm-relu-conv" if module.pre_activation else "conv-norm-relu"
        steps = {
            "conv": "convolution",
            "norm": "batch norm" if isinstance(module.bn, nn.BatchNorm2d) else None,
            "relu": "ReLU" if isinstance(module.relu, nn.ReLU) else None,
        }
        return {
            "module": name,
            "kind": "convolutional block",
            "steps": [steps[step] for step in order.split("-") if steps[step]],
            "channels": [conv.in_channels, conv.out_channels],
            "kernel": conv.kernel_size[0],
            "stride": conv.stride[0],
            "padding": conv.padding[0],
        } | _cost(costs[unit_name(f"{name}.conv")[0]])
    if isinstance(module, nn.Linear):
        features = [module.in_features, module.out_features]
        return {"module": name, "kind": "linear", "channels": features} | _cost(
            costs[unit_name(name)[0]]
        )
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        kind = "max pool" if isinstance(module, nn.MaxPool2d) else "average pool"
        return {
            "module": name,
            "kind": kind,
            "kernel": module.kernel_size,
            "stride": module.stride,
            "padding": module.padding,
            "ceil": module.ceil_mode,
        }
    if isinstance(module, nn.AdaptiveAvgPool2d):
        side = module.output_size
        side = side[0] if isinstance(side, tuple) else side
        return {"module": name, "kind": "adaptive average pool", "output_side": side}
    if isinstance(module, nn.BatchNorm2d) and "." not in name:  # the one outside all blocks
        return {"module": name, "kind": "batch norm", "channels": module.num_features}
    if isinstance(module, nn.LocalResponseNorm):
        return {"module": name, "kind": "local response norm"} | {
            key: getattr(module, key) for key in ("size", "alpha", "beta", "k")
        }
    if isinstance(module, LeftOut):
        return {"module": name, "kind": "left out, zeros in its place", "channels": module.channels}
    if isinstance(module, nn.Dropout):
        return {"module": name, "kind": "dropout", "share": module.p}
    return None


def _cost(cost: Cost) -> dict[str, Any]:
    return {
        "unit": cost.unit,
        "weights": cost.weights,
        "parameters": cost.parameters,
        "macs": cost.macs,
        "output": list(cost.output),
    }


def _totals(
    model: GoogLeNet, costs: dict[str, Cost], size: int, head: str | None
) -> dict[str, dict[str, int]]:
    """Sums over all that is written, and over what each head needs alone."""
    alone = {
        f"{name} head": {
            "weights": cost.weights,
            "parameters": cost.parameters,
            "macs": cost.macs,
        }
        for name, cost in head_costs(model, size).items()
        if head in (None, name)
    }
    if head:
        return alone
    everything = {
        "weights": sum(cost.weights for cost in costs.values()),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "macs": sum(cost.macs for cost in costs.values()),
    }
    return {"all heads": everything} | alone


def _sums(layers: list[dict[str, Any]]) -> dict[str, int]:
    return {
        key: sum(layer.get(key, 0) for layer in layers) for key in ("weights", "parameters", "macs")
    }
