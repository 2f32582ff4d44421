"""The Train tab before any run, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from gnet.serving.runs import Runs
from support import pretend_training
from support.pages import DESK, PHONE, Server, with_training


@pytest.fixture(scope="module")
def server(gradio_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its runs begin at once and make twenty steps a second, in which nothing is learned."""
    with pytest.MonkeyPatch.context() as patch, Runs(tmp_path_factory.mktemp("runs")) as runs:
        patch.setattr(runs.queue, "command", pretend_training.COMMAND)
        patch.setenv("PRETEND_PAUSE", "0.05")
        with with_training(runs) as served:
            yield served


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_before_any_run_the_page_says_what_will_be_seen_and_one_button_starts_it(
    size: dict, visit
) -> None:
    viewer = visit("?tab=train", size=size)
    page = viewer.page
    welcome = page.locator("#train-welcome")
    go = welcome.get_by_role("button", name="Start “First run”")
    expect(go).to_be_in_viewport()
    for part in ("Loss", "Accuracy", "Gradients", "Inside a module", "Runs"):
        expect(welcome.locator("dt", has_text=part)).to_be_visible()
    expect(page.locator("#train-right svg:visible")).to_have_count(0)
    page.locator("#train-experiments [data-experiment=collapse]").click()
    expect(welcome.locator(".go")).to_have_text("Start “The collapse”")
    page.locator("#train-experiments [data-experiment=first-run]").click()
    expect(go).to_be_visible()
    rate = page.locator("#form-rate input[type=number], #form-learning-rate input[type=number]")
    right = rate.input_value()
    rate.fill("-3")
    expect(page.locator("#start")).to_be_disabled()
    go.click()
    expect(welcome.locator(".refused")).to_have_text("To start, correct Learning rate.")
    rate.fill(right)
    expect(page.locator("#start")).to_be_enabled()
    expect(welcome.locator(".refused")).to_be_empty()
    go.click()
    expect(page.locator("#train-bar .name")).to_contain_text("first run")
    expect(welcome).to_be_hidden()
    expect(page.locator("[data-plot=loss] svg")).to_be_visible()
    page.locator("#train-bar [data-action=stop]").click()
    page.wait_for_function("gnet.train.shown()?.run?.state === 'stopped'")
    assert viewer.errors == [] and viewer.strangers == []
