"""Muon for a convolutional network: it updates each kernel as a matrix; AdamW updates the rest.

Muon (kellerjordan.github.io/posts/muon) makes the momentum of a matrix orthogonal before the step,
so all directions learn equally fast. torch has it for matrices; here kernels are reshaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Muon(torch.optim.Optimizer):
    """torch's Muon for the kernels of convolutions, AdamW for linear layers, norms and biases."""

    def __init__(
        self,
        kernels: Sequence[nn.Parameter],
        others: list[dict[str, Any]],
        rate: float,
        decay: float,
    ) -> None:
        """`kernels` (out, in, k, k), with weight decay `decay`; `others` are AdamW's groups.

        Muon's steps are scaled to the length of AdamW's (arXiv 2502.16982), so both use one rate.
        Raises `RuntimeError` for a kernel that is neither contiguous nor channels-last.
        """
        super().__init__([{"params": list(kernels)}, *others], {"lr": rate})
        self._kernels = kernels
        self._matrices = [nn.Parameter(_in_order(p.detach(), p).view(len(p), -1)) for p in kernels]
        muon = torch.optim.Muon(
            self._matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"
        )
        self._parts = (muon, torch.optim.AdamW(others, lr=rate, fused=True))

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step with the current gradients, at the rates in `param_groups`.

        `closure` is part of torch's interface and is not called.
        """
        for kernel, matrix in zip(self._kernels, self._matrices, strict=True):
            grad = kernel.grad
            # A head of weight 0 has zero gradients. Muon would still take steps of full length
            # along the rest of its momentum.
            if grad is not None and grad.any():
                matrix.grad = _in_order(grad, kernel).reshape(matrix.shape)
        groups = [group for part in self._parts for group in part.param_groups]
        for group, given in zip(groups, self.param_groups, strict=True):
            group["lr"] = given["lr"]
        for part in self._parts:
            part.step()
        for matrix in self._matrices:
            matrix.grad = None

    def state_dict(self) -> dict[str, Any]:
        """As in torch's optimisers; the state of a kernel is that of its matrix."""
        muon, adamw = (part.state_dict()["state"] for part in self._parts)
        state = muon | {len(self._kernels) + index: values for index, values in adamw.items()}
        return super().state_dict() | {"state": state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a `state_dict`; raises `ValueError` where it belongs to other parameters."""
        super().load_state_dict(state_dict | {"state": {}})
        first, state = len(self._kernels), state_dict["state"]
        muon = {index: values for index, values in state.items() if index < first}
        adamw = {index - first: values for index, values in state.items() if index >= first}
        for part, values in zip(self._parts, (muon, adamw), strict=True):
            part.load_state_dict(part.state_dict() | {"state": values})


def _in_order(values: Tensor, kernel: Tensor) -> Tensor:
    """A kernel's values or gradient, with the axes in the order of the kernel's memory.

    So the matrix shares the kernel's memory. The order of columns makes no difference to Muon.
    """
    return values if kernel.is_contiguous() else values.permute(0, 2, 3, 1)
