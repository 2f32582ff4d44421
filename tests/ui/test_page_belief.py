"""Belief from depth to depth, in a real browser: what is drawn, followed, chosen, and by whom."""

import pytest
from playwright.sync_api import expect

from support.looking import at_each
from support.pages import DESK, PHONE

GIVE = """(said) => {
  const { network, answer } = gnet.state;
  const stages = Object.keys(network.widths);
  const count = network.classes.length;
  const probes = { status: "probe on frozen features", top1: {}, right: {} };
  const story = { classes: { 5: "The probes say it from 4b on." }, others: "Nobody says {class}." };
  const depth = { answer: said.at(-1), first: "4b", settled: "4d", stages: {}, story };
  stages.forEach((stage, at) => {
    const probabilities = Array(count).fill(0.2 / (count - 1));
    probabilities[said[at]] = 0.8;
    const others = [...Array(count).keys()].filter((c) => c !== said[at]).slice(0, 4);
    const sentence = `The probe at ${stage} says ${network.classes[said[at]]}, 80 %.`;
    depth.stages[stage] = { probabilities, entropy: 1.25, top: [said[at], ...others], sentence };
    probes.right[stage] = `Right for ${10 * (at + 1)} of 100 new pictures.`;
  });
  gnet.arrive({ ...network, probes }, { ...answer, depth });
}"""
SAID = [3, 4, 4, 5, 4, 5, 5, 5, 5]
"""What the nine probes say."""
DOUBT = """(heads) => {
  for (const [name, head] of Object.entries(gnet.state.answer.heads)) {
    const sure = !heads.includes(name);
    Object.assign(head, { sure, doubt: sure ? "" : "Its energy is 2.5, below 4.25." });
    if (!sure) head.answer = "not sure; nearest is European fire salamander, 7.0 %";
  }
  gnet.tell(["answer"]);
}"""
BELOW = """() => {
  const top = (part) => document.querySelector(part).getBoundingClientRect().top;
  const [bars, strip] = [top("#belief .bars"), top("#picture .strip")];
  return [top("#branches") + scrollY, bars - top("#belief"), strip - top("#picture")];
}"""
SIZES = [DESK, {"width": 1920, "height": 1080}, {"width": 1024, "height": 768}, PHONE]


def test_probes_and_heads_stand_at_their_places_on_one_scale_to_100(look) -> None:
    viewer = look()
    page = viewer.page
    page.evaluate(GIVE, SAID)
    depths = page.locator("#belief [data-depth]")
    assert [text.strip() for text in depths.all_inner_texts()] == [
        "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b",
    ]  # fmt: skip
    expect(page.locator("#belief .dot.probe")).to_have_count(9)
    for head, stage in (("aux1", "4a"), ("aux2", "4d"), ("main", "5b")):
        trained = page.evaluate("(head) => Boolean(gnet.believed(head))", head)
        dots = page.locator(f"#belief [data-depth='{stage}'] .dot.{head}")
        expect(dots).to_have_count(int(trained))
    page.evaluate("gnet.choose({ target: 5 })")
    points = page.locator("#belief polyline.first").get_attribute("points")
    heights = [100 - float(point.split(",")[1]) for point in points.split()]
    assert heights == pytest.approx([80 if c == 5 else 0 for c in SAID], abs=2)
    expect(page.locator("#belief .story")).to_have_text("The probes say it from 4b on.")
    expect(page.locator("#belief .scale")).to_contain_text("100")
    assert viewer.errors == [] and viewer.strangers == []


def test_the_story_is_of_the_class_that_is_followed(look) -> None:
    page = look().page
    page.evaluate(GIVE, SAID)
    names = page.evaluate("gnet.state.network.classes")
    page.evaluate("gnet.choose({ target: 7 })")
    expect(page.locator("#belief .followed")).to_have_text(names[7])
    expect(page.locator("#belief .story")).to_have_text(f"Nobody says {names[7]}.")


def test_a_click_on_a_depth_opens_its_module_and_its_probes_first_five(look) -> None:
    viewer = look()
    page = viewer.page
    page.evaluate(GIVE, SAID)
    page.locator("#belief [data-depth='4a']").click()
    expect(page.locator("#diagram [data-stage='4a']")).to_have_attribute("aria-pressed", "true")
    assert "module=4a" in page.url
    expect(page.locator("#belief [data-reader=probe]")).to_have_attribute("aria-pressed", "true")
    spread = page.evaluate("gnet.state.answer.depth.stages['4a'].entropy")
    expect(page.locator("#belief .status")).to_have_text(
        f"Right for 30 of 100 new pictures. Entropy {spread:.2f} nats."
    )
    expect(page.locator("#belief .bars button")).to_have_count(5)
    page.locator("#belief [data-reader=main]").click()
    expect(page.locator("#belief [data-reader=main]")).to_have_attribute("aria-pressed", "true")
    believed = page.evaluate(
        "gnet.state.answer.heads.main.top.map((c) => gnet.state.network.classes[c])"
    )
    assert page.locator("#belief .bars span").all_inner_texts() == believed
    assert viewer.errors == []


