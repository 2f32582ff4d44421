"""The examples' answers: made for any network, and the shipped ones true to the bundled weights."""

import base64
import io
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gnet.answers import examples
from gnet.answers.explorer import Explorer
from gnet.data.patterns import CLASSES
from gnet.explain.branches import LABELS
from gnet.network.config import STAGES
from gnet.network.info import ModelInfo, Sureness
from gnet.network.weights import BUNDLED, load
from support.chromium import in_ci
from support.pages import random_network

# Other processors add up in another order.
BYTES, PROBABILITY, PX = 3, 1e-3, 6


@pytest.fixture(scope="module")
def bundled() -> Explorer:
    if not BUNDLED.is_file():
        missing = f"the bundled weights are missing ({BUNDLED.name})"
        pytest.fail(missing) if in_ci() else pytest.skip(missing)
    return Explorer(load())


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return Explorer(random_network())


def test_examples_of_other_weights_are_recorded_again(explorer: Explorer) -> None:
    assert examples.shipped("cat", "another digest") is None
    assert examples.answer(explorer, "cat")["key"] == explorer.view(examples.chosen("cat")).key


def test_an_answer_belongs_to_weights_and_their_calibration_together() -> None:
    info = random_network().info
    warm = replace(info, temperatures={"main": 1.2})
    sure = Sureness(score="energy", threshold=1.0, false_alarms=0.05, detected=0.5)
    family = replace(sure, certain=0.5)
    infos = info, warm, *(replace(warm, sure={"main": one}) for one in (sure, family))
    stamps = {examples.stamp(one) for one in infos}
    assert len(stamps) == 4 and info.digest in stamps


def test_examples_are_built_for_any_network(explorer: Explorer, tmp_path, monkeypatch) -> None:
    model = explorer.model
    few = {name: examples.EXAMPLES[name] for name in ("cat", "clock", "fine-dots")}
    monkeypatch.setattr(examples, "EXAMPLES", few)
    paths = examples.build(model, tmp_path)
    assert [path.stem for path in paths] == list(examples.EXAMPLES)
    record = json.loads(paths[0].read_text(encoding="utf-8"))
    assert record["digest"] == model.info.digest
    assert set(record["answer"]["measured"]) == set(STAGES)
    assert record["answer"]["why"]["stage"] == examples.FIRST_STAGE
    compare(record["answer"], examples.compute(explorer, paths[0].stem))


def test_every_example_has_its_picture_its_credit_and_a_name_of_its_own() -> None:
    credits = (examples.FOLDER / "CREDITS.md").read_text(encoding="utf-8")
    for name in examples.EXAMPLES:
        assert (examples.FOLDER / f"{name}.jpg").is_file()
        assert (
            f"`{name}.jpg`" in credits
            or f"`-{name.split('-')[-1]}.jpg`" in credits
            or (name.endswith("-stripes") and "`coarse-stripes.jpg`" in credits)
        )
    words = [example.words for example in examples.EXAMPLES.values()]
    assert 12 <= len(words) == len(set(words)) <= 16


def test_an_example_says_whether_the_answer_is_right_and_why_it_is_here() -> None:
    info = ModelInfo(classes=("dress", "trousers"))
    trousers = examples.EXAMPLES["trousers"]
    right, wrong = (examples.verdict(trousers, info, first) for first in (1, 0))
    assert right == {"right": True, "sentence": "Right: it is a pair of trousers."}
    assert wrong["right"] is False
    assert wrong["sentence"].startswith(
        "Wrong: it says dress; it is a pair of trousers. It is here"
    )
    unsure = examples.verdict(trousers, info, 0, sure=False)
    assert unsure["right"] is None
    assert unsure["sentence"].startswith("Not sure; nearest is dress. It is a pair of trousers. ")
    assert examples.verdict(trousers, info, 1, sure=False) == right
    clock = examples.verdict(examples.EXAMPLES["clock"], info, 0)
    assert clock["right"] is None and "no class here. The network must choose" in clock["sentence"]
    other = examples.verdict(trousers, ModelInfo(classes=("rings",)), 0)
    assert other["right"] is None and "which is no class here" in other["sentence"]
    pattern = examples.verdict(examples.EXAMPLES["fine-dots"], info, None)
    assert pattern["right"] is None and "Compare the scales" in pattern["sentence"]


def test_a_network_that_learned_patterns_is_not_told_that_it_knows_none() -> None:
    dots = examples.EXAMPLES["fine-dots"]
    knows = examples.verdict(dots, ModelInfo(classes=CLASSES), 0)["sentence"]
    assert knows == "Fine dots. This network learned patterns like it. Compare the scales."
    assert (
        "No class is a pattern"
        in examples.verdict(dots, ModelInfo(classes=("cat",)), 0)["sentence"]
    )


@pytest.mark.parametrize("what", ["stripes", "dots", "crosses"])
@pytest.mark.parametrize("scale", ["fine", "medium", "coarse"])
def test_the_pattern_examples_are_drawn_by_the_program(scale: str, what: str) -> None:
    shipped = Image.open(examples.FOLDER / f"{scale}-{what}.jpg").convert("RGB")
    both = (shipped, examples.draw_pattern(scale, what))
    one, other = (np.asarray(image.resize((60, 60), Image.Resampling.BOX), float) for image in both)
    assert np.abs(one - other).mean() < 8  # noise and JPEG's loss, of 255


