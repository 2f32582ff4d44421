"""The fields of a config: default, help and range, stated once for form and command line."""

from __future__ import annotations

from dataclasses import field, fields
from typing import Any

from gnet.errors import FieldError


def option(
    default: Any,
    help: str,
    choices: tuple = (),
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """A dataclass field whose metadata tells form and command line its help and its range."""
    return field(
        default=default, metadata={"help": help, "choices": choices, "min": low, "max": high}
    )


def like(record: type, name: str) -> Any:
    """A dataclass field with the default, help and range of `record`'s field `name`."""
    (own,) = [f for f in fields(record) if f.name == name]
    return field(default=own.default, metadata=own.metadata)


def check_fields(record: Any) -> None:
    """Raise `FieldError` when a field lies outside the range its metadata states."""
    for f in fields(record):
        value, meta = getattr(record, f.name), f.metadata
        # By type too: 5.0 equals 5 and is no kernel size.
        if meta.get("choices") and (type(value), value) not in [
            (type(c), c) for c in meta["choices"]
        ]:
            allowed = ", ".join(str(c) for c in meta["choices"])
            raise FieldError(f.name, value, allowed)
        if f.type in ("bool", bool) and not isinstance(value, bool):
            raise FieldError(f.name, value, "true and false")
        low, high = meta.get("min"), meta.get("max")
        if low is None or high is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        whole = f.type not in ("int", int) or isinstance(value, int)
        if not (number and whole and low <= value <= high):
            kind = "whole numbers" if f.type in ("int", int) else "numbers"
            raise FieldError(f.name, value, f"{kind} from {low:.15g} to {high:.15g}")