def test_the_depths_are_walked_with_the_arrow_keys(look) -> None:
    page = look("?module=3b").page
    page.evaluate(GIVE, SAID)
    depth = page.locator("#belief .columns")
    expect(depth.locator("[tabindex='0']")).to_have_count(1)
    depth.locator("[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("gnet.state.stage") == "4b"
    assert page.evaluate("document.activeElement.dataset.depth") == "4b"
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.dataset.depth") == "3a"


def test_a_network_without_probes_shows_its_heads_and_says_so(look) -> None:
    page = look().page
    page.evaluate(
        "const { network, answer } = gnet.state; const story = { classes: {}, others: "
        "'Probes exist only for the bundled network; only the three heads are shown.' };"
        "gnet.arrive({ ...network, probes: null }, { ...answer, depth: { stages: {}, story } });"
    )
    expect(page.locator("#belief .story")).to_contain_text("only the three heads are shown")
    expect(page.locator("#belief .dot.probe")).to_have_count(0)
    expect(page.locator("#belief [data-reader=probe]")).to_have_count(0)
    trained = len(page.evaluate("gnet.trained()"))
    points = page.locator("#belief polyline.first").get_attribute("points").split()
    assert len(points) == trained


def test_a_head_that_is_not_sure_says_so_and_why(look) -> None:
    page = look().page
    page.evaluate(DOUBT, ["main"])
    expect(page.locator("#belief .answer")).to_contain_text("not sure; nearest is European fire")
    expect(page.locator("#belief [data-reader=main] small")).to_have_text("not sure")
    expect(page.locator("#belief .bars.nearest button")).to_have_count(5)
    page.locator("#belief .answer .term").focus()
    expect(page.get_by_role("tooltip")).to_have_text("Its energy is 2.5, below 4.25.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()
    page.locator("#belief [data-reader=aux2]").click()
    expect(page.locator("#belief .bars.nearest")).to_have_count(0)


def test_nothing_below_moves_when_an_answer_a_doubt_or_an_error_arrives(visit) -> None:
    viewer = visit()
    page = viewer.page
    before = pytest.approx(at_each(page, SIZES, BELOW), abs=2)
    page.evaluate(DOUBT, ["main", "aux1"])
    assert at_each(page, SIZES, BELOW) == before
    for example in ("fine-stripes", "trousers", "clock"):
        strip = page.locator(f"#picture .examples [data-example={example}]")
        viewer.explored(lambda strip=strip: strip.dispatch_event("click"))
        assert at_each(page, SIZES, BELOW) == before, example
    viewer.give("broken.jpg", b"no picture")
    expect(page.get_by_test_id("toast-body")).to_be_visible()
    assert at_each(page, SIZES, BELOW) == before
    for stage in ("3a", "4e", "5b"):
        page.locator(f"#belief [data-depth='{stage}']").dispatch_event("click")
        assert at_each(page, SIZES, BELOW) == before, stage


def test_on_touch_nothing_is_small(visit) -> None:
    page = visit(size=PHONE, has_touch=True, is_mobile=True).page
    small = page.evaluate(
        """() => [...document.querySelectorAll("#picture *, #belief *, #why *, #header *")]
          .filter((part) => part.checkVisibility() && part.firstChild?.nodeType === 3
            && part.textContent.trim() && parseFloat(getComputedStyle(part).fontSize) < 12)
          .map((part) => part.outerHTML.slice(0, 80))"""
    )
    assert small == []
    targets = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, label")]
          .filter((part) => part.closest("#picture, #belief, #why, #header"))
          .filter((part) => part.checkVisibility() && !part.closest("dialog")
            && !part.matches(".skip, input[type=radio]"))
          .map((part) => [part.outerHTML.slice(0, 70), part.getBoundingClientRect()])
          .filter(([, box]) => box.height < 39.5 || box.width < 39.5).map(([html]) => html)"""
    )
    assert targets == []
    page.locator("#belief .term").first.tap()
    expect(page.get_by_role("tooltip")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_belief_fits_a_phone(visit, scheme: str) -> None:
    page = visit(size=PHONE, color_scheme=scheme).page
    page.evaluate(GIVE, SAID)
    page.evaluate(DOUBT, ["main", "aux1", "aux2"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    card = page.locator("#belief .card").bounding_box()
    for depth in page.locator("#belief [data-depth]").all():
        box = depth.bounding_box()
        assert card["x"] <= box["x"] and box["x"] + box["width"] <= card["x"] + card["width"]
    plot = page.locator("#belief .plot").first.bounding_box()
    lines = page.locator("#belief .lines").bounding_box()
    assert abs(lines["y"] - plot["y"]) < 2 and abs(lines["height"] - plot["height"]) < 2
