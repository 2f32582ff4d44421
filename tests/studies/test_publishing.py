"""From a finished run to weights to ship: what is stored, what is said of it, what is refused."""

import argparse
import io
import json
import shlex
import shutil
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from gnet.commands.options import add_model_options, add_train_options, train_config
from gnet.data.datasets import open_dataset
from gnet.errors import GnetError
from gnet.evaluation.accuracy import evaluate
from gnet.network import weights
from gnet.network.config import ModelConfig
from gnet.network.folding import fold
from gnet.runs.events import EpochDone
from gnet.runs.folder import LAST, RunFolder
from gnet.runs.train_config import TrainConfig
from gnet.studies.model_card import MEASURED
from gnet.studies.publishing import command, publish
from gnet.training.loop import train
from support.folders import zipped

BEGIN, END = MEASURED


PICTURES = {
    "train": {"cat": {"tin": 5, "ima": 3}, "tea_cup": {"tin": 6}},
    "val": {"cat": {"tin": 4, "ima": 3}, "tea_cup": {"tin": 5, "ima": 2}},
}
"""Split → class → source → number of pictures."""
TITLES = {"cat": "Cat", "tea_cup": "Tea cup"}


def speckled(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    names = [
        f"{split}/{name}/{source}{number}.png"
        for split, classes in PICTURES.items()
        for name, sources in classes.items()
        for source, count in sources.items()
        for number in range(count)
    ]
    files = {name: speckled(seed) for seed, name in enumerate(names)}
    files["classes.json"] = json.dumps(TITLES).encode()
    return zipped(tmp_path_factory.mktemp("data") / "two things.zip", files)


@pytest.fixture(scope="module")
def config(data) -> TrainConfig:
    return TrainConfig(
        data=str(data),
        size=40,
        grow="32x1",
        epochs=2,
        batch=7,
        precision="fp32",
        threads=1,
        model=ModelConfig(width=0.0625),
    )


@pytest.fixture(scope="module")
def run(config, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    for _ in train(config, folder):
        pass
    return folder


@pytest.fixture(scope="module")
def published(run, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("published") / "things.safetensors"
    card = out.with_suffix(".md")
    card.write_text(f"# Things\n\nBy hand.\n\n{BEGIN}\nof an older run\n{END}\n\nThe end.\n")
    assert publish(run, out, size=48) == [out, card, out.with_name("things-curves.png")]
    return out


def test_weights_are_the_runs_last_ones_in_half_precision(published, run):
    stored, last = load_file(published), weights.load(run / LAST)
    layers = {n for n, m in last.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    for name, value in last.state_dict().items():
        owner, _, kind = name.rpartition(".")
        halved = kind == "weight" and owner in layers
        assert stored[name].dtype == (torch.float16 if halved else value.dtype), name
        assert torch.equal(stored[name], value.to(stored[name].dtype)), name


def test_figures_in_the_header_are_those_of_the_stored_weights(published, data):
    model = weights.load(published)
    assert (model.info.name, model.info.classes) == ("things", ("Cat", "Tea cup"))
    assert model.info.preprocessing.size == 48
    judged = open_dataset(data, "val", size=48)
    expected = evaluate(fold(model), judged, model.info.preprocessing).summary()
    said = dict(model.info.metrics)
    assert (said.pop("data"), said.pop("split"), said.pop("size")) == ("two things.zip", "val", 48)
    assert said == expected
    assert said["counts"] == {"tin": 9, "ima": 5}


def test_the_cards_measured_part_is_replaced_and_the_rest_kept(published, run):
    card = published.with_suffix(".md").read_text(encoding="utf-8")
    before, rest = card.split(BEGIN)
    part, after = rest.split(END)
    assert (before, after) == ("# Things\n\nBy hand.\n\n", "\n\nThe end.\n")
    assert "of an older run" not in part
    metrics, heads = weights.load(published).info.metrics, ("main", "aux2", "aux1")
    for name, tops, count in (
        ("all pictures", metrics["heads"], 14),
        ("mean over the sources", metrics["sources_mean"], 14),
        ("tin", metrics["groups"]["tin"], 9),
        ("ima", metrics["groups"]["ima"], 5),
    ):
        each = (f"{100 * tops[h]['top1']:.1f} / {100 * tops[h]['top5']:.1f} %" for h in heads)
        assert f"| {name} | {count} | {' | '.join(each)} |" in part
    assert "| pictures | number | main top-1 / top-5 | aux2 top-1 / top-5 | aux1 top-1" in part
    assert "| cat | Cat | ima 3, tin 5 |" in part
    assert "| tea_cup | Tea cup | tin 6 |" in part
    assert "2 epochs (1 at 32 px, 1 at 40 px) over 14 pictures, 4 steps, fp32 arithmetic" in part
    (*_, last) = (e for e in RunFolder(run).events() if isinstance(e, EpochDone))
    assert f"training loss was {last.train_loss['main']:.2f} nats" in part
    assert "](things-curves.png)" in part and "--run-dir runs/things\n" in part
    curves = published.with_name("things-curves.png").read_bytes()
    assert curves.startswith(b"\x89PNG")


def test_publishing_again_changes_nothing(published, run, tmp_path):
    first = {path.name: path.read_bytes() for path in published.parent.iterdir()}
    shutil.copy(published.with_suffix(".md"), tmp_path)
    again = publish(run, tmp_path / published.name, size=48)
    assert {path.name: path.read_bytes() for path in again} == first


def test_without_a_card_one_is_made_and_the_data_may_have_moved(run, data, tmp_path):
    moved = shutil.copy(data, tmp_path / "moved.zip")
    _, card, _ = publish(run, tmp_path / "out" / "new.safetensors", data=moved)
    text = card.read_text(encoding="utf-8")
    assert text.startswith(BEGIN)
    assert text.endswith(f"{END}\n")
    assert "centre squares at 40 px" in text
    assert str(tmp_path) not in text and str(data.parent) not in text


def test_a_run_on_some_of_the_classes_is_evaluated_on_those(data, config, tmp_path):
    files = {f"{split}/stranger/tin0.png": speckled(99) for split in ("train", "val")}
    with zipfile.ZipFile(data) as old:
        files |= {name: old.read(name) for name in old.namelist()}
    more = zipped(tmp_path / "three things.zip", files)
    chosen = ",".join(open_dataset(data, "val", size=40).names)
    config = replace(config, data=str(more), classes=chosen, epochs=1, grow="")
    for _ in train(config, tmp_path / "run"):
        pass
    publish(tmp_path / "run", tmp_path / "some.safetensors")
    assert weights.load(tmp_path / "some.safetensors").info.metrics["count"] == 14


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"data": "nothing.zip"}, "There is no data set 'nothing.zip'"),
        ({"size": 100_000}, "size is 100000; allowed are"),
        ({"data": "built-in"}, "has 10 classes; the network has 2"),
    ],
    ids=["data", "size", "classes"],
)
def test_what_was_published_before_stays_until_all_is_measured(
    published, run, tmp_path, wrong, sentence
):
    for path in published.parent.iterdir():
        shutil.copy(path, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(GnetError, match=sentence):
        publish(run, tmp_path / published.name, **wrong)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_unfinished_run_is_refused(config, tmp_path):
    folder = tmp_path / "run"
    with closing(train(config, folder)) as events:  # pyright: ignore[reportArgumentType]
        for event in events:
            if event.step == 3:
                break
    with pytest.raises(GnetError, match="is not finished"):
        publish(folder, tmp_path / "out" / "new.safetensors")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(GnetError, match="holds no run"):
        publish(tmp_path, tmp_path / "new.safetensors")


@pytest.mark.parametrize("text", ["# By hand\n", f"# By hand\n{BEGIN}\n", f"# By hand\n{END}\n"])
def test_a_card_without_marks_stays_as_it_is(run, tmp_path, text):
    card = tmp_path / "new.md"
    card.write_text(text)
    with pytest.raises(GnetError, match=r"new\.md has no marks"):
        publish(run, tmp_path / "new.safetensors")
    assert card.read_text() == text
    assert list(tmp_path.iterdir()) == [card], "refused before anything is written"


@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(),
        TrainConfig(data="/data/my pets.zip", epochs=30, size=128, grow="64x8,96x4", augment=False),
        TrainConfig(
            learning_rate=1e-4,
            loss="probabilities",
            aux2_weight=0.0,
            ema=0.999,
            seed=7,
            model=ModelConfig(width=0.5, kernel_5x5=3, aux=False, rectified_outputs=True),
        ),
        TrainConfig(size=224, model=ModelConfig.preset("paper", num_classes=6)),
    ],
)
def test_the_printed_command_line_asks_for_the_same_run(config):
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir")
    add_train_options(parser)
    add_model_options(parser)
    words = shlex.split(command(config, "things").replace("\\\n", " "))
    assert words[:4] == ["python", "-m", "gnet", "train"]
    assert words[-2:] == ["--run-dir", "runs/things"]
    asked = train_config(parser.parse_args(words[4:]))
    network = replace(config.model, num_classes=asked.model.num_classes)  # the data set decides
    assert asked == replace(config, data=Path(config.data).name, model=network)


def test_a_run_on_the_built_in_patterns_gets_a_card_too(tmp_path):
    config = TrainConfig(
        model=ModelConfig(width=0.0625), per_class=2, size=32, epochs=1, batch=10, precision="fp32"
    )
    list(train(config, tmp_path / "run"))
    written = publish(tmp_path / "run", tmp_path / "patterns.safetensors")
    assert all(path.is_file() for path in written)
    assert "| fine stripes | fine stripes | pat 2 |" in written[1].read_text(encoding="utf-8")
