"""The first screen at the widths people have: what stands where, how large, and what moves."""

import pytest
from playwright.sync_api import expect

from gnet.explain.branches import LABELS
from gnet.network.config import BRANCHES, STAGES
from support.looking import at_each
from support.pages import DESK, PHONE

WIDTHS = [PHONE, {"width": 1024, "height": 768}, DESK, {"width": 1920, "height": 1080}]
TOUCH = {"size": PHONE, "has_touch": True, "is_mobile": True}
PLACES = """() => Object.fromEntries(
  ["#picture", "#net", "#belief", "#branches", "#branches .row"].map((part) => {
    const { left, top, right, bottom } = document.querySelector(part).getBoundingClientRect();
    return [part, { left, top, right, bottom }];
  }))"""
SMALL_TEXT = """(parts) => [...document.querySelectorAll(parts)]
  .flatMap((part) => [...part.querySelectorAll("*")])
  .filter((part) => part.checkVisibility() && [...part.childNodes].some(
    (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()))
  .filter((part) => parseFloat(getComputedStyle(part).fontSize) < 12)
  .map((part) => part.outerHTML.slice(0, 90))"""
SMALL_TARGETS = """(parts) => [...document.querySelectorAll(parts)]
  .flatMap((part) => [...part.querySelectorAll("button, a, select, [role=button]")])
  .filter((part) => part.checkVisibility())
  .map((part) => [part.getBoundingClientRect(), part])
  .filter(([{ width, height }]) => Math.min(width, height) < 39.5)
  .map(([{ width, height }, part]) => `${width}×${height} ${part.outerHTML.slice(0, 90)}`)"""
OWN = "#net, #module, #channels, #channel"
HEIGHTS = """() => ["#diagram", "#wiring", "#module", "#branches .say", "#branches .scale",
  ...gnet.branches().map((name) => `#branches [data-branch="${name}"]`)].map((part) =>
    document.querySelector(part).getBoundingClientRect().height)"""


@pytest.mark.parametrize("size", WIDTHS, ids=lambda size: str(size["width"]))
def test_the_branches_stand_directly_under_the_diagram(size: dict, look) -> None:
    page = look(size=size).page
    assert page.evaluate("gnet.state.stage") == "3a"
    places = page.evaluate(PLACES)
    net, branches = places["#net"], places["#branches"]
    assert 0 <= branches["top"] - net["bottom"] <= 80, "nothing but the modules' bar between them"
    assert branches["left"] <= net["left"] + 1 and branches["right"] >= net["right"] - 1
    if size["width"] > PHONE["width"]:
        assert places["#picture"]["right"] < net["left"]
        assert places["#branches .row"]["top"] < size["height"]
    if size["width"] <= 1024:
        assert net["top"] < places["#belief"]["top"], "the diagram comes before belief"
    right = max(place["right"] for place in places.values())
    assert right >= size["width"] - 40, "the width is used"
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


ANOTHER = """(net) => {
  const { network } = gnet.state;
  const about = "trained here: 12 classes, 32 px; right in validation: main 12 %, " +
    "aux2 10 %, aux1 8 %. Its 5×5 is really 3×3. Aux1 and aux2 are untrained.";
  gnet.state.net = net;
  gnet.state.network = { ...network, name: net || "everyday", about, run: net };
  gnet.tell(["network"]);
}"""
HEADER = """() => {
  const parts = ["#header .head", "#header .line"].map((part) => document.querySelector(part));
  const wide = (part) => part.scrollWidth > part.clientWidth;
  const high = (part) => part.scrollHeight > part.clientHeight;
  const [{ height }, line] = parts.map((part) => part.getBoundingClientRect());
  return { height, lines: line.height / 15, cut: parts.some(wide) || high(parts[1]) };
}"""


@pytest.mark.parametrize("width", [660, 700, 768, 900, 1000])
def test_on_a_tablet_the_module_s_words_stay_in_their_boxes(look, width: int) -> None:
    page = look("?module=4a", size={"width": width, "height": 900}).page
    cut = page.locator("#wiring .step").evaluate_all(
        "all => all.filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.innerText)"
    )
    assert cut == []
    costs = page.locator("#wiring .macs b").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().right)"
    )
    assert max(costs) <= page.locator("#wiring .stack").bounding_box()["x"]


def test_a_network_trained_here_is_named_above_the_fold(look) -> None:
    page = look().page
    page.evaluate(ANOTHER, "a run")
    expect(page.locator("#header .shown")).to_be_visible()
    bottom = page.evaluate(PLACES)["#branches .row"]["bottom"]
    assert bottom <= DESK["height"]


