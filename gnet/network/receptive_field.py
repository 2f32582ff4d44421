"""How much of the picture one cell of a branch can see: in theory, and how much of it counts.

Everything is read from the kernels, strides and paddings of the live model, so it holds for any
configuration. Distances are in pixels of the network's input.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gnet.network.config import STAGES
from gnet.network.hooks import differentiable, evaluating
from gnet.network.model import ConvBlock, GoogLeNet, LeftOut


@dataclass(frozen=True)
class Field:
    """The square window of the picture that one cell of a feature map depends on.

    `size` is its side, `stride` the distance between neighbouring cells, `start` the coordinate
    of the first cell's centre (the centre of the first pixel is 0). All in px.
    """

    size: int = 1
    stride: int = 1
    start: float = 0.0

    def through(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Field":
        """The field behind one more convolution or pooling layer.

        Ceil mode adds a cell at the end of a map and so changes none of the three numbers.
        """
        reach = dilation * (kernel - 1)
        return Field(
            size=self.size + reach * self.stride,
            stride=self.stride * stride,
            start=self.start + (reach / 2 - padding) * self.stride,
        )


def receptive_fields(model: GoogLeNet) -> dict[str, dict[str, Field]]:
    """The field of each branch of each stage: stage → branch → Field.

    A branch that is left out sees nothing: its field has size 0, and cells where its siblings' are.
    """
    fields: dict[str, dict[str, Field]] = {}
    field = Field()
    for _, stage, layer in model.trunk():
        if stage not in STAGES:
            field = _behind(layer, field)
        else:
            lanes = model.inceptions()[stage].branch_modules().items()
            fields[stage] = {branch: _behind(lane, field) for branch, lane in lanes}
            field = _union(list(fields[stage].values()))
    return fields


def unit_fields(model: GoogLeNet) -> dict[str, Field]:
    """The field behind each convolution and pooling of the trunk, by its name in the network.

    Names are those of blocks and pools, as `conv1`, `maxpool3`, `inception4b.branch2.0`. What is
    left out sees nothing and has no entry.
    """
    fields: dict[str, Field] = {}
    field = Field()
    for name, stage, layer in model.trunk():
        if stage not in STAGES:
            field = _behind(layer, field)
            if not isinstance(layer, nn.Identity | nn.LocalResponseNorm):
                fields[name] = field
            continue
        ends = []
        for own, lane in layer.named_children():
            within = field
            steps = lane.named_children() if isinstance(lane, nn.Sequential) else [("", lane)]
            for step, part in steps:
                within = _behind(part, within)
                if within.size:
                    fields[".".join(filter(None, (name, own, step)))] = within
            ends.append(within)
        field = _union(ends)
    return fields


def box(
    field: Field, row: int, col: int, picture_size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The pixels a cell can see: (top, left, bottom, right), half-open, clipped to the picture.

    `picture_size` is (height, width) in px.
    """
    height, width = picture_size
    top, left = (round(_first(field, cell)) for cell in (row, col))
    return (
        min(max(top, 0), height),
        min(max(left, 0), width),
        max(min(top + field.size, height), 0),
        max(min(left + field.size, width), 0),
    )


def middle_cell(field: Field, cells: int, side: int) -> int:
    """Of a row of `cells`, the one nearest the middle of a picture of that `side` (px)."""
    nearest = round(((side - 1) / 2 - field.start) / field.stride)
    return min(max(nearest, 0), cells - 1)


def spread(
    values: Tensor, field: Field, size: tuple[int, int], *, mode: str = "bilinear"
) -> Tensor:
    """A map (h, w) over a picture of `size` (height, width): every cell at its field's centre.

    Cell (i, j) lies at pixel (start + i · stride, start + j · stride); beyond the outermost centres
    the map goes on as it is there. Nothing leaves the range of `values`. `mode`: as `grid_sample`.
    """
    rows, cols = (
        (2 * (torch.arange(side) - field.start) / field.stride + 1) / cells - 1
        for side, cells in zip(size, values.shape, strict=True)
    )
    places = torch.stack(torch.meshgrid(rows, cols, indexing="ij")[::-1], dim=-1)
    large = F.grid_sample(
        values[None, None].float().contiguous(),
        places[None],
        mode=mode,
        padding_mode="border",
        align_corners=False,
    )[0, 0]
    return large.clamp(float(values.min()), float(values.max()))


