"""GoogLeNet, "Going deeper with convolutions" (arXiv 1409.4842), in the forms people use.

Attribute names and order are torchvision's, so that with the preset `torchvision` a state dict
loads strictly both ways. Knows nothing of files, pictures or training.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gnet.errors import GnetError
from gnet.network.config import (
    AUX_CHANNELS,
    AUX_FEATURES,
    AUX_GRID,
    BRANCHES,
    EXITS,
    HEADS,
    STAGES,
    STEM_WIDTHS,
    TABLE_1,
    ModelConfig,
    Widths,
    scaled,
)
from gnet.network.info import ModelInfo


class Logits(NamedTuple):
    """The three heads' logits, each (N, classes); auxiliary ones are None without heads."""

    main: Tensor
    aux1: Tensor | None
    aux2: Tensor | None


class Layer(NamedTuple):
    """One layer of the trunk."""

    name: str
    """Its attribute's name in `GoogLeNet`."""
    stage: str | None
    """`stem`, `3a` … `5b`; None for a pooling layer between two modules."""
    module: nn.Module


TRUNK: dict[str, str | None] = {
    "conv1": "stem",  # (N, 64, H/2, W/2)
    "maxpool1": "stem",
    "norm1": "stem",
    "conv2": "stem",
    "conv3": "stem",
    "norm2": "stem",
    "maxpool2": "stem",  # (N, 192, H/8, W/8)
    "inception3a": "3a",
    "inception3b": "3b",  # (N, 480, H/8, W/8)
    "maxpool3": None,
    "inception4a": "4a",  # (N, 512, H/16, W/16): aux1 leaves here
    "inception4b": "4b",
    "inception4c": "4c",
    "inception4d": "4d",  # (N, 528, H/16, W/16): aux2 leaves here
    "inception4e": "4e",
    "maxpool4": None,
    "inception5a": "5a",
    "inception5b": "5b",  # (N, 1024, H/32, W/32)
}
"""Every layer up to where the classifier begins, in order, and the stage it belongs to."""
CLASSIFIER = ("last_norm", "last_relu", "avgpool", "dropout", "fc", "outputs")
"""The main head's layers, in order."""


class ConvBlock(nn.Module):
    """Convolution, normalisation and ReLU in the order the config asks for."""

    def __init__(
        self,
        config: ModelConfig,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int = 1,
        first: bool = False,
    ) -> None:
        super().__init__()
        self.pre_activation = config.order == "norm-relu-conv"
        normed = in_channels if self.pre_activation else out_channels
        # With pre-activation the first convolution sees the picture itself, neither normed nor cut.
        bare = self.pre_activation and first
        batch_norm = config.norm == "batch" and not bare
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel,
            stride,
            padding=kernel // 2,
            bias=config.norm == "none",
        )
        self.bn = nn.BatchNorm2d(normed, eps=config.norm_eps) if batch_norm else nn.Identity()
        self.relu = nn.Identity() if bare else nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        if self.pre_activation:
            return self.conv(self.relu(self.bn(x)))
        return self.relu(self.bn(self.conv(x)))


class LeftOut(nn.Module):
    """In the place of a branch that is no part of the network: zeros, and nothing to learn."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        return x.new_zeros(n, h, w, self.channels).permute(0, 3, 1, 2)  # channels-last in memory


class Inception(nn.Module):
    """Four branches over one input, concatenated along the channels."""

    def __init__(self, config: ModelConfig, in_channels: int, widths: Widths) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.widths = widths
        self.branch1 = ConvBlock(config, in_channels, widths.b1, kernel=1)
        self.branch2 = nn.Sequential(
            ConvBlock(config, in_channels, widths.reduce3, kernel=1),
            ConvBlock(config, widths.reduce3, widths.b3, kernel=3),
        )
        # torchvision has a 3×3 kernel here (pytorch/vision #906); the paper has 5×5.
        self.branch3 = nn.Sequential(
            ConvBlock(config, in_channels, widths.reduce5, kernel=1),
            ConvBlock(config, widths.reduce5, widths.b5, kernel=config.kernel_5x5),
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=True),
            ConvBlock(config, in_channels, widths.pool, kernel=1),
        )
        for branch in config.branches_left_out():
            index = BRANCHES.index(branch)
            setattr(self, f"branch{index + 1}", LeftOut(widths.branches[index]))

    def branch_modules(self) -> dict[str, nn.Module]:
        """The module whose output is each branch's, by branch."""
        return dict(
            zip(BRANCHES, (self.branch1, self.branch2, self.branch3, self.branch4), strict=True)
        )

    def branches(self, x: Tensor) -> dict[str, Tensor]:
        """`x`: (N, C, h, w) → the four branches' outputs, each (N, its channels, h, w)."""
        return {name: module(x) for name, module in self.branch_modules().items()}

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(list(self.branches(x).values()), dim=1)


