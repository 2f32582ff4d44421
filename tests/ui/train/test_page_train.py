"""The Train tab in a real browser: a run from the form to its end, steered, shared and followed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gnet.network.config import ModelConfig
from gnet.runs.train_config import TrainConfig
from gnet.serving.limits import RunLimits
from gnet.serving.runs import Runs
from support import pretend_training, slow_judging
from support.pages import PHONE, Server, follow, with_training
from support.told_runs import OWNER, Told
from support.waiting import until

LONG = 180_000
"""ms that a run's process may take to begin, on a machine that has much else to do."""


def tiny(**changes: Any) -> TrainConfig:
    settings: dict[str, Any] = {
        "per_class": 12,
        "size": 32,
        "epochs": 2,
        "batch": 24,
        "gradients_every": 2,
    }
    return TrainConfig(
        model=ModelConfig(width=0.25), precision="fp32", learning_rate=0.01, **settings | changes
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    # Tests wait for the processes, so they are not niced.
    folder = tmp_path_factory.mktemp("runs")
    with Runs(folder, RunLimits(max_epochs=1000), niceness=0) as runs:
        yield runs


@pytest.fixture(scope="module")
def server(gradio_environment: None, runs: Runs) -> Iterator[Server]:
    with with_training(runs) as served:
        yield served


@pytest.fixture(scope="module")
def finished(runs: Runs, chromium: str) -> str:
    """The id of a run that somebody else has started and that has ended."""
    run_id = runs.start(tiny(), name="somebody's run", owner=OWNER)
    wait_for(runs, run_id, "finished")
    return run_id


@pytest.fixture
def pretended(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs begin at once and make twenty steps a second, in which nothing is learned."""
    monkeypatch.setattr(runs.queue, "command", pretend_training.COMMAND)
    monkeypatch.setenv("PRETEND_PAUSE", "0.05")


def wait_for(runs: Runs, run_id: str, state: str) -> None:
    until(lambda: runs.shelf.list(OWNER, [run_id])[0]["state"] == state)


def fill(page: Page, **values: str) -> None:
    """Give numbers of the form as a person does."""
    for name, value in values.items():
        field = page.locator(f"#form-{name.replace('_', '-')} input[type=number]")
        field.fill(value)
        field.press("Tab")


def state(page: Page, wanted: str) -> None:
    page.wait_for_function(f"gnet.train.shown()?.run?.state === '{wanted}'", timeout=LONG)


def test_a_whole_first_run_goes_from_the_form_to_its_network_in_explore(visit) -> None:
    viewer = visit("?tab=train")
    page = viewer.page
    expect(page.locator("#train-bar .name")).to_have_text("No run yet")
    page.locator("#train-experiments [data-experiment=first-run]").click()
    expect(page.locator("#train-experiments .before:visible")).to_have_count(1)
    expect(page.locator("#start")).to_have_text("Start: about 9 s an epoch")
    fill(page, per_class="40", size="32", epochs="3")
    page.locator("#start").click()
    expect(page.locator("#train-bar .name")).to_contain_text("first run", timeout=LONG)
    found = re.search(r"tab=train&run=([\w-]{22})", page.url)
    assert found

    line = page.locator("[data-plot=loss] .line.main:not(.faint)")
    page.wait_for_function("gnet.train.shown()?.x.length > 1", timeout=LONG)
    early = len(line.get_attribute("d"))
    page.wait_for_function(
        "(early) => document.querySelector('[data-plot=loss] .line.main:not(.faint)')"
        ".getAttribute('d').length > early",
        arg=early,
        timeout=LONG,
    )
    state(page, "finished")
    expect(page.locator("#train-bar .said")).to_contain_text(re.compile("^It (learned|has not)"))
    expect(page.locator("#train-bar .progress")).to_have_attribute("aria-valuenow", "100")
    expect(page.locator("#train-bar .controls button")).to_have_count(0)
    for name in ("loss", "accuracy"):
        drawn = page.locator(f"[data-plot={name}] .line:not(.faint)")
        assert [part.get_attribute("d")[:1] for part in drawn.all()] == ["M"] * 3
    dots = page.locator("[data-plot=accuracy] .dots").first.get_attribute("d")
    assert dots.count("M") == 3, "one dot an epoch"
    expect(page.locator("[data-plot=parts] .area")).to_have_count(3)
    expect(page.locator("#train-inside .maps canvas:visible")).to_have_count(4)
    expect(page.locator("#train-inside .pinned img")).to_be_visible()
    row = page.locator("#train-runs tbody tr")
    expect(row).to_have_count(1)
    expect(row.locator("[data-head=main]")).to_contain_text("%")

    page.wait_for_selector("#review-pictures .see", timeout=LONG)
    diagonal = page.locator("#review-matrix .box rect.right, #review-matrix .box rect.wrong")
    assert 10 <= diagonal.count() <= 100, "cells of ten classes by ten"
    expect(page.locator("#review-pictures .see")).to_have_count(12)
    page.locator("#review-bar .explore").click()
    page.wait_for_function("gnet.state.net && !gnet.state.waiting.answer", timeout=LONG)
    first = page.evaluate("gnet.review.state.review.first")
    assert f"net={found[1]}" in page.url and f"tile={found[1]}.{first}" in page.url
    sentence = page.evaluate("gnet.state.answer.verdict.sentence")
    assert sentence.startswith(("✓ right: ", "✗ it is: "))
    expect(page.locator("#header .shown")).to_contain_text("first run")
    for head in ("main", "aux2", "aux1"):
        badge = page.locator(f"#belief .readers [data-reader={head}]")
        expect(badge).to_have_attribute("title", re.compile("^trained with the net. Right for "))
        expect(badge).to_be_enabled()
    expect(page.locator("#diagram .lane[data-branch]")).to_have_count(36)
    assert viewer.strangers == [] and viewer.errors == []


def test_the_parts_of_the_loss_add_up_to_it(visit, finished: str) -> None:
    page = visit(f"?tab=train&run={finished}").page
    page.wait_for_function("gnet.train.shown()?.ended")
    losses = page.evaluate("gnet.train.shown().loss")
    heads = page.evaluate("gnet.train.shown().heads")
    for i, loss in enumerate(losses):
        parts = heads["main"]["loss"][i] + 0.3 * (
            heads["aux1"]["loss"][i] + heads["aux2"]["loss"][i]
        )
        assert loss == pytest.approx(parts, rel=1e-4)
    expect(page.locator("[data-plot=parts] .look b")).to_have_text("main + 0.3 · aux2 + 0.3 · aux1")


def test_a_run_is_paused_stepped_changed_continued_and_stopped(visit, runs: Runs) -> None:
    page = (viewer := visit("?tab=train", permissions=["clipboard-read", "clipboard-write"])).page
    run_id = runs.start(tiny(epochs=400), name="long", owner=page.evaluate("gnet.train.owner"))
    follow(page, run_id)
    state(page, "running")
    page.wait_for_function("gnet.train.shown().x.length > 2", timeout=LONG)
    expect(page.locator("[data-plot=parts] h2")).to_have_text("What the loss is made of")  # stays
    page.locator("#train-bar .copy").click()
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"?tab=train&run={run_id}")
    controls = page.get_by_role("group", name="Control the run")
    controls.get_by_role("button", name="Pause").click()
    state(page, "paused")
    expect(page.locator("#train-bar .name")).to_have_text("long, paused")
    before = page.evaluate("gnet.train.shown().last.step")
    controls.get_by_role("button", name="Step").click()
    page.wait_for_function(f"gnet.train.shown().last.step === {before + 1}", timeout=LONG)
    plots = page.locator("#train-plots").bounding_box()
    page.get_by_role("button", name="change").first.click()
    rate = page.get_by_label("New peak learning rate")
    expect(rate).to_have_value("0.01")
    gap = (
        "({ children: [words, field] }) => field.offsetLeft - words.offsetLeft - words.offsetWidth"
    )
    assert page.locator("#train-bar .change label").evaluate(gap) >= 4
    refused = page.locator("#train-bar .trouble")
    for given, quoted in (("101", "101"), ("abc", "'abc'")):
        rate.fill(given)
        page.keyboard.press("Enter")
        expect(refused).to_contain_text(f"Learning rate: {quoted} was given")
        expect(refused).to_contain_text("allowed are numbers from 0 to 100")
    assert page.locator("#train-plots").bounding_box() == plots, "nothing has moved"
    rate.fill("0.02")
    page.keyboard.press("Enter")
    expect(rate).to_be_hidden()
    controls.get_by_role("button", name="Continue").click()
    page.wait_for_function("gnet.train.shown().top === 0.02", timeout=LONG)
    expect(page.locator("[data-plot=loss] .marks title").last).to_be_attached()
    told = page.locator("[data-plot=loss] .marks title").all_text_contents()
    assert "paused" in told and "learning rate up to 0.02" in told
    # Numbers go on also while somebody is at the buttons beside them.
    page.get_by_role("button", name="change").first.click()
    page.keyboard.press("Escape")
    expect(page.locator("[data-change=learning_rate]")).to_be_focused()
    shown = "document.querySelector('#train-bar .facts').textContent"
    page.wait_for_function(f"(before => {shown} !== before)({page.evaluate(shown)!r})")
    expect(page.locator("[data-change=learning_rate]")).to_be_focused()
    controls.get_by_role("button", name="Stop").click()
    state(page, "stopped")
    steps = page.evaluate("gnet.train.shown().last.step")
    controls.get_by_role("button", name="Resume").click()
    page.wait_for_function(f"gnet.train.shown().last?.step > {steps}", timeout=LONG)
    assert page.evaluate("gnet.train.shown().marks.at(-1).text") == "resumed"
    page.get_by_role("button", name="Stop").click()
    state(page, "stopped")
    page.get_by_role("button", name="Rename").click()
    field = page.get_by_label("Name of the run")
    field.fill("x" * 61)
    page.keyboard.press("Enter")
    expect(refused).to_contain_text("allowed are 1 to 60 letters")
    field.fill("<b>long</b> one")
    page.keyboard.press("Enter")
    row = page.locator(f"[data-run='{run_id}']")
    for place in (row.locator("[data-do=show]"), page.locator("#train-bar .name")):
        expect(place).to_contain_text("<b>long</b> one")
    assert runs.shelf.card(run_id).name == "<b>long</b> one"
    page.get_by_role("button", name="Delete <b>long").click()
    page.get_by_role("button", name="Undo").click()
    expect(row.locator("[data-do=show]")).to_be_visible()
    page.get_by_role("button", name="Delete <b>long").click()
    page.get_by_role("button", name=re.compile("^Delete .* now$")).click()
    expect(page.locator(f"[data-run='{run_id}']")).to_have_count(0)
    assert viewer.errors == []


def test_a_run_that_judges_its_epoch_is_stopped_and_judges_it_once_resumed(
    visit, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit("?tab=train").page
    owner = page.evaluate("gnet.train.owner")
    monkeypatch.setattr(runs.queue, "command", slow_judging.COMMAND)
    run_id = runs.start(tiny(epochs=1), name="judged", owner=owner)
    follow(page, run_id)
    page.wait_for_function(
        "gnet.train.shown()?.last?.step === gnet.train.shown()?.frame?.steps"
        " && gnet.train.shown()?.frame",
        timeout=LONG,
    )
    assert page.evaluate("gnet.train.shown().validated.length") == 0
    page.get_by_role("button", name="Stop").click()
    state(page, "stopped")
    assert page.evaluate("gnet.train.shown().validated.length") == 0
    expect(page.locator("#train-bar .name")).to_have_text("judged, stopped")
    monkeypatch.undo()
    page.get_by_role("button", name="Resume").click()
    state(page, "finished")
    assert page.evaluate("gnet.train.shown().validated.length") == 1
    expect(page.locator(f"[data-run='{run_id}'] [data-head=main]")).to_contain_text("%")


def test_a_cut_network_is_told_and_what_was_missed_is_drawn_when_it_is_back(
    visit, runs: Runs, pretended: None
) -> None:
    page = visit("?tab=train").page
    run_id = runs.start(tiny(epochs=1000), name="cut", owner=page.evaluate("gnet.train.owner"))
    follow(page, run_id)
    page.wait_for_function("gnet.train.shown()?.x.length > 2", timeout=LONG)
    facts, pause = page.locator("#train-bar .facts"), page.get_by_role("button", name="Pause")
    before = page.locator("#train-bar").bounding_box()
    page.context.set_offline(True)
    expect(facts).to_have_text(re.compile("^The server is not reachable"))
    assert page.locator("#train-bar").bounding_box() == before, "nothing has moved"
    expect(pause).to_be_disabled()
    last = page.evaluate("gnet.train.shown().last.step")
    held = runs.shelf.follow(run_id)["run"]["step"]
    until(lambda: runs.shelf.follow(run_id)["run"]["step"] >= held + 5)  # the run needs no page
    page.context.set_offline(False)
    page.wait_for_function(f"gnet.train.shown().last.step > {last + 5}", timeout=LONG)
    expect(facts).to_contain_text("pictures a second")
    expect(pause).to_be_enabled()
    steps = page.evaluate("gnet.train.shown().x.length")
    assert steps >= last + 5, "no step is missing"
    page.get_by_role("button", name="Stop").click()
    state(page, "stopped")


def test_a_second_viewer_watches_and_cannot_steer(visit, runs: Runs, pretended: None) -> None:
    first = visit("?tab=train").page
    owner = first.evaluate("gnet.train.owner")
    run_id = runs.start(tiny(epochs=1000), name="shared", owner=owner)
    follow(first, run_id)
    state(first, "running")
    first.wait_for_function("gnet.train.shown().x.length > 2", timeout=LONG)
    step = first.evaluate("gnet.train.shown().last.step")
    first.reload()
    expect(first.get_by_role("button", name="Pause")).to_be_visible(timeout=LONG)
    first.wait_for_function(f"gnet.train.shown()?.last?.step > {step}", timeout=LONG)
    assert first.evaluate("gnet.train.shown().x[0] * gnet.train.shown().frame.steps / 1000") == (
        pytest.approx(1)
    ), "drawn again from its first step on"
    second = visit(f"?tab=train&run={run_id}").page
    state(second, "running")
    second.wait_for_function("gnet.train.shown().x.length > 1", timeout=LONG)
    expect(second.locator("#train-bar .controls button")).to_have_count(0)
    expect(second.locator("#train-bar .said")).to_contain_text("you can watch")
    waiting = runs.start(tiny(epochs=1), name="next", owner=owner)
    expect(second.locator("#train-runs .queue")).to_have_text(
        "On this server 1 run is training and 1 waits."
    )
    runs.steer(waiting, owner, "delete")
    # Whoever makes the buttons up is refused by the server.
    second.evaluate(
        "gnet.train.shown().run.mine = true; gnet.train.tell(['track']);"
        "document.querySelector('#train-bar [data-action=stop]').click()"
    )
    expect(second.get_by_test_id("toast-body")).to_contain_text(
        "Only the browser that started this run"
    )
    state(first, "running")
    first.get_by_role("button", name="Stop").click()
    state(second, "stopped")


def test_runs_are_laid_over_one_another(visit, runs: Runs, finished: str) -> None:
    page = visit(f"?tab=train&run={finished}").page
    owner = page.evaluate("gnet.train.owner")
    other = Told(runs.folder).put("other", tiny(epochs=1, seed=3), owner=owner)
    tick = page.get_by_label("Lay other over the plots")
    expect(tick).to_be_visible()
    tick.check()
    expect(page.locator("[data-plot=loss] .line.look-1")).to_have_count(3)
    expect(page.locator(f"[data-run='{other}'] .differs")).to_contain_text("seed 3")
    tick.uncheck()
    expect(page.locator("[data-plot=loss] .line.look-1")).to_have_count(0)


def test_the_inside_is_scrubbed_epoch_by_epoch(visit, finished: str) -> None:
    page = visit(f"?tab=train&run={finished}").page
    page.wait_for_function("gnet.train.shown()?.branches.length === 3")
    inside = page.locator("#train-inside")
    expect(inside.locator("output")).to_have_text("after epoch 2")
    last = inside.locator("canvas").first.evaluate("(c) => c.toDataURL()")
    inside.locator("input[type=range]").fill("0")
    expect(inside.locator("output")).to_have_text("before any step")
    assert inside.locator("canvas").first.evaluate("(c) => c.toDataURL()") != last
    inside.get_by_role("button", name="3a").click()
    expect(inside.locator(".shares svg")).to_have_attribute("aria-label", re.compile("in 3a"))


def test_tabs_are_changed_by_keyboard_and_keep_what_is_in_them(visit, finished: str) -> None:
    page = visit("?module=5a").page
    page.get_by_role("link", name="Train").focus()
    page.keyboard.press("Enter")
    assert "tab=train" in page.url
    expect(page.locator("#train")).to_be_visible()
    expect(page.locator("#top")).to_be_hidden()
    expect(page.get_by_role("link", name="Train")).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page.locator("#top")).to_be_visible()
    assert page.evaluate("gnet.state.stage") == "5a"
    page.get_by_role("link", name="Train").click()
    page.get_by_role("link", name="Explore").click()
    assert "module=5a" in page.url
    expect(page.locator("#belief .columns button[aria-pressed=true]")).to_have_text("5a")


def test_a_run_that_is_not_there_is_told(visit) -> None:
    viewer = visit("?tab=train&run=" + "a" * 22)
    expect(viewer.page.locator("#train-bar .facts")).to_contain_text("There is no such run here")
    assert viewer.errors == []


def test_a_phone_shows_everything_without_scrolling_sideways(visit, finished: str) -> None:
    page = visit(f"?tab=train&run={finished}", size=PHONE).page
    page.wait_for_function("gnet.train.shown()?.ended")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    outside = page.evaluate(
        """() => [...document.querySelectorAll("#train *, #header *")]
          .filter((part) => !part.closest("svg, dialog, .wide"))
          .filter((part) => part.checkVisibility())
          .filter((part) => part.getBoundingClientRect().right > innerWidth + 0.5)
          .map((part) => part.outerHTML.slice(0, 90))"""
    )
    assert outside == []


def test_nothing_jumps_while_a_run_goes_on(visit, runs: Runs) -> None:
    page = visit("?tab=train").page
    run_id = runs.start(tiny(epochs=400), name="calm", owner=page.evaluate("gnet.train.owner"))
    follow(page, run_id)
    page.wait_for_function("gnet.train.shown()?.branches.length > 1", timeout=LONG)
    page.evaluate(
        "window.jumps = 0; new PerformanceObserver((list) => { for (const entry of "
        "list.getEntries()) jumps += entry.value; }).observe({ type: 'layout-shift' });"
    )
    page.wait_for_function("gnet.train.shown().validated.length > 3", timeout=LONG)
    assert page.evaluate("jumps") < 0.02
    page.get_by_role("button", name="Stop").click()
    state(page, "stopped")