def test_on_a_phone_the_header_is_two_rows_that_scroll_and_shows_the_tab_that_is_open(
    visit,
) -> None:
    page = visit("?tab=architecture", **TOUCH).page
    assert page.evaluate(HEADER)["height"] < 120
    box = page.locator("#header nav [aria-current]").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    page.locator("#header .words").click()  # scrolled to
    expect(page.locator("#header .glossary")).to_be_visible()


def test_at_200_per_cent_and_on_the_largest_screen_no_tab_scrolls_sideways(visit) -> None:
    """Zoomed to 200 %, a window of 1280 × 830 px has room for half as many."""
    page = visit(size={"width": 640, "height": 415}, device_scale_factor=2).page
    for size in ({"width": 640, "height": 415}, {"width": 3840, "height": 2160}):
        page.set_viewport_size(size)
        for tab in page.evaluate("Object.keys(gnet.tabs)"):
            page.evaluate(f"gnet.show('{tab}')")
            expect(page.locator(f"#{tab}-tab")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], tab


def test_who_asks_for_less_motion_gets_none(visit) -> None:
    page = visit(reduced_motion="reduce").page
    moving = """() => [...document.querySelectorAll(".gradio-container *")].filter((part) => {
      const style = getComputedStyle(part);
      const glides = style.transitionDuration.split(", ").some((time) => parseFloat(time) > 0);
      return glides && style.transitionProperty !== "none";
    }).map((part) => part.outerHTML.slice(0, 80))"""
    assert page.evaluate(moving) == []
    page.evaluate("scrollTo(0, 0); gnet.lead(document.querySelector('#branches'))")
    top = page.evaluate("document.querySelector('#branches').getBoundingClientRect().top")
    room = page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY")
    assert abs(top) < 60 or room < 1  # there at once, or as far as the page goes


def test_a_wide_screen_is_used(visit) -> None:
    wide = {"width": 1920, "height": 1080}
    page = visit(size=wide).page
    plot = page.locator("#belief .plot").first.bounding_box()
    assert plot and plot["height"] > 100
    width = "document.querySelector('#branches .map').getBoundingClientRect().width"
    large = page.evaluate(width)
    page.set_viewport_size(DESK)
    assert large > 1.8 * page.evaluate(width), "maps are larger where there is room for them"
    page.set_viewport_size(wide)
    page = visit("?tab=why&picture=cat", size=DESK).page
    page.evaluate("gnet.tell(['tab'])")
    page.wait_for_function("gnet.why.possible()", timeout=60_000)
    page.evaluate("gnet.why.answered || gnet.why.tell('gnet-explain')")
    expect(page.locator("#why-curves article")).to_have_count(1, timeout=60_000)
    one, other = (page.locator(part).bounding_box() for part in ("#why-map", "#why-curves"))
    assert one and other and one["y"] == other["y"]
    assert other["x"] > one["x"] + one["width"] and other["x"] + other["width"] > 1200


def test_the_header_says_what_each_tab_is_about_and_names_a_network_without_moving_anything(
    visit,
) -> None:
    page = visit().page
    for tab in page.evaluate("Object.keys(gnet.tabs)"):
        page.evaluate(f"gnet.show('{tab}')")
        for width in (360, 390, 768, 981, 1024, 1101, 1280, 1400, 1920):
            place = f"{tab} at {width} px"
            page.set_viewport_size({"width": width, "height": 830})
            expect(page.locator("#header .line")).to_be_visible()
            before = page.evaluate(HEADER)
            assert before["lines"] <= 2 and not before["cut"], place
            page.evaluate(ANOTHER, "a run with a name as long as one may be given")
            expect(page.locator("#header .shown")).to_be_visible()
            assert page.evaluate(HEADER)["height"] == pytest.approx(before["height"], abs=2), place
            assert page.evaluate("document.documentElement.scrollWidth") <= width, place
            page.evaluate(ANOTHER, "")
            expect(page.locator("#header .line")).to_be_visible()
            assert page.evaluate(HEADER)["height"] == pytest.approx(before["height"], abs=2), place


def test_nothing_of_the_network_moves_when_an_answer_arrives(visit) -> None:
    viewer = visit()
    page = viewer.page
    before = at_each(page, (PHONE, DESK), HEIGHTS)
    for stage in (*STAGES, "3a"):
        page.evaluate(f"gnet.choose({{ stage: '{stage}' }})")
        assert at_each(page, (PHONE, DESK), HEIGHTS) == pytest.approx(before, abs=2), stage
    page.wait_for_function("gnet.state.measured['3a'] !== undefined")
    for example in ("medium-stripes", "cat"):
        viewer.explored(
            lambda name=example: page.locator(f"[data-example={name}]").first.evaluate(
                "one => one.click()"
            )
        )
        assert at_each(page, (PHONE, DESK), HEIGHTS) == pytest.approx(before, abs=2), example


