"""A channel opened in the page: its map, patches, grown picture and sum."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import expect

from gnet.answers import channel as channels
from gnet.answers.examples import chosen
from gnet.answers.explorer import Explorer
from gnet.channels.arithmetic import convolution_step
from gnet.channels.index import SHIPPED, Index, index_path, make_index
from gnet.channels.visualization import VisualizationConfig
from gnet.data.gallery import shipped
from gnet.errors import GnetError
from gnet.explain.recording import record
from gnet.network.folding import fold
from gnet.network.model import GoogLeNet
from support.pages import PHONE, random_network

QUICK = VisualizationConfig(size=32, steps=16)


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures grow in a moment and are kept in a folder of the test's own."""
    monkeypatch.setenv("GNET_CACHE", str(tmp_path))
    original = channels.visualizing
    monkeypatch.setattr(
        channels,
        "visualizing",
        lambda model, stage, branch, those: original(model, stage, branch, those, QUICK),
    )


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return Explorer(random_network())


def asked(**changes: Any) -> dict[str, Any]:
    return {"stage": "4b", "branch": "5x5", "channel": 3, "turn": 1} | changes


def test_an_answer_holds_map_sum_and_no_patches_where_nobody_looked(explorer: Explorer) -> None:
    told = channels.open_channel(explorer, chosen("cat"), asked())
    recording = record(explorer.model, explorer.view(chosen("cat")).pixels)
    values = recording.branches["4b"]["5x5"][3]
    assert told["grid"] == list(values.shape)
    assert told["map"]["high"] == pytest.approx(float(values.max()), rel=1e-3, abs=1e-6)
    step = convolution_step(explorer.model, recording, "4b", "5x5", 3)
    assert told["step"]["recorded"] == pytest.approx(step.recorded, rel=1e-3, abs=1e-6)
    assert told["step"]["terms"][0]["name"].startswith("5×5 reduce · channel ")
    assert told["patches"] is None and told["visualization"] is None


def test_patches_come_from_the_index_asked_for(explorer: Explorer) -> None:
    for data, pictures in (
        (SHIPPED, [shipped()[n] for n in range(0, len(shipped().names), 60)]),
        ("mine", None),
    ):
        given = pictures or [shipped()[n] for n in range(5)]
        made = make_index(explorer.model, given, data=data, keep=pictures is None)
        made.save(index_path(made.digest, data))
    told = channels.open_channel(explorer, chosen("cat"), asked(stage="3a"))["patches"]
    assert sorted(told["overs"]) == ["mine", SHIPPED]
    mine = channels.open_channel(explorer, chosen("cat"), asked(stage="3a", over="mine"))["patches"]
    assert (mine["over"], mine["count"], mine["shipped"]) == ("mine", 5, False)
    assert len(mine["values"]) <= 5 and mine["values"] == sorted(mine["values"], reverse=True)
    for found in (told, mine):
        assert found["strip"] is None or found["strip"].startswith("data:image/webp;base64,")
    unknown = channels.open_channel(explorer, chosen("cat"), asked(stage="3a", over="../secret"))
    assert unknown["patches"]["over"] == told["over"]


def test_a_grown_picture_is_kept_and_shown_the_next_time(explorer: Explorer) -> None:
    states = list(channels.grow(explorer, asked()))
    assert [state["step"] for state in states] == [8, 16] and states[0]["turn"] == "1"
    assert all(state["picture"].startswith("data:image/webp") for state in states)
    again = channels.open_channel(explorer, chosen("cat"), asked())
    assert again["visualization"].startswith("data:image/webp")


def test_all_channels_of_a_branch_come_in_three_orders(explorer: Explorer) -> None:
    given = {"stage": "5b", "branch": "3x3", "head": "main", "class_index": 4}
    told = channels.list_channels(explorer, chosen("cat"), given)
    recording = record(explorer.model, explorer.view(chosen("cat")).pixels)
    values = recording.branches["5b"]["3x3"]
    assert len(told["channels"]) == len(values) and told["grid"] == list(values.shape[1:])
    orders = {sort["name"]: sort["order"] for sort in told["sorts"]}
    assert all(sorted(order) == list(range(len(values))) for order in orders.values())
    means = values.mean((1, 2))
    assert orders["response"][0] == int(means.argmax())
    start = len(recording.branches["5b"]["1x1"])
    weights = explorer.model.fc.weight[4][start : start + len(values)]
    assert orders["class"][0] == int((weights * means).argmax())
    assert f"concat {start}" in told["channels"][0]["words"]
    sentences = [sort["sentence"] for sort in told["sorts"]]
    assert "exactly" in sentences[1]
    behind = channels.list_channels(explorer, chosen("cat"), given | {"head": "aux1"})
    assert behind["sorts"][1]["order"] is None
    assert "lies behind aux1" in behind["sorts"][1]["sentence"]


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"stage": "9z"}, "no module '9z'"),
        ({"branch": ["5x5"]}, "no branch"),
        ({"channel": "3"}, "allowed is a whole number"),
        ({"channel": True}, "allowed is a whole number"),
        ({"channel": 10**9}, "allowed are 0 to "),
    ],
)
def test_every_id_is_checked(explorer: Explorer, changes: dict, sentence: str) -> None:
    with pytest.raises(GnetError, match=sentence):
        channels.open_channel(explorer, chosen("cat"), asked(**changes))
    with pytest.raises(GnetError, match=sentence):
        next(channels.grow(explorer, asked(**changes)))
    with pytest.raises(GnetError):
        channels.open_channel(explorer, chosen("cat"), "no record")
    with pytest.raises(GnetError):
        channels.list_channels(explorer, chosen("cat"), None)
    assert channels.not_grown(None)["steps"] == 0