def effective_fields(
    model: GoogLeNet, pixels: Tensor, stages: Iterable[str] | None = None
) -> dict[str, dict[str, int]]:
    """The effective field of each branch of all stages, or of `stages`: stage → branch → px.

    `pixels`: (1, 3, H, W) in [0, 1]. The gradient is |∂Σ/∂x| summed over colours, where Σ adds the
    branch's channels at the cell whose field lies nearest the middle of the picture; the square is
    centred on that cell. 0 where no pixel has any influence. For each stage one forward up to it,
    and one backward from each branch (arXiv 1701.04128 names the idea).
    """
    model = differentiable(model)
    fields = receptive_fields(model)
    return {
        stage: dict(_measured(model, pixels, stage, fields[stage]))
        for stage in stages or model.inceptions()
    }


def _measured(
    model: GoogLeNet, pixels: Tensor, stage: str, fields: Mapping[str, Field]
) -> Iterator[tuple[str, int]]:
    picture = pixels.detach().clone().requires_grad_()
    with evaluating(model), torch.enable_grad():
        given = model.into(model.info.preprocessing.normalise(picture), stage)
        own = given.detach().requires_grad_()
        outputs = model.inceptions()[stage].branches(own)
    for branch, output in outputs.items():  # (1, channels, h, w)
        field = fields[branch]
        if field.size == 0:
            yield branch, 0
            continue
        row = middle_cell(field, output.shape[2], pixels.shape[2])
        col = middle_cell(field, output.shape[3], pixels.shape[3])
        total = output[0, :, row, col].sum()
        (inner,) = torch.autograd.grad(total, own, retain_graph=True)
        (gradient,) = torch.autograd.grad(given, picture, inner, retain_graph=True)
        centre = (field.start + row * field.stride, field.start + col * field.stride)
        yield branch, square_holding(gradient[0].abs().sum(0), centre, 0.9)


def square_holding(weight: Tensor, centre: tuple[float, float], share: float) -> int:
    """Side in px of the smallest square about `centre` (row, column) that holds `share` of the sum.

    `weight`: (H, W), nothing negative. Never larger than the picture; 0 when the sum is 0.
    """
    height, width = weight.shape
    rows = (torch.arange(height) - centre[0]).abs()[:, None]
    cols = (torch.arange(width) - centre[1]).abs()[None, :]
    distance, order = torch.maximum(rows, cols).flatten().sort()
    held = weight.detach().double().flatten()[order].cumsum(0)
    if held[-1] <= 0:
        return 0
    last = torch.searchsorted(held, share * held[-1])
    return min(int(2 * distance[last]) + 1, max(height, width))


def _behind(module: nn.Module, field: Field) -> Field:
    """The field behind a layer, a block or a sequence of blocks."""
    if isinstance(module, LeftOut):
        field = replace(field, size=0)
    elif isinstance(module, nn.Sequential):
        for part in module:
            field = _behind(part, field)
    elif isinstance(module, ConvBlock):
        field = _behind(module.conv, field)
    elif isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        kernel, stride, padding = module.kernel_size, module.stride, module.padding
        dilation = _side(getattr(module, "dilation", 1))
        field = field.through(_side(kernel), _side(stride), _side(padding), dilation)
    return field


def _union(fields: list[Field]) -> Field:
    """The window of a concatenation: everything that any of the branches sees."""
    fields = [field for field in fields if field.size]
    top = min(_first(field, 0) for field in fields)
    bottom = max(_first(field, 0) + field.size for field in fields)
    return Field(size=round(bottom - top), stride=fields[0].stride, start=(top + bottom - 1) / 2)


def _first(field: Field, cell: int) -> float:
    return field.start + cell * field.stride - (field.size - 1) / 2


def _side(value: object) -> int:
    """A kernel, stride, padding or dilation as one number; all windows here are square."""
    side = value[0] if isinstance(value, tuple) else value
    assert isinstance(side, int)
    return side