class AuxiliaryHead(nn.Module):
    """The classifier that leaves early: pool to 4×4, 128 filters, 1024 features (section 5)."""

    def __init__(self, config: ModelConfig, in_channels: int) -> None:
        super().__init__()
        filters = scaled(AUX_CHANNELS, config.width)
        features = scaled(AUX_FEATURES, config.width)
        self.pool = (
            nn.AvgPool2d(5, stride=3)
            if config.aux_pool == "paper"
            else nn.AdaptiveAvgPool2d(AUX_GRID)
        )
        self.conv = ConvBlock(config, in_channels, filters, kernel=1)
        # A pre-activation block ends in its convolution: the ReLU before fc1 is then still due.
        self.relu_conv = nn.ReLU() if config.order == "norm-relu-conv" else nn.Identity()
        self.fc1 = nn.Linear(filters * AUX_GRID**2, features)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(config.dropout_aux)
        self.fc2 = nn.Linear(features, config.num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(x)  # (N, C, 4, 4)
        x = self.relu_conv(self.conv(x)).flatten(1)  # (N, 128 · 16)
        return self.fc2(self.dropout(self.relu(self.fc1(x))))  # (N, classes)


class GoogLeNet(nn.Module):
    """The network; `forward` returns the three heads' logits in every mode."""

    def __init__(self, config: ModelConfig | None = None, info: ModelInfo | None = None) -> None:
        super().__init__()
        self.config = config = config or ModelConfig()
        self.info = info or ModelInfo()
        c1, c2, c3 = (scaled(c, config.width) for c in STEM_WIDTHS)
        widths = {
            stage: Widths(*(scaled(c, config.width) for c in row)) for stage, row in TABLE_1.items()
        }
        small = config.stem == "small"

        def pool(kernel: int = 3) -> nn.Module:
            return nn.MaxPool2d(kernel, stride=2, ceil_mode=True)

        def response_norm() -> nn.Module:
            if not config.local_response_norm:
                return nn.Identity()
            return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)  # the released model's

        self.conv1 = ConvBlock(config, 3, c1, kernel=3 if small else 7, stride=2, first=True)
        self.maxpool1 = nn.Identity() if small else pool()
        self.norm1 = response_norm()
        self.conv2 = ConvBlock(config, c1, c2, kernel=1)
        self.conv3 = ConvBlock(config, c2, c3, kernel=3)
        self.norm2 = response_norm()
        self.maxpool2 = nn.Identity() if small else pool()

        before = {"3a": c3} | {
            stage: widths[previous].total for previous, stage in itertools.pairwise(STAGES)
        }

        def inception(stage: str) -> Inception:
            return Inception(config, before[stage], widths[stage])

        self.inception3a = inception("3a")
        self.inception3b = inception("3b")
        self.maxpool3 = pool()
        self.inception4a = inception("4a")
        self.inception4b = inception("4b")
        self.inception4c = inception("4c")
        self.inception4d = inception("4d")
        self.inception4e = inception("4e")
        self.maxpool4 = pool(config.pool4)
        self.inception5a = inception("5a")
        self.inception5b = inception("5b")

        self.aux1 = AuxiliaryHead(config, widths["4a"].total) if config.aux else None
        self.aux2 = AuxiliaryHead(config, widths["4d"].total) if config.aux else None

        features = widths["5b"].total
        pre_activation = config.order == "norm-relu-conv"
        last_norm = pre_activation and config.norm == "batch"
        self.last_norm = (
            nn.BatchNorm2d(features, eps=config.norm_eps) if last_norm else nn.Identity()
        )
        self.last_relu = nn.ReLU() if pre_activation else nn.Identity()
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(config.dropout)
        self.fc = nn.Linear(features, config.num_classes)
        self.outputs = nn.ReLU() if config.rectified_outputs else nn.Identity()
        self._initialise()

    def _initialise(self) -> None:
        """Draw the weights; plain normals, where a truncated normal would take seconds.

        On the device `meta` there is nothing to draw into, and to try takes torch a second.
        """
        if self.fc.weight.is_meta:
            return
        init = self.config.init
        for module in self.modules():
            if not isinstance(module, nn.Conv2d | nn.Linear):
                continue
            if init == "he":
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            elif init == "xavier":
                nn.init.xavier_uniform_(module.weight)
            else:
                nn.init.normal_(module.weight, std=0.01)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    def inceptions(self) -> dict[str, Inception]:
        """The nine modules by stage, in the order they run."""
        return {stage: getattr(self, f"inception{stage}") for stage in STAGES}

    def forward(self, x: Tensor) -> Logits:
        """`x`: (N, 3, H, W) normalised → logits of the three heads, each (N, classes)."""
        heads = self.run(x, HEADS if self.config.aux else ("main",))
        return Logits(heads["main"], heads.get("aux1"), heads.get("aux2"))

    def trunk(self, last: str = "5b", *, behind: str | None = None) -> Iterator[Layer]:
        """The layers that every picture passes, in order, up to the module `last`.

        With `behind` only those that come after that module. This is the only place with that
        order: `forward`, `until`, receptive fields, export, gradients and ablation read it. The
        heads leave the trunk behind the modules that `EXITS` names.
        """
        reached = behind is None
        for name, stage in TRUNK.items():
            if reached:
                yield Layer(name, stage, getattr(self, name))
            if stage == last:
                return
            reached = reached or stage == behind

    def head_modules(self, head: str) -> dict[str, nn.Module]:
        """The modules that belong to one head alone, by name, in the order they run."""
        names = CLASSIFIER if head == "main" else (head, "outputs")
        return {name: getattr(self, name) for name in names}

    def run(
        self,
        x: Tensor,
        heads: tuple[str, ...],
        branches: dict[tuple[str, str], Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """The logits (N, classes) of `heads`; nothing behind the last of them is computed.

        A dict given as `branches` receives what each branch on the way puts out, by stage and
        branch: (N, its channels, h, w).
        """
        self._check(x)
        logits: dict[str, Tensor] = {}
        x = self.renormalised(x)  # (N, 3, H, W)
        for _, stage, layer in self.trunk(deepest(heads)):
            if branches is not None and isinstance(layer, Inception):
                parts = layer.branches(x)
                branches |= {(str(stage), name): part for name, part in parts.items()}
                x = torch.cat(list(parts.values()), dim=1)
            else:
                x = layer(x)  # (N, 192, H/8, W/8) into 3a … (N, 1024, H/32, W/32) behind 5b
            for head in heads:
                if EXITS[head] == stage:
                    logits[head] = self.head(head, x)  # (N, classes)
        return logits

    def into(self, x: Tensor, stage: str) -> Tensor:
        """What the module `stage` is given, (N, C, h, w), computed no further.

        `x`: (N, 3, H, W) normalised.
        """
        if stage not in STAGES:
            raise GnetError(f"There is no module {stage!r}; there are {', '.join(STAGES)}.")
        self._check(x)
        x = self.renormalised(x)
        for layer in self.trunk(stage):
            if layer.stage == stage:
                break
            x = layer.module(x)
        return x

    def _check(self, x: Tensor) -> None:
        if x.dim() != 4 or x.shape[1] != 3:
            raise GnetError(f"The input has shape {tuple(x.shape)}; allowed is (N, 3, H, W).")
        self.config.check_size(*x.shape[-2:])

    def renormalised(self, x: Tensor) -> Tensor:
        """What the stem is given of a normalised input; only published weights need a change."""
        if not self.config.transform_input:
            return x
        # From ImageNet's mean and deviation to 0.5 and 0.5, as the published weights expect.
        scale = x.new_tensor([s / 0.5 for s in (0.229, 0.224, 0.225)]).view(3, 1, 1)
        shift = x.new_tensor([(m - 0.5) / 0.5 for m in (0.485, 0.456, 0.406)]).view(3, 1, 1)
        return x * scale + shift

    def head(self, name: str, x: Tensor) -> Tensor:
        """A head's logits (N, classes), from the output (N, C, h, w) of the module it reads."""
        if name == "main":
            x = self.avgpool(self.last_relu(self.last_norm(x))).flatten(1)  # (N, 1024)
            return self.outputs(self.fc(self.dropout(x)))
        head = getattr(self, name)
        if head is None:
            raise GnetError(f"The network has no head {name!r}; it was built without heads.")
        return self.outputs(head(x))

    def until(self, head: str) -> Until:
        """A module from input to the plain logits (N, classes) of `head`, sharing submodules."""
        if head not in HEADS or (head != "main" and not self.config.aux):
            allowed = ", ".join(HEADS if self.config.aux else ("main",))
            raise GnetError(f"There is no head {head!r} in this network; allowed are {allowed}.")
        return Until(self, head)


class Until(nn.Module):
    """From input to one head's logits: the form that attribution methods take.

    It holds the modules on the way to that head and no others, so `parameters()` are those that
    the head needs. They are the network's own: hooks and gradients reach them.
    """

    def __init__(self, model: GoogLeNet, head: str) -> None:
        super().__init__()
        self.head = head
        self.layers = nn.ModuleDict(
            {layer.name: layer.module for layer in model.trunk(EXITS[head])}
            | model.head_modules(head)
        )
        self._network = (model,)  # in a tuple: no submodule, or all its parameters would count

    def forward(self, x: Tensor) -> Tensor:
        return self._network[0].run(x, (self.head,))[self.head]


def deepest(heads: tuple[str, ...]) -> str:
    """The last module that the heads need."""
    return max((EXITS[head] for head in heads), key=STAGES.index)
