"""Leaving early: the rule against a plain loop, costs against the live network, the command."""

import itertools
import json

import pytest
import torch

from gnet.commands.main import main
from gnet.data.datasets import open_dataset
from gnet.errors import GnetError
from gnet.evaluation.accuracy import Evaluation
from gnet.evaluation.exits import (
    FORMAT,
    THRESHOLDS,
    Exit,
    Rule,
    apply_rules,
    choose,
    measure_exits,
    measure_times,
    multiply_adds,
)
from gnet.figures.exits import exits_figure, exits_table
from gnet.figures.sheet import to_bytes
from gnet.network.config import EXITS, HEADS, TRAINED, UNTRAINED
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.weights import save
from support.networks import network


def evaluated(count: int, seed: int) -> Evaluation:
    """Heads that are right more or less often."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 6, (count,), generator=random)
    truth = torch.nn.functional.one_hot(labels, 6).float()
    logits = {
        head: torch.randn(count, 6, generator=random) + gain * truth
        for head, gain in zip(HEADS, (1.0, 2.0, 3.0), strict=True)
    }
    return Evaluation(logits=logits, labels=labels, sources=("x",) * count)


def exit_at(head: str, place: int) -> Exit:
    return Exit(
        head=head,
        stage=EXITS[head],
        top1=0.5 + 0.1 * place,
        top5=0.9,
        sources_mean=0.5,
        temperature=(1.5, 0.7, 1.2)[place],
        macs=(100, 200, 300)[place],
        macs_reached=(100, 210, 320)[place],
        milliseconds=float(place + 1),
        milliseconds_reached=(1.0, 2.5, 4.0)[place],
    )


PLACES = tuple(exit_at(head, place) for place, head in enumerate(HEADS))
REPORTED, TUNE = evaluated(150, 1), evaluated(80, 2)
RULES = apply_rules(REPORTED, TUNE, PLACES)


@pytest.mark.parametrize("threshold", [0.0, 0.37, 0.6, 0.9, 0.99, 1.0])
def test_the_rule_is_that_of_a_plain_loop(threshold):
    left: dict[str, int] = dict.fromkeys(HEADS, 0)
    right: dict[str, int] = dict.fromkeys(HEADS, 0)
    macs = milliseconds = 0.0
    for index, label in enumerate(REPORTED.labels.tolist()):
        for place in PLACES:
            believed = (REPORTED.logits[place.head][index].double() / place.temperature).softmax(0)
            if believed.max() >= threshold or place.head == "main":
                left[place.head] += 1
                right[place.head] += int(believed.argmax()) == label
                macs += place.macs_reached
                milliseconds += place.milliseconds_reached
                break
    rule = next(rule for rule in RULES if rule.threshold == threshold)
    count = len(REPORTED.labels)
    assert rule.top1 == pytest.approx(sum(right.values()) / count)
    assert rule.leaving == pytest.approx({head: n / count for head, n in left.items()})
    assert rule.macs == pytest.approx(macs / count)
    assert rule.milliseconds == pytest.approx(milliseconds / count)
    for head, n in left.items():
        assert rule.right[head] == (pytest.approx(right[head] / n) if n else None)


def test_a_threshold_of_nothing_sends_everybody_out_at_once():
    first = RULES[0]
    assert first.threshold == 0 and first.leaving["aux1"] == 1
    assert first.top1 == pytest.approx(REPORTED.accuracy()["aux1"])
    assert first.macs == PLACES[0].macs


def test_higher_thresholds_keep_pictures_longer():
    assert tuple(rule.threshold for rule in RULES) == THRESHOLDS
    stays = [rule.leaving["main"] for rule in RULES]
    early = [rule.leaving["aux1"] for rule in RULES]
    assert stays == sorted(stays) and early == sorted(early, reverse=True)


def rule(threshold: float, tune_top1: float) -> Rule:
    shares: dict[str, float] = dict.fromkeys(HEADS, 1 / 3)
    return Rule(
        threshold=threshold,
        top1=0.0,
        tune_top1=tune_top1,
        leaving=shares,
        right=dict.fromkeys(HEADS),
        macs=0.0,
        milliseconds=0.0,
    )


def test_the_threshold_chosen_is_the_lowest_from_which_on_nothing_is_lost():
    lucky = tuple(
        rule(at, top1)
        for at, top1 in [(0.0, 0.6), (0.2, 0.7), (0.4, 0.68), (0.6, 0.695), (0.8, 0.7), (1.0, 0.7)]
    )
    assert choose(lucky, 0.7) == {"no loss": 0.8, "one point less": 0.6}
    assert choose((rule(0.5, 0.1), rule(1.0, 0.2)), 0.9) == {}


def test_thresholds_are_chosen_without_a_look_at_the_pictures_reported():
    other = apply_rules(evaluated(150, 9), TUNE, PLACES)
    whole = TUNE.accuracy()["main"]
    assert choose(other, whole) == choose(RULES, whole) != {}


def test_multiply_adds_are_those_of_the_layers_that_run():
    model = network("batch-norm")
    counted = multiply_adds(model, 64)
    for (head, asked), macs in counted.items():
        total = 0

        def count(module, _, output):
            nonlocal total
            positions = output[0, 0].numel() if output.dim() == 4 else 1
            total += module.weight.numel() * positions

        layers = (torch.nn.Conv2d, torch.nn.Linear)
        hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, layers)]
        heads = HEADS[: HEADS.index(head) + 1] if asked else (head,)
        with torch.no_grad():
            model.run(torch.zeros(1, 3, 64, 64), heads)
        for hook in hooks:
            hook.remove()
        assert macs == total
    assert counted["aux1", False] == counted["aux1", True]
    assert counted["main", False] < counted["main", True]


def test_times_are_taken_of_every_way():
    times = measure_times(network("batch-norm"), 32, rounds=1)
    assert set(times) == {(head, asked) for head in HEADS for asked in (False, True)}
    assert all(0 < milliseconds < 60_000 for milliseconds in times.values())


def claimed(classes: tuple[str, ...] = (), **info):
    model = network("batch-norm", num_classes=10)
    heads = dict.fromkeys(HEADS, TRAINED) | info.pop("heads", {})
    model.info = ModelInfo(
        classes=classes, preprocessing=Preprocessing(size=32), heads=heads, digest="own", **info
    )
    return model


def test_the_heads_own_temperatures_hold_where_they_have_some():
    found = measure_exits(claimed(temperatures={"aux1": 3.25}), "built-in", rounds=1)
    kept = {each.head: each.temperature for each in found.exits}
    assert kept["aux1"] == 3.25 and kept["main"] != 1.0
    assert found.count == 500 and found.digest == "own"
    assert found.rule(1.0).top1 == pytest.approx(found.exits[-1].top1, abs=0.01)


def test_a_network_with_an_untrained_head_is_refused():
    with pytest.raises(GnetError, match="trained heads of this network are aux2 and main; leaving"):
        measure_exits(claimed(heads={"aux1": UNTRAINED}), "built-in")
    bare = network("batch-norm", aux=False)
    with pytest.raises(GnetError, match="leaving early needs all three"):
        measure_exits(bare, "built-in")


def test_the_command_writes_data_a_figure_and_the_cards_table(tmp_path, capsys):
    classes = open_dataset("built-in", "val", per_class=1).classes
    weights = save(claimed(classes), tmp_path / "w.safetensors")
    card = tmp_path / "w.md"
    card.write_text("text\n<!-- exits: written by `python -m gnet exits` -->\n<!-- /exits -->\n")
    out = tmp_path / "w-exits.json"
    given = ["exits", "--data", "built-in", "--weights", str(weights), "--out", str(out)]
    assert main([*given, "--card", str(card), "--json"]) == 0
    record = json.loads(out.read_text())
    assert record == json.loads(capsys.readouterr().out) and record["format"] == FORMAT
    assert [row["head"] for row in record["exits"]] == list(HEADS)
    assert len(record["rules"]) == len(THRESHOLDS)
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    text = card.read_text()
    assert (
        text.startswith("text\n")
        and "| aux1, at 4a |" in text
        and "threads, " in text.replace("thread,", "threads,")
    )


def test_the_table_and_the_figure_show_the_rules():
    from gnet.evaluation.exits import Exits

    found = Exits(
        digest="",
        data="x.zip",
        split="val",
        count=150,
        size=128,
        machine={"threads": 1, "capability": "AVX2", "torch": "2"},
        exits=PLACES,
        rules=RULES,
        chosen={"no loss": 0.9, "one point less": 0.9},
    )
    table = exits_table(found)
    assert "1 thread, AVX2" in table and "| **0.90** (no loss, one point less) |" in table
    assert f"| {100 * found.rule(0.5).top1:.1f} % |" in table
    figure = exits_figure(found)
    assert to_bytes(figure, "svg").count(b"<path") > 10
    figure.canvas.draw()
    written = [text.get_window_extent() for text in figure.axes[0].texts]
    pairs = itertools.combinations(written, 2)
    assert len(written) == 5 and not any(one.overlaps(other) for one, other in pairs)
