"""Linear probes: what they read, how they are fitted, where they are kept, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gnet.commands.main import main
from gnet.data.datasets import TUNE, held_out, open_dataset
from gnet.errors import GnetError
from gnet.evaluation.probe_fitting import (
    Features,
    balanced,
    collect_features,
    descend,
    evaluate_probe,
    fit,
    fit_probes,
    probes_table,
)
from gnet.explain.belief import belief
from gnet.explain.probes import Probe, Probes, course, features, find_probes, load_probes
from gnet.explain.recording import record
from gnet.network.config import HEADS, PROBE, STAGES, TRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.network.weights import save
from support.folders import picture, zipped
from support.networks import network


def claimed(**changes) -> GoogLeNet:
    """A narrow network for 32 px whose heads claim to be trained."""
    model = network("batch-norm", num_classes=10)
    model.info = ModelInfo(
        preprocessing=Preprocessing(size=32),
        heads=dict.fromkeys(HEADS, TRAINED),
        digest="these weights",
        **changes,
    )
    return model


def drawn(model: GoogLeNet, seed: int = 1) -> Probes:
    """Probes that nobody fitted."""
    random = torch.Generator().manual_seed(seed)
    return Probes(
        digest=model.info.digest,
        probes={
            stage: Probe(
                weight=torch.randn(10, module.widths.total, generator=random).half().float(),
                bias=torch.randn(10, generator=random),
            )
            for stage, module in model.inceptions().items()
        },
        metrics={"stages": {stage: {"top1": 0.25} for stage in STAGES}},
    )


def saying(model: GoogLeNet, answers: dict[str, int]) -> Probes:
    """Probes that say the same whatever they see."""
    probes = {
        stage: Probe(weight=0 * probe.weight, bias=5 * F.one_hot(torch.tensor(said), 10).float())
        for (stage, probe), said in zip(drawn(model).probes.items(), answers.values(), strict=True)
    }
    return replace(drawn(model), probes=probes)


@pytest.fixture(scope="module")
def recording():
    return record(claimed(), torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(2)))


@pytest.fixture(scope="module")
def fitted() -> Probes:
    return fit_probes(claimed(), "built-in", per_class=6)


def test_a_reading_is_the_softmax_of_a_linear_layer_on_the_mean_over_cells(recording):
    probes = drawn(claimed())
    for stage, reading in course(probes, recording).readings.items():
        probe = probes.probes[stage]
        output = recording.outputs[stage].double()
        mean = output.reshape(len(output), -1).mean(1)
        expected = (probe.weight.double() @ mean + probe.bias.double()).softmax(0)
        got = torch.tensor(reading.probabilities)
        torch.testing.assert_close(got, expected.float(), rtol=1e-4, atol=1e-6)
        assert sum(reading.probabilities) == pytest.approx(1)
        assert reading.entropy == pytest.approx(float(-(expected * expected.log()).sum()), rel=1e-3)
        assert list(reading.top) == expected.argsort(descending=True)[:5].tolist()


def test_reading_does_not_run_the_network(recording, monkeypatch):
    monkeypatch.setattr(GoogLeNet, "run", None)
    assert list(course(drawn(claimed()), recording).readings) == list(STAGES)


@pytest.mark.parametrize(
    ("agreeing", "first", "settled"),
    [
        ("", None, None),
        ("3a 3b 4a 4b 4c 4d 4e 5a 5b", "3a", "3a"),
        ("4c 4d 4e 5a 5b", "4c", "4c"),
        ("3b 4a 4e 5a 5b", "3b", "4e"),
        ("5b", "5b", "5b"),
        ("3a 4b 5a", "3a", None),
    ],
)
def test_the_course_tells_where_the_answer_comes_up_and_where_it_settles(
    recording, agreeing, first, settled
):
    answer = belief(recording).heads["main"].top[0]
    other = (answer + 1) % 10
    said = {stage: answer if stage in agreeing.split() else other for stage in STAGES}
    taken = course(saying(claimed(), said), recording)
    assert (taken.answer, taken.first, taken.settled) == (answer, first, settled)


def test_without_trained_heads_the_last_probe_gives_the_answer(recording):
    silent = replace(recording, heads={})
    taken = course(saying(claimed(), dict.fromkeys(STAGES, 7)), silent)
    assert taken.answer == 7 and taken.settled == "3a"


def test_probes_come_back_from_their_file_as_they_were(tmp_path, recording):
    probes = drawn(claimed())
    path = probes.save(tmp_path / "own-probes.safetensors")
    again = load_probes(path)
    assert again.digest == "these weights" and again.status == PROBE
    assert again.metrics == probes.metrics
    assert course(again, recording) == course(probes, recording)


def test_probes_of_other_weights_are_left_alone(tmp_path):
    path = drawn(claimed()).save(tmp_path / "p.safetensors")
    assert find_probes("these weights", path) is not None
    assert find_probes("others", path) is None
    assert find_probes("these weights", tmp_path / "none.safetensors") is None


def test_a_file_that_holds_no_probes_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "text.safetensors").write_text("no")
    weights = save(claimed(), tmp_path / "weights.safetensors")
    for path in (tmp_path / "text.safetensors", weights):
        with pytest.raises(GnetError, match=r"is not a file of probes"):
            load_probes(path)
    with pytest.raises(GnetError, match="There is no file"):
        load_probes(tmp_path / "none")


def test_a_recording_of_another_network_is_refused():
    wide = network("batch-norm", width=0.125, num_classes=10)
    wide.info = replace(claimed().info)
    seen = record(wide, torch.rand(1, 3, 32, 32))
    with pytest.raises(GnetError, match="channels in 3a; allowed are the"):
        course(drawn(claimed()), seen)


def test_the_descent_ends_where_the_slope_is_zero():
    random = torch.Generator().manual_seed(3)
    x, labels = torch.randn(60, 4, generator=random), torch.arange(60) % 3
    weight, bias = torch.zeros(3, 4, requires_grad=True), torch.zeros(3, requires_grad=True)
    for _ in range(3):
        descend(x, labels, weight, bias, 0.1)
    loss = F.cross_entropy(x @ weight.T + bias, labels) + 0.05 * weight.square().sum()
    slopes = torch.autograd.grad(loss, [weight, bias])
    assert max(float(slope.abs().max()) for slope in slopes) < 1e-4


def test_a_probe_learns_what_one_feature_tells_and_reads_it_unscaled():
    random = torch.Generator().manual_seed(4)

    def made(count: int) -> Features:
        labels = torch.arange(count) % 3
        values = torch.randn(count, 5, generator=random) * 40 + 300
        values[:, 2] = labels * 0.01 + torch.randn(count, generator=random) * 0.001
        return Features(by_stage={"4b": values}, labels=labels)

    taught, tuned, fresh = made(300), made(90), made(90)
    found = fit(taught, tuned, "4b")
    assert evaluate_probe(found.probe, fresh, "4b")["top1"] > 0.95
    assert found.temperature > 0


def test_features_are_those_of_a_recording_and_flipping_mirrors_the_pictures():
    model = claimed()
    data = open_dataset("built-in", "val", per_class=1, size=32)
    seen, mirrored = collect_features(model, data), collect_features(model, data, flipped=True)
    for index in (0, 7):
        pixels = data.pictures[index][None].float() / 255
        for pictures, values in ((pixels, seen), (pixels.flip(3), mirrored)):
            recorded = record(model, pictures)
            for stage in STAGES:
                torch.testing.assert_close(
                    values.by_stage[stage][index],
                    features(recorded.outputs[stage]),
                    rtol=1e-3,
                    atol=1e-4,
                )


def test_a_balanced_draw_takes_as_many_of_each_class_and_always_the_same():
    data = open_dataset("built-in", "val", per_class=5, size=32)
    some, again = balanced(data, 3, 0), balanced(data, 3, 0)
    assert some.counts == (3,) * 10
    assert all(torch.equal(a, b) for a, b in zip(some.pictures, again.pictures, strict=True))
    assert balanced(data, 99, 0).counts == data.counts


def test_fitting_leaves_the_network_as_it_was_and_says_what_was_measured(fitted):
    model = claimed()
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    data = open_dataset("built-in", "val", per_class=1, size=32)
    collect_features(model, data)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training
    assert fitted.digest == "these weights" and list(fitted.probes) == list(STAGES)
    about = fitted.metrics
    assert (about["data"], about["split"], about["count"]) == ("built-in", "val", 500)
    assert (about["pictures"], about["per_class"], about["size"]) == (60, 6, 32)
    table = probes_table(fitted)
    assert all(f"| {100 * row['top1']:.1f} %" in table for row in about["stages"].values())
    assert about["stages"]["5b"]["top1"] > 0.14, "better than chance"


def test_no_picture_of_tune_is_learned_from(monkeypatch, tmp_path):
    import gnet.evaluation.probe_fitting as fitting

    kinds = tuple("abcdefghij")
    names = [f"train/{kind}/{i:02}.png" for kind in kinds for i in range(20)]
    names += [f"val/{kind}/00.png" for kind in kinds]
    files = {name: picture(number) for number, name in enumerate(names)}  # no two are the same
    path = zipped(tmp_path / "kinds.zip", files)
    looked: list[set[bytes]] = []

    def noted(model, dataset, **options):
        looked.append({p.numpy().tobytes() for p in dataset.pictures})
        empty = torch.zeros(len(dataset), 1)
        return Features(by_stage=dict.fromkeys(STAGES, empty), labels=dataset.labels)

    monkeypatch.setattr(fitting, "collect_features", noted)
    monkeypatch.setattr(fitting, "fit", lambda taught, tuned, stage: _flat(taught, stage))
    fitting.fit_probes(claimed(classes=kinds), path, per_class=400)
    taught, mirrored, tuned, validation = looked
    assert taught == mirrored and not tuned & taught
    rest, expected = held_out(open_dataset(path, "train", size=32))
    assert len(expected) and taught == {p.numpy().tobytes() for p in rest.pictures}
    assert tuned == {p.numpy().tobytes() for p in expected.pictures}
    assert len(validation) == len(kinds)


def _flat(taught: Features, stage: str):
    from gnet.evaluation.probe_fitting import Fitted

    width = taught.by_stage[stage].shape[1]
    probe = Probe(weight=torch.zeros(10, width), bias=torch.zeros(10))
    return Fitted(probe=probe, penalty=1.0, temperature=1.0)


def test_a_data_set_with_nothing_to_tune_on_is_refused(tmp_path):
    files = {f"train/{name}/a.png": picture(40) for name in ("cat", "dog")}
    path = zipped(tmp_path / "few.zip", files | {"val/cat/b.png": picture(1)})
    with pytest.raises(GnetError, match="has a picture to set aside for tuning"):
        fit_probes(claimed(), path)
    with pytest.raises(GnetError, match="per_class is 0; allowed are 1 and more"):
        fit_probes(claimed(), "built-in", per_class=0)
    assert TUNE == "tune"


def test_the_command_writes_probes_that_belong_to_the_weights(tmp_path, capsys):
    model = claimed(classes=open_dataset("built-in", "val", per_class=1).classes)
    weights = save(model, tmp_path / "w.safetensors")
    card = tmp_path / "w.md"
    card.write_text(
        "before\n<!-- probes: written by `python -m gnet probe` -->\n<!-- /probes -->\n"
    )
    out = tmp_path / "w-probes.safetensors"
    given = ["probe", "--data", "built-in", "--weights", str(weights), "--per-class", "2"]
    assert main([*given, "--out", str(out), "--card", str(card)]) == 0
    said = capsys.readouterr().out
    probes = load_probes(out)
    assert probes.metrics["pictures"] == 20
    assert f"5b  {100 * probes.metrics['stages']['5b']['top1']:5.1f}" in said
    assert card.read_text().startswith("before\n") and "| probe at | 3a |" in card.read_text()
    from gnet.network.weights import load

    assert find_probes(load(weights).info.digest, out) is not None
    bare = tmp_path / "bare.md"
    bare.write_text("nothing")
    assert main([*given, "--out", str(out), "--card", str(bare)]) == 2
    assert "has no marks" in capsys.readouterr().err


def test_an_even_mixture_of_classes_is_drawn():
    labels = np.array([0] * 8 + [1] * 2)
    data = open_dataset("built-in", "val", per_class=1, size=32)
    uneven = replace(
        data,
        classes=data.classes[:2],
        names=data.names[:2],
        pictures=[data.pictures[0]] * 10,
        labels=torch.from_numpy(labels),
        sources=("bui",) * 10,
    )
    assert balanced(uneven, 4, 0).counts == (4, 2)