@pytest.mark.parametrize("name", examples.EXAMPLES)
def test_shipped_examples_are_what_the_bundled_weights_give(name: str, bundled: Explorer) -> None:
    shipped = examples.shipped(name, examples.stamp(bundled.model.info))
    assert shipped is not None, "other weights: run python -m gnet assets"
    compare(shipped, json.loads(json.dumps(examples.compute(bundled, name))))


@pytest.fixture(scope="module")
def example(explorer: Explorer) -> dict[str, Any]:
    return examples.compute(explorer, "cat")


@pytest.mark.parametrize(
    "path",
    [
        "key",
        "name",
        "picture/box",
        "picture/square",
        "heads/main/probabilities",
        "heads/aux1/top",
        "stages/3a/branches/1x1/map",
        "stages/4b/branches/5x5/top",
        "stages/4b/branches/5x5/field",
        "stages/5b/branches/pool/box",
        "stages/5b/branches/pool/share",
        "measured/3a/3x3",
        "why/map",
        "why/score",
        "limits/maps",
    ],
)
def test_no_field_of_a_shipped_example_may_differ(path: str, example: dict[str, Any]) -> None:
    other = json.loads(json.dumps(example))
    *way, last = path.split("/")
    place = other
    for step in way:
        place = place[step]
    place[last] = changed(place[last])
    with pytest.raises(AssertionError):
        compare(other, example)


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, dict):
        return value | {key: changed(value[key]) for key in ("data", "limit") if key in value}
    if isinstance(value, list):
        return [changed(item) for item in value]
    if isinstance(value, int | float):
        return value + 99
    if value.startswith("data:"):
        return value[:23] + as_webp(255 - read_picture(value))
    data = base64.b64decode(value) if len(value) > 99 else b""
    return base64.b64encode(bytes(255 - byte for byte in data)).decode() or f"{value}!"


def as_webp(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "WEBP", lossless=True)
    return base64.b64encode(file.getvalue()).decode()


def compare(kept: dict[str, Any], made: dict[str, Any]) -> None:
    """Fail unless two answers are the same but for rounding."""
    believed(kept["heads"], made["heads"])
    leaders(kept["stages"])
    alike(kept, made, "")


def believed(kept: dict[str, Any], made: dict[str, Any]) -> None:
    """Classes of nearly equal probability may have changed places."""
    for head in kept.values():
        if "top" in head:
            assert max(head["top"]) < len(head["probabilities"])
            listed = [head["probabilities"][index] for index in head["top"]]
            best = sorted(head["probabilities"], reverse=True)[: len(listed)]
            assert listed == pytest.approx(best, abs=PROBABILITY)
            assert len(set(head["top"])) == len(listed)
    assert {h: len(head.get("top", ())) for h, head in kept.items()} == {
        h: len(head.get("top", ())) for h, head in made.items()
    }


def leaders(kept: dict[str, Any]) -> None:
    """So may branches of nearly equal share."""
    for stage in kept.values():
        shares = {branch: part["share"] for branch, part in stage["branches"].items()}
        leader = next(b for b in shares if f"the {LABELS[b]} branch" in stage["sentence"])
        assert shares[leader] == pytest.approx(max(shares.values()), abs=2e-3)


def alike(kept: Any, made: Any, path: str) -> None:
    """Fail unless two values at `path` of an answer are the same but for rounding."""
    place = path.split("/")
    if path.startswith(("/heads", "/depth")) and place[-1] == "top":
        return  # compared by value
    if path == "/compared":
        return  # two heads may be as sure as each other but for rounding
    if path.startswith(("/heads", "/stages")) and place[-1] == "sentence":
        return  # compared by value
    if place[-1] == "top":
        channels(kept, made, path)
    elif isinstance(made, dict):
        assert set(kept) == set(made), path
        for key in made:
            alike(kept[key], made[key], f"{path}/{key}")
    elif isinstance(made, list | tuple):
        assert len(kept) == len(made), path
        for index, (one, other) in enumerate(zip(kept, made, strict=True)):
            alike(one, other, f"{path}/{index}")
    elif isinstance(made, str) and made.startswith("data:"):
        assert np.abs(read_picture(kept) - read_picture(made)).max() <= BYTES, path
    elif path == "/why/map" or place[-1] == "data":
        assert np.abs(read_bytes(kept) - read_bytes(made)).max() <= BYTES, path
    elif isinstance(made, str):
        assert without_numbers(kept) == without_numbers(made), path
    elif made is None or isinstance(made, bool):
        assert kept is made, path
    elif place[1] == "measured":
        assert kept == pytest.approx(made, abs=PX), path
    else:
        assert kept == pytest.approx(made, abs=PROBABILITY, rel=0.01), path


def channels(kept: list[dict[str, Any]], made: list[dict[str, Any]], path: str) -> None:
    """The strongest channels: those of nearly equal mean may have changed places."""
    means = [top["mean"] for top in made]
    assert [top["mean"] for top in kept] == pytest.approx(means, rel=0.01, abs=1e-4), path
    again = {top["channel"]: top for top in made}
    same = [top for top in kept if top["channel"] in again]
    assert len(same) >= len(made) - 1, path
    for top in same:
        alike(top, again[top["channel"]], f"{path}/{top['channel']}")


def read_bytes(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint8).astype(int)


def read_picture(address: str) -> np.ndarray:
    content = base64.b64decode(address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def without_numbers(text: str) -> str:
    """Words only, but for what has to be equal to the letter: a key."""
    return (
        text if re.fullmatch("[0-9a-f]{64}", text) else re.sub(r"-?[0-9.]+(e-?[0-9]+)?", "0", text)
    )
