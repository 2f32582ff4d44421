"""The networks that can be set side by side: the served one, and a viewer's finished runs."""

from typing import Any

from gnet.answers.explorers import Explorers


def choices(explorers: Explorers, owner: Any) -> dict[str, Any]:
    """Id (empty for the served network) and name of each, the newest run first."""
    served = {"net": "", "name": explorers.served.model.info.name}
    runs = explorers.runs
    own = runs.list(owner) if runs and isinstance(owner, str) and owner else []
    finished = [row for row in own if row["state"] == "finished" and row["weights"]]
    return {
        "networks": [served, *({"net": row["id"], "name": _named(row)} for row in finished)],
    }


def _named(row: dict[str, Any]) -> str:
    """A run's name and what its kernel and heads are."""
    model = row["config"].get("model", {})
    kernel = model.get("kernel_5x5", 5)
    heads = "with heads" if model.get("aux", True) else "without heads"
    return f"{row['name']} ({kernel}×{kernel} kernels, {heads})"
