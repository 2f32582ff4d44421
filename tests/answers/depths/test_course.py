"""Belief from depth to depth, as it travels to the page: probes, heads, and the story in words."""

from dataclasses import replace

import pytest
import torch

from gnet.answers import explorer as explorer
from gnet.answers.depths.course import describe_course, describe_probes, describe_story
from gnet.explain.probes import Course, Probe, Probes, Reading, find_probes
from gnet.explain.recording import record
from gnet.network.config import HEADS, PROBE, STAGES, TRAINED, UNTRAINED
from gnet.network.info import Sureness
from gnet.network.weights import BUNDLED
from support.pages import photo, random_network


def drawn() -> Probes:
    model = random_network()
    random = torch.Generator().manual_seed(1)
    return Probes(
        digest=model.info.digest,
        probes={
            stage: Probe(
                weight=torch.randn(12, module.widths.total, generator=random),
                bias=torch.zeros(12),
            )
            for stage, module in model.inceptions().items()
        },
        metrics={"stages": {"3a": {"top1": 0.4}}},
    )


def test_what_travels_to_the_page_is_what_the_probes_say() -> None:
    model = random_network()
    seen = record(model, torch.rand(1, 3, 64, 64))
    told = describe_course(drawn(), seen)
    assert list(told["stages"]) == list(STAGES)
    for stage in STAGES:
        fractions = told["stages"][stage]["probabilities"]
        assert len(fractions) == 12 and sum(fractions) == pytest.approx(1, abs=0.01)
        assert told["stages"][stage]["top"][0] == fractions.index(max(fractions))
    assert describe_course(None, seen)["stages"] == {} and describe_probes(None) is None
    shown = describe_probes(drawn())
    assert shown is not None and shown["status"] == PROBE
    assert shown["top1"] == {stage: 0.4 if stage == "3a" else None for stage in STAGES}


def test_a_lab_uses_probes_of_its_own_weights_only(tmp_path, monkeypatch) -> None:
    path = drawn().save(tmp_path / "p.safetensors")
    monkeypatch.setattr(explorer, "find_probes", lambda digest: find_probes(digest, path))
    model = random_network()
    chosen = tmp_path / "photo.jpg"
    chosen.write_bytes(photo(80, 60))
    picture = explorer.Chosen(path=chosen, name="photo")
    with_probes = explorer.Explorer(model)
    shown = with_probes.network["probes"]
    assert shown is not None and shown["status"] == PROBE
    assert list(with_probes.explore(picture)["depth"]["stages"]) == list(STAGES)
    model.info = replace(model.info, digest="of other weights")
    without = explorer.Explorer(model)
    assert without.network["probes"] is None and without.explore(picture)["depth"]["stages"] == {}


