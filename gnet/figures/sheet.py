"""A page to draw figures on, measured in inches, with the project's type and colours.

Never pyplot: a figure belongs to its caller alone.
"""

import io
import math
from functools import cached_property
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gnet.errors import GnetError
from gnet.figures.colours import DIVERGING, INK, SEQUENTIAL
from gnet.system.atomic import atomically

FORMATS = ("png", "svg", "pdf")
PAPER, TEXT, LESSER, LINE = (INK["light"][key] for key in ("paper", "ink", "sub", "line"))


class Sheet:
    """A page measured in inches from its top left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), dpi=100, facecolor=PAPER)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Empty axes without frame or ticks."""
        axes = self.figure.add_axes(
            (
                left / self.width,
                1 - (top + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )
        axes.set_facecolor("none")
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes

    def text(
        self,
        left: float,
        top: float,
        words: str,
        *,
        size: float = 9,
        colour: str = TEXT,
        bold: bool = False,
        align: str = "left",
    ) -> None:
        """Words whose baseline lies at `top`."""
        self.figure.text(
            left / self.width,
            1 - top / self.height,
            words,
            fontsize=size,
            color=colour,
            fontweight="bold" if bold else "normal",
            ha=align,
            va="baseline",
            family="DejaVu Sans",
            parse_math=False,
        )

    def title(self, words: str, switched: str = "") -> None:
        """The figure's title, and which branches are switched, in one line that fits."""
        line = f"{words}, {switched}" if switched else words
        fitting = 72 * (self.width - 0.8) / (0.7 * len(line))  # a bold letter is 0.7 em wide
        self.text(0.4, 0.52, line, size=min(16, fitting), bold=True)

    def block(
        self, left: float, top: float, width: float, height: float, colour: str = LINE
    ) -> None:
        """A filled rectangle: a rule when it is thin, a bar when it is not."""
        self._rectangle(left, top, width, height, facecolor=colour, edgecolor="none")

    def frame(self, left: float, top: float, width: float, height: float, colour: str) -> None:
        """The outline of a rectangle."""
        self._rectangle(left, top, width, height, fill=False, edgecolor=colour, linewidth=1.6)

    def _rectangle(self, left: float, top: float, width: float, height: float, **look: Any) -> None:
        place = (left / self.width, 1 - (top + height) / self.height)
        size = width / self.width, height / self.height
        self.figure.add_artist(Rectangle(place, *size, transform=self.figure.transFigure, **look))

    def picture(
        self, left: float, top: float, width: float, height: float, colours: NDArray
    ) -> None:
        """An image (h, w, 3) stretched over a rectangle."""
        extent = (left, left + width, top + height, top)
        self._paper.imshow(colours, extent=extent, aspect="auto", interpolation="antialiased")
        self._paper.set(xlim=(0, self.width), ylim=(self.height, 0))

    @cached_property
    def _paper(self) -> Axes:
        """Axes that cover the sheet, in inches: new ones for each picture would take long."""
        return self.axes(0, 0, self.width, self.height)

    def scale(
        self, left: float, top: float, width: float, limit: float, *, signed: bool, note: str
    ) -> None:
        """A colour bar with its ends and its 0 printed, and what it measures."""
        bar = (DIVERGING if signed else SEQUENTIAL)[None]
        self.picture(left, top, width, 0.09, bar)
        ends = [(0.0, number(-limit) if signed else "0", "left"), (1.0, number(limit), "right")]
        if signed:
            ends.insert(1, (0.5, "0", "center"))
        for at, words, align in ends:
            self.text(left + at * width, top + 0.24, words, size=8, align=align)
        self.text(left, top + 0.41, note, size=8, colour=LESSER)


def ruled(axes: Axes) -> None:
    """Give axes a curve's furniture: thin horizontal lines, small grey numbers, no frame."""
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8.5, labelcolor=LESSER, labelfontfamily="DejaVu Sans")


def number(value: float) -> str:
    """A value with two or three digits that count, with a true minus sign."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.1e}")  # so that 0.999 counts as 1.0
    digits = 1 - math.floor(math.log10(abs(rounded)))
    words = f"{value:.{min(max(digits, 0), 6)}f}" if 1e-4 <= abs(value) < 1e6 else f"{value:.1e}"
    return words.replace("-", "−")


def save(figure: Figure, path: str | Path) -> None:
    """Write the figure as PNG (200 dots per inch), SVG or PDF, as the path's suffix says."""
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        given = path.suffix or "no suffix"
        raise GnetError(f"{path.name} has {given}; a figure is saved as .png, .svg or .pdf.")
    with atomically(path) as temporary:
        temporary.write_bytes(to_bytes(figure, kind))


def to_bytes(figure: Figure, kind: str) -> bytes:
    """The figure as a file's content; `kind` is one of FORMATS. No date goes in."""
    undated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "gnet"}):  # else an SVG's ids are random
        figure.savefig(buffer, format=kind, dpi=200, metadata=undated)
    return buffer.getvalue()
