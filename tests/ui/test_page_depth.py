"""Belief at nine depths, in a real browser: what is drawn, chosen and followed, and by whom."""

from dataclasses import replace

import pytest
import torch
from playwright.sync_api import expect

from gnet.answers import explorer as explorer
from gnet.answers.depth import describe_course, describe_probes
from gnet.explain.probes import Probe, Probes, find_probes
from gnet.explain.recording import record
from gnet.network.config import PROBE, STAGES
from gnet.network.weights import BUNDLED
from support.pages import PHONE, photo, random_network

GIVE = """(said) => {
  const { network, answer } = gnet.state;
  const stages = Object.keys(network.widths);
  const count = network.classes.length;
  const probes = { status: "probe on frozen features", top1: {} };
  const depth = { answer: said.at(-1), first: stages[said.indexOf(said.at(-1))], stages: {} };
  depth.settled = stages[said.findLastIndex((c) => c !== said.at(-1)) + 1];
  stages.forEach((stage, at) => {
    const probabilities = Array(count).fill(0.2 / (count - 1));
    probabilities[said[at]] = 0.8;
    const others = [...Array(count).keys()].filter((c) => c !== said[at]).slice(0, 4);
    depth.stages[stage] = { probabilities, entropy: 1.25, top: [said[at], ...others] };
    probes.top1[stage] = (at + 1) / 10;
  });
  gnet.arrive({ ...network, probes }, { ...answer, depth });
}"""
SAID = [3, 4, 4, 5, 4, 5, 5, 5, 5]
"""What the nine probes say: class 5 comes up at 4b, is lost, and settles from 4d on."""


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
    assert told is not None and list(told["stages"]) == list(STAGES)
    for stage in STAGES:
        fractions = told["stages"][stage]["probabilities"]
        assert len(fractions) == 12 and sum(fractions) == pytest.approx(1, abs=0.01)
        assert told["stages"][stage]["top"][0] == fractions.index(max(fractions))
    assert describe_course(None, seen) is None and describe_probes(None) is None
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
    assert without.network["probes"] is None and without.explore(picture)["depth"] is None


def test_each_depth_says_what_it_believes_and_who_read_it(visit) -> None:
    viewer = visit()
    page = viewer.page
    page.evaluate(GIVE, SAID)
    depths = page.locator("#depth [data-depth]")
    expect(depths).to_have_count(9)
    expect(page.locator("#depth h2")).to_have_text("Belief at nine depths")
    names = page.evaluate("gnet.state.network.classes")
    for depth, said in zip(depths.all(), SAID, strict=True):
        expect(depth.locator(".guess")).to_have_text(names[said])
        label = depth.get_attribute("aria-label")
        assert (
            f"probe: {names[said]} 80" in label and "(probe on frozen features, right in" in label
        )
    what = "nearest class" if page.evaluate("gnet.doubtful('main')") else "answer"
    assert page.locator("#depth .course").inner_text() == (
        f"The {what}, {names[5]}, becomes the best guess at 4b, is lost again, "
        "and has settled from 4d on."
    )
    expect(page.locator("#depth .plot .dot.probe")).to_have_count(9)
    expect(page.locator("#depth .legend")).to_contain_text("probe on frozen features")
    trained = page.evaluate("gnet.trained()")
    for head in trained:
        expect(page.locator(f"#depth .plot .dot.{head}")).to_have_count(1)
    assert viewer.errors == [] and viewer.strangers == []


def test_a_click_on_a_depth_opens_its_first_five_and_its_module(visit) -> None:
    viewer = visit()
    page = viewer.page
    page.evaluate(GIVE, SAID)
    asked = sum("/queue/join" in url for url in viewer.asked)
    page.locator("#depth [data-depth='4a']").click()
    expect(page.locator("#depth .bars button")).to_have_count(5)
    expect(page.locator("#depth .status")).to_contain_text("probe on frozen features · right in 30")
    expect(page.locator("#diagram [data-stage='4a']")).to_have_attribute("aria-pressed", "true")
    assert "module=4a" in page.url
    page.locator("#depth [data-reader='aux1']").click()
    expect(page.locator("#depth .status")).to_contain_text("trained with the net")
    believed = page.evaluate(
        "gnet.state.answer.heads.aux1.top.map((c) => gnet.state.network.classes[c])"
    )
    assert page.locator("#depth .bars span").all_inner_texts() == believed
    page.locator("#depth [data-depth='4e']").click()
    expect(page.locator("#depth .status")).to_contain_text("probe on frozen features")
    expect(page.locator("#depth [data-reader]")).to_have_count(1)
    page.wait_for_timeout(100)
    # the field is measured once for each module shown: the first one, 4a and 4e
    assert sum("/queue/join" in url for url in viewer.asked) - asked <= 3, (
        "only fields are measured"
    )


