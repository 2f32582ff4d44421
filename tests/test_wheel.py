"""The wheel: every file of the package and of the assets is in it, and nothing beside them."""

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from test_project import project_files

from support.root import ROOT

BUILT_FROM = {
    *("gnet", "assets", "app.py"),
    *("LICENSE", "README.md", "pyproject.toml", "requirements.txt", "setup.py"),
}
BUILD = "import setuptools.build_meta as build; build.build_wheel('.')"
START = """
import sys
from gnet.app import main
from gnet.system.assets import ASSETS
print(ASSETS)
main(["--help"])
"""


def test_a_wheel_holds_package_and_assets_and_its_command_starts(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    files = [file for file in project_files() if file.parts[0] in BUILT_FROM]
    for file in files:
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, copy / file)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILD], cwd=copy, check=True, capture_output=True
    )
    (wheel,) = copy.glob("gnet-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
        held = {Path(name) for name in archive.namelist()}
    about = {path for path in held if path.parts[0].endswith(".dist-info")}
    expected = {file for file in files if file.parts[0] == "gnet"}
    expected |= {"gnet" / file for file in files if file.parts[0] == "assets"}
    assert held - about == expected

    (names,) = installed.glob("*.dist-info/entry_points.txt")
    commands = configparser.ConfigParser()
    commands.read(names)
    assert dict(commands["console_scripts"]) == {"gnet": "gnet.app:main"}
    answer = subprocess.run(
        [sys.executable, "-c", START],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.startswith(str(installed / "gnet" / "assets"))
    assert "--runs-folder" in answer.stdout
