"""Files with bytes flipped, cut out or put in: each reader takes them or says so in a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from gnet.answers.lessons.reader import FOLDER, parse_lesson
from gnet.channels.index import Index
from gnet.errors import GnetError
from gnet.explain.probes import SHIPPED, load_probes
from gnet.explain.recording import Recording, record
from gnet.network.config import ModelConfig
from gnet.network.header import read_header
from gnet.network.model import GoogLeNet
from gnet.network.weights import load
from gnet.runs.control import read_requests
from gnet.runs.folder import CONFIG, EVENTS, STATE, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.serving.run_card import CARD, RunCard, read_card, write_card
from gnet.system.assets import ASSETS
from gnet.training.checkpoint import KIND, facts, load_state
from gnet.training.loop import train
from gnet.training.optimisation import EmaWeights, make_optimiser
from support.hostile_values import damaged

TRIES = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of two steps, with a recording and a card beside it."""
    path = tmp_path_factory.mktemp("runs") / "run"
    config = TrainConfig(
        model=ModelConfig.preset("batch-norm", width=0.0625, num_classes=10),
        per_class=8,
        size=32,
        batch=8,
        epochs=1,
    )
    for _ in train(config, run_dir=path):
        pass
    model = load(path / "last.safetensors")
    record(model, torch.zeros(1, 3, 32, 32)).save(path / "recording.safetensors")
    write_card(path, RunCard(name="a run", experiment="", owner="0" * 64, created=1.0))
    (path / "control.json").write_text('{"pause": true, "steps": 3, "learning_rate": 0.001}')
    return RunFolder(path)


@dataclass(frozen=True, kw_only=True)
class Resuming:
    """What a resume fills from a state: a network, its optimiser and its EMA."""

    model: GoogLeNet
    optimiser: torch.optim.Optimizer
    ema: EmaWeights | None

    def read(self, path: Path) -> None:
        """Load the state, and take a step with it."""
        load_state(RunFolder(path.parent), self.model, self.optimiser, self.ema)
        for parameter in self.model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self.optimiser.step()


@pytest.fixture(scope="module")
def resuming(folder: RunFolder) -> Resuming:
    config = folder.config()
    model = GoogLeNet(config.model).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return Resuming(
        model=model,
        optimiser=make_optimiser(model, config),
        ema=EmaWeights(model, config.ema) if config.ema else None,
    )


def in_its_folder(read: Callable[[RunFolder], Any]) -> Callable[[Path], Any]:
    return lambda path: read(RunFolder(path.parent))


READERS: dict[str, Callable[[Path], Any]] = {
    "last.safetensors": load,
    "best.safetensors": read_header,
    "recording.safetensors": Recording.load,
    STATE: in_its_folder(facts),
    CONFIG: in_its_folder(RunFolder.config),
    EVENTS: in_its_folder(lambda run: (run.events(), run.changes())),
    "control.json": read_requests,
    CARD: lambda path: read_card(path.parent),
}


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_of_a_run_is_read_or_refused(
    name: str, folder: RunFolder, tmp_path: Path
) -> None:
    content = (folder.path / name).read_bytes()
    READERS[name](folder.path / name)  # as it was written
    refused = 0
    for case, bad in enumerate(damaged(content, seed=len(name), tries=TRIES)):
        path = tmp_path / name
        path.write_bytes(bad)
        try:
            READERS[name](path)
        except GnetError as error:
            refused += 1
            assert_is_one_sentence(str(error), f"{name}, case {case}")
    assert refused or name == CARD  # a card that cannot be read is as none


def test_a_run_resumes_from_a_damaged_state_or_refuses_it(
    folder: RunFolder, resuming: Resuming, tmp_path: Path
) -> None:
    resuming.read(folder.path / STATE)
    content, refused = (folder.path / STATE).read_bytes(), 0
    # Most damages of a whole file are in its numbers, which are as good as others.
    header = content[: 8 + int.from_bytes(content[:8], "little")]
    cases = [bad + content[len(header) :] for bad in damaged(header, seed=4, tries=2 * TRIES)]
    for case, bad in enumerate([*cases, *damaged(content, seed=7, tries=TRIES)]):
        path = tmp_path / STATE
        path.write_bytes(bad)
        try:
            resuming.read(path)
        except GnetError as error:
            refused += 1
            assert_is_one_sentence(str(error), f"{STATE}, case {case}")
    assert refused > TRIES


