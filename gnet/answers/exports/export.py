"""One view as files: a figure as PNG, SVG or PDF, its numbers as CSV or JSON."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from gnet import strict_json
from gnet.errors import FieldError
from gnet.figures import sheet
from gnet.system.atomic import atomically
from gnet.words import listed

FORMATS = (*sheet.FORMATS, "csv", "json")


@dataclass(frozen=True, kw_only=True)
class Export:
    """What can be saved of one view."""

    name: str
    """As part of a file's name, such as `module-4b`."""
    about: dict[str, Any]
    """What holds of all numbers; it stands in the JSON."""
    rows: list[dict[str, Any]]
    """The numbers, one row of the table each; all have the same keys."""
    figure: Callable[[], Figure]
    """Draws the figure, which takes longer than the numbers do."""

    def content(self, kind: str) -> bytes:
        """The file's content; `kind` is one of FORMATS."""
        check_format(kind)
        if kind == "csv":
            return self.csv().encode()
        if kind == "json":
            record = {"view": self.name} | self.about | {"rows": self.rows}
            return strict_json.dumps(record, ensure_ascii=False).encode()
        return sheet.to_bytes(self.figure(), kind)

    def csv(self) -> str:
        """The table with its head; numbers as the program has them."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.rows[0] if self.rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the file that the path's suffix asks for; raises `GnetError`."""
        path = Path(path)
        kind = path.suffix.lower().removeprefix(".")
        if kind not in FORMATS:
            endings = listed(f".{each}" for each in FORMATS)
            raise FieldError("file", path.name, f"names that end in {endings}")
        content = self.content(kind)
        with atomically(path) as temporary:
            temporary.write_bytes(content)


def check_format(kind: Any) -> None:
    """Raise `FieldError` for what is none of FORMATS."""
    if kind not in FORMATS:
        raise FieldError("format", kind or "nothing", listed(FORMATS))
