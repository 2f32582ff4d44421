"""Puts the assets into the package when a wheel is built; everything else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithAssets(build_py):
    """Builds the package with the folder `assets` inside it, where an installed one looks."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            shutil.copytree("assets", Path(self.build_lib, "gnet", "assets"), dirs_exist_ok=True)


setup(cmdclass={"build_py": WithAssets})
