"""A network's architecture as a file: JSON, its table, its drawing; ONNX by a child process."""

from __future__ import annotations

import csv
import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gnet import strict_json
from gnet.answers.architecture import paper
from gnet.answers.architecture.blueprint import blueprint
from gnet.answers.architecture.plans import Plan, check_size
from gnet.answers.architecture.table import table_rows
from gnet.errors import FieldError, GnetError
from gnet.figures.architecture import drawing_svg
from gnet.network import weights
from gnet.network.export import to_json
from gnet.system.paths import file_stem
from gnet.system.processes import Child
from gnet.words import cut, listed

FORMATS = ("json", "onnx", "csv", "svg")
COMMAND = (sys.executable, "-m", "gnet", "export")
_SECONDS = 300.0
"""After so long an export is given up."""


def architecture_file(
    plan: Plan,
    kind: Any,
    head: Any = None,
    size: Any = None,
    *,
    branches: Any = False,
    command: Sequence[str] = COMMAND,
) -> tuple[str, bytes, str]:
    """Name, content, and a sentence on it; raises `GnetError`.

    `head`: what that head alone needs; nothing means all heads. `size` holds for the JSON, an ONNX
    file takes pictures of the network's own size. ONNX is written by a child process, since
    torch's exporter changes what other threads of this one see.
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
    return name, *_onnx(plan, head, branches, command)


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


def _onnx(plan: Plan, head: Any, branches: bool, command: Sequence[str]) -> tuple[bytes, str]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "network.onnx"
        options = ["--format", "onnx", "--out", str(out)]
        if plan.preset:
            options += ["--preset", plan.preset]
        else:
            file = weights.save(plan.model, Path(folder) / "network.safetensors")
            options += ["--weights", str(file)]
        options += ["--head", head] if head else []
        options += ["--branches"] if branches else []
        with Child([*command, *options]) as child:
            if not child.ended(_SECONDS):
                raise GnetError(
                    f"The export took longer than {_SECONDS / 60:.0f} minutes and was given up."
                )
            if child.code == 2:
                raise GnetError(child.last_line.removeprefix("gnet: "))
            if child.code != 0:
                raise RuntimeError(f"the export ended with {child.code}: {child.last_line}")
            said = child.last_line
        return out.read_bytes(), "" if str(folder) in said else said
