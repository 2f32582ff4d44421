"""Where the files are that belong to the project but are no code: weights, examples, components."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"
