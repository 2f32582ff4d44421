"""Words and numbers as people read them."""

import pytest

from gnet.words import (
    counted,
    cut,
    duration,
    fixed,
    listed,
    minus,
    number,
    opening,
    percent,
    rounded_percent,
    some,
)


@pytest.mark.parametrize(
    "names, text", [("", ""), ("a", "a"), ("ab", "a and b"), ("abc", "a, b and c")]
)
def test_names_are_joined_as_one_speaks(names, text):
    assert listed(names) == text
    assert listed(names, "or") == text.replace(" and ", " or ")


def test_of_many_names_some_are_listed_and_the_rest_counted():
    assert some("abc") == "a, b, c"
    assert some("abcde") == "a, b, c and 2 more"
    assert some("abcde", 1, "classes") == "a and 4 more classes"


@pytest.mark.parametrize(
    "written, read",
    [
        (percent(0.7114), "71.1 %"),
        (percent(1.0, 0), "100 %"),
        (percent(None), "–"),
        (rounded_percent(0.071), "7.1 %"),
        (rounded_percent(0.0996), "10 %"),
        (rounded_percent(0.37), "37 %"),
        (rounded_percent(0.0), "0.0 %"),
        (rounded_percent(0.0004), "<0.1 %"),
        (rounded_percent(0.994), "99 %"),
        (rounded_percent(0.9949), "99.5 %"),
        (rounded_percent(0.99944), "99.9 %"),
        (rounded_percent(0.9996), ">99.9 %"),
        (rounded_percent(1.0), "100 %"),
        (rounded_percent(1 - 1e-8), "100 %"),
        (fixed(4.8449), "4.84"),
        (fixed(4.845), "4.85"),
        (fixed(-0.625, 1), "−0.6"),
        (fixed(-0.001), "0.00"),
        (duration(119), "119 s"),
        (duration(150), "2.5 min"),
        (duration(7200), "2.0 h"),
        (number(-0.01234), "−0.0123"),
        (number(1200.4), "1,200"),
        (number(9.5e-6), "9.5e−06"),
        (counted(0), "0"),
        (counted(6140), "6,140"),
        (counted(614_321), "614,000"),
        (counted(999_700), "1 million"),
        (counted(1_200_000), "1.2 million"),
        (counted(51_640_000), "52 million"),
        (counted(643_000_000), "643 million"),
        (counted(1_582_671_872), "1.6 billion"),
    ],
)
def test_numbers_are_written_as_people_read_them(written, read):
    assert written == read


def test_what_was_given_is_cut_to_fit_a_sentence():
    assert cut("short") == "short"
    assert len(cut("x" * 99)) == 60 and cut("x" * 99).endswith("…")


def test_negative_numbers_get_a_real_minus_sign_and_words_keep_their_hyphens():
    assert minus("from -3.26 to 5, in layer-wise steps of -.5") == (
        "from −3.26 to 5, in layer-wise steps of −.5"
    )
    assert opening("the 1×1 branch") == "The 1×1 branch" and opening("") == ""