def test_a_class_chosen_is_followed_through_the_depths(visit) -> None:
    page = visit().page
    page.evaluate(GIVE, SAID)
    line = page.locator("#depth polyline")

    def heights() -> list[float]:
        return [float(p.split(",")[1]) for p in line.get_attribute("points").split()]

    page.evaluate("gnet.choose({ target: 5 })")
    assert [height < 50 for height in heights()] == [said == 5 for said in SAID]
    page.locator("#depth [data-depth='3a']").click()
    page.locator("#depth .bars [data-class='3']").click()
    assert page.evaluate("gnet.state.target") == 3
    assert [height < 50 for height in heights()] == [said == 3 for said in SAID]
    expect(page.locator("#depth .guess.same")).to_have_count(1)


def test_the_depths_are_walked_with_the_arrow_keys(visit) -> None:
    page = visit("?module=3b").page
    page.evaluate(GIVE, SAID)
    depth = page.locator("#depth .columns")
    expect(depth.locator("[tabindex='0']")).to_have_count(1)
    depth.locator("[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("gnet.state.stage") == "4b"
    assert page.evaluate("document.activeElement.dataset.depth") == "4b"
    page.keyboard.press("End")
    page.keyboard.press("Space")
    assert page.evaluate("gnet.state.stage") == "5b"
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.dataset.depth") == "3a"


def test_a_network_without_probes_shows_its_heads_only(visit) -> None:
    page = visit().page
    page.evaluate(
        "const { network, answer } = gnet.state;"
        "gnet.arrive({ ...network, probes: null }, { ...answer, depth: null });"
    )
    expect(page.locator("#depth .course")).to_contain_text("only the three heads")
    expect(page.locator("#depth .plot .dot.probe")).to_have_count(0)
    expect(page.locator("#depth .plot .dot.main")).to_have_count(1)
    page.locator("#depth [data-depth='3a']").click()
    expect(page.locator("#depth .status")).to_have_text(
        "Neither a head nor a probe reads 3a in this network."
    )
    expect(page.locator("#depth .bars button")).to_have_count(0)


def test_the_depths_fit_a_phone_and_dark_mode(visit) -> None:
    for options in ({"size": PHONE}, {"color_scheme": "dark"}):
        page = visit(**options).page
        page.evaluate(GIVE, SAID)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        card = page.locator("#depth .card").bounding_box()
        for depth in page.locator("#depth [data-depth]").all():
            box = depth.bounding_box()
            assert card["x"] <= box["x"] and box["x"] + box["width"] <= card["x"] + card["width"]
        dot = page.locator("#depth .dot.probe").first.bounding_box()
        plot = page.locator("#depth .plot").first.bounding_box()
        lines = page.locator("#depth .lines").bounding_box()
        assert abs(lines["y"] - plot["y"]) < 2 and abs(lines["height"] - plot["height"]) < 2
        assert abs(dot["x"] + dot["width"] / 2 - plot["x"] - plot["width"] / 2) < 1


def test_shipped_probes_belong_to_the_bundled_weights_and_are_small() -> None:
    from gnet.explain.probes import SHIPPED, load_probes
    from gnet.network.weights import load

    if not (SHIPPED.is_file() and BUNDLED.is_file()):
        pytest.skip("no probes are shipped")
    probes = load_probes(SHIPPED)
    assert probes.digest == load().info.digest
    assert list(probes.probes) == list(STAGES)
    assert SHIPPED.stat().st_size < 2_000_000
