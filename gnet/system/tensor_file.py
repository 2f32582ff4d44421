"""One kind of file for tensors: safetensors with a JSON header that names its kind and version.

Knows nothing of what the tensors mean.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gnet import strict_json
from gnet.errors import GnetError
from gnet.system.atomic import atomically
from gnet.system.paths import regular

_DAMAGES = (
    SafetensorError, OSError, LookupError, TypeError, ValueError, AttributeError, RuntimeError,
)  # fmt: skip
"""What reading raises, or building something from what was read, if the file is another one."""


def check_tensors(tensors: Mapping[str, Tensor], given: str) -> None:
    """Raise `GnetError` unless each tensor is dense and of real numbers; `given` holds them."""
    for name, tensor in tensors.items():
        if kind := _unusual(tensor):
            raise GnetError(
                f"{given} holds {name} as a {kind} tensor; allowed are dense tensors of real "
                "numbers."
            )


def _unusual(tensor: Tensor) -> str:
    """What a tensor is that has no plain numbers in a row; empty for one that has."""
    kinds = {
        "meta": tensor.is_meta,
        "quantised": tensor.is_quantized,
        "nested": tensor.is_nested,
        "sparse": tensor.layout != torch.strided,
        "complex": tensor.is_complex(),
    }
    return next((kind for kind, found in kinds.items() if found), "")


def write_tensors(
    path: str | Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]
) -> Path:
    """Write a safetensors file whole or not at all, and return its path; raises `GnetError`."""
    check_tensors(tensors, Path(path).name)
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with atomically(path) as temporary:
        try:
            save_file(contiguous, temporary, metadata)
        except SafetensorError as error:
            # The number of the system's error, as of a full disk, stands only in its text.
            code = re.search(r"\(os error (\d+)\)", str(error))
            number = int(code.group(1)) if code else 0
            raise OSError(number, os.strerror(number) if code else str(error)) from error
    return Path(path)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of tensor file, as `Kind(name="recording", called="a recording", …)`."""

    name: str
    """The key of the JSON header in the file's metadata."""
    called: str
    """Completes "this file is not …"."""
    remedy: str
    """What to do about another file, as "give a file that …"."""
    version: int = 1
    """The newest that is read; it is the one that is written."""
    unmarked: str = ""
    """The key of the header in files from before this kind noted a version."""

    def write(
        self, path: str | Path, header: dict[str, Any], tensors: Mapping[str, Tensor]
    ) -> Path:
        """Write such a file whole or not at all, and return its path; raises `GnetError`."""
        marked = {"format": f"gnet {self.name} {self.version}"} | header
        text = strict_json.dumps(marked, ensure_ascii=False)
        return write_tensors(path, tensors, {self.name: text})

    def header(self, path: str | Path) -> dict[str, Any]:
        """The header alone; raises `GnetError` for any other file."""
        with self._refusing(Path(path)), safe_open(regular(path), framework="pt") as file:
            return self._checked(Path(path), file.metadata())

    @contextmanager
    def reading(self, path: str | Path) -> Iterator[tuple[dict[str, Any], dict[str, Tensor]]]:
        """Give header and tensors; raises `GnetError` for any other file.

        So it does where the block finds something missing or of another shape: build there what
        the file describes, and nothing else.
        """
        with self._refusing(Path(path)):
            with safe_open(regular(path), framework="pt") as file:
                header = self._checked(Path(path), file.metadata())
                names = file.keys()  # an open file cannot be iterated itself
                tensors = {name: file.get_tensor(name) for name in names}
            check_tensors(tensors, Path(path).name)
            yield header, tensors

    @contextmanager
    def _refusing(self, path: Path) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise GnetError(f"There is no file {path}; {self.remedy}.") from error
        except _DAMAGES as error:
            raise GnetError(
                f"{path.name} is not {self.called}, or is damaged; {self.remedy}."
            ) from error

    def _checked(self, path: Path, metadata: dict[str, str] | None) -> dict[str, Any]:
        kept = metadata or {}
        if self.unmarked and self.name not in kept:
            kept = {self.name: kept[self.unmarked]}
        header = json.loads(kept[self.name])
        if not isinstance(header, dict):
            raise TypeError("a header that is no object")
        if "format" not in header and self.unmarked:
            return header
        named = re.fullmatch(rf"gnet {self.name} (\d{{1,9}})", header.pop("format"))
        if named is None or not int(named.group(1)):
            raise ValueError("another format")
        if int(named.group(1)) > self.version:
            raise GnetError(
                f"{path.name} is {self.called} of version {named.group(1)}; this program reads up "
                f"to version {self.version}: update it, or {self.remedy}."
            )
        return header
