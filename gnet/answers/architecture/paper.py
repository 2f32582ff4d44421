"""Table 1 of "Going deeper with convolutions" (arXiv 1409.4842) as it is printed.

The columns of parameters and operations are quotations; not all follow from the widths beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

from gnet.network.config import TABLE_1, Widths

SIDE = 224
"""Side in px of the paper's input."""
CLASSES = 1000


@dataclass(frozen=True, kw_only=True)
class PaperRow:
    """One line of the table."""

    layer: str
    """The layer's name in `GoogLeNet`; "softmax" is none of them."""
    type: str
    patch: str = ""
    """Kernel and stride, as `3×3/2`."""
    output: str
    """Height, width and channels, as `28×28×256`."""
    widths: tuple[int | None, ...] = (None,) * 6
    """#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj."""
    params: str = ""
    ops: str = ""


def quantity(text: str) -> float | None:
    """A quoted figure as a number; the paper's K of parameters is 1024, its M a million."""
    if not text:
        return None
    return float(text[:-1]) * {"K": 1024, "M": 1e6}[text[-1]]


def _inception(stage: str, side: int, params: str, ops: str) -> PaperRow:
    widths: Widths = TABLE_1[stage]
    return PaperRow(
        layer=f"inception{stage}",
        type=f"inception ({stage})",
        output=f"{side}×{side}×{widths.total}",
        widths=tuple(widths),
        params=params,
        ops=ops,
    )


def _pool(number: int, output: str) -> PaperRow:
    return PaperRow(layer=f"maxpool{number}", type="max pool", patch="3×3/2", output=output)


ROWS = (
    PaperRow(
        layer="conv1",
        type="convolution",
        patch="7×7/2",
        output="112×112×64",
        params="2.7K",
        ops="34M",
    ),
    _pool(1, "56×56×64"),
    PaperRow(
        layer="conv3",
        type="convolution",
        patch="3×3/1",
        output="56×56×192",
        widths=(None, 64, 192, None, None, None),
        params="112K",
        ops="360M",
    ),
    _pool(2, "28×28×192"),
    _inception("3a", 28, "159K", "128M"),
    _inception("3b", 28, "380K", "304M"),
    _pool(3, "14×14×480"),
    _inception("4a", 14, "364K", "73M"),
    _inception("4b", 14, "437K", "88M"),
    _inception("4c", 14, "463K", "100M"),
    _inception("4d", 14, "580K", "119M"),
    _inception("4e", 14, "840K", "170M"),
    _pool(4, "7×7×832"),
    _inception("5a", 7, "1072K", "54M"),
    _inception("5b", 7, "1388K", "71M"),
    PaperRow(layer="avgpool", type="average pool", patch="7×7/1", output="1×1×1024"),
    PaperRow(layer="dropout", type="dropout", patch="40 %", output="1×1×1024"),
    PaperRow(layer="fc", type="linear", output="1×1×1000", params="1000K", ops="1M"),
    PaperRow(layer="softmax", type="softmax", output="1×1×1000"),
)
"""The table from top to bottom."""
