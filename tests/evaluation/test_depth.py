"""Belief at depth over many pictures, against the same counted picture by picture."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gnet.data.batches import in_order
from gnet.data.datasets import Dataset, open_dataset
from gnet.errors import GnetError
from gnet.evaluation.depth import Depth, measure_depth, only_sources
from gnet.evaluation.exits import THRESHOLDS
from gnet.evaluation.review import Review, review
from gnet.explain.probes import Probe, Probes
from gnet.explain.recording import record
from gnet.network.config import EXITS, HEADS, PROBE, STAGES, TRAINED, UNTRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from support.networks import network

SEEN = Preprocessing(size=32)


@pytest.fixture(scope="module")
def patterns() -> Dataset:
    return open_dataset("built-in", "val", per_class=4, size=32)


@pytest.fixture(scope="module")
def model(patterns: Dataset) -> GoogLeNet:
    made = network("batch-norm", num_classes=10)
    with torch.no_grad():  # so that answers differ, and some are sure
        for name in ("fc", "aux1.fc2", "aux2.fc2"):
            made.get_parameter(f"{name}.weight").mul_(20)
    heads: dict[str, str] = dict.fromkeys(HEADS, TRAINED)
    made.info = ModelInfo(
        classes=patterns.classes, heads=heads, preprocessing=SEEN, digest="of these weights"
    )
    return made


@pytest.fixture(scope="module")
def probes(model: GoogLeNet) -> Probes:
    torch.manual_seed(1)
    widths = {stage: module.widths.total for stage, module in model.inceptions().items()}
    drawn = {s: Probe(weight=torch.randn(10, w), bias=torch.randn(10)) for s, w in widths.items()}
    return Probes(digest="of these weights", probes=drawn)


@pytest.fixture(scope="module")
def made(model: GoogLeNet, patterns: Dataset) -> Review:
    return review(model, patterns, SEEN)


@pytest.fixture(scope="module")
def depth(model: GoogLeNet, patterns: Dataset, made: Review, probes: Probes) -> Depth:
    return measure_depth(model, patterns, made, probes, data="patterns", rounds=1)


def answers(model: GoogLeNet, patterns: Dataset, probes: Probes) -> list[dict[str, torch.Tensor]]:
    """For each picture, recorded by itself: reader → probabilities (classes,)."""
    read = []
    for pixels, _ in in_order(patterns, SEEN, batch=1):
        recording = record(model, pixels.float() / 255)
        means = {s: recording.outputs[s].mean((-2, -1)).flatten() for s in STAGES}
        found = {s: probe(means[s][None])[0].softmax(0) for s, probe in probes.probes.items()}
        found |= {head: recording.logits[head].flatten().softmax(0) for head in HEADS}
        read.append(found)
    return read


def test_it_counts_what_each_reader_answers_picture_by_picture(
    depth: Depth, model: GoogLeNet, patterns: Dataset, probes: Probes
) -> None:
    read = answers(model, patterns, probes)
    labels = patterns.labels.tolist()
    names = [reader.name for reader in depth.readers]
    assert names == [n for s in STAGES for n in (s, *(h for h in HEADS if EXITS[h] == s))]
    for place, reader in enumerate(depth.readers):
        said = [one[reader.name] for one in read]
        right = [int(p.argmax()) == label for p, label in zip(said, labels, strict=True)]
        assert reader.top1 == pytest.approx(sum(right) / len(right))
        assert reader.status == (TRAINED if reader.name in HEADS else PROBE)
        course = [float(p[0]) for p, label in zip(said, labels, strict=True) if label == 0]
        assert depth.courses[0] is not None
        assert depth.courses[0][place] == pytest.approx(sum(course) / len(course), abs=1e-4)
        same = [int(p.argmax()) == int(q["main"].argmax()) for p, q in zip(said, read, strict=True)]
        assert depth.agreement[place][names.index("main")] == pytest.approx(sum(same) / len(same))
    assert sum(depth.counts) == depth.count == len(labels)


def test_the_gallery_holds_what_an_early_head_gets_right_and_the_last_one_wrong(
    depth: Depth, made: Review
) -> None:
    early = made.right("aux1") | made.right("aux2")
    expected = {at for at in range(len(made)) if early[at] and not made.right("main")[at]}
    assert expected and set(depth.gallery) == expected
    sure = [float(made.heads["main"].confidence[at]) for at in depth.gallery]
    assert sure == sorted(sure, reverse=True)
    assert depth.earlier["aux1"] == int((made.right("aux1") & ~made.right("main")).sum())
    assert depth.later["aux1"] == int((~made.right("aux1") & made.right("main")).sum())


def test_pictures_leave_at_the_first_head_that_is_sure(depth: Depth, made: Review) -> None:
    assert [rule.threshold for rule in depth.rules] == list(THRESHOLDS)
    for rule in depth.rules[::25]:
        left = {head: [] for head in HEADS}
        for at in range(len(made)):
            sure = (h for h in HEADS[:-1] if made.heads[h].confidence[at] >= rule.threshold)
            head = next(sure, "main")
            left[head].append(bool(made.right(head)[at]))
        count = len(made)
        assert rule.leaving == pytest.approx({h: len(rights) / count for h, rights in left.items()})
        assert rule.top1 == pytest.approx(sum(map(sum, left.values())) / count)
        spent = sum(len(left[h]) * depth.costs[h].macs_reached for h in HEADS) / count
        assert rule.macs == pytest.approx(spent)


def test_an_untrained_head_and_missing_probes_are_left_out(
    model: GoogLeNet, patterns: Dataset, made: Review
) -> None:
    alone = replace(made, heads={"main": made.heads["main"]}, untrained=("aux1", "aux2"))
    found = measure_depth(model, patterns, alone, None, data="patterns", rounds=1)
    assert [reader.name for reader in found.readers] == ["main"]
    assert (found.rules, found.gallery, found.earlier) == ((), (), {})
    cost = found.costs["main"]
    assert cost.macs == cost.macs_reached, "a head nobody trained costs nothing"
    assert UNTRAINED not in {reader.status for reader in found.readers}


def test_what_is_handed_on_shows_only_pictures_of_the_sources_named(
    depth: Depth, made: Review, patterns: Dataset
) -> None:
    marked = replace(patterns, sources=tuple("ab"[at % 2] for at in range(len(patterns))))
    kept, shown = only_sources(depth, made, marked, ["b"])
    expected = [at for at in depth.gallery if at % 2]
    assert kept.gallery == tuple(range(len(expected))) and len(shown) == len(expected)
    assert shown.pictures == tuple(made.pictures[at] for at in expected)
    assert shown.labels.tolist() == [int(made.labels[at]) for at in expected]
    assert kept.readers == depth.readers


def test_its_file_comes_back_and_any_other_is_refused(depth: Depth, tmp_path: Path) -> None:
    path = depth.save(tmp_path / "depth.json")
    assert Depth.read(path) == depth
    whole = path.read_text()
    for text in ("", "[]", "{}", whole[:-9], whole.replace("gnet depth 1", "gnet depth 0")):
        path.write_text(text)
        with pytest.raises(GnetError, match="is not readable"):
            Depth.read(path)
