"""The colour of the diagram's lanes: activity, worth or account; kept in the address."""

from playwright.sync_api import expect

from gnet.answers.examples import chosen
from gnet.answers.explorer import Explorer
from support.pages import PHONE

SOON = 60_000


def test_lanes_are_coloured_by_what_the_map_and_the_account_say(visit, page_model):
    viewer = visit("?lanes=worth")
    page = viewer.page
    lane = page.locator("#diagram [data-stage='4a'] .lane.bpool")
    page.wait_for_function("gnet.state.worth?.key === gnet.state.whole.key", timeout=SOON)
    worth = viewer.state("worth")
    value = worth["branches"]["4a/pool"]["off"]["logit"]
    assert lane.evaluate("(lane) => lane.style.fill") == colour(page, value, worth["limit"])
    page.locator("#diagram [data-lanes='account']").click()
    page.wait_for_function("gnet.state.account?.key === gnet.state.whole.key", timeout=SOON)
    account = viewer.state("account")
    value = account["branches"]["4a/pool"]
    assert lane.evaluate("(lane) => lane.style.fill") == colour(page, value, account["limit"])
    assert "lanes=account" in page.url
    page.locator("#diagram [data-lanes='share']").click()
    assert lane.evaluate("(lane) => lane.style.fill") == ""
    page.go_back()
    expect(page.locator("#diagram [data-lanes='account']")).to_have_attribute(
        "aria-pressed", "true"
    )
    explorer = Explorer(page_model)
    target = page.evaluate("gnet.target()")
    assert account["sentence"] == explorer.account(chosen("boots"), "main", target)["sentence"]
    assert not viewer.errors and not viewer.strangers


def colour(page, value: float, limit: float) -> str:
    """A value's colour as the browser writes it."""
    written = page.evaluate(f"gnet.colour({value}, {limit}, true)")
    return "rgb(" + ", ".join(written.removeprefix("rgb(").removesuffix(")").split()) + ")"


def test_a_module_s_account_is_a_way_from_the_plain_picture_to_this_one(visit):
    viewer = visit(size=PHONE)
    page = viewer.page
    page.locator("[data-account]").click()
    steps = page.locator("#account .fall li")
    expect(steps).to_have_count(7, timeout=SOON)
    expect(page.locator("#account td button")).to_have_count(36)
    values = [float(text.replace("−", "-")) for text in steps.locator("> b").all_inner_texts()]
    assert abs(sum(values[:-1]) - values[-1]) < 0.05
    page.locator("#account [data-cell='5b/1x1']").click()
    page.wait_for_function("gnet.state.answer.switched?.switches['5b/1x1'] === 0", timeout=SOON)
    expect(page.locator("#account .fall h3")).to_have_text("5b")
    assert not viewer.errors
