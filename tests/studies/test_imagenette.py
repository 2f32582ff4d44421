"""The Imagenette benchmark: its plan, its runs that go on, and what is reported."""

import json
from dataclasses import replace

import pytest

from gnet.errors import GnetError
from gnet.network.config import ModelConfig
from gnet.runs.train_config import TrainConfig
from gnet.studies import imagenette
from gnet.studies.imagenette import CLASSES, benchmark, plan, results, table
from support.folders import laid_out, picture


@pytest.fixture
def pictures(tmp_path):
    """Three pictures of each class to learn from, two to judge; and a class not asked for."""
    files = {
        f"{split}/{name}/ima_{index}.png": picture(20 * label + index, (40, 40))
        for split, count in (("train", 3), ("val", 2))
        for label, name in enumerate((*CLASSES, "stranger"))
        for index in range(count)
    }
    return laid_out(tmp_path / "pictures", files)


def tiny(data, epochs, *, aux, seed, threads):
    model = ModelConfig.preset("batch-norm", aux=aux, width=0.25)
    return TrainConfig(
        model=model,
        data=data,
        classes=",".join(CLASSES),
        size=32,
        epochs=1,
        batch=16,
        precision="fp32",
        threads=threads,
        seed=seed,
    )


def test_the_plan_has_three_seeds_with_and_without_heads_and_one_long_run():
    runs = plan("somewhere.zip")
    short = [config for config in runs.values() if config.epochs == 5]
    assert sorted((c.model.aux, c.seed) for c in short) == [
        (aux, seed) for aux in (False, True) for seed in range(3)
    ]
    (long,) = [config for config in runs.values() if config.epochs == 20]
    assert long.model.aux
    for config in runs.values():
        assert config.model.kernel_5x5 == 5 and not config.start
        assert (config.size, config.sizes_by_epoch()[-1]) == (128, 128)


def test_runs_differ_in_heads_epochs_dropout_and_seed_alone():
    first, *others = plan("somewhere.zip").values()
    own = {name: getattr(first.model, name) for name in ("aux", "dropout", "dropout_aux")}
    for config in others:
        model = replace(config.model, **own)
        same = replace(config, model=model, seed=first.seed, epochs=first.epochs, grow=first.grow)
        assert same == first


def test_the_benchmark_keeps_what_is_finished_and_reports_every_seed(
    pictures, tmp_path, monkeypatch
):
    monkeypatch.setattr(imagenette, "_config", tiny)
    heard = []
    folder = tmp_path / "runs"
    benchmark(
        str(pictures),
        folder,
        threads=1,
        only="5-epochs-without",
        on_epoch=lambda n, e: heard.append(n),
    )
    assert heard == [f"5-epochs-without-heads-{seed}" for seed in range(3)]
    found = benchmark(
        str(pictures),
        folder,
        threads=1,
        only="5-epochs-without",
        on_epoch=lambda n, e: heard.append(n),
    )
    assert len(heard) == 3  # nothing was trained twice
    assert (
        found
        == json.loads((folder / imagenette.RESULTS).read_text())
        == results(str(pictures), folder)
    )
    assert {run["pictures"] for run in found["runs"].values()} == {20}
    group = found["groups"]["5-epochs-without-heads"]
    accuracies = [run["accuracy"]["main"] for run in found["runs"].values()]
    assert group["main"]["mean"] == pytest.approx(sum(accuracies) / 3)
    assert list(group) == ["main"]
    text = table(found)
    assert "20 of Imagenette's 3,925" in text and "| 3 |" in text


def test_data_without_the_ten_classes_is_refused_in_a_sentence(tmp_path):
    names = [f"{split}/{name}/a.png" for split in ("train", "val") for name in ("cat", "dog")]
    laid_out(tmp_path, {name: picture() for name in names})
    with pytest.raises(GnetError, match="has no class cassette_player"):
        benchmark(str(tmp_path), tmp_path / "runs", threads=1)
