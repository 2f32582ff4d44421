"""What the Train tab draws of runs whose every number is known: heads, gaps, looks, zoom, time."""

import math
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from gnet.network.config import BRANCHES, UNTRAINED
from gnet.network.weights import save
from gnet.runs.events import BranchesSeen, GradientsMeasured, RunEnded, SettingsChanged
from gnet.runs.folder import LAST
from gnet.runs.smoothing import smoothed, span_of
from gnet.serving.limits import RunLimits
from gnet.serving.runs import Runs
from gnet.serving.shelf import RunShelf
from support.pages import PHONE, Server, random_network, with_training
from support.told_runs import STEPS, Told, config, judged, started, step, whole


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    made = Told(tmp_path_factory.mktemp("told"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def server(gradio_environment: None, told: Told) -> Iterator[Server]:
    with Runs(told.folder, RunLimits(enabled=False)) as runs, with_training(runs) as served:
        yield served


@pytest.fixture
def look_at(visit):
    """Opens the Train tab on a run, as its owner, once its events are there."""

    def look(run_id: str, **options: Any) -> Page:
        page = visit(f"?tab=train&run={run_id}", **options).page
        page.wait_for_function("gnet.train.shown()?.x.length > 0")
        return page

    return look


def lines(page: Page, plot: str = "loss", head: str = "") -> Locator:
    return page.locator(f"[data-plot={plot}] .line:not(.faint)" + (f".{head}" if head else ""))


def path(part: Locator) -> str:
    """What is drawn."""
    return part.get_attribute("d") or ""


def key(page: Page, head: str, plot: str = "loss") -> Locator:
    return page.locator(f"[data-plot={plot}] .key [data-head={head}]")


def test_a_head_of_weight_0_is_not_drawn_and_is_called_untrained(told: Told, look_at) -> None:
    run = config(aux2_weight=0.0)
    page = look_at(told.put("aux2 at rest", run))
    for plot in ("loss", "accuracy"):
        expect(lines(page, plot)).to_have_count(2)
        expect(lines(page, plot, "aux2")).to_have_count(0)
        expect(page.locator(f"[data-plot={plot}] .dots.aux2")).to_have_count(0)
    for plot in ("loss", "accuracy", "parts"):
        expect(key(page, "aux2", plot)).to_have_text("aux2untrained")
        expect(key(page, "aux2", plot)).to_be_disabled()
    grey = key(page, "aux2").locator("i").evaluate("(i) => getComputedStyle(i).backgroundColor")
    hue = key(page, "aux1").locator("i").evaluate("(i) => getComputedStyle(i).backgroundColor")
    assert grey != hue and "untrained" in (
        page.locator("[data-plot=loss] svg").get_attribute("aria-label") or ""
    )
    expect(page.locator("[data-plot=parts] .look b")).to_have_text("main + 0.3 · aux1")
    expect(page.locator("#train-runs tr.shown [data-head=aux2]")).to_have_text("untrained")
    expect(page.locator("#train-runs tr.shown [data-head=aux1]")).to_contain_text("%")


def test_a_head_counts_as_trained_if_the_weights_that_were_kept_say_so(told: Told) -> None:
    run_id = told.put("taught before", config(aux2_weight=0.0, aux1_weight=0.0))
    shelf, weights = RunShelf(told.folder), told.folder / run_id / LAST

    def untrained() -> list[str]:
        return shelf.list("", [run_id])[0]["untrained"]

    assert untrained() == ["aux1", "aux2"]
    save(random_network(size=32, aux1=UNTRAINED), weights)
    assert untrained() == ["aux1"]
    weights.write_bytes(b"damaged")
    assert untrained() == ["aux1", "aux2"]


def test_a_run_without_heads_has_no_key_for_them(told: Told, look_at) -> None:
    page = look_at(told.put("no heads", config(aux=False)))
    expect(lines(page)).to_have_count(1)
    for head in ("aux1", "aux2"):
        expect(key(page, head)).to_be_hidden()
    expect(page.locator("[data-plot=parts] .look")).to_contain_text(
        "main alone: all of what is minimised"
    )
    expect(page.locator("#train-bar .facts")).not_to_contain_text("aux weight")


def test_a_head_is_drawn_from_where_its_weight_was_set(told: Told, look_at) -> None:
    run = config(aux2_weight=0.0)
    later = config(aux2_weight=0.5)
    change = SettingsChanged(step=5, learning_rate=0.002, aux1_weight=0.3, aux2_weight=0.5)
    events = [*whole(run)[:6], change, *whole(later)[6:]]
    page = look_at(told.put("aux2 woken", run, events))
    starts = {
        head: float(path(lines(page, "loss", head))[1:].split(" ")[0]) for head in ("main", "aux2")
    }
    assert starts["aux2"] > starts["main"] + 20
    expect(key(page, "aux2")).to_be_enabled()
    expect(key(page, "aux2").locator("b")).not_to_have_text("untrained")


def test_a_loss_that_is_no_number_leaves_a_gap_and_does_not_end_the_line(
    told: Told, look_at
) -> None:
    run = config(epochs=1)
    events = [
        started(run),
        *(step(run, at, **({"loss": math.nan} if at in (4, 5) else {})) for at in range(1, 11)),
        judged(run, 1, val_loss={"main": math.nan, "aux1": 1.5, "aux2": 1.4}),
        RunEnded(step=10, reason="finished", seconds=3.0),
    ]
    page = look_at(told.put("a gap", run, events))
    expect(lines(page)).to_have_count(3)
    for drawn in lines(page).all():
        text = path(drawn)
        assert text.count("M") == 2 and text.count("L") == 6 and "NaN" not in text
    counts = {
        head: path(page.locator(f"[data-plot=loss] .dots.{head}")).count("M")
        for head in ("main", "aux1")
    }
    assert counts == {"main": 0, "aux1": 1}
    chart = page.locator("[data-plot=loss] svg")
    chart.focus()
    page.keyboard.press("ArrowLeft")  # from the middle of the epoch to its fifth step
    expect(key(page, "main").locator("b")).to_have_text("NaN")


def test_validation_losses_are_dots_where_their_epochs_end(told: Told, look_at) -> None:
    run = config(epochs=2)
    page = look_at(told.put("dots", run))
    for head in ("main", "aux1", "aux2"):
        text = path(page.locator(f"[data-plot=loss] .dots.{head}"))
        assert text.count("m-4 0a4 4") == 2, "a circle each"
    ticks = page.locator("[data-plot=loss] .grid text[text-anchor=middle]")
    places = {float(text.text_content()): float(text.get_attribute("x")) for text in ticks.all()}
    dots = path(page.locator("[data-plot=loss] .dots.main")).split("M")[1:]
    middles = [float(dot.split(" ")[0]) for dot in dots]
    assert middles == pytest.approx([places[1], places[2]], abs=0.2)


def test_a_dot_far_above_the_lines_is_an_arrow_and_squeezes_nothing(told: Told, look_at) -> None:
    run = config()
    events = whole(run)
    (first,) = [i for i, event in enumerate(events) if getattr(event, "val_loss", None)][:1]
    events[first] = judged(run, 1, val_loss={"main": 300.0, "aux1": 1.5, "aux2": 1.4})
    page = look_at(told.put("a far dot", run, events))
    assert path(page.locator("[data-plot=loss] .dots.main")).count("l3.5 -5l3.5 5") == 1
    expect(page.locator("[data-plot=loss] .dots.main title")).to_have_text(
        "main in validation 300 after epoch 1"
    )
    highest = page.locator("[data-plot=loss] .grid text[text-anchor=end]").all_text_contents()
    assert max(float(text) for text in highest if text != "epoch") <= 4


def test_another_run_that_exploded_does_not_squeeze_the_one_shown(told: Told, look_at) -> None:
    run = config()
    shown = told.put("calm", run)
    events = [started(run), *(step(run, at, loss=10.0**at) for at in range(1, 9))]
    wild = told.put("wild", run, [*events, RunEnded(step=8, reason="stopped", seconds=1.0)])
    page = look_at(shown)
    page.evaluate(f"gnet.train.lay('{wild}', true)")
    expect(lines(page)).to_have_count(6)
    texts = page.locator("[data-plot=loss] .grid text[text-anchor=end]")
    assert max(float(text) for text in texts.all_text_contents() if text != "epoch") <= 4
    alone = look_at(wild)
    widths = alone.locator("[data-plot=loss] .grid text[text-anchor=end]").evaluate_all(
        "texts => texts.map((text) => text.getComputedTextLength())"
    )
    assert max(widths) < 40, "numbers of any size have room beside the plot"


def test_six_runs_look_different_and_more_are_told_to_look_alike(told: Told, look_at) -> None:
    ids = [told.put(f"one of eight, {number}", config(seed=number)) for number in range(8)]
    page = look_at(ids[0])
    for run_id in ids[1:6]:
        page.evaluate(f"gnet.train.lay('{run_id}', true)")
    expect(lines(page, "loss", "main")).to_have_count(6)
    looks = lines(page, "loss", "main").evaluate_all(
        """(lines) => lines.map((line) => {
          const look = getComputedStyle(line);
          return [look.strokeDasharray, look.strokeWidth, look.strokeOpacity].join();
        })"""
    )
    assert len(set(looks)) == 6
    dots = page.locator("[data-plot=loss] .dots.main").evaluate_all(
        """(dots) => dots.map((dot) => getComputedStyle(dot).fill
          + dot.getAttribute("d").split("M")[1].replace(/^[\\d.]+ [\\d.]+/, ""))"""
    )
    assert len(set(dots)) == 6
    laid = page.locator("#train-plots .laid span")
    expect(laid).to_have_count(6)
    expect(laid.first).to_have_text("one of eight, 0")
    for run_id in ids[6:]:
        page.evaluate(f"gnet.train.lay('{run_id}', true)")
    expect(laid).to_have_count(7)
    expect(laid.last).to_have_text(
        "2 more, which look alike and have no dots: 6 runs can be told apart here"
    )
    expect(page.locator("#train-runs .tick .sample")).to_have_count(8)


def test_no_gradient_and_no_cosine_is_drawn_of_what_is_no_number(told: Told, look_at) -> None:
    run = config(gradients_every=5, epochs=1)
    norms = {name: {"main": math.nan, "aux1": 0.0} for name in ("stem", "3a", "3b", "4a")}
    lost = GradientsMeasured(step=5, epoch=1, norms=norms, cosines={})
    run_id = told.put("no gradients", run, [*whole(run)[:7], lost], live=True)
    page = look_at(run_id)
    tip = page.locator("[data-plot=gradients] .tip")
    expect(tip).to_have_text("Step 5: the gradients are no numbers any more.")
    half = norms | {"3a": {"main": 0.5, "aux1": 0.25}}
    angles = {"3a": {"main·aux1": math.nan, "main·aux2": 0.5}}
    told.add(run_id, GradientsMeasured(step=6, epoch=1, norms=half, cosines=angles))
    expect(tip).to_contain_text("Step 6. Point at a module")
    for module, words in (
        ("3a", "3a main 0.5, aux1 0.25; cosine main·aux2 0.50"),
        ("stem", "stem: the gradient is no number any more"),
    ):
        page.locator(f"[data-plot=gradients] [data-module='{module}'] .hit").hover()
        expect(tip).to_have_text(words)


def test_a_zoom_is_kept_while_new_points_come(told: Told, look_at) -> None:
    run = config(epochs=4)
    run_id = told.put("growing", run, whole(run)[:16], live=True)
    page = look_at(run_id)
    expect(page.locator("#train-bar .name")).to_have_text("growing")
    chart = page.locator("[data-plot=loss] svg")
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 240, box["y"] + 60, steps=4)
    page.mouse.up()
    zoom = page.evaluate("gnet.train.state.zoom")
    assert 0 < zoom[0] < zoom[1] < 4
    ticks = page.locator("[data-plot=loss] .grid text[text-anchor=middle]").all_text_contents()
    before = path(lines(page, "loss", "main")).count("L")
    told.add(run_id, *(step(run, at) for at in range(15, 22)))
    page.wait_for_function("gnet.train.shown().last.step === 21")
    assert page.evaluate("gnet.train.state.zoom") == zoom
    assert page.locator("[data-plot=loss] .grid text[text-anchor=middle]").all_text_contents() == (
        ticks
    )
    assert path(lines(page, "loss", "main")).count("L") > before
    expect(page.locator("#train-bar .facts")).to_contain_text("on the plots")
    chart.dblclick()
    assert page.evaluate("gnet.train.state.zoom") is None
    chart.focus()
    page.keyboard.press("+")
    assert page.evaluate("gnet.train.state.zoom") is not None
    page.keyboard.press("Escape")
    assert page.evaluate("gnet.train.state.zoom") is None


def test_a_curve_is_smoothed_as_the_figures_are(told: Told, look_at) -> None:
    run = config(epochs=60)
    first = started(run)
    losses = [4.0, 1.0, 3.0, 2.5, 0.5, 2.0]
    steps = [
        step(run, at, losses={"main": loss, "aux1": loss, "aux2": loss})
        for at, loss in enumerate(losses, 1)
    ]
    page = look_at(told.put("smooth", run, [first, *steps], live=True))
    page.wait_for_function(f"gnet.train.shown().x.length === {len(losses)}")
    drawn = page.evaluate("gnet.train.shown().heads.main.calm")
    span = span_of(first.steps)
    assert span != span_of(0) and drawn == pytest.approx(smoothed(losses, span))


def test_the_time_left_counts_the_validation_of_the_epochs_to_come(told: Told, look_at) -> None:
    run = config(epochs=4)
    until = 1 + STEPS + 1 + 5  # the first epoch, judged, and five steps more
    later = [
        step(run, at, seconds=0.1 * at + 2.0) if at > STEPS else step(run, at)
        for at in range(1, STEPS + 6)
    ]
    events = [started(run), *later[:STEPS], judged(run, 1), *later[STEPS:]]
    assert len(events) == until
    page = look_at(told.put("a while", run, events, live=True))
    # 25 steps of a tenth of a second, and three validations of two seconds each.
    assert page.evaluate("gnet.train.shown().run.left") == pytest.approx(25 * 0.1 + 3 * 2.0)
    expect(page.locator("#train-bar .facts")).to_contain_text("0:09 left")


def test_a_module_is_watched_within_an_epoch_and_its_maps_say_their_grid(
    told: Told, look_at
) -> None:
    run = config(epochs=2, pinned=0)
    one = {"size": [2, 3], "low": 0.0, "high": 1.0, "data": b64encode(bytes(range(6))).decode()}
    maps: dict[str, Any] = {"4b": dict.fromkeys(BRANCHES, one)}
    shares: dict[str, Any] = {"4b": dict.fromkeys(BRANCHES, 0.25)}
    seen = [
        BranchesSeen(step=at, epoch=epoch, shares=shares, maps=maps, belief={"main": [[1, 0.5]]})
        for at, epoch in ((0, 0), (4, 1), (10, 1))
    ]
    page = look_at(told.put("watched", run, [*whole(run)[:12], *seen]))
    inside = page.locator("#train-inside")
    moment = inside.locator("output")
    expect(moment).to_have_text("after epoch 1")
    inside.locator("input[type=range]").fill("1")
    expect(moment).to_have_text("epoch 1, step 4")
    expect(inside.locator(".maps figcaption i").first).to_have_text("2×3")
    assert inside.locator("canvas").first.evaluate("(c) => c.width >= 200 && c.height < c.width")
    inside.get_by_role("button", name="Play").click()
    expect(moment).to_have_text("after epoch 1")
    plots, table = (page.locator(f"#train-{part}").bounding_box() for part in ("inside", "runs"))
    assert plots["y"] < table["y"]


def test_before_its_first_step_a_run_says_how_far_it_is(told: Told, visit) -> None:
    run = config()
    run_id = told.put("early", run, [started(run)], live=True)
    page = visit(f"?tab=train&run={run_id}").page
    expect(page.locator("#train-bar .said")).to_contain_text("the first step is under way")
    expect(page.locator("#train-bar .progress.begins")).to_have_attribute("aria-valuenow", "90")
    expect(page.locator("#train-plots .waits")).to_be_visible()
    before = page.locator("#train-plots").bounding_box()
    told.add(run_id, *whole(run)[1:8])
    expect(page.locator("#train-plots .waits")).to_have_count(0)
    assert page.locator("#train-plots").bounding_box() == before, "nothing has moved"


def test_a_failed_run_says_why(told: Told, look_at) -> None:
    run = config()
    events = [*whole(run)[:8], RunEnded(step=7, reason="failed", seconds=1.0, message="No room.")]
    run_id = told.put("out of luck", run, events, live=True)
    page = look_at(run_id)
    expect(page.locator("#train-bar .name")).to_have_text("out of luck, failed")
    expect(page.locator("#train-bar .said")).to_contain_text("No room.")
    expect(page.locator("#train-runs tr.shown")).to_contain_text("failed")
    expect(page.locator("#review-bar .say")).to_have_text(
        "It ended before its first checkpoint, so no network was saved."
    )
    expect(page.get_by_role("button", name="Explore this network")).to_be_hidden()


def test_on_a_phone_a_run_or_what_one_shows_stands_first(told: Told, look_at, visit) -> None:
    page = look_at(told.put("linked", config()), size=PHONE)
    bar = page.locator("#train-bar").bounding_box()
    assert page.evaluate("scrollY") == 0
    assert bar["y"] + bar["height"] < PHONE["height"] / 2
    assert page.locator("#train-left").bounding_box()["y"] > bar["y"] + bar["height"]
    page.get_by_role("button", name="Start another run").click()
    page.wait_for_function(
        "Math.abs(document.querySelector('#train-left').getBoundingClientRect().top) < 80"
    )
    newcomer = visit("?tab=train", size=PHONE).page
    expect(newcomer.locator("#train-welcome")).to_be_visible()
    left, right = (newcomer.locator(f"#train-{side}").bounding_box() for side in ("left", "right"))
    assert right["y"] < left["y"], "what a run shows stands before the form"
    desk = look_at(told.put("on a desk", config()))
    expect(desk.get_by_role("button", name="Start another run")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1010, 1280])
def test_plots_and_names_stay_within_their_cards(width: int, told: Told, look_at) -> None:
    name = "a run whose name is as long as a name may be, and that is long"
    page = look_at(
        told.put(name, config(aux2_weight=0.0)),
        size={"width": width, "height": 830},
        color_scheme="dark",
    )
    outside = page.evaluate(
        """() => [...document.querySelectorAll(":is(#train-plots, #train-bar, #train-runs) .card")]
          .flatMap((card) => [...card.querySelectorAll("*")]
            .filter((part) => !part.closest(".wide") && part.checkVisibility())
            .filter((part) => part.getBoundingClientRect().right
              > card.getBoundingClientRect().right + 0.5)
            .map((part) => part.outerHTML.slice(0, 90)))"""
    )
    assert outside == []
    card = page.locator("#train-bar .card").bounding_box()
    copy = page.locator("#train-bar .copy").bounding_box()
    assert card["x"] + card["width"] - copy["x"] - copy["width"] == pytest.approx(15, abs=1)
    if width == 1280:  # the table needs no scrolling either
        assert page.locator("#train-runs .wide").evaluate(
            "(box) => box.scrollWidth <= box.clientWidth"
        )
