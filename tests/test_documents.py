"""What README, CONTRIBUTING.md and docs/ say is so: tree, commands, options, figures, links."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from test_project import layers, project_files

import gnet
from gnet import app
from gnet.commands.main import main
from gnet.explain.attribution.methods import METHODS
from gnet.network.config import ModelConfig
from gnet.network.costs import layer_costs
from gnet.network.header import read_header
from gnet.network.model import GoogLeNet
from gnet.network.receptive_field import receptive_fields
from gnet.network.weights import BUNDLED
from gnet.runs import folder
from support.root import ROOT

PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def readme_tree() -> dict[Path, str]:
    """Path -> its sentence, from the file tree in the README, where two spaces are one folder."""
    block = re.search(r"## What is where.*```\n(.*?)```", page("README.md"), re.DOTALL)
    assert block, "README.md has no file tree under 'What is where'"
    tree: dict[Path, str] = {}
    folders: list[str] = []
    for line in block[1].splitlines():
        entry = re.fullmatch(r"((?:  )*)(\S+)(?: {2,}(\S.*))?", line)
        assert entry, f"not 'name  what it is': {line!r}"
        indent, name, sentence = entry.groups(default="")
        assert sentence or name.endswith("/"), f"{name} says nothing"
        folders = folders[: len(indent) // 2]
        tree[Path(*folders, name)] = sentence
        if name.endswith("/"):
            folders.append(name)
    return tree


def test_the_readme_lists_every_file_and_no_other() -> None:
    tree = readme_tree()
    files = set(project_files())
    parents = {parent for path in tree for parent in path.parents}
    groups = {path for path in tree if path not in parents}
    missing = [p for p in files if p not in tree and not groups & set(p.parents)]
    gone = [p for p in tree if p not in files and not any(p in f.parents for f in files)]
    assert sorted(missing) == []
    assert gone == []


def test_the_readme_lists_the_packages_in_the_order_of_their_imports() -> None:
    rank = {name: level for level, names in enumerate(layers()) for name in names}
    packages = [path.name for path in readme_tree() if path.parent == Path("gnet")]
    levels = [rank[name] for name in packages if (ROOT / "gnet" / name).is_dir()]
    assert levels == sorted(levels) and len(levels) > 12


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_commands_and_options_that_exist(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = page(name).replace("\\\n", " ")
    for command, rest in re.findall(r"(?:python|torchrun.*) -m gnet ([a-z-]+)(.*)", text):
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert end.value.code == 0, command
        known = set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
        given = rest.split("#")[0].split("`")[0]
        assert set(re.findall(r" (--[a-z0-9-]+)", given)) <= known, command
    assert set(re.findall(r"--method ([a-z-]+)", text)) <= METHODS.keys()
    for given in re.findall(r'make run ARGS="(.*?)"|python app\.py (--.*)', text):
        app.parser().parse_args(" ".join(given).split())


def test_every_command_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = set(re.findall(r"^    ([a-z][a-z-]+)\b", capsys.readouterr().out, re.MULTILINE))
    shown = set(re.findall(r"python -m gnet ([a-z-]+)", page("docs/command-line.md")))
    assert listed == shown


@pytest.mark.parametrize("name", [*PAGES, "CONTRIBUTING.md"])
def test_a_page_links_to_files_that_exist(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page(name))
    files = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in files if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_the_recipes_for_what_is_added_name_files_tables_and_commands_that_exist() -> None:
    text = page("CONTRIBUTING.md").partition("## How to add\n")[2]
    paths = re.findall(r"`((?:gnet|tests|assets|docs)/[\w./-]+)`", text)
    assert len(paths) > 15 and [path for path in paths if not (ROOT / path).exists()] == []
    for table, path in re.findall(r"`([A-Z]{4,})`\s(?:in|of)\s`([\w./-]+)`", text):
        folder = "" if "/" in path else "gnet/explain/attribution/"
        code = (ROOT / folder / path).read_text("utf-8")
        assert re.search(rf"^{table}\b", code, re.MULTILINE), table
    for command in re.findall(r"python -m gnet ([a-z-]+)", text):
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert end.value.code == 0, command


def test_make_takes_pytorch_from_its_own_index_only_where_a_build_is_named(tmp_path: Path) -> None:
    own = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "TORCH")}
    plain, cpu = (
        subprocess.run(
            ["make", "-n", "setup", f"VENV={tmp_path}", *more],
            cwd=ROOT,
            env=own,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for more in ((), ("TORCH=cpu",))
    )
    assert "--index-url" not in plain and "pip" in plain
    first, second = cpu.index("--index-url"), cpu.index("install -r requirements.txt")
    assert first < second and "download.pytorch.org/whl/cpu" in cpu


def test_the_newest_heading_of_the_changelog_is_this_version() -> None:
    headings = re.findall(r"^## (.*)$", page("CHANGELOG.md"), re.MULTILINE)
    versions = []
    for heading in headings:
        known = re.fullmatch(r"(\d+\.\d+\.\d+), (under way|\d{1,2} [A-Z][a-z]+ \d{4})", heading)
        assert known, heading
        versions.append(Version(known[1]))
    assert str(versions[0]) == gnet.__version__
    assert versions == sorted(set(versions), reverse=True)
    assert not any(heading.endswith("under way") for heading in headings[1:])


def test_a_space_gets_a_block_that_starts_this_page_with_its_gradio(tmp_path: Path) -> None:
    text = page("docs/hosting.md")
    (command,) = re.findall(r"^sed .*$", text, re.MULTILINE)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "hosting.md").write_text(text, encoding="utf-8")
    (tmp_path / "README.md").write_text(page("README.md"), encoding="utf-8")
    subprocess.run(["sh", "-ec", command], cwd=tmp_path, check=True)
    whole = (tmp_path / "README.md").read_text(encoding="utf-8")
    block = re.match(r"---\n(.*?)---\n# gnet", whole, re.DOTALL)
    assert block
    values = dict(line.split(": ", 1) for line in block[1].splitlines())
    assert values["sdk"] == "gradio" and values["app_file"] == "app.py"
    (needed,) = re.findall(r"^gradio(\S+)$", page("requirements.txt"), re.MULTILINE)
    assert SpecifierSet(needed).contains(values["sdk_version"])
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert SpecifierSet(project["requires-python"]).contains(values["python_version"].strip('"'))
    assert values["license"] == project["license"].lower()


def test_the_limits_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| `(--[a-z-]+)`[^|]*\| (\d*)", page("docs/serving.md"), re.MULTILINE)
    defaults = vars(app.parser().parse_args([]))
    limits = {f"--{name.replace('_', '-')}" for name in defaults if name.startswith("max")}
    assert limits | {"--train", "--log"} == {option for option, _ in rows}
    for option, default in rows:
        value = defaults[option.strip("-").replace("-", "_")]
        assert value == float(default) if default else not value


def test_the_files_of_a_run_are_those_it_writes() -> None:
    named = set(re.findall(r"^\| `([a-z.]+)` \|", page("docs/runs.md"), re.MULTILINE))
    names = (folder.CONFIG, folder.EVENTS, folder.STATE, folder.LAST, folder.BEST)
    assert named == {*names, "control.json"}


def test_the_documents_name_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name in [*PAGES, "CONTRIBUTING.md"]:
        text = page(name)
        assert set(re.findall(r"\bmake ([a-z]+)(?=[` ]+(?:#|[A-Z]+=|`|\|))", text)) <= targets


@pytest.mark.parametrize("preset", ["paper", "batch-norm", "torchvision"])
def test_the_differences_from_the_paper_are_figures_of_the_live_model(preset: str) -> None:
    column = ["paper", "batch-norm", "torchvision"].index(preset)
    model = GoogLeNet(ModelConfig.preset(preset))
    costs = [cost for cost in layer_costs(model, 224) if not cost.stage.startswith("aux")]
    expected = {
        "convolution and classifier weights": f"{sum(cost.weights for cost in costs):,}",
        "parameters": f"{sum(cost.parameters for cost in costs):,}",
        "multiply-adds": f"{sum(cost.macs for cost in costs) / 1e9:.3f} G",
        "window of one cell": f"{receptive_fields(model)['4b']['5x5'].size} px",
        'kernel of the "5×5"': str(model.config.kernel_5x5),
    }
    text = page("docs/paper.md")
    for label, figure in expected.items():
        (row,) = re.findall(rf"^\| {label}[^|]*\|(.*)\|$", text, re.MULTILINE)
        assert row.split("|")[column].split()[: len(figure.split())] == figure.split()


def test_the_accuracy_in_the_documents_is_the_one_in_the_weights_header() -> None:
    _, info = read_header(BUNDLED)
    heads = info.metrics["heads"]
    top1 = {head: f"{100 * heads[head]['top1']:.1f} %" for head in heads}
    assert (
        f"On {info.metrics['count']:,} validation pictures its main head is right in "
        f"{top1['main']} (aux2 {top1['aux2']}, aux1 {top1['aux1']}) and has the answer among its "
        f"first five in {100 * heads['main']['top5']:.1f} %"
    ) in page("docs/weights.md")
    card = BUNDLED.with_suffix(".md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| all pictures \|(.*)\|$", card, re.MULTILINE)
    assert row.split("|")[1].split(" / ")[0].strip() + " %" == top1["main"]


def test_the_readmes_drawing_of_the_house_names_modules_that_are_there() -> None:
    drawing = (ROOT / "README.md").read_text(encoding="utf-8").partition("upload ─ ")[2]
    named = re.findall(r"\b[a-z_]+\.[a-z_]+\b", drawing.partition("```")[0].replace(".jsonl", ""))
    places = [ROOT / "gnet" / name.replace(".", "/") for name in named]
    assert len(places) == 5
    assert [str(p) for p in places if not (p.is_dir() or p.with_suffix(".py").is_file())] == []
