"""The project's own rules: import order, layout, requirements, small files."""

import ast
import graphlib
import importlib.metadata
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from functools import cache
from pathlib import Path

import pytest
import torch
import torchvision
from packaging.requirements import Requirement

from support.root import ROOT

MACHINES = ("x86_64", "aarch64", "arm64", "AMD64")
TEXT = {".py", ".md", ".txt", ".toml", ".yaml", ".yml", ".json", ".js", ".css", ".html", ".svg", ""}


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that belongs to the project, tracked or about to be, relative to its folder."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this copy of the project is not a git repository")
    names = sorted({name for name in answer.stdout.split("\0") if name})
    return tuple(Path(name) for name in names if (ROOT / name).is_file())


def python_files() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".py"]


def modules() -> dict[str, Path]:
    """Module name -> file, for everything in gnet/."""
    found = {}
    for path in python_files():
        if path.parts[0] == "gnet":
            parts = path.with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


@cache
def imports(path: Path, *, top_level_only: bool = False) -> frozenset[str]:
    """The absolute names that a file imports, `from a import b` as both a and a.b."""
    tree = parsed(path)
    package = path.parts[:-1]
    names = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*start, *([node.module] if node.module else [])])
            names |= {origin, *(f"{origin}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def layers() -> list[set[str]]:
    """The import order as CONTRIBUTING.md states it: one layer a line, lowest first."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = re.search(r"## Import order.*?```\n(.*?)```", text, re.DOTALL)
    assert block, "CONTRIBUTING.md has no block under 'Import order'"
    return [set(line.split()) for line in block[1].splitlines()]


def layer_name(module: str) -> str:
    """gnet.ui.explore -> ui, gnet.model -> model."""
    return module.split(".")[1]


def test_modules_import_only_from_their_own_layer_or_lower_ones() -> None:
    rank = {name: level for level, names in enumerate(layers()) for name in names}
    known = modules()
    wrong = []
    for module, path in known.items():
        if module == "gnet":
            continue
        assert layer_name(module) in rank, f"{path} has no place in CONTRIBUTING.md's import order"
        for name in imports(path) & known.keys() - {"gnet"}:
            if rank[layer_name(name)] > rank[layer_name(module)]:
                wrong.append(f"{path} imports {name}")
        wrong += [f"{path} imports {name}" for name in imports(path) if name in ("app", "gnet.app")]
    assert not wrong


def test_the_import_order_names_no_module_that_does_not_exist() -> None:
    named = set().union(*layers())
    assert named - {layer_name(module) for module in modules() if module != "gnet"} == set()


def test_imports_form_no_circle() -> None:
    known = modules()
    graph = {
        module: imports(path, top_level_only=True) & known.keys() - {"gnet", module}
        for module, path in known.items()
    }
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_only_the_page_imports_gradio() -> None:
    outside = [
        path
        for path in python_files()
        if path.parts[0] == "gnet" and path.parts[:2] != ("gnet", "ui")
        if any(name.split(".")[0] == "gradio" for name in imports(path))
    ]
    assert outside == []


def test_only_the_bench_imports_torchvision_before_it_is_needed() -> None:
    early = [
        path
        for path in python_files()
        if path.parts[0] == "gnet" and path.parts[:3] != ("gnet", "studies", "speed")
        for name in imports(path, top_level_only=True)
        if name.split(".")[0] == "torchvision"
    ]
    assert early == []


def test_nobody_imports_pyplot() -> None:
    users = [path for path in python_files() if "matplotlib.pyplot" in imports(path)]
    assert users == []


def test_the_package_imports_without_gradio_and_does_nothing_then() -> None:
    names = [m for m in modules() if m.split(".")[1:2] != ["ui"] and not m.endswith("__main__")]
    script = f"""
    import importlib, sys, threading
    import captum.attr, matplotlib.figure, numpy, PIL.Image, safetensors.torch, torchvision.datasets

    for name in ("gradio", "matplotlib.pyplot"):
        sys.modules[name] = None
    done = []
    def watch(event, arguments):
        if event == "open":
            mode, flags = arguments[1], arguments[2]
            changes = (mode and set(mode) & set("wax+")) or flags & 3
            if changes and "__pycache__" not in str(arguments[0]):
                done.append((event, arguments[0]))
        elif event.startswith(("socket.connect", "subprocess.", "os.system", "os.mkdir")):
            done.append((event, arguments))
    sys.addaudithook(watch)
    before = threading.active_count(), sys.argv[:]
    for name in {names!r}:
        importlib.import_module(name)
    assert done == [], done
    assert (threading.active_count(), sys.argv) == before
    """
    answer = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", textwrap.dedent(script)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == ""


def test_every_file_of_code_first_says_what_it_is() -> None:
    silent = [
        path
        for path in python_files()
        if not (ROOT / path).read_text(encoding="utf-8").startswith('"""')
    ]
    assert silent == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = ("util", "helper", "manager", "engine")
    assert [path for path in project_files() if any(word in path.stem for word in empty)] == []


def test_no_file_of_code_is_longer_than_400_lines() -> None:
    code = [path for path in project_files() if path.suffix in {".py", ".js", ".css", ".html"}]
    lengths = {str(path): len((ROOT / path).read_text("utf-8").splitlines()) for path in code}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_no_folder_of_the_package_holds_more_than_twelve_modules() -> None:
    count: dict[str, int] = {}
    for path in python_files():
        if path.parts[0] == "gnet" and path.name != "__init__.py":
            count[str(path.parent)] = count.get(str(path.parent), 0) + 1
    assert {folder: number for folder, number in count.items() if number > 12} == {}


def test_the_tests_are_laid_out_as_the_package_is() -> None:
    packages = {path.parent for path in python_files() if path.name == "__init__.py"}
    shared = {Path("tests/support"), Path("tests/load")}
    folders = {p.parent for p in python_files() if p.parts[0] == "tests"} - {Path("tests")}
    strange = {f for f in folders - shared if Path("gnet", *f.parts[1:]) not in packages}
    assert strange == set()


def test_no_file_speaks_of_the_machine_it_was_written_on() -> None:
    folders = "|".join(["home", "root", "Users", "work"])
    absolute = re.compile(rf"""(?:^|[\s"'`=(:])/(?:{folders})/\w""")
    found = [
        f"{path}: {line.strip()[:100]}"
        for path in project_files()
        if path.suffix in TEXT
        for line in (ROOT / path).read_text(encoding="utf-8").splitlines()
        if absolute.search(line)
    ]
    assert found == []


def test_no_test_waits_for_a_fixed_time() -> None:
    waits = [
        f"{path}: {node.func.attr}"
        for path in python_files()
        if path.name.startswith("test_")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("sleep", "wait_for_timeout")
    ]
    assert waits == []


def requirements(name: str = "requirements.txt") -> list[Requirement]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_what_is_installed_is_what_is_required(file: str) -> None:
    for requirement in requirements(file):
        if requirement.marker is None or requirement.marker.evaluate():
            installed = importlib.metadata.version(requirement.name)
            assert requirement.specifier.contains(installed), f"{requirement} but {installed}"


@pytest.mark.parametrize("machine", MACHINES)
def test_torch_and_torchvision_are_bounded_as_a_pair_on_every_machine(machine: str) -> None:
    bounds = {}
    for requirement in requirements():
        marker = requirement.marker
        if marker is None or marker.evaluate({"platform_machine": machine}):
            assert requirement.name not in bounds, f"{requirement.name} twice on {machine}"
            bounds[requirement.name] = requirement.specifier
    for patch in range(3):
        torches = {n for n in range(40) if f"2.{n}.{patch}" in bounds["torch"]}
        visions = {n for n in range(60) if f"0.{n}.{patch}" in bounds["torchvision"]}
        assert visions == {n + 15 for n in torches}, "torchvision 0.(N+15) belongs to torch 2.N"
        assert len(torches) <= 1


def test_torchvision_was_built_for_this_torch() -> None:
    wanted = [Requirement(line) for line in importlib.metadata.requires("torchvision") or []]
    (torch_wanted,) = [requirement for requirement in wanted if requirement.name == "torch"]
    assert torch_wanted.specifier.contains(torch.__version__.split("+")[0])
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]])
    kept = torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), iou_threshold=0.5)
    assert kept.tolist() == [0, 2]


def test_the_extras_are_what_the_development_requirements_install() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert set(extras) == {"mcp", "tensorboard"}
    wanted = {str(Requirement(line)) for lines in extras.values() for line in lines}
    assert wanted <= {str(requirement) for requirement in requirements("requirements-dev.txt")}