LONG = """() => {
  const { answer } = gnet.state;
  const said = "a tool or household thing, 86 %; the likeliest class is washing machine, 41 %";
  const sentence = `The main classifier says ${said}.`;
  answer.heads.main = { ...answer.heads.main, answer: said, sentence };
  answer.compared = "aux1 and aux2 are surer than main: each head decides by itself. " +
    "Surer does not mean right.";
  gnet.tell(["answer", "stage", "head"]);
}"""
TOPS = """() => ["#diagram", "#wiring", "#branches .scale", "#branches .row", "#belief .bars",
  "#switches"].map((part) => document.querySelector(part).getBoundingClientRect().top + scrollY)"""


def test_nothing_moves_when_a_switch_or_a_long_sentence_arrives(visit) -> None:
    sizes = [{"width": width, "height": 830} for width in (390, 768, 1024, 1280, 1920)]
    viewer = visit()
    page = viewer.page
    before = at_each(page, sizes, TOPS)
    viewer.explored(page.locator("#branches [data-branch='3x3'] [data-switch]").click)
    assert at_each(page, sizes, TOPS) == pytest.approx(before, abs=2)
    page.evaluate(LONG)
    assert at_each(page, sizes, TOPS) == pytest.approx(before, abs=2)
    page.set_viewport_size(DESK)
    assert page.evaluate(PLACES)["#branches .row"]["bottom"] <= 830
    page.evaluate("gnet.choose({ switches: '4b/7x7=0' })")
    expect(page.locator("[data-testid='toast-body']")).to_be_visible()
    assert at_each(page, sizes, TOPS) == pytest.approx(before, abs=2)


