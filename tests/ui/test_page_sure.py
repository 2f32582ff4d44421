"""What the page says of a picture that is perhaps none of the classes."""

import re

import pytest
from playwright.sync_api import expect

from support.pages import PHONE

DOUBT = """([heads, score, value, threshold]) => {
  const { answer, network } = gnet.state;
  for (const { name } of network.heads) {
    const head = answer.heads[name];
    Object.assign(head, { sure: !heads.includes(name), familiarity: value });
    if (!head.sure) head.sentence = head.sentence.replace("says", "is not sure; nearest is");
    network.heads.find((head) => head.name === name).sure = {
      score, threshold, false_alarms: 0.048, detected: 0.61,
    };
  }
  gnet.tell(["answer"]);
}"""
ENERGY = ["energy", 2.5, 4.25]


@pytest.fixture
def doubtful(visit):
    """The page with some heads below their thresholds."""

    def show(*heads: str, by: list = ENERGY, **options):
        viewer = visit(**options)
        viewer.page.evaluate(DOUBT, [list(heads), *by])
        return viewer

    return show


def test_a_head_below_its_threshold_says_not_sure_and_why(doubtful) -> None:
    page = doubtful("main").page
    doubt = page.locator("#belief .doubt")
    expect(doubt).to_be_visible()
    expect(doubt).to_contain_text("main is not sure: perhaps no class it knows.")
    expect(doubt).to_contain_text("Its energy is 2.5, below 4.25, as for 4.8\u00a0% of pictures of")
    expect(doubt).to_contain_text("and 61\u00a0% of others.")
    expect(doubt).to_contain_text("The nearest:")
    expect(page.locator("#belief .heads [data-head=main] small")).to_have_text("not sure")
    expect(page.locator("#belief .bars.nearest button")).to_have_count(5)
    expect(page.locator("#belief .bars")).to_have_attribute(
        "aria-label", "Nearest classes; choose one to ask why"
    )
    expect(page.locator("#belief .agree")).to_contain_text("main is not sure what this is")
    expect(page.locator("#belief .slope")).to_contain_text("the nearest classes")
    expect(page.locator("#belief .slope .first")).to_have_count(0)
    expect(page.locator("#branches .say")).to_contain_text(
        "The main classifier is not sure; nearest is"
    )


def test_a_sure_head_beside_it_still_believes(doubtful) -> None:
    viewer = doubtful("aux1", "main")
    page = viewer.page
    expect(page.locator("#belief .agree")).to_contain_text("main and aux1 are not sure")
    says = page.locator("#diagram .says")
    expect(says.nth(0)).to_have_text("aux1: not sure")
    expect(page.locator("#diagram [data-head=main]")).to_have_attribute(
        "aria-label", re.compile("exit main: not sure, nearest .+%")
    )
    expect(says.nth(1)).not_to_contain_text("not sure")
    page.locator("#belief .heads [data-head=aux2]").click()
    expect(page.locator("#belief .doubt")).to_be_hidden()
    expect(page.locator("#belief .bars.nearest")).to_have_count(0)
    expect(page.locator("#belief .bars button")).to_have_count(5)
    expect(page.locator("#branches .say")).to_contain_text("Exit aux2 says")
    assert viewer.errors == []


def test_the_sentence_names_the_score_it_was_decided_by(doubtful) -> None:
    page = doubtful("main", by=["maximum probability", 0.123, 0.2]).page
    expect(page.locator("#belief .doubt")).to_contain_text(
        "Its maximum probability is 12\u00a0%, below 20\u00a0%"
    )
    heads = ("main", "aux1", "aux2")
    page = doubtful(*heads, by=["energy of all heads", 9, 12]).page
    expect(page.locator("#belief .doubt")).to_contain_text(
        "The heads’ energies together are 9, below 12"
    )
    expect(page.locator("#belief .agree")).to_contain_text("None of the heads is sure")


def test_without_a_threshold_nothing_is_said_of_being_sure(visit) -> None:
    page = visit().page
    page.evaluate(
        "for (const head of Object.values(gnet.state.answer.heads)) {"
        " delete head.sure; delete head.familiarity; } gnet.tell(['answer'])"
    )
    expect(page.locator("#belief .doubt")).to_be_hidden()
    assert "not sure" not in page.locator("#belief").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_doubt_fits_a_phone(doubtful, scheme: str) -> None:
    page = doubtful("main", "aux1", "aux2", size=PHONE, color_scheme=scheme).page
    expect(page.locator("#belief .doubt")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(
        """() => {
          const drawing = document.querySelector("#diagram svg").getBoundingClientRect();
          return [...document.querySelectorAll("#diagram .says")].every((text) => {
            const { left, right } = text.getBoundingClientRect();
            return left >= drawing.left - 0.5 && right <= drawing.right + 0.5;
          });
        }"""
    )
