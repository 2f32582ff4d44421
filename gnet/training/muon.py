"""Muon for a convolutional network: each kernel is stepped as a matrix, all else by AdamW.

Muon (kellerjordan.github.io/posts/muon) steps along the momentum made orthogonal, so that all
directions of a matrix learn alike. torch has it for matrices; here kernels are looked at as such.
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

        Muon's steps are made as long as AdamW's (arXiv 2502.16982), so one rate serves both. Raises
        `RuntimeError` for a kernel that lies in memory neither row by row nor channels-last.
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
        """Take one step along the gradients there are, at the rates in `param_groups`.

        `closure` is there as torch has it, and not called.
        """
        for kernel, matrix in zip(self._kernels, self._matrices, strict=True):
            grad = kernel.grad
            # A head that counts for nothing has gradients of zero. Muon would go on along what is
            # left of the momentum, at full length however little that is.
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
        """As torch's optimisers have it; the state of kernels is that of their matrices."""
        muon, adamw = (part.state_dict()["state"] for part in self._parts)
        state = muon | {len(self._kernels) + index: values for index, values in adamw.items()}
        return super().state_dict() | {"state": state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what `state_dict` told; raises `ValueError` where that is of other parameters."""
        super().load_state_dict(state_dict | {"state": {}})
        first, state = len(self._kernels), state_dict["state"]
        muon = {index: values for index, values in state.items() if index < first}
        adamw = {index - first: values for index, values in state.items() if index >= first}
        for part, values in zip(self._parts, (muon, adamw), strict=True):
            part.load_state_dict(part.state_dict() | {"state": values})


def _in_order(values: Tensor, kernel: Tensor) -> Tensor:
    """A kernel's values or gradient, its axes in the order in which the kernel lies in memory.

    So the kernel's matrix shares its memory; Muon does the same to columns in any order.
    """
    return values if kernel.is_contiguous() else values.permute(0, 2, 3, 1)
