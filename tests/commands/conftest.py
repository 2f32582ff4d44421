"""Fixtures of the commands: weights, a photo, and a command run for its answer or refusal."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gnet.commands.main import main
from gnet.network.config import TRAINED, UNTRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.weights import save
from support.networks import network


@pytest.fixture(scope="session")
def saved_weights(tmp_path_factory) -> Path:
    """Two classes, a main and an aux1 head that were trained, an aux2 head that was not."""
    info = ModelInfo(
        classes=("cat", "dog"),
        preprocessing=Preprocessing(size=32),
        heads={"main": TRAINED, "aux1": TRAINED, "aux2": UNTRAINED},
    )
    model = network("batch-norm", num_classes=2)
    model.info = info
    return save(model, tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture
def weights(saved_weights, tmp_path) -> str:
    """A copy of the test's own."""
    return str(shutil.copy(saved_weights, tmp_path))


@pytest.fixture
def photo(tmp_path) -> str:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


@pytest.fixture
def answer(capsys):
    """Run a command with --json and give what it printed."""

    def ask(*arguments):
        assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


@pytest.fixture
def refusal(capsys):
    """Run a command that must be refused and give its one sentence."""

    def ask(*arguments) -> str:
        assert main([str(a) for a in arguments]) == 2
        said = capsys.readouterr()
        assert said.out == "" and said.err.startswith("gnet: ")
        assert said.err.count("\n") == 1 and "Traceback" not in said.err
        return said.err

    return ask
