"""The menu of networks in a real browser: runs, a file of one's own, a download, the address."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from gnet.network import weights
from gnet.network.config import ModelConfig
from gnet.network.model import GoogLeNet
from gnet.serving.networks.offered import NetworkOffers
from gnet.serving.networks.own import OwnNetworks
from gnet.serving.networks.published import PublishedWeights
from gnet.serving.run_card import RunCard, hashed, write_card
from gnet.serving.runs import Runs
from support.networks import network
from support.pages import DESK, PHONE, Server, on_a_free_port, random_network
from support.training_runs import run, tiny

OWNER = "the-token-of-somebody-who-trained-three"
RUNS = {
    "a" * 22: ("small kernels", {"network": {"kernel_5x5": 3}}),
    "b" * 22: ("no heads", {"network": {"aux": False}}),
    "c" * 22: ("lone main", {"aux1_weight": 0.0, "aux2_weight": 0.0}),
}
MENU, DIALOG = "#header .network", "#networks dialog"


@dataclass
class Download:
    """A download of pretended weights that has come half way until it is let go."""

    go_on: threading.Event

    def fetch(self, told: Any) -> None:
        file = weights.published()
        told(file.size // 2, file.size)
        self.go_on.wait()
        config = ModelConfig.preset("torchvision", width=0.0625, transform_input=True)
        weights.save(GoogLeNet(config, replace(file.info)), file.converted)


@pytest.fixture(scope="module")
def download() -> Iterator[Download]:
    found = Download(threading.Event())
    yield found
    found.go_on.set()


@pytest.fixture(scope="module")
def server(
    gradio_environment: None, tmp_path_factory: pytest.TempPathFactory, download: Download
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("networks")
    for created, (net, (name, settings)) in enumerate(RUNS.items()):
        run(tiny(epochs=1, **settings), folder / "runs" / net)
        card = RunCard(name=name, experiment="", owner=hashed(OWNER), created=created)
        write_card(folder / "runs" / net, card)
    offers = NetworkOffers(
        published=PublishedWeights(allowed=True, fetch=download.fetch),
        own=OwnNetworks(folder / "own", most_bytes=3_000_000),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNET_CACHE", str(folder / "cache"))
        patch.setenv("TORCH_HOME", str(folder / "torch"))
        model = random_network(size=32)
        with Runs(folder / "runs") as runs, on_a_free_port(model, runs, offers=offers) as address:
            yield Server(address=address, explorer=None)


@pytest.fixture
def owned(visit: Any) -> Any:
    """Opens the page in the browser of the person who trained the runs."""

    return partial(visit, script=f"localStorage.setItem('gnet-owner', '{OWNER}')")


def choose(page: Any, name: str) -> None:
    page.locator(MENU).click()
    page.locator(f"{DIALOG} .take", has_text=name).click()
    page.wait_for_function("name => gnet.state.network.name === name", arg=name)


def test_a_run_is_chosen_kept_in_the_address_and_left_again(owned: Any) -> None:
    viewer = owned()
    page = viewer.page
    choose(page, "small kernels")
    expect(page.locator(MENU)).to_have_text("small kernels")
    expect(page.locator("#header .shown")).to_contain_text("Its 5×5 is really 3×3.")
    expect(page.locator("#branches [data-branch='5x5']")).to_contain_text("really 3×3")
    assert f"net={'a' * 22}" in page.url
    page.reload()
    page.wait_for_function("window.gnet?.state.network?.name === 'small kernels'")
    choose(page, "lone main")
    for head in ("aux1", "aux2"):
        assert page.locator(f"#belief [data-reader={head}]").is_disabled()
    page.go_back()
    page.wait_for_function("gnet.state.network.name === 'small kernels'")
    page.locator("#header .back").click()
    page.wait_for_function("gnet.state.net === ''")
    assert viewer.errors == [] and viewer.strangers == []


def test_another_browser_sees_none_of_these_runs(visit: Any) -> None:
    page = visit().page
    page.locator(MENU).click()
    expect(page.locator(f"{DIALOG} li")).to_have_count(2)


def test_a_network_that_is_not_there_is_said_and_the_page_goes_on(visit: Any) -> None:
    viewer = visit("?net=nothing&picture=cat&module=4b")
    page = viewer.page
    page.wait_for_function("gnet.state.answer.example === 'cat'")
    expect(page.locator("#header .shown")).to_contain_text("the network served first")
    assert "net=" not in page.url and viewer.state("stage") == "4b"
    viewer.explored(page.locator("#branches [data-branch='3x3'] [data-switch]").click)
    viewer.explored(lambda: page.locator("#picture [data-example=coffee]").first.click())
    expect(page.locator("#header .shown")).to_be_hidden()
    assert viewer.errors == []


def give(page: Any, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.set_input_files(f"{DIALOG} input[type=file]", [file])


def test_a_file_of_ones_own_belongs_to_its_tab_alone(visit: Any, tmp_path: Path) -> None:
    content = weights.save(network("batch-norm"), tmp_path / "birds.safetensors").read_bytes()
    viewer = visit()
    page = viewer.page
    page.locator(MENU).click()
    expect(page.locator(f"{DIALOG} .file")).to_be_visible()
    for name, wrong, words in (
        ("birds.pth", b"PK\x03\x04 weights", "birds.pth is a pickle or zip"),
        ("notes.safetensors", b"only words", "is a text file"),
        ("big.safetensors", bytes(3_200_000), "has 3 MB; allowed are up to 3 MB"),
    ):
        give(page, name, wrong)
        expect(page.locator(f"{DIALOG} .trouble")).to_contain_text(words)
    give(page, "birds.safetensors", content)
    page.wait_for_function("gnet.state.network.name === 'birds'")
    assert "net=file%3Abirds" in page.url and "file-" not in page.url
    address = page.url
    page.reload()
    page.wait_for_function("window.gnet?.state.network?.name === 'birds'")
    other = visit("?" + address.partition("?")[2]).page
    expect(other.locator("#header .shown")).to_contain_text("only the browser tab which gave it")
    other.locator(MENU).click()
    expect(other.locator(f"{DIALOG} h3")).to_have_text(["For everybody"])
    assert [error for error in viewer.errors if "422" not in error] == []


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"]
)
def test_the_menu_fits_is_worked_by_keys_and_can_be_read_by_all(owned, size, scheme) -> None:
    page = owned(size=size, color_scheme=scheme).page
    page.locator(MENU).focus()
    page.keyboard.press("Enter")
    dialog = page.locator(DIALOG)
    expect(dialog.locator(".take", has_text="no heads")).to_be_visible()
    box = dialog.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    found = Axe().run(page, context="#networks").response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"][:150]) for rule in found] == []
    dialog.locator(".take", has_text="no heads").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("gnet.state.network.name === 'no heads'")
    expect(dialog).to_be_hidden()
    page.locator(MENU).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator(MENU)).to_be_focused()


def test_two_runs_stand_side_by_side_and_untrained_heads_are_no_beliefs(owned: Any) -> None:
    viewer = owned(f"?tab=branches&net={'a' * 22}&beside=net:{'b' * 22}")
    page = viewer.page
    beside = page.locator("#branches-beside")
    sides = beside.locator(".side")
    expect(sides.nth(0)).to_contain_text("in small kernels")
    expect(sides.nth(1)).to_contain_text("in no heads")
    expect(beside).to_contain_text("The 5×5 branch of small kernels is really 3×3.")
    expect(beside).to_contain_text("no heads has no auxiliary heads.")
    expect(beside.locator(".points .left")).to_have_count(3)
    expect(beside.locator(".points .right")).to_have_count(1)
    beside.locator("select").select_option(f"net:{'c' * 22}")
    expect(sides.nth(1)).to_contain_text("in lone main")
    expect(beside).to_contain_text("aux1 and aux2 of lone main are untrained and not shown.")
    expect(beside.locator(".points .right")).to_have_count(1)
    beside.locator("select").select_option("net:")
    expect(beside).to_contain_text("A dash: that network does not know the class.")
    assert viewer.errors == []


def test_the_architecture_is_that_of_the_network_chosen_in_the_menu(owned: Any) -> None:
    viewer = owned("?tab=architecture")
    page = viewer.page
    title = page.locator("#architecture-plan h2")
    expect(title).to_have_text("random", timeout=60_000)
    choose(page, "no heads")
    expect(title).to_have_text("no heads", timeout=60_000)
    expect(page.locator("#architecture-plan .model")).to_have_count(2)
    expect(page.locator("#architecture-table .points")).to_contain_text("no auxiliary heads")
    assert f"net={'b' * 22}" in page.url and "tab=architecture" in page.url
    page.locator("[data-preset='paper']").click()
    expect(title).to_have_text("paper", timeout=60_000)
    choose(page, "small kernels")
    expect(page.locator("#architecture-plan .presets button").first).to_have_text("small kernels")
    expect(title).to_have_text("paper")
    page.locator("[data-preset='']").click()
    expect(title).to_have_text("small kernels", timeout=60_000)
    expect(page.locator("#architecture-module .changed")).to_contain_text("5×5, really 3×3")
    assert not viewer.errors and not viewer.strangers


def test_a_download_tells_its_size_first_then_how_far_it_is(
    owned: Any, visit: Any, download: Download
) -> None:
    viewer = owned()
    page = viewer.page
    page.locator(MENU).click()
    row = page.locator(f"{DIALOG} li", has_text="imagenet")
    expect(row).to_contain_text("52 MB from")
    assert row.locator(".take").is_disabled()
    row.locator(".fetch").click()
    expect(row.locator("[role=progressbar]")).to_have_attribute("aria-valuenow", "50")
    expect(row).to_contain_text("26 of 52 MB")
    other = visit().page
    other.locator(MENU).click()
    expect(other.locator(f"{DIALOG} [role=progressbar]").first).to_be_visible()
    download.go_on.set()
    page.wait_for_function("gnet.state.net === 'imagenet'")
    expect(page.locator("#header .shown")).to_contain_text("Aux1 and aux2 are untrained.")
    assert "net=imagenet" in page.url and viewer.errors == []


def test_bars_and_belief_show_where_they_stood_before_a_switch(visit: Any) -> None:
    viewer = visit("?module=3a")
    page = viewer.page
    bars = page.locator("#belief .bars button")
    expect(bars.locator("u")).to_have_count(0)
    viewer.explored(page.locator("#branches [data-branch='3x3'] [data-switch]").click)
    target = int(bars.first.get_attribute("data-class"))
    before = viewer.state("whole.heads.main.probabilities")[target]
    style = bars.first.locator("u").get_attribute("style")
    assert float(style.removeprefix("left:").removesuffix("%")) == pytest.approx(
        100 * before, abs=0.06
    )
    words = page.evaluate("x => gnet.say('was', { percent: gnet.percent(x) })", before)
    assert words in bars.first.text_content()
    expect(page.locator("#belief .dot.was").first).to_be_attached()
    page.evaluate("gnet.switching.reset()")
    expect(bars.locator("u")).to_have_count(0)
    assert json.dumps(viewer.errors) == "[]"
