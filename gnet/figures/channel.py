"""One channel as a figure: its map over the picture and alone, and the patches it answers most."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from gnet.explain.branches import channel_words
from gnet.explain.recording import Recording
from gnet.figures.colours import BRANCH_COLOURS, as_colours, enlarged, over_picture, paint
from gnet.figures.sheet import LESSER, Sheet, number

_SIDE, _GAP, _LEFT, _TOP = 2.9, 0.25, 0.4, 1.2


def channel_figure(
    recording: Recording, stage: str, branch: str, channel: int, patches: Sequence[Tensor] = ()
) -> Figure:
    """The channel's map on its own scale; below it the `patches`, uint8 (3, s, s) each."""
    values = recording.branches[stage][branch][channel]
    limit = float(values.abs().max())
    signed, field = recording.signed, recording.fields[stage][branch]
    sheet = Sheet(
        2 * _LEFT + 3 * _SIDE + 2 * _GAP, _TOP + _SIDE + 0.85 + (1.45 if patches else 0.0)
    )
    sheet.title(f"{stage}, {channel_words(recording, stage, branch, channel)}")
    low, high = float(values.min()), float(values.max())
    words = (
        f"{values.shape[0]}×{values.shape[1]} cells, from {number(low)} to {number(high)}, "
        f"mean {number(float(values.mean()))}; on its own scale."
    )
    sheet.text(_LEFT, 0.79, words, size=9.5, colour=LESSER)
    panels = (
        as_colours(recording.pixels),
        over_picture(recording.pixels, values, field, limit, signed=signed),
        enlarged(paint(values, limit, signed=signed)),
    )
    sheet.block(_LEFT, _TOP - 0.12, sheet.width - 2 * _LEFT, 0.03, BRANCH_COLOURS["light"][branch])
    for index, colours in enumerate(panels):
        sheet.picture(_LEFT + index * (_SIDE + _GAP), _TOP, _SIDE, _SIDE, colours)
    sheet.scale(_LEFT, _TOP + _SIDE + 0.2, _SIDE, limit, signed=signed, note="response")
    if patches:
        _patches(sheet, patches, _TOP + _SIDE + 1.0)
    return sheet.figure


def _patches(sheet: Sheet, patches: Sequence[Tensor], top: float) -> None:
    sheet.text(_LEFT, top, "Patches of other pictures that it answers most", size=9, bold=True)
    side = (sheet.width - 2 * _LEFT - 8 * 0.08) / 9
    for index, patch in enumerate(patches[:9]):
        sheet.picture(
            _LEFT + index * (side + 0.08), top + 0.1, side, side, patch.permute(1, 2, 0).numpy()
        )
