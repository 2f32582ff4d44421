"""Folds batch norm into the convolutions before it: the same network, faster, for showing."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from gnet.network.model import ConvBlock, GoogLeNet


def twin(model: GoogLeNet) -> GoogLeNet:
    """The same network a second time: with its weights in common, with hooks of its own.

    Two threads may run a network and its twin at once.
    """
    tensors = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})


def fold(model: GoogLeNet) -> GoogLeNet:
    """The same network for showing: batch norm folded into its convolution, channels-last, eval.

    Outputs are equal up to rounding. Where a norm does not directly follow its convolution
    (pre-activation) nothing is folded. The copy shares no memory with `model`.
    """
    config = model.config
    if config.norm != "batch" or config.order != "conv-norm-relu":
        folded = copy.deepcopy(model)
    else:
        state: dict[str, Tensor] = {}
        blocks = {n: m for n, m in model.named_modules() if isinstance(m, ConvBlock)}
        for name, block in blocks.items():
            bn = block.bn
            assert isinstance(bn, nn.BatchNorm2d)
            assert bn.running_mean is not None and bn.running_var is not None
            scale = bn.weight.double() / (bn.running_var.double() + bn.eps).sqrt()
            weight = block.conv.weight.double() * scale.view(-1, 1, 1, 1)
            state[f"{name}.conv.weight"] = weight.float()
            state[f"{name}.conv.bias"] = (bn.bias - bn.running_mean.double() * scale).float()
        for name, value in model.state_dict().items():
            if name.rpartition(".")[0].rpartition(".")[0] not in blocks:
                state[name] = value.clone()
        with torch.device("meta"):
            folded = GoogLeNet(replace(config, norm="none"), model.info)
        folded.load_state_dict(state, assign=True)
    folded.requires_grad_(False)
    return folded.to(memory_format=torch.channels_last).eval()  # pyright: ignore[reportCallIssue]
