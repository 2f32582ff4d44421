"""The page in a real browser: what a viewer sees, does, and does wrong."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from gnet.answers.answer import how_often_right
from gnet.network.config import STAGES
from gnet.serving.runs import Runs
from support.browser_tabs import PATIENCE
from support.pages import DESK, PHONE, Server, on_a_free_port, photo
from support.root import ROOT

CLICK = """async (stage) => {
  const start = performance.now();
  document.querySelector(`[data-stage="${stage}"]`).dispatchEvent(
    new MouseEvent("click", { bubbles: true }));
  document.body.offsetHeight;
  const drawn = performance.now() - start;
  await new Promise((done) => requestAnimationFrame(done));
  return drawn / 1000;
}"""
COLOURS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


DRAWN = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(done)))"""


def maps(page) -> Locator:
    return page.locator("#branches .map")


def test_first_paint_shows_an_explored_picture(server: Server, visit) -> None:
    before = len(server.records)
    viewer = visit()
    page = viewer.page
    expect(page.locator("#picture .square")).to_be_visible()
    expect(page.locator("#diagram [data-stage]")).to_have_count(9)
    expect(page.locator("#diagram .lane[data-branch]")).to_have_count(36)
    expect(page.locator("#belief .bars button")).to_have_count(5)
    expect(page.locator("#branches .tiles canvas")).to_have_count(32)
    assert all(canvas.evaluate(COLOURS) > 20 for canvas in maps(page).all())
    assert page.locator(".say").inner_text().startswith("In 3a the ")
    assert len(server.records) == before, "no model run"
    assert viewer.strangers == [] and viewer.errors == []


BOTTOM = "document.querySelector('#branches .row').getBoundingClientRect().bottom"


def test_the_first_screen_needs_no_scrolling(look) -> None:
    assert look().page.evaluate(BOTTOM) <= DESK["height"]


def test_nothing_jumps_while_the_page_arrives(browser, server: Server) -> None:
    page = browser.new_page(viewport=DESK)
    page.set_default_timeout(PATIENCE)
    page.add_init_script(
        "window.jumps = 0; new PerformanceObserver((list) => { for (const entry of "
        "list.getEntries()) jumps += entry.value; }).observe("
        "{ type: 'layout-shift', buffered: true });"
    )
    page.goto(server.address)
    page.wait_for_function("window.gnet?.state.measured['3a'] !== undefined")
    page.evaluate(DRAWN)
    assert page.evaluate("jumps") < 0.02
    page.close()


def test_a_click_on_a_module_opens_it_without_asking_the_server(visit, timed) -> None:
    viewer = visit()
    page = viewer.page
    viewer.explored(lambda: viewer.give("mine.jpg", photo(320, 240, 21)))
    page.wait_for_function("gnet.state.measured['3a'] !== undefined")
    asked = len(viewer.asked)
    for stage in STAGES:
        page.locator(f"#diagram [data-stage='{stage}']").click()
        expect(page.locator(f"#diagram [data-stage='{stage}']")).to_have_attribute(
            "aria-pressed", "true"
        )
        page.wait_for_function(f"gnet.state.measured['{stage}'] !== undefined")
        expect(page.locator("#branches .sees").first).to_contain_text(
            "In practice 90\u00a0% of its input lies in a square of"
        )
        assert page.evaluate(BOTTOM) <= DESK["height"], f"{stage} needs no scrolling"
    once = joins(viewer.asked[asked:])
    assert once <= len(STAGES), "at most one small request for each module of a picture"
    for stage in (*STAGES, *STAGES):
        timed("click on a module to drawn", page.evaluate(CLICK, stage))
        assert page.locator(".say").inner_text().startswith(f"In {stage} the ")
        assert f"module={stage}" in page.url
    page.clock.install()
    for stage in STAGES:
        page.locator(f"#diagram [data-stage='{stage}']").click()
        page.clock.run_for(300)  # longer than the pause after which a field is asked for
    assert joins(viewer.asked[asked:]) == once
    page.context.close()  # its clock is no other test's


def joins(urls: list[str]) -> int:
    """How many of these requests ask the server to compute something."""
    return sum("/queue/join" in url or "/run/" in url for url in urls)


