"""The Dockerfile's steps, taken where there is no engine: what it copies serves the page alone."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from support.root import ROOT

LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()


def steps(name: str) -> list[str]:
    """What stands behind each step of this name."""
    return [line.partition(" ")[2].strip() for line in LINES if line.strip().startswith(name)]


def command(name: str) -> list[str]:
    """The words of a command in brackets, with this very Python."""
    (found,) = [re.search(r"\[.*\]", line) for line in LINES if re.match(rf"{name}\b", line)]
    assert found
    python, *words = json.loads(found[0])
    assert python == "python"
    return [sys.executable, *words]


def copied(folder: Path) -> None:
    """Put into `folder` what the image holds, and nothing else."""
    for step in steps("COPY"):
        *sources, target = step.split()
        for source in sources:
            place = folder / (Path(target) / source if target == "./" else target)
            if (ROOT / source).is_dir():
                hidden = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, place, ignore=hidden)
            else:
                shutil.copyfile(ROOT / source, place)


def test_what_the_image_holds_serves_the_page_and_is_found_healthy(tmp_path: Path) -> None:
    copied(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    start = [str(tmp_path) if word == "/runs" else word for word in command("CMD")]
    variables = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(tmp_path),
        "HTTPS_PROXY": "http://127.0.0.1:9",  # nobody is there: it is offline
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    server = subprocess.Popen(
        [*start, "--port", port], cwd=tmp_path, env=variables, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    with server.stdout:
        try:
            assert any(line.startswith("gnet is at") for line in server.stdout)
            healthy = [word.replace("7860", port) for word in command("HEALTHCHECK")]
            subprocess.run(healthy, check=True, env=variables)
        finally:
            server.terminate()
            server.wait(30)
    ill = subprocess.run(healthy, env=variables, capture_output=True)
    assert ill.returncode != 0


def pip_calls(step: str, folder: Path) -> list[tuple[list[str], list[str]]]:
    """Options and requirements of each pip that a step's shell calls; nothing is installed.

    A step that asks Python where its packages are is told `folder`.
    """
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    print_given = 'for last; do :; done\necho "pip $*"\ncat "$last"'
    for name, lines in {"pip": print_given, "python": f"echo {folder}"}.items():
        program = programs / name
        program.write_text(f"#!/bin/sh\n{lines}\n")
        program.chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(
        ["sh", "-ec", step],
        cwd=folder,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    calls: list[tuple[list[str], list[str]]] = []
    for line in answer.stdout.splitlines():
        if line.startswith("pip "):
            calls.append((line.split()[1:], []))
        elif line and not line.startswith("#"):
            calls[-1][1].append(line)
    return calls


def test_pytorch_comes_first_and_from_its_own_index_then_all_other_requirements(
    tmp_path: Path,
) -> None:
    shutil.copyfile(ROOT / "requirements.txt", tmp_path / "requirements.txt")
    parts = (
        "bin/test_a",
        "bin/ATest",
        "bin/torch_shm_manager",
        "include/a.h",
        "lib/a",
        "test/a.py",
    )
    for part in parts:
        (tmp_path / "torch" / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "torch" / part).touch()
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    every = [line for line in text.splitlines() if line and not line.startswith("#")]
    installs = [step for step in steps("RUN") if "pip install" in step]
    first, second = [call for step in installs for call in pip_calls(step, tmp_path)]
    own = ["--index-url", "https://download.pytorch.org/whl/cpu"]
    assert first[0][:4] == ["install", "--no-cache-dir", *own]
    assert first[1] == [line for line in every if line.startswith("torch")] != []
    assert second == (["install", "--no-cache-dir", "-r", "requirements.txt"], every)
    assert not any("extra-index-url" in line for line in LINES)
    kept = [path.name for path in (tmp_path / "torch").rglob("*") if path.is_file()]
    assert sorted(kept) == ["a", "torch_shm_manager"]


def test_the_build_is_given_what_it_copies_and_nothing_else() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in rules and "**/__pycache__" in rules
    given = {rule[1:] for rule in rules if rule.startswith("!")}
    assert given == {source for step in steps("COPY") for source in step.split()[:-1]}


def test_its_user_and_the_folder_of_runs_are_made_before_they_are_named() -> None:
    (made,) = [step for step in steps("RUN") if "useradd" in step]
    commands = [command.split() for command in made.split(" && ")]
    assert commands == [
        ["useradd", "--create-home", "gnet"],
        ["mkdir", "/runs"],
        ["chown", "gnet", "/runs"],
    ]
    assert steps("VOLUME") == ["/runs"] and "/runs" in command("CMD")


def test_the_image_is_nobodys_who_may_change_it() -> None:
    names = [line.split()[0] for line in LINES if line.strip()]
    assert steps("USER") == ["gnet"]
    assert names.index("USER") < names.index("CMD") and "COPY" not in names[names.index("USER") :]
