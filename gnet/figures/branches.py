"""What each of the 36 branches is worth, and carries: maps of nine modules by four branches."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from torch import tensor

from gnet.explain.ablation import OFF, Branch
from gnet.explain.account import Account
from gnet.explain.branches import LABELS
from gnet.explain.worth import Worth
from gnet.figures.colours import BRANCH_COLOURS, paint
from gnet.figures.sheet import LESSER, Sheet
from gnet.network.config import BRANCHES, STAGES
from gnet.words import minus

CELL, ROW = 0.86, 0.42
"""Width and height of a branch's cell, in inches."""


def worth_figure(worth: Worth, head: str, target: int) -> Figure:
    """How far a class's logit falls without each branch: off, and at its mean, on one scale.

    Red helps the class, blue speaks against it. Raises `GnetError` for a head that is not there.
    """
    maps = {setting: worth.values(head, target, setting) for setting in worth.logits}
    present = [value.logit for values in maps.values() for value in values.values() if value]
    limit = max(map(abs, present), default=0.0)
    left, top, gap = 0.75, 1.5, 0.55
    panel = CELL * len(BRANCHES)
    sheet = Sheet(left + len(maps) * (panel + gap), top + ROW * len(STAGES) + 0.95)
    name = worth.recording.class_name(target)
    sheet.text(left, 0.45, f"What {name} loses without each branch", size=14, bold=True)
    note = f"logits that {head} loses without the branch"
    sheet.text(left, 0.7, note, size=9.5, colour=LESSER)
    for index, (setting, values) in enumerate(maps.items()):
        title = "branch off" if setting == OFF else f"at its mean over {worth.reference}"
        logits = {branch: value and value.logit for branch, value in values.items()}
        branch_table(sheet, left + index * (panel + gap), top, title, logits, limit)
    bottom = top + ROW * len(STAGES) + 0.2
    sheet.scale(
        left,
        bottom,
        panel,
        limit,
        signed=True,
        note="one scale for all cells; red helps the class, blue speaks against it",
    )
    return sheet.figure


def account_figure(account: Account) -> Figure:
    """What each branch carries of a class's logit, and by how much each module's sum is off."""
    values = account.values
    limit = max(map(abs, values.values()))
    left, top = 0.75, 1.5
    panel = CELL * len(BRANCHES)
    sheet = Sheet(left + panel + 2.2, top + ROW * len(STAGES) + 0.95)
    title = f"What each branch adds to the logit of {account.target_name}"
    sheet.text(left, 0.45, title, size=14, bold=True)
    way = f"logits of {account.head}, from {account.baseline_score:.2f} to {account.score:.2f}"
    sheet.text(left, 0.7, minus(way), size=9.5, colour=LESSER)
    cells = {(s, b): values.get((s, b)) for s in STAGES for b in BRANCHES}
    branch_table(sheet, left, top, f"layer conductance in {account.steps} steps", cells, limit)
    sheet.text(left + panel + 0.3, top - 0.12, "error of the sum", size=9, colour=LESSER)
    for row, stage in enumerate(STAGES):
        error = account.errors.get(stage)
        words = "–" if error is None else minus(f"{error:.3f}")
        sheet.text(left + panel + 0.3, top + row * ROW + 0.26, words, size=9, colour=LESSER)
    note = "red helps the class, blue speaks against it"
    sheet.scale(left, top + ROW * len(STAGES) + 0.2, panel, limit, signed=True, note=note)
    return sheet.figure


def branch_table(
    sheet: Sheet,
    x: float,
    top: float,
    title: str,
    values: Mapping[Branch, float | None],
    limit: float,
) -> None:
    """One map from `x` on, with its title, the branches' names and the modules'.

    The first row begins at `top`; modules that have no values are left out.
    """
    sheet.text(x, top - 0.42, title, size=10, bold=True)
    for column, branch in enumerate(BRANCHES):
        at, hue = x + (column + 0.5) * CELL, BRANCH_COLOURS["light"][branch]
        sheet.text(at, top - 0.12, LABELS[branch], size=9, bold=True, colour=hue, align="center")
    shown = [stage for stage in STAGES if (stage, BRANCHES[0]) in values]
    for row, stage in enumerate(shown):
        y = top + row * ROW
        sheet.text(x - 0.12, y + 0.26, stage, size=9, bold=True, align="right")
        for column, branch in enumerate(BRANCHES):
            _cell(sheet, x + column * CELL, y, values[stage, branch], limit)


def _cell(sheet: Sheet, x: float, y: float, value: float | None, limit: float) -> None:
    middle = x + CELL / 2 - 0.02
    if value is None:
        sheet.text(middle, y + 0.26, "–", colour=LESSER, align="center")
        return
    sheet.block(x, y, CELL - 0.04, ROW - 0.04, _colour(value, limit))
    ink = "#ffffff" if limit > 0 and abs(value) > 0.6 * limit else "#1c1e21"
    words = minus(f"{value:.2f}")
    sheet.text(middle, y + 0.24, words, size=8, colour=ink, align="center")


def _colour(value: float, limit: float) -> str:
    red, green, blue = paint(tensor([[value]]), limit, signed=True)[0, 0]
    return f"#{red:02x}{green:02x}{blue:02x}"