@pytest.fixture(scope="module")
def index(page_model: GoogLeNet) -> Index:
    """Made once, by the served network: it takes longer than all that is done with it."""
    torch.manual_seed(0)
    return make_index(fold(page_model), [shipped()[n] for n in range(0, 590, 50)], data=SHIPPED)


@pytest.fixture
def looked(index: Index) -> None:
    """The index, in the folder of the test's own."""
    index.save(index_path(index.digest, index.data))


def test_a_click_on_a_channel_opens_it_and_escape_closes_it(visit, looked: None) -> None:
    viewer = visit()
    page = viewer.page
    tile = page.locator("#branches [data-branch='3x3'] [data-rank='1']")
    panel = page.locator("#channel .panel")
    expect(panel).to_be_hidden()
    tile.focus()
    page.keyboard.press("Enter")
    expect(panel).to_be_visible()
    number = viewer.state("answer.stages['3a'].branches['3x3'].top[1].channel")
    offset = viewer.state("answer.stages['3a'].branches['3x3'].offset")
    expect(panel.locator("h2")).to_have_text(
        f"3a · channel {number} of 0–127 in 3×3, {offset + number} of 0–255 in the module"
    )
    expect(panel.locator(".ends")).to_have_text(re.compile(r"^min 0 · 0 is black · max [\d.]+$"))
    expect(tile).to_have_attribute("aria-expanded", "true")
    expect(panel.locator(".term")).to_have_count(3)
    expect(panel.locator(".patch").first).to_be_visible()
    expect(panel.locator(".total")).to_contain_text("Value in the network")
    total, recorded = panel.locator(".total").evaluate(
        "(p) => [[...p.querySelectorAll('b')].pop(), p].map((e, i) => "
        "i ? e.textContent.match(/network: (\\S+) ✓$/)[1] : e.textContent)"
    )
    assert total == recorded
    assert f"channel=3x3.{number}" in page.url
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert tile.evaluate("(tile) => tile === document.activeElement")
    assert "channel=" not in page.url
    assert viewer.errors == [] and viewer.strangers == []


def test_an_address_opens_a_channel_and_its_neighbours_follow(visit, looked: None) -> None:
    viewer = visit("?module=3a&channel=1x1.0")
    page = viewer.page
    title = page.locator("#channel h2")
    expect(title).to_have_text("3a · channel 0 of 0–63 in 1×1, 0 of 0–255 in the module")
    expect(page.locator("#channel .term")).to_have_count(3)
    page.locator("#channel [data-walk='1']").click()
    expect(title).to_have_text("3a · channel 1 of 0–63 in 1×1, 1 of 0–255 in the module")
    expect(page.locator("#channel .dim")).to_have_count(0)
    page.locator("#channel [data-close]").click()
    expect(page.locator("#channel .panel")).to_be_hidden()
    wrong = visit("?module=3a&channel=9x9.99999").page
    expect(wrong.locator("#channel .panel")).to_be_hidden()
    assert viewer.errors == []


def test_a_picture_is_grown_on_a_phone_and_can_be_stopped(visit, looked: None) -> None:
    viewer = visit("?module=4b&channel=pool.2", PHONE)
    page = viewer.page
    expect(page.locator("#channel .term")).to_have_count(3)
    bar = page.locator("#channel progress")
    assert bar.evaluate("bar => getComputedStyle(bar).appearance") == "none", (
        "not the browser's own"
    )
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    if page.locator("#channel [data-grow]").is_visible():  # no sheet with this channel is shipped
        page.locator("#channel [data-grow]").click()
        page.evaluate("document.querySelector('#channel [data-stop]').click()")
        expect(page.locator("#channel [data-grow]")).to_be_visible()
        page.locator("#channel [data-grow]").click()
    expect(page.locator("#channel .visualization img")).to_be_visible()
    expect(page.locator("#channel .growing")).to_be_hidden()
    assert viewer.errors == []


def test_all_channels_are_listed_sorted_and_opened_from_there(visit, looked: None) -> None:
    viewer = visit("?module=5b")
    page = viewer.page
    page.locator("#branches [data-branch='5x5'] [data-all]").click()
    tiles = page.locator("#channels [data-channel]")
    count = viewer.state("answer.stages['5b'].branches['5x5'].channels")
    expect(tiles).to_have_count(count)
    assert "channel=5x5" in page.url
    strongest = viewer.state("answer.stages['5b'].branches['5x5'].top[0].channel")
    expect(tiles.first).to_have_attribute("data-channel", str(strongest))
    page.locator("#channels [data-sort=class]").click()
    expect(page.locator("#channels .note")).to_contain_text("Weight of")
    page.locator("#channels [data-sort=number]").click()
    expect(tiles.first).to_have_attribute("data-channel", "0")
    tiles.nth(2).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#channels .note")).to_contain_text("channel 3 (concat")
    page.keyboard.press("Enter")
    expect(page.locator("#channel h2")).to_contain_text("channel 3")
    expect(tiles.nth(3)).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#channel .panel")).to_be_hidden()
    expect(page.locator("#channels .panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#channels .panel")).to_be_hidden()
    assert viewer.errors == []
