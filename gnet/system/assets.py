"""Where the files are that belong to the project but are no code: weights, examples, components."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_INSTALLED = _PACKAGE / "assets"
ASSETS = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.with_name("assets")
"""Inside the package where a wheel was installed, beside it in a copy of the project."""
