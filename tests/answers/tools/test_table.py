"""The tools' arguments and answers: typed, short, and a sentence for what they do not take."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnet.answers.explorer import Explorer
from gnet.answers.tools import table
from gnet.answers.tools.table import TOOLS, check_installed, find
from gnet.errors import GnetError
from gnet.network.config import BRANCHES, STAGES
from support.json_values import anything, cheap
from support.pages import photo, random_network

PICTURE = base64.b64encode(photo(90, 60)).decode()


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return Explorer(random_network())


def test_every_tool_and_argument_says_what_it_is() -> None:
    for tool in TOOLS.values():
        schema = tool.schema()
        assert re.fullmatch(r"[a-z_]+", tool.name) and tool.about.endswith(".")
        assert all(one["description"].endswith(".") for one in schema["properties"].values())
        assert set(schema["required"]) <= schema["properties"].keys()


def test_a_picture_may_be_an_example_a_file_or_its_data_address(explorer: Explorer) -> None:
    ask = find("look_at_picture").ask
    plain = ask(explorer, {"picture": PICTURE})
    assert plain == ask(explorer, {"picture": f"data:image/jpeg;base64,{PICTURE}"})
    assert plain != ask(explorer, {"example": "cat"})
    assert plain.count("likeliest: ") == 3


def test_the_36_shares_add_up_to_nine_modules(explorer: Explorer) -> None:
    text = find("list_branch_shares").ask(explorer, {"picture": PICTURE})
    shares = [float(share) for share in re.findall(r"([\d.]+) %", text)]
    assert len(shares) == len(STAGES) * len(BRANCHES)
    assert sum(shares) == pytest.approx(100 * len(STAGES), abs=10)
    one = find("list_branch_shares").ask(explorer, {"picture": PICTURE, "module": "4b"})
    assert one.splitlines()[0] in text.splitlines()


def test_branches_that_are_switched_change_the_belief(explorer: Explorer) -> None:
    asked = {"picture": PICTURE, "switches": {"4b/5x5": 0, "5b/3x3": "mean"}}
    text = find("switch_branches").ask(explorer, asked)
    assert "the 5×5 branch of 4b off" in text and "main now: " in text


def test_what_a_class_needs_is_in_order(explorer: Explorer) -> None:
    asked = {"picture": PICTURE, "class": "thing 3", "head": "aux2"}
    text = find("weigh_branches").ask(explorer, asked)
    for line in text.splitlines()[1:]:
        falls = [float(value) for value in re.findall(r"by ([\d.]+)", line)]
        assert falls == sorted(falls, reverse=True)


def test_classes_are_found_by_a_part_of_their_name(explorer: Explorer) -> None:
    ask = find("list_classes").ask
    assert ask(explorer, {}).splitlines() == [f"thing {n}" for n in range(12)]
    assert ask(explorer, {"contains": "THING 1"}).splitlines() == [
        "thing 1",
        "thing 10",
        "thing 11",
    ]
    assert "no class" in ask(explorer, {"contains": "zebra"})


def test_a_long_list_of_classes_says_that_there_are_more(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gnet.answers.tools.texts.MOST_CLASSES", 5)
    assert find("list_classes").ask(explorer, None).endswith("… and 7 more; ask with contains.")


@pytest.mark.parametrize(
    ("tool", "given", "words"),
    [
        ("look_at_picture", {}, "One picture was expected"),
        ("look_at_picture", {"example": "cat", "picture": PICTURE}, "One picture was expected"),
        ("look_at_picture", {"example": "dog"}, "There is no example 'dog'"),
        ("look_at_picture", {"example": 7}, "example is '7'; allowed are texts."),
        ("look_at_picture", {"picture": "§"}, "allowed is a picture's file in base64"),
        ("look_at_picture", {"picture": "aGVsbG8="}, "is not a picture but"),
        ("look_at_picture", {"picture": "https://example.org/x.jpg"}, "fetches nothing"),
        ("look_at_picture", {"picture": "file:///etc/passwd"}, "fetches nothing"),
        ("look_at_picture", {"url": "x"}, "takes example and picture; url is none of them."),
        (
            "list_branch_shares",
            {"example": "cat", "module": "9z"},
            "module is '9z'; allowed are 3a",
        ),
        ("switch_branches", {"example": "cat"}, "switches is missing."),
        ("switch_branches", {"example": "cat", "switches": []}, "allowed are objects"),
        ("switch_branches", {"example": "cat", "switches": {"4b/5x5": 9}}, "9"),
        ("weigh_branches", {"example": "cat", "class": "unicorn"}, "unicorn"),
        ("weigh_branches", {"example": "cat"}, "class is missing."),
        ("list_examples", {"all": True}, "list_examples takes nothing; all is none of them."),
    ],
)
def test_a_wrong_argument_is_one_sentence(
    explorer: Explorer, tool: str, given: dict, words: str
) -> None:
    with pytest.raises(GnetError) as caught:
        find(tool).ask(explorer, given)
    sentence = str(caught.value)
    assert words in sentence and "\n" not in sentence and sentence.endswith(".")


def test_without_the_package_the_option_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_installed()
    monkeypatch.setattr(table, "find_spec", lambda _: None)
    with pytest.raises(GnetError, match="pip install mcp"):
        check_installed()


@cheap
@given(name=st.sampled_from(sorted(TOOLS)), values=st.lists(anything, min_size=4, max_size=4))
def test_a_tool_given_anything_answers_or_says_one_sentence(
    explorer: Explorer, name: str, values: list
) -> None:
    parameters = [parameter.name for parameter in TOOLS[name].parameters]
    try:
        told = find(name).ask(explorer, dict(zip(parameters, values, strict=False)))
    except GnetError as error:
        told = "" if "\n" in str(error) else str(error)
    assert told
