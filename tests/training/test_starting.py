"""What a run begins with: data divided as asked, and weights taken over as far as they fit."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gnet.data.augmentation import THUMBNAIL
from gnet.data.datasets import open_dataset
from gnet.data.patterns import CLASSES
from gnet.errors import FieldError, GnetError
from gnet.network.config import PROBE, TRAINED, UNTRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.weights import load, save
from gnet.runs.folder import LAST
from gnet.training.distributed import Group
from gnet.training.learner import Learner, training_batches
from gnet.training.optimisation import make_optimiser
from gnet.training.precision import Machine
from gnet.training.starting import (
    first_network,
    first_weights,
    frozen,
    grown,
    heads_in_training,
    open_splits,
    resolved,
)
from support.networks import network
from support.training_runs import run, tiny

HEAD_LAYERS = ("fc.", "aux1.fc2.", "aux2.fc2.")
HEAD_PARTS = ("fc.", "aux1.", "aux2.")


def weights(path, classes, heads=None) -> str:
    """Weights of a small network that tells `classes` apart."""
    model = network("batch-norm", num_classes=len(classes))
    model.info = ModelInfo(
        name="before",
        classes=classes,
        preprocessing=Preprocessing(size=48, crop=0.9, mean=(0.5, 0.5, 0.5)),
        heads=heads or dict.fromkeys(("aux1", "aux2", "main"), TRAINED),
    )
    return str(save(model, path))


@pytest.fixture
def own(tmp_path):
    """Weights for the built-in classes."""
    return weights(tmp_path / "own.safetensors", CLASSES)


@pytest.fixture
def strange(tmp_path):
    """Weights for other classes, as many."""
    return weights(tmp_path / "strange.safetensors", tuple(f"thing {i}" for i in range(10)))


def first(config) -> GoogLeNet:
    begun = first_weights(config)
    return first_network(resolved(config, 10, begun, Machine()), CLASSES, begun)


def test_the_network_is_that_of_the_weights_with_the_data_sets_classes(own):
    asked = tiny(start=own, network={"width": 0.5, "dropout": 0.5})
    config = resolved(asked, 7, load(own), Machine())
    assert config.model == replace(load(own).config, num_classes=7)


def test_weights_of_the_same_classes_are_taken_over_whole(own):
    state = load(own).state_dict()
    for name, value in first(tiny(start=own)).state_dict().items():
        assert torch.equal(value, state[name]), name


def test_for_other_classes_the_last_layer_of_each_head_is_new(strange):
    state = load(strange).state_dict()
    for name, value in first(tiny(start=strange)).state_dict().items():
        assert torch.equal(value, state[name]) != name.startswith(HEAD_LAYERS) or (
            name.endswith("bias") and not value.any()
        ), name
    assert not torch.equal(
        first(tiny(start=strange, seed=1)).fc.weight, first(tiny(start=strange, seed=2)).fc.weight
    )


def test_classes_that_the_weights_know_keep_their_rows_wherever_they_stand(tmp_path):
    known = (CLASSES[3], "thing", CLASSES[0])
    path = weights(tmp_path / "some.safetensors", known)
    before, begun = load(path).state_dict(), first(tiny(start=path))
    for layer in ("fc", "aux1.fc2", "aux2.fc2"):
        for kind in ("weight", "bias"):
            rows = begun.state_dict()[f"{layer}.{kind}"]
            old = before[f"{layer}.{kind}"]
            assert len(rows) == 10 and torch.equal(rows[3], old[0]) and torch.equal(rows[0], old[2])
            assert kind == "bias" or not torch.equal(rows[1], old[1])


def test_families_of_the_data_set_go_with_the_weights():
    families = tuple("round" if i % 2 else "square" for i in range(10))
    config = resolved(tiny(), 10, None, Machine())
    info = first_network(config, CLASSES, None, families).info
    assert info.families == families
    assert info.family_shares([0.1] * 10) == pytest.approx({"round": 0.5, "square": 0.5})


def test_a_picture_is_prepared_as_for_the_weights_but_at_the_runs_size(own):
    expected = replace(load(own).info.preprocessing, size=32)
    info = first(tiny(start=own)).info
    assert info.preprocessing == expected and info.classes == CLASSES


def test_a_run_begins_with_the_weights_and_goes_on_from_them(own, tmp_path):
    run(tiny(start=own, epochs=1, learning_rate=0.0, weight_decay=0.0), tmp_path / "run")
    before, after = load(own), load(tmp_path / "run" / LAST)
    for name in ("fc.weight", "inception3a.branch1.conv.weight"):
        assert torch.equal(after.get_parameter(name), before.get_parameter(name))


def test_heads_count_as_what_they_were_and_what_training_makes_of_them(own, strange):
    assert first(tiny(start=own, aux1_weight=0.0)).info.heads["aux1"] == TRAINED
    assert first(tiny(start=strange, aux1_weight=0.0)).info.heads["aux1"] == UNTRAINED
    asked = {"start": strange, "train_only": "heads"}
    assert set(first(tiny(**asked)).info.heads.values()) == {PROBE}
    asked["train_only"] = "heads and 5a, 5b"
    assert first(tiny(**asked)).info.heads == {"aux1": PROBE, "aux2": PROBE, "main": TRAINED}
    asked["start"] = own
    assert set(first(tiny(**asked)).info.heads.values()) == {TRAINED}


def test_the_weights_to_begin_from_are_read_once(own, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr("gnet.training.starting.load", lambda name: read.append(name) or load(name))
    run(tiny(start=own, epochs=1))
    assert read == [own]


def test_a_head_only_gains_standing():
    assert grown({"main": TRAINED, "aux1": PROBE}, {"main": PROBE, "aux1": TRAINED}) == {
        "main": TRAINED,
        "aux1": TRAINED,
        "aux2": UNTRAINED,
    }
    assert heads_in_training(tiny(network={"aux": False})) == {"main": TRAINED}


@pytest.mark.parametrize(
    "train_only, moving",
    [
        ("heads", HEAD_PARTS),
        ("heads and 5a, 5b", (*HEAD_PARTS, "inception5a.", "inception5b.")),
    ],
)
def test_what_is_frozen_stays_to_the_bit_statistics_included(own, train_only, moving):
    config = resolved(tiny(start=own, train_only=train_only, ema=0.5), 10, load(own), Machine())
    data, _ = open_splits(config, None)
    learner = Learner(config, data, 6, Group(), load(own))
    state = {name: value.clone() for name, value in learner.model.state_dict().items()}
    for batch in training_batches(config, data, 0, 32, Group()):
        learner.take(batch, len(batch.labels))
    for name, value in learner.model.state_dict().items():
        assert torch.equal(value, state[name]) != name.startswith(moving), name
    for name, value in learner.eval_model.state_dict().items():
        if not name.startswith(moving):
            assert torch.equal(value, state[name]), name


def test_what_is_frozen_takes_no_room_in_the_optimiser(own):
    config = resolved(tiny(start=own, train_only="heads"), 10, load(own), Machine())
    model = first_network(config, CLASSES, load(own))
    for part in frozen(model, config):
        part.requires_grad_(False)
    held = {id(p) for group in make_optimiser(model, config).param_groups for p in group["params"]}
    named = {name for name, p in model.named_parameters() if id(p) in held}
    assert named == {n for n, _ in model.named_parameters() if n.startswith(HEAD_PARTS)}


def test_with_all_trained_nothing_is_frozen():
    assert frozen(network("batch-norm"), tiny()) == []


def test_a_frozen_trunk_without_weights_is_refused():
    with pytest.raises(FieldError) as caught:
        tiny(train_only="heads")
    assert caught.value.field == "train_only" and "start" in caught.value.allowed


def test_weights_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(GnetError, match="There is no file"):
        run(tiny(start=str(tmp_path / "none.safetensors")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_epochs_are_validated_on_the_held_out_part_if_that_is_asked():
    config = tiny(per_class=20, tune=True)
    data, held = open_splits(config, None)
    assert (len(data), len(held)) == (190, 10)
    tune = open_dataset("built-in", "tune", per_class=20, size=32, seed=3)
    assert all(map(torch.equal, held.pictures, tune.pictures))
    val = open_dataset("built-in", "val", per_class=20, size=32, seed=3)
    _, plain = open_splits(replace(config, tune=False), None)
    assert all(map(torch.equal, plain.pictures, val.pictures))


def test_a_network_that_learns_from_thumbnails_alone_is_shown_thumbnails_later(own):
    begun = tiny(start=own, thumbnails=1.0)
    for config in (tiny(thumbnails=1.0), begun):
        assert first(config).info.preprocessing.thumbnail == THUMBNAIL
    path = save(first(begun), Path(own).with_name("thumbnails.safetensors"))
    for config in (
        tiny(start=str(path)),
        tiny(thumbnails=0.9),
        tiny(thumbnails=1.0, augment=False),
    ):
        assert first(config).info.preprocessing.thumbnail == 0