@pytest.mark.parametrize("options", [TOUCH, {"size": DESK}], ids=["phone", "desk"])
def test_no_text_is_smaller_than_twelve_px_and_no_target_than_a_finger(
    options: dict, visit
) -> None:
    page = visit("?module=3a&channel=pool", **options).page
    expect(page.locator("#channels [data-channel]").first).to_be_visible()
    page.evaluate("gnet.choose({ channel: 'pool.3' })")
    expect(page.locator("#channel .term").first).to_be_visible()
    assert page.evaluate(SMALL_TEXT, OWN) == []
    if "has_touch" in options:
        assert page.evaluate(SMALL_TARGETS, OWN) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_module_is_chosen_from_the_bar_while_its_branches_are_read(visit) -> None:
    page = visit(**TOUCH).page
    page.locator("#branches .tiles").last.scroll_into_view_if_needed()
    bar = page.locator("#modules .bar")
    expect(bar).to_be_in_viewport()
    bar.get_by_role("button", name="5a").tap()
    expect(page.locator("#branches .say")).to_contain_text("In 5a the ")
    expect(bar.get_by_role("button", name="5a")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.querySelector('#modules .bar').getBoundingClientRect().top") < 20
    expect(visit().page.locator("#modules .bar")).to_be_hidden()


def test_pointing_at_a_cell_moves_the_windows_of_all_four_branches(look) -> None:
    page = look().page
    outlines = "[...document.querySelectorAll('#picture [data-window] path')].map(p => p.outerHTML)"
    middle = page.evaluate(outlines)
    assert len(middle) == 2 * len(BRANCHES)
    legend = page.locator("#picture .legend span")
    assert legend.all_inner_texts() == [LABELS[branch] for branch in BRANCHES]
    box = page.locator("#branches [data-branch='3x3'] .map").bounding_box()
    page.mouse.move(box["x"] + 0.03 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_function("gnet.state.cell !== null")
    assert page.evaluate("gnet.state.cell.col") <= 1
    moved = page.evaluate(outlines)
    own, beyond = moved[::2], moved[1::2]
    assert all(now != was for now, was in zip(own, middle[::2], strict=True))
    assert all('d="M' in path for path in beyond), "the left side lies beyond the picture"
    page.locator("h1").hover()
    assert page.evaluate(outlines) == middle


def test_a_lane_is_as_strong_as_its_share_on_the_printed_scale(look) -> None:
    page = look().page
    drawn = page.locator("#diagram .lane[data-branch]").evaluate_all(
        "lanes => lanes.map(lane => Number(lane.getAttribute('fill-opacity')))"
    )
    shares = page.evaluate(
        "Object.values(gnet.state.answer.stages).flatMap("
        "stage => gnet.branches().map(name => stage.branches[name].share))"
    )
    printed = page.locator("#diagram .swatch").evaluate_all(
        "boxes => boxes.map(box => Number(box.getAttribute('fill-opacity')))"
    )
    low, high = printed[0], printed[-1]
    assert drawn == pytest.approx([low + (high - low) * share for share in shares], abs=2e-3)
    expect(page.locator("#diagram .scale")).to_contain_text("100")
    edges = page.locator("#diagram .lane[data-branch]").evaluate_all(
        "lanes => lanes.map(getComputedStyle).map(({ fill, stroke, strokeOpacity, strokeWidth }) =>"
        " stroke === fill && strokeOpacity === '1' && parseFloat(strokeWidth) >= 1)"
    )
    assert len(edges) == 36 and all(edges), "a pale lane keeps its edge in its branch's hue"


def test_the_wiring_of_the_chosen_module_is_drawn_with_what_it_costs(look) -> None:
    page = look("?module=4e").page
    module = page.evaluate("gnet.state.network.modules['4e']")
    wiring = page.locator("#wiring")
    expect(wiring.locator("h2")).to_have_text(module["title"])
    expect(wiring.locator(".cost")).to_contain_text(module["sentence"])
    for branch, words in module["branches"].items():
        lane = wiring.locator(f".lane[data-branch='{branch}']")
        for step in words["steps"]:
            expect(lane).to_contain_text(step["name"])
            expect(lane).to_contain_text(f"{step['channels']}\u00a0channels")
        expect(lane.locator(".macs b")).to_contain_text(words["cost"])
        expect(lane.locator(".macs small")).to_have_text(words["direct"])
    page.locator("#branches [data-branch='5x5'] h3").hover()
    expect(wiring.locator(".lane[data-branch='1x1']")).to_have_class("lane b1x1 faint")


def test_each_number_of_the_sentence_leads_to_where_it_stands(look) -> None:
    viewer = look("?module=4b")
    page = viewer.page
    spots = page.locator("#branches .say [data-to]")
    texts = spots.all_inner_texts()
    assert len(texts) >= 4 and texts[2] == "512"
    for spot, text in zip(spots.all(), texts, strict=True):
        spot.press("Enter")
        place = page.locator(".marked")
        expect(place).to_be_focused()
        expect(place).to_be_in_viewport()
        assert text.replace(" ", "") in place.inner_text().replace("\u00a0", "").replace(" ", "")
    page.locator("h1").click()
    expect(page.locator(".marked")).to_have_count(0)
    assert viewer.errors == []


def test_a_module_says_in_what_it_differs_from_the_paper(look) -> None:
    page = look().page
    term = page.locator("#wiring .cost [data-says]").filter(has_text="Unlike the paper")
    expect(term).to_have_count(1)
    term.hover()
    expect(page.locator("#gnet-says")).to_contain_text("Batch norm follows each convolution")


def test_bars_name_their_scales(look) -> None:
    page = look().page
    column = page.locator("#branches [data-branch='1x1']")
    for words in ("share of activity", "mean per channel"):
        expect(column.locator(".stats")).to_contain_text(words)
    expect(column.locator(".stats")).to_contain_text("cells at 0")
    expect(column.locator(".range")).to_contain_text("map: ")
    column.locator(".stats .term").hover()
    expect(page.locator("#gnet-says")).to_contain_text("strongest per channel")
    for branch in page.evaluate("gnet.state.network.branches"):
        page.locator(f"#branches [data-branch='{branch['name']}'] h3 .term").focus()
        expect(page.locator("#gnet-says")).to_have_text(branch["does"])


@pytest.mark.parametrize("options", [TOUCH, {"size": DESK}], ids=["phone", "desk"])
@pytest.mark.parametrize("channel", ["1x1.3", "3x3.5", "5x5.5", "3x3"])
def test_a_channel_that_is_opened_has_its_place_before_it_arrives(
    channel: str, options: dict, visit
) -> None:
    page = visit(**options).page
    panel = "#channel" if "." in channel else "#channels"
    height = f"document.querySelector('{panel} .panel').getBoundingClientRect().height"
    before = page.evaluate(f"gnet.choose({{ channel: '{channel}' }}); {height}")
    expect(page.locator("#channel .term, #channels [data-channel]").first).to_be_visible()
    assert page.evaluate(height) == pytest.approx(before, abs=2)


ARROWS = """() => [...document.querySelectorAll("select")].map((list) => {
  const { appearance, backgroundImage, paddingRight } = getComputedStyle(list);
  const drawn = backgroundImage.includes("gradient") && parseFloat(paddingRight) > 20;
  return appearance === "none" ? drawn : backgroundImage === "none";
})"""


def test_a_list_to_choose_from_has_one_arrow_also_in_forced_colours(look) -> None:
    page = look().page
    assert len(page.evaluate(ARROWS)) > 5 and all(page.evaluate(ARROWS))
    page.emulate_media(forced_colors="active")
    assert page.evaluate(
        "[...document.querySelectorAll('select')].every("
        "(list) => getComputedStyle(list).appearance === 'auto')"
    )
    assert all(page.evaluate(ARROWS))
    page.emulate_media(forced_colors="none")
