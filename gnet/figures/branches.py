"""What each of the 36 branches is worth, as a map of nine modules by four branches."""

from matplotlib.figure import Figure
from torch import tensor

from gnet.explain.ablation import OFF
from gnet.explain.branches import LABELS
from gnet.explain.worth import Worth
from gnet.figures.colours import BRANCH_COLOURS, paint
from gnet.figures.sheet import LESSER, Sheet
from gnet.network.config import BRANCHES, STAGES

_CELL, _ROW = 0.86, 0.42


def worth_figure(worth: Worth, head: str, target: int) -> Figure:
    """How far a class's logit falls without each branch: off, and at its mean, on one scale.

    Red helps the class, blue speaks against it. Raises `GnetError` for a head that is not there.
    """
    maps = {setting: worth.values(head, target, setting) for setting in worth.logits}
    present = [value.logit for values in maps.values() for value in values.values() if value]
    limit = max(map(abs, present), default=0.0)
    left, top, gap = 0.75, 1.5, 0.55
    panel = _CELL * len(BRANCHES)
    sheet = Sheet(left + len(maps) * (panel + gap), top + _ROW * len(STAGES) + 0.95)
    name = worth.recording.class_name(target)
    sheet.text(left, 0.45, f"What each branch is worth for {name}", size=14, bold=True)
    note = f"logits that {head} loses without the branch"
    sheet.text(left, 0.7, note, size=9.5, colour=LESSER)
    for index, (setting, values) in enumerate(maps.items()):
        x = left + index * (panel + gap)
        title = "branch off" if setting == OFF else f"at its mean over {worth.reference}"
        sheet.text(x, top - 0.42, title, size=10, bold=True)
        for column, branch in enumerate(BRANCHES):
            middle = x + (column + 0.5) * _CELL
            colour = BRANCH_COLOURS["light"][branch]
            sheet.text(
                middle, top - 0.12, LABELS[branch], size=9, bold=True, colour=colour, align="center"
            )
        for row, stage in enumerate(STAGES):
            y = top + row * _ROW
            if index == 0:
                sheet.text(left - 0.15, y + 0.26, stage, size=9, bold=True, align="right")
            for column, branch in enumerate(BRANCHES):
                value = values[stage, branch]
                at = x + column * _CELL
                if value is None:
                    sheet.text(at + _CELL / 2, y + 0.26, "–", colour=LESSER, align="center")
                    continue
                sheet.block(at, y, _CELL - 0.04, _ROW - 0.04, _colour(value.logit, limit))
                strong = limit > 0 and abs(value.logit) > 0.6 * limit
                words = f"{value.logit:.2f}".replace("-", "−")
                ink = "#ffffff" if strong else "#1c1e21"
                sheet.text(
                    at + _CELL / 2 - 0.02, y + 0.24, words, size=8, colour=ink, align="center"
                )
    bottom = top + _ROW * len(STAGES) + 0.2
    sheet.scale(
        left,
        bottom,
        panel,
        limit,
        signed=True,
        note="one scale for all cells; red helps the class, blue speaks against it",
    )
    return sheet.figure


def _colour(value: float, limit: float) -> str:
    red, green, blue = paint(tensor([[value]]), limit, signed=True)[0, 0]
    return f"#{red:02x}{green:02x}{blue:02x}"
