"""Where a data set comes from: built in, known to torchvision by name, or a folder or zip.

The text of a config or command line is parsed here once; everything else takes the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gnet.data.catalogue import TORCHVISION, is_here
from gnet.data.files.archives import Files, Limits, open_files
from gnet.errors import GnetError
from gnet.system.paths import expanded

BUILT_IN_NAME = "built-in"


@dataclass(frozen=True)
class BuiltIn:
    """The pictures that the project draws itself."""

    name: str = BUILT_IN_NAME


@dataclass(frozen=True)
class Known:
    """A data set that torchvision can download."""

    name: str
    """Its key in TORCHVISION."""


@dataclass(frozen=True)
class Stored:
    """A folder or zip of pictures; `parse` does not look whether it exists."""

    path: Path

    @property
    def name(self) -> str:
        """What to call it; never where it lies."""
        return self.path.name

    def open(self, limits: Limits) -> Files:
        """Its files, to be closed; raises GnetError where there are none."""
        if not self.path.exists():
            known = ", ".join((BUILT_IN_NAME, *TORCHVISION))
            raise GnetError(
                f"There is no data set {str(self.path)!r}; allowed are {known}, a folder or a .zip."
            )
        return open_files(self.path, limits)


Source = BuiltIn | Known | Stored


def parse(spec: str | Path | Source) -> Source:
    """The source that a text or path means; a name in TORCHVISION may be in capitals.

    A `Path` is always a folder or zip, whatever its name.
    """
    if not isinstance(spec, str | Path):
        return spec
    if spec == BUILT_IN_NAME:
        return BuiltIn()
    if isinstance(spec, str) and spec.lower() in TORCHVISION:
        return Known(spec.lower())
    return Stored(expanded(spec))


def lasting(spec: str) -> str:
    """A text that means the same from any folder: a folder or zip by its absolute path."""
    source = parse(spec)
    if isinstance(source, Stored) and source.path.exists():
        return str(source.path.absolute())
    return spec


def is_missing(source: Source) -> bool:
    """Whether a data set has to be downloaded before it can be opened."""
    return isinstance(source, Known) and not is_here(source.name)
