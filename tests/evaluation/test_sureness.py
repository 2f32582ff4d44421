"""Temperatures and thresholds: chosen on `tune`, told on `val`, put beside untouched weights."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gnet.commands.main import main
from gnet.data.datasets import open_dataset
from gnet.errors import GnetError
from gnet.evaluation.accuracy import evaluate
from gnet.evaluation.calibration import fit_temperature
from gnet.evaluation.sureness import ALL, Report, calibrate
from gnet.explain.attribution.attribute import attribute
from gnet.explain.belief import belief
from gnet.explain.recording import Recording, record
from gnet.network.config import TRAINED, UNTRAINED
from gnet.network.header import read_header
from gnet.network.info import ModelInfo, Preprocessing, Sureness
from gnet.network.model import GoogLeNet
from gnet.network.weights import load, save
from gnet.studies.model_card import CALIBRATED, card_of, source_of, write
from support.folders import zipped
from support.networks import network
from support.pages import photo

CLASSES = ("cat", "tea cup")
SURE = Sureness(score="energy", threshold=1.5, false_alarms=0.04, detected=0.6)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    names = [
        f"{split}/{name}/tin{number}.jpg"
        for split, count in {"train": 40, "val": 15}.items()
        for name in ("cat", "tea_cup")
        for number in range(count)
    ]
    files = {name: photo(48, 40, seed) for seed, name in enumerate(names)}
    return zipped(tmp_path_factory.mktemp("data") / "two.zip", files)


def small() -> GoogLeNet:
    model = network("batch-norm", num_classes=2)
    with torch.no_grad():
        model.fc.weight.mul_(30)  # beliefs that differ
    model.info = ModelInfo(
        classes=CLASSES,
        preprocessing=Preprocessing(size=32),
        heads={"main": TRAINED, "aux1": TRAINED, "aux2": UNTRAINED},
    )
    return model


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    return save(small(), tmp_path_factory.mktemp("weights") / "two.safetensors", half=True)


@pytest.fixture(scope="module")
def report(weights, data) -> Report:
    return calibrate(load(weights), data, each=6)


def test_temperature_and_thresholds_come_from_the_tune_part_alone(report, weights, data):
    model = load(weights)
    tune = evaluate(model, open_dataset(data, "tune", size=32), model.info.preprocessing)
    assert report.counts["tune"] == len(tune.labels) == 4 and report.counts["val"] == 30
    assert list(report.heads) == ["main", "aux1"], "aux2 is untrained"
    for head, row in report.heads.items():
        expected = fit_temperature(tune.logits[head], tune.labels)
        assert row.temperature == pytest.approx(expected, rel=1e-3)
        lowest = tune.logits[head].logsumexp(1).min()  # 5 % of four pictures is none
        assert row.scores["energy"].threshold == pytest.approx(float(lowest), rel=1e-3)


def test_the_report_tells_what_stays_below_the_threshold(report, weights, data):
    model = load(weights)
    val = evaluate(model, open_dataset(data, "val", size=32), model.info.preprocessing)
    row = report.heads["main"]
    for name, values in {
        "energy": val.logits["main"].logsumexp(1),
        "maximum logit": val.logits["main"].amax(1),
    }.items():
        found = row.scores[name]
        alarms = sum(value < found.threshold for value in values.tolist()) / 30
        assert found.false_alarms == pytest.approx(alarms, abs=0.04)  # one picture at the edge
        each = [found.detected[kind] * count for kind, count in report.outside.items()]
        assert found.detected[ALL] == pytest.approx(sum(each) / sum(report.outside.values()))
        assert set(found.auroc) == {*report.outside, ALL}
    assert sum(bin.count for bin in row.bins) == 30
    assert report.chosen_by[report.score] == max(report.chosen_by.values())


def test_the_report_counts_how_many_get_a_class_and_a_wrong_one(report, weights, data):
    model = load(weights)
    val = evaluate(model, open_dataset(data, "val", size=32), model.info.preprocessing)
    row = report.heads["main"]
    shown = (val.logits["main"].double() / row.temperature).softmax(1)
    given = shown.amax(1) >= row.certain
    wrong = given & (shown.argmax(1) != val.labels)
    assert row.given == pytest.approx(given.double().mean().item(), abs=0.04)
    assert row.given_wrong == pytest.approx(wrong.double().mean().item(), abs=0.04)
    assert report.applied_to(model.info).sure["main"].certain == row.certain


def test_photos_are_divided_between_choosing_and_reporting(data, weights, tmp_path):
    for number in range(5):
        (tmp_path / "fruit").mkdir(exist_ok=True)
        (tmp_path / "fruit" / f"{number}.jpg").write_bytes(photo(64, 64, number))
    report = calibrate(load(weights), data, each=2, photos=tmp_path)
    assert report.outside["fruit"] == 2 and report.counts["outside"] == 3 + 6 * 2


def test_weights_keep_their_values_and_get_a_new_header(report, weights, tmp_path):
    out = tmp_path / "out.safetensors"
    before = load(weights)
    written = write(report, weights, before.info, out)
    assert written == [out, tmp_path / "out.md"]
    old, new = load_file(weights), load_file(out)
    assert old.keys() == new.keys()
    assert all(torch.equal(old[n], new[n]) and old[n].dtype == new[n].dtype for n in old)
    after = load(out)
    assert after.info.digest == before.info.digest and after.config == before.config
    told = replace(after.info, temperatures={}, sure={})
    assert told == before.info
    main_head = report.heads["main"]
    assert after.info.temperatures["main"] == main_head.temperature
    assert after.info.sure["main"].threshold == main_head.scores[report.score].threshold
    assert after.info.sure["main"].detected == main_head.scores[report.score].detected[ALL]
    assert write(report, out, after.info, out)[0] == out, "in place, too"
    assert load(out).info == after.info


def test_the_card_is_written_between_its_marks_and_refused_without(report, weights, tmp_path):
    out, card = tmp_path / "out.safetensors", tmp_path / "out.md"
    begin, end = CALIBRATED
    card.write_text(f"# Mine\n\n{begin}\nstale\n{end}\nafter\n", encoding="utf-8")
    write(report, weights, load(weights).info, out)
    text = card.read_text(encoding="utf-8")
    assert text.startswith("# Mine\n\n") and text.endswith(f"{CALIBRATED[1]}\nafter\n")
    assert "stale" not in text and report.score in text
    row = report.heads["main"]
    assert f"| main | {row.temperature:.3f} | {100 * row.ece_before:.1f} % |" in text
    assert text.count("\n| ") > 12
    card.write_text("# No marks\n", encoding="utf-8")
    with pytest.raises(GnetError, match="has no marks"):
        card_of(out)


def test_the_header_survives_json_and_old_files_have_none():
    info = ModelInfo(temperatures={"main": 1.25}, sure={"main": SURE})
    assert ModelInfo.from_json(json.loads(json.dumps(info.to_json()))) == info
    plain = info.to_json()
    del plain["temperatures"], plain["sure"]
    assert ModelInfo.from_json(plain) == ModelInfo()


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperatures": {"main": 0}},
        {"temperatures": {"main": float("inf")}},
        {"temperatures": {"main": "warm"}},
        {"temperatures": {"side": 1.0}},
        {"temperatures": [1.0]},
        {"sure": {"main": {"score": "energy"}}},
        {"sure": {"main": vars(SURE) | {"score": "entropy"}}},
        {"sure": {"main": vars(SURE) | {"threshold": float("nan")}}},
        {"sure": {"main": vars(SURE) | {"detected": 60}}},
        {"sure": {"main": vars(SURE) | {"certain": -1}}},
        {"sure": {"side": vars(SURE)}},
        {"sure": {"main": 0.5}},
    ],
)
def test_a_header_of_another_make_is_a_sentence(wrong):
    with pytest.raises(GnetError, match="malformed"):
        ModelInfo.from_json(wrong)


def pixels() -> torch.Tensor:
    return torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_belief_is_shown_with_the_temperature_but_logits_and_attribution_without():
    plain, warm = small(), small()
    warm.info = replace(warm.info, temperatures={"main": 3.0})
    one, other = record(plain, pixels()), record(warm, pixels())
    assert torch.equal(one.logits["main"], other.logits["main"])
    expected = (one.logits["main"].double() / 3).softmax(0)
    believed = belief(other).heads["main"]
    assert believed.probabilities == pytest.approx(expected.tolist())
    assert believed.top == belief(one).heads["main"].top
    assert belief(other).heads["aux1"] == belief(one).heads["aux1"], "at temperature 1"
    whys = [attribute(m, pixels(), method="saliency", head="main", target=1) for m in (plain, warm)]
    assert whys[0].score == whys[1].score and torch.equal(whys[0].map, whys[1].map)


def test_a_head_is_sure_from_its_threshold_on_and_says_nothing_without_one(tmp_path):
    model = small()
    energy = float(record(model, pixels()).logits["main"].double().logsumexp(0))
    for threshold, sure in ((energy, True), (energy + 1e-9, False)):
        model.info = replace(model.info, sure={"main": replace(SURE, threshold=threshold)})
        recording = record(model, pixels())
        held = belief(recording).heads
        assert held["main"].sure is sure and held["main"].familiarity == pytest.approx(energy)
        assert held["aux1"].sure is None and held["aux1"].familiarity is None
        recording.save(tmp_path / "kept.safetensors")
        assert belief(Recording.load(tmp_path / "kept.safetensors")) == belief(recording)


def test_a_head_that_is_sure_is_certain_of_a_class_from_its_probability_on():
    model = small()
    shown = float(record(model, pixels()).logits["main"].double().softmax(0).max())
    known = replace(SURE, score="maximum probability", threshold=0.0)
    for threshold, certain in ((shown - 1e-9, True), (min(1.0, shown + 1e-9), shown >= 1)):
        model.info = replace(model.info, sure={"main": replace(known, certain=threshold)})
        assert belief(record(model, pixels())).heads["main"].certain is certain
    model.info = replace(model.info, sure={"main": replace(known, threshold=1.5)})
    assert belief(record(model, pixels())).heads["main"].certain is False, "not even sure"


def test_networks_that_cannot_be_calibrated_are_refused(data):
    rectified = network("batch-norm", num_classes=2, rectified_outputs=True)
    with pytest.raises(GnetError, match="only logits can be calibrated"):
        calibrate(rectified, data)
    with pytest.raises(GnetError, match="No head of this network is trained"):
        calibrate(network("batch-norm", num_classes=2), data)
    with pytest.raises(GnetError, match="imagenet was given; allowed are everyday and"):
        source_of("imagenet")


def test_the_commands_calibrate_predict_and_evaluate_agree(weights, data, tmp_path, capsys):
    out, picture = tmp_path / "out.safetensors", tmp_path / "photo.jpg"
    picture.write_bytes(photo(48, 40, 7))

    def ask(*arguments: object):
        assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    said = ask(*("calibrate", "--weights", weights), *("--data", data, "--each", 3, "--out", out))
    assert said["files"] == [str(out), str(tmp_path / "out.md")]
    info = read_header(out)[1]
    assert said["heads"]["main"]["temperature"] == info.temperatures["main"]
    assert ask("predict", picture, "--weights", weights)["sure"] == dict.fromkeys(
        ("main", "aux1", "aux2")
    )
    sure = ask("predict", picture, "--weights", out)["sure"]
    assert list(sure) == ["main", "aux1", "aux2"]
    families = ask("predict", picture, "--weights", out)["families"]
    assert families == {"main": {}, "aux1": {}}  # nobody has sorted the classes
    assert sure["aux2"] is None and {type(sure[head]) for head in ("main", "aux1")} == {bool}
    errors = ask("evaluate", "--weights", out, "--data", data)["calibration"]["main"]
    assert errors["temperature"] == info.temperatures["main"]
    assert errors["ece_after"] == pytest.approx(said["heads"]["main"]["ece_after"], abs=1e-3)
    assert errors["ece_before"] == pytest.approx(said["heads"]["main"]["ece_before"], abs=1e-3)


def test_predict_says_not_sure_in_words(weights, tmp_path, capsys):
    model = load(weights)
    model.info = replace(model.info, sure={"main": replace(SURE, threshold=1e6)})
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(photo(48, 40, 7))
    doubting = save(model, tmp_path / "doubting.safetensors")
    assert main(["predict", str(picture), "--weights", str(doubting)]) == 0
    text = capsys.readouterr().out
    assert f"main  ({TRAINED})  not sure; nearest is " in text
    assert f"aux1  ({TRAINED})" in text


def test_the_calibrate_command_refuses_a_card_without_marks_before_it_reads_a_picture(
    weights, tmp_path, capsys
):
    (tmp_path / "out.md").write_text("# No marks\n", encoding="utf-8")
    out = tmp_path / "out.safetensors"
    arguments = ["calibrate", "--weights", weights, "--data", "nowhere.zip", "--out", out]
    assert main([str(argument) for argument in arguments]) == 2
    assert CALIBRATED[0] in capsys.readouterr().err