def test_all_of_an_answer_is_drawn_while_its_fields_are_still_measured(visit) -> None:
    viewer = visit()
    page = viewer.page
    page.route("**/queue/join*", lambda route: None)  # the server never answers again
    page.evaluate("gnet.state.measured = {}; gnet.tell(['measured'])")
    for stage in STAGES:
        page.evaluate(CLICK, stage)
        expect(page.locator("#branches .sees").first).to_contain_text(
            "Measuring how much of it counts …"
        )
        shares = page.locator("#branches [data-stat=share] b:not(i b)").all_inner_texts()
        sent = page.evaluate(
            "gnet.branches().map((b) => gnet.percent("
            "gnet.state.answer.stages[gnet.state.stage].branches[b].share))"
        )
        assert shares == sent
        assert all(canvas.evaluate(COLOURS) > 2 for canvas in maps(page).all())
        expect(page.locator("#branches .tiles canvas")).to_have_count(32)
    page.unroute_all(behavior="ignoreErrors")


def test_the_diagram_is_worked_by_keyboard(visit) -> None:
    page = visit("?module=3b").page
    diagram = page.locator("#diagram")
    expect(diagram.locator("[role=button][tabindex='0']")).to_have_count(1)
    diagram.locator("[role=button][tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(diagram.locator("[data-stage='4b']")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert page.evaluate("gnet.state.head") == "aux1"
    assert page.evaluate("document.activeElement.dataset.head") == "aux1"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.evaluate("gnet.state.head") == "aux2"
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert page.evaluate("gnet.state.head") == "main"
    assert page.evaluate("scrollY") == 0


def test_a_channel_pointed_at_shows_its_name_and_its_map(look) -> None:
    page = look().page
    column = page.locator("#branches [data-branch='5x5']")
    before = column.locator(".map").evaluate("(c) => c.toDataURL()")
    column.locator("[data-rank='3']").hover()
    top = page.evaluate("gnet.state.answer.stages['3a'].branches['5x5']")
    channel = top["top"][3]["channel"]
    name = f"3a · 5×5 · channel {channel} (concat {top['offset'] + channel})"
    expect(column.locator(".note")).to_have_text(name)
    assert column.locator(".map").evaluate("(c) => c.toDataURL()") != before
    page.locator("h1").hover()
    expect(column.locator(".note")).to_contain_text(f"8 strongest of {top['channels']}")
    assert column.locator(".map").evaluate("(c) => c.toDataURL()") == before
    column.locator("[data-rank='0']").focus()
    page.keyboard.press("ArrowRight")
    expect(column.locator("[data-rank='1']")).to_be_focused()
    expect(column.locator(".note")).to_contain_text(f"channel {top['top'][1]['channel']} ")


def test_the_scale_is_shared_as_widely_as_chosen(look) -> None:
    page = look().page
    words = page.locator("#branches .to")
    expect(words).to_contain_text("all four branches")
    page.get_by_role("button", name="network", exact=True).click()
    expect(words).to_contain_text("all nine modules")
    page.get_by_role("button", name="channel", exact=True).click()
    expect(words).to_contain_text("each map has its own scale")
    assert "scope=channel" in page.url


def test_the_address_holds_what_is_chosen(visit) -> None:
    viewer = visit("?module=5a&head=aux1&scope=network")
    assert [viewer.state(name) for name in ("stage", "head", "scope")] == ["5a", "aux1", "network"]
    expect(viewer.page.locator("#diagram [data-stage='5a']")).to_have_class("behind")
    assert viewer.page.locator("#header .shown").is_hidden()
    lost = visit("?module=9z&head=nobody&scope=x&class=unicorn")
    told = lost.page.locator("#header .shown")
    likeliest = lost.page.evaluate("gnet.state.network.classes[gnet.target()]")
    expect(told).to_have_text(
        f"Not here: module “9z”, class “unicorn” and 1 more; shown instead: 3a, {likeliest}, main."
    )
    assert [lost.state(name) for name in ("stage", "head", "scope")] == ["3a", "main", "module"]
    inherited = visit("?module=constructor&head=toString&scope=valueOf&class=__proto__")
    assert [inherited.state(name) for name in ("stage", "head")] == ["3a", "main"]
    assert inherited.page.locator(".say").inner_text().startswith("In 3a the ")
    lost.page.locator("#diagram [data-stage='4b']").click()
    expect(told).to_be_hidden()
    assert lost.errors == inherited.errors == []


def test_words_of_the_diagram_have_room_however_long(look) -> None:
    for size in (DESK, PHONE):
        page = look(size=size).page
        page.evaluate(
            "gnet.state.network.classes.forEach((name, i, all) =>"
            " (all[i] = `Rhodesian ridgeback of the Western Highlands ${name}`));"
            "gnet.tell(['answer'])"
        )
        expect(page.locator("#diagram [data-room]").first).to_contain_text("Rhod")
        for head in ("aux1", "aux2", "main"):
            page.evaluate(f"gnet.choose({{ head: '{head}' }})")
            assert page.evaluate(
                """() => {
                  const inside = ({ left, right }, box) =>
                    left >= box.left - 0.5 && right <= box.right + 0.5;
                  const place = (part) => part.getBoundingClientRect();
                  const all = (parts) => [...document.querySelectorAll(parts)].map(place);
                  const [one, two] = all("#diagram [data-room]");
                  const [first, second] = all("#diagram :is(.aux1, .aux2) .knob");
                  const beside = (a, b) => a.right < b.left || b.right < a.left;
                  const apart = (a, b) =>
                    beside(a, b) || a.bottom < b.top || b.bottom < a.top;
                  const drawing = place(document.querySelector("#diagram svg"));
                  return [one, first, second].every((part) => apart(part, two))
                    && [first, second].every((part) => apart(one, part))
                    && inside(one, drawing) && inside(two, drawing);
                }"""
            )


@pytest.mark.parametrize("width", [390, 768, 1024, 1181, 1280, 1920])
def test_a_class_of_two_words_is_not_cut_in_the_diagram(width: int, look) -> None:
    page = look(size={"width": width, "height": 830}).page
    page.evaluate("gnet.state.network.classes.fill('cassette player'); gnet.tell(['answer'])")
    words = page.locator("#diagram [data-room]")
    for text in words.all_text_contents():
        head, chance, name = text.replace("\u00a0%", "%").split(" ", 2)
        assert head.endswith(":") and chance.endswith("%") and name == "cassette player", text
    for group in ("aux1", "aux2"):
        expect(page.locator(f"#diagram .{group} title")).to_contain_text("%")


def test_a_class_of_few_letters_is_named_in_the_diagram(look) -> None:
    page = look().page
    page.evaluate(
        "gnet.state.network.classes.forEach((name, i, all) => (all[i] = i % 2 ? 'ox' : 'cat'));"
        "gnet.tell(['answer'])"
    )
    named = page.locator("#diagram [data-room]").all_text_contents()
    assert all("cat" in words or "ox" in words for words in named)


def test_an_example_is_one_click_away_and_kept_in_the_address(server: Server, visit) -> None:
    viewer = visit()
    viewer.explored(lambda: viewer.page.locator("#picture .examples [data-example=coffee]").click())
    assert viewer.state("answer.example") == "coffee"
    assert "picture=coffee" in viewer.page.url
    again = visit(viewer.page.url.removeprefix(server.address))
    again.page.wait_for_function("gnet.state.answer.example === 'coffee'")
    assert again.errors == []


def test_the_classes_the_network_knows_are_one_click_away(visit, page_model) -> None:
    page = visit().page
    count = page_model.config.num_classes
    known = page.get_by_role("button", name=f"{count} classes it knows")
    known.click()
    classes = page.locator("dialog.classes")
    expect(classes.locator(".list button")).to_have_count(count)
    size = classes.bounding_box()
    last = classes.locator(".list button").last
    name = last.inner_text()
    page.keyboard.type("no class is called so")
    expect(classes.locator(".list button:visible")).to_have_count(0)
    expect(classes.get_by_role("status")).to_contain_text("no class with “no class is called so”")
    assert classes.bounding_box() == size, "neither smaller nor elsewhere"
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(name)
    expect(last).to_be_visible()
    expect(classes.get_by_role("status")).to_be_empty()
    page.keyboard.press("Enter")
    expect(classes).to_be_hidden()
    expect(page.locator("#question .ask b").first).to_have_text(name)
    expect(page.locator("#reason h3")).to_contain_text(f"“{name}”")
    known.click()
    expect(classes.locator("input")).to_have_value("")


def test_bars_are_as_long_as_their_probabilities(look, page_model) -> None:
    page = look().page
    top1 = page_model.info.metrics.get("heads", {}).get("main", {}).get("top1")
    told = how_often_right(top1).removesuffix(".")
    expect(page.locator("#belief .status")).to_contain_text(told)
    chances = page.evaluate(
        "gnet.state.answer.heads.main.top.map(c => gnet.state.answer.heads.main.probabilities[c])"
    )
    wide = page.locator("#belief button[data-class] b").evaluate_all(
        "bars => bars.map(b => parseFloat(b.style.width) / 100)"
    )
    assert wide == pytest.approx(chances, abs=1e-3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_dark_where_the_system_is(scheme: str, visit) -> None:
    page = visit(color_scheme=scheme).page
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    ink = "rgb(236, 234, 230)" if scheme == "dark" else "rgb(28, 30, 33)"
    expect(page.locator(".say")).to_have_css("color", ink)


def test_a_phone_shows_everything_without_scrolling_sideways(visit) -> None:
    page = visit(size=PHONE).page
    expect(page.locator("#reason .found")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    outside = page.evaluate(
        """() => [...document.querySelectorAll("#page *, #top *, #branches *, #why *, #header *")]
          .filter((part) => !part.closest("svg, dialog, .clip, .examples"))
          .filter((part) => !part.closest("#header :is(nav, .which, .more) > *")) // they scroll
          .filter((part) => part.checkVisibility())
          .filter((part) => part.getBoundingClientRect().right > innerWidth + 0.5)
          .map((part) => part.outerHTML.slice(0, 90))"""
    )
    assert outside == []
    edge = page.locator("#diagram .wide").evaluate(
        """(wide) => {
          const looks = [null, "::before", "::after"].map((part) => getComputedStyle(wide, part));
          return wide.scrollWidth > wide.clientWidth || looks.some((look, i) =>
            look.boxShadow !== "none" || parseFloat(look.borderRightWidth) > 0
              || (i > 0 && look.content !== "none"));
        }"""
    )
    assert not edge, "the diagram ends without a stripe, and nothing of it lies beyond its edge"


def test_the_page_sends_headers_that_keep_it_to_itself(server: Server, browser) -> None:
    page = browser.new_page()
    headers = page.goto(server.address).headers
    page.close()
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.skipif(
    not os.environ.get("GNET_SCREENSHOTS"), reason="asked for by GNET_SCREENSHOTS=1"
)
def test_the_readmes_picture_is_taken(
    gradio_environment, browser, page_model, tmp_path: Path
) -> None:
    with Runs(tmp_path) as runs, on_a_free_port(page_model, runs) as address:
        page = browser.new_page(viewport=DESK)
        page.goto(f"{address}?module=3a")
        page.wait_for_function("window.gnet?.state.measured['3a'] !== undefined", timeout=60_000)
        page.screenshot(path=ROOT / "docs" / "explore.png")
        page.close()


@pytest.mark.skipif(
    not os.environ.get("GNET_SCREENSHOTS"), reason="asked for by GNET_SCREENSHOTS=1"
)
def test_the_readmes_picture_of_training_is_taken(
    gradio_environment, browser, page_model, tmp_path: Path
) -> None:
    with Runs(tmp_path) as runs, on_a_free_port(page_model, runs) as address:
        page = browser.new_page(viewport=DESK)
        page.goto(f"{address}?tab=train")
        expect(page.locator("#start")).to_contain_text("an epoch", timeout=120_000)
        page.locator("#start").click()  # the first question as it is asked
        page.wait_for_function(
            "gnet.train.shown()?.validated.length > 2 && gnet.train.shown().x.at(-1) > 3.4",
            timeout=600_000,
        )
        page.mouse.move(0, 0)  # off the button
        page.screenshot(path=ROOT / "docs" / "train.png")
        page.close()