MOMENT = "optimiser.0.exp_avg"


@pytest.mark.parametrize(
    ("renamed", "sentence"),
    [
        ("optimiser.-1.exp_avg", "'-1.exp_avg', which AdamW does not keep"),
        ("optimiser.99999.exp_avg", "'99999.exp_avg', which AdamW does not keep"),
        ("optimiser.00.exp_avg", "'00.exp_avg', which AdamW does not keep"),
        ("optimiser.0.momentum_buffer", "'0.momentum_buffer', which AdamW does not keep"),
        ("optimiser.0", "'0', which AdamW does not keep"),
        ("optimiser.\n.\n", "'\\n.\\n', which AdamW does not keep"),
        ("other", "'0.exp_avg' not at all"),
    ],
)
def test_a_moment_of_another_name_is_named(
    renamed: str, sentence: str, folder: RunFolder, resuming: Resuming, tmp_path: Path
) -> None:
    with KIND.reading(folder.path / STATE) as (header, tensors):
        tensors[renamed] = tensors.pop(MOMENT)
    KIND.write(tmp_path / STATE, header, tensors)
    with pytest.raises(GnetError) as caught:
        resuming.read(tmp_path / STATE)
    expected = f"{STATE} holds of the optimiser {sentence}; start a new run."
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda moment: moment.flatten(), "'0.exp_avg' in the shape ["),
        (lambda moment: moment[:1, :1, :1, :1], "'0.exp_avg' in the shape [1, 1, 1, 1] and not ["),
        (lambda moment: moment.sum(), "'0.exp_avg' in the shape [] and not ["),
        (lambda moment: moment.to(torch.int32), "'0.exp_avg' in whole numbers"),
    ],
)
def test_a_moment_of_another_shape_is_named(
    change: Callable[[torch.Tensor], torch.Tensor],
    words: str,
    folder: RunFolder,
    resuming: Resuming,
    tmp_path: Path,
) -> None:
    with KIND.reading(folder.path / STATE) as (header, tensors):
        tensors[MOMENT] = change(tensors[MOMENT])
    KIND.write(tmp_path / STATE, header, tensors)
    with pytest.raises(GnetError) as caught:
        resuming.read(tmp_path / STATE)
    assert f"{STATE} holds of the optimiser {words}" in str(caught.value)
    assert_is_one_sentence(str(caught.value), words)


@pytest.mark.parametrize("step", [None, "3", 2.0, True, -1])
def test_a_state_without_its_step_is_refused(
    step: object, folder: RunFolder, resuming: Resuming, tmp_path: Path
) -> None:
    with KIND.reading(folder.path / STATE) as (header, tensors):
        pass
    KIND.write(tmp_path / STATE, header | {"step": step}, tensors)
    with pytest.raises(GnetError, match="does not say after which step it was saved; start a new"):
        resuming.read(tmp_path / STATE)


@pytest.mark.parametrize(
    "source, read",
    [(ASSETS / "channels" / "index.safetensors", Index.load), (SHIPPED, load_probes)],
    ids=["index", "probes"],
)
def test_a_damaged_shipped_file_is_read_or_refused(
    source: Path, read: Callable[[Path], Any], tmp_path: Path
) -> None:
    read(source)
    refused = 0
    for case, bad in enumerate(damaged(source.read_bytes(), seed=3, tries=TRIES)):
        path = tmp_path / source.name
        path.write_bytes(bad)
        try:
            read(path)
        except GnetError as error:
            refused += 1
            assert_is_one_sentence(str(error), f"{source.name}, case {case}")
    assert refused


def test_a_damaged_lesson_is_read_or_refused() -> None:
    refused = 0
    for file in sorted(FOLDER.glob("*.json")):
        for case, bad in enumerate(damaged(file.read_bytes(), seed=5, tries=TRIES)):
            try:
                parse_lesson(bad, file.name)
            except GnetError as error:
                refused += 1
                assert_is_one_sentence(str(error), f"{file.name}, case {case}")
    assert refused > TRIES


def assert_is_one_sentence(words: str, case: str) -> None:
    assert words.endswith(".") and "\n" not in words and len(words) < 1000, f"{case}: {words}"
    assert "Error(" not in words and "Traceback" not in words, f"{case}: {words}"
