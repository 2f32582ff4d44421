"""A stand-in for the process that trains: it fetches its pictures from a server of the tests first.

Nothing but the data set's files is made up; `catalogue.fetch` keeps them as it keeps others.
"""

import os
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gnet.data import catalogue
from support import pretend_training

CHUNK = 1 << 15


def build(root: str, split: str, download: bool) -> Any:
    """As torchvision's data sets are built, with one file."""
    if download:
        file = (Path(root) / "pictures").open("wb")
        with urllib.request.urlopen(os.environ["MIRROR"]) as answer, file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
    return SimpleNamespace(classes=["a", "b"], targets=[0, 1])


if __name__ == "__main__":
    entry = catalogue.Entry(label="MNIST", build=build, splits={"train": "train"})
    catalogue.TORCHVISION["mnist"] = entry
    catalogue.fetch("mnist", "train")
    sys.exit(pretend_training.main(Path(sys.argv[1])))
