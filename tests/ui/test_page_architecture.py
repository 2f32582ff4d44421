"""The Architecture tab: table, drawing, what-if, weights; mouse, keyboard, a phone, dark."""

import pytest
from playwright.sync_api import expect

from support.pages import DESK, PHONE


def arrived(page) -> None:
    """Wait until all parts are drawn."""
    page.wait_for_function(
        "gnet.plan.state.shown && document.querySelector('#architecture-module .one')"
        " && document.querySelector('#architecture-weights li')",
        timeout=60_000,
    )


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"]
)
def test_the_tab_shows_the_network_and_a_preset(visit, size, scheme):
    viewer = visit("?tab=architecture&module=4b", size=size, color_scheme=scheme)
    page = viewer.page
    arrived(page)
    rows = page.locator("#architecture-table tbody tr")
    expect(page.locator("#architecture-plan h2")).to_have_text(viewer.state("network.name"))
    page.locator("[data-preset='torchvision']").click()
    expect(page.locator("#architecture-plan h2")).to_have_text("torchvision", timeout=60_000)
    expect(rows.filter(has_text="inception (3a)")).to_contain_text("155,136")
    assert "preset=torchvision" in page.url

    count = rows.count()
    page.locator("[data-row='inception4d']").click()
    expect(rows).to_have_count(count + 7)
    expect(page.locator("#architecture-network h3")).to_have_text("Module 4d")
    mark = page.locator("#architecture-table .inception3a .mark").first
    mark.click()
    expect(page.locator("#architecture-table .points li:focus")).to_contain_text("3×3")
    expect(page.locator("#architecture-weights .whose")).to_contain_text("nobody has trained")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    for link in page.locator("#header nav a").all():
        box = link.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"], "each tab is in reach"
    assert not viewer.errors and not viewer.strangers


def test_a_head_makes_pale_what_it_does_not_need(visit):
    viewer = visit("?tab=architecture&preset=pre-activation")
    page = viewer.page
    arrived(page)
    page.locator("[data-choose='aux1']").click()
    drawing = page.locator("#architecture-network")
    expect(drawing.locator("[data-block='inception4b.branch1']")).to_have_class(
        "block convolutional b1x1 pale"
    )
    expect(drawing.locator("[data-block='inception4a.branch1']")).to_have_class(
        "block convolutional b1x1"
    )
    assert "until=aux1" in page.url
    assert not viewer.errors


def test_the_drawing_is_walked_and_zoomed_with_keys(visit):
    viewer = visit("?tab=architecture")
    page = viewer.page
    arrived(page)
    sheet = page.locator("#architecture-network .sheet")
    svg = sheet.locator("svg")
    whole = svg.get_attribute("viewBox")
    sheet.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#architecture-network dl")).to_contain_text("conv1/7x7_s2")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#architecture-network h3")).to_contain_text("max pool")
    page.keyboard.press("+")
    assert svg.get_attribute("viewBox") != whole
    page.keyboard.press("0")
    assert svg.get_attribute("viewBox") == whole
    page.locator("#architecture-network [data-zoom='5a']").click()
    assert viewer.state("stage") == "5a"
    expect(page.locator("#architecture-module .stage")).to_have_value("5a")
    assert not viewer.errors


def test_a_slider_moved_by_key_changes_the_sums(visit):
    viewer = visit("?tab=architecture&module=4b&preset=paper")
    page = viewer.page
    arrived(page)
    module = page.locator("#architecture-module")
    expect(module.locator(".sentence")).to_contain_text("4.31 times the weights")
    slider = module.locator("[data-name='reduce3']")
    slider.focus()
    page.keyboard.press("End")
    expect(module.locator(".changed")).to_contain_text("512 · 224 · 3 · 3 = 1,032,192")
    expect(slider).to_be_focused()
    module.locator(".own").click()
    expect(module.locator(".changed")).to_contain_text("112 · 224 · 3 · 3 = 225,792")
    expect(slider).to_have_value("112")
    assert not viewer.errors


def test_a_slider_that_is_dragged_ends_with_the_sums_of_where_it_stands(visit):
    viewer = visit("?tab=architecture&module=3a&preset=paper")
    page = viewer.page
    arrived(page)
    module = page.locator("#architecture-module")
    slider = module.locator("[data-name='reduce3']")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(40):
        page.mouse.move(box["x"] + 5 + 6 * step, box["y"] + box["height"] / 2)
    page.mouse.up()
    width = int(slider.input_value())
    assert width > 96
    expect(module.locator(".changed")).to_contain_text(f"192 · {width} · 1 · 1 = {192 * width:,}")
    assert page.locator(".toast-body").count() == 0
    for preset in ("torchvision", "batch-norm", "pre-activation"):
        page.locator(f"[data-preset='{preset}']").click()
    title = page.locator("#architecture-plan h2")
    expect(title).to_have_text("pre-activation", timeout=60_000)
    expect(page.locator("#architecture-tab .dim")).to_have_count(0)
    assert not viewer.errors


def test_an_address_that_names_no_preset_is_refused_and_the_network_shown(visit):
    viewer = visit("?tab=architecture&preset=vgg")
    page = viewer.page
    expect(page.get_by_text("allowed are paper, batch-norm")).to_be_visible(timeout=60_000)
    arrived(page)
    expect(page.locator("#architecture-plan h2")).to_have_text(viewer.state("network.name"))


def test_two_viewers_have_a_preset_each(visit):
    one, other = (
        visit("?tab=architecture&preset=paper"),
        visit("?tab=architecture&preset=torchvision"),
    )
    for viewer, name in ((one, "paper"), (other, "torchvision")):
        arrived(viewer.page)
        expect(viewer.page.locator("#architecture-plan h2")).to_have_text(name)


def test_a_file_is_saved(visit):
    viewer = visit("?tab=architecture")
    page = viewer.page
    arrived(page)
    with page.expect_download() as download:
        page.locator("[data-head='aux1'][data-format='json']").click()
    assert download.value.suggested_filename.endswith("-aux1.json")
    expect(page.locator("#architecture-plan .saving")).to_contain_text("is saved")
    assert not viewer.errors
