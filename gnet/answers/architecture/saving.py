"""A network's architecture as a file: JSON, its table, its drawing, ONNX."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

from gnet import strict_json
from gnet.answers.architecture import paper
from gnet.answers.architecture.blueprint import blueprint
from gnet.answers.architecture.plans import Plan, begun, check_size
from gnet.answers.architecture.table import table_rows
from gnet.errors import FieldError
from gnet.figures.architecture import drawing_svg
from gnet.network.export.description import to_json
from gnet.network.export.onnx_file import agreement, check_onnx, to_onnx
from gnet.system.paths import file_stem
from gnet.words import cut, listed

FORMATS = ("json", "onnx", "csv", "svg")


def architecture_file(
    plan: Plan,
    kind: Any,
    head: Any = None,
    size: Any = None,
    *,
    branches: Any = False,
) -> tuple[str, bytes, str]:
    """Name, content, and a sentence on it; raises `GnetError`.

    `head`: what that head alone needs; nothing means all heads. `size` holds for all but
    ONNX: that file takes pictures of the network's own size. Where ONNX Runtime is installed, it
    is run beside the network before it is handed out.
    """
    if kind not in FORMATS:
        raise FieldError("format", cut(kind), listed(FORMATS, "or"))
    if not isinstance(branches, bool):
        raise FieldError("branches", cut(branches), "true and false")
    size = check_size(plan.model, paper.SIDE if size is None else size)
    record = to_json(plan.model, size, head or None)  # checks the head, too
    stem = file_stem(plan.name.lower(), 40, "network")
    suffixes = [head or "", "branches" if branches and kind == "onnx" else ""]
    name = f"{'-'.join(filter(None, (stem, *suffixes)))}.{kind}"
    if kind == "json":
        text = strict_json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        return name, text.encode(), ""
    if kind == "csv":
        return name, _csv(plan, size), ""
    if kind == "svg":
        return name, drawing_svg(blueprint(plan.model, size), head or "").encode(), ""
    return name, *_onnx(plan, head or None, branches)


def _csv(plan: Plan, size: int) -> bytes:
    """Each convolution, pooling and linear layer with all that is counted of it."""
    columns = ("unit", "branch", "patch", "output", "weights", "parameters", "macs")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["line", *columns, "cell sees", "stride"])
    for row in table_rows(plan.model, size):
        for unit in row["units"]:
            values = [unit.get(name, "").replace(",", "") for name in columns]
            writer.writerow([row["type"], *values, unit["field"], unit["stride"]])
    return text.getvalue().encode()


def _onnx(plan: Plan, head: str | None, branches: bool) -> tuple[bytes, str]:
    model = begun(plan.preset) if plan.preset else plan.model
    with tempfile.TemporaryDirectory(prefix="gnet-") as folder:
        path = to_onnx(model, Path(folder) / "network.onnx", head=head, branches=branches)
        checked = check_onnx(model, path, head=head, branches=branches)
        return path.read_bytes(), agreement(checked) if checked else ""