def told(
    says: list[int],
    heads: list[int],
    trained: tuple[str, ...] = HEADS,
    unsure: tuple[str, ...] = (),
) -> dict:
    """The stories where the probes say the classes `says`, and the heads those of `heads`."""
    seen = record(random_network(), torch.rand(1, 3, 64, 64))
    logits = {head: 9 * torch.eye(12)[c] for head, c in zip(HEADS, heads, strict=True)}
    names = tuple(f"class {index}" for index in range(12))
    status = {head: TRAINED if head in trained else UNTRAINED for head in HEADS}
    seen = replace(seen, logits=logits, heads=status, classes=names, temperatures={})
    never = Sureness(score="maximum probability", threshold=2.0, false_alarms=1.0, detected=1.0)
    seen = replace(seen, sure=dict.fromkeys(unsure, never))
    readings = {
        stage: Reading(probabilities=tuple(torch.eye(12)[c].tolist()), entropy=0.0, top=(c,))
        for stage, c in zip(STAGES, says, strict=False)
    }
    return describe_story(Course(readings=readings, answer=0, first=None, settled=None), seen)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ([5] * 9, "Every probe says class 5, from 3a to 5b."),
        ([3, 4, 4, 5, 5, 5, 5, 5, 5], "The probes say class 5 from 4b on."),
        ([3, 4, 4, 4, 4, 4, 4, 4, 5], "Only the last probe, at 5b, says class 5."),
        (
            [3, 4, 4, 5, 4, 5, 5, 5, 5],
            "The probes say class 5 first at 4b, and steadily from 4d on.",
        ),
        ([3, 5, 4, 4, 4, 4, 4, 4, 5], "The probes say class 5 first at 3b, and again only at 5b."),
        ([3, 5, 4, 4, 4, 4, 4, 4, 4], "The probe at 3b says class 5, but the one at 5b class 4."),
        ([3, 4, 4, 4, 4, 4, 4, 4, 4], "No probe says class 5; at 5b it is class 4."),
    ],
)
def test_the_story_says_how_the_probes_come_to_a_class(says: list[int], words: str) -> None:
    stories = told(says, [5, 5, 5])
    it = "class 5" if says[-1] != 5 else "it"
    assert stories["classes"]["5"] == f"{words} All three heads put {it} first."
    assert stories["others"].startswith("No probe says {class}; ")
    assert stories["others"].endswith("No head puts {class} first.")


@pytest.mark.parametrize(
    ("heads", "trained", "words"),
    [
        ([5, 4, 5], HEADS, "aux1 and main put it first."),
        ([5, 4, 4], HEADS, "Of the heads, only aux1 puts it first."),
        ([5, 4, 5], ("main",), "main puts it first."),
        ([5, 4, 5], ("main", "aux1"), "Both heads put it first."),
        ([5, 5, 5], (), "No head of this network is trained."),
    ],
)
def test_the_story_says_which_heads_agree(heads, trained, words: str) -> None:
    stories = told([5] * 9, heads, trained)
    assert stories["classes"]["5"] == f"Every probe says class 5, from 3a to 5b. {words}"


@pytest.mark.parametrize(
    ("heads", "unsure", "words"),
    [
        ([5, 4, 5], ("aux1",), "aux1 and main put it first, aux1 without being sure."),
        ([5, 5, 5], ("main",), "All three heads put it first, main without being sure."),
        ([5, 4, 5], ("aux2",), "aux1 and main put it first."),
        ([5, 4, 4], ("aux1",), "Of the heads, only aux1 puts it first, without being sure."),
    ],
)
def test_the_story_says_which_heads_are_not_sure(heads, unsure, words: str) -> None:
    assert told([5] * 9, heads, unsure=unsure)["classes"]["5"].endswith(f"to 5b. {words}")


def test_without_probes_the_story_is_the_heads() -> None:
    story = describe_course(None, record(random_network(), torch.rand(1, 3, 64, 64)))["story"]
    assert story["others"].startswith("Probes exist only for the bundled network; only the three ")
    assert story["others"].endswith("No head puts {class} first.")


@pytest.mark.parametrize(
    ("trained", "words"),
    [(("main",), "only main is shown."), (("aux1", "main"), "only aux1 and main are shown.")],
)
def test_without_probes_only_trained_heads_are_shown(trained, words: str) -> None:
    heads = {head: UNTRAINED for head in HEADS if head not in trained}
    story = describe_course(None, record(random_network(64, **heads), torch.rand(1, 3, 64, 64)))
    assert words in story["story"]["others"]


def test_shipped_probes_belong_to_the_bundled_weights_and_are_small() -> None:
    from gnet.explain.probes import SHIPPED, load_probes
    from gnet.network.weights import load

    if not (SHIPPED.is_file() and BUNDLED.is_file()):
        pytest.skip("no probes are shipped")
    probes = load_probes(SHIPPED)
    assert probes.digest == load().info.digest
    assert list(probes.probes) == list(STAGES)
    assert SHIPPED.stat().st_size < 2_000_000
