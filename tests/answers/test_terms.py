"""The table of terms: short sentences, one home for each word, and the glossary made of it."""

from gnet.answers.terms import TERMS, by_word, glossary
from support.root import ROOT

WANTED = (
    "head",
    "aux",
    "probe",
    "entropy",
    "nats",
    "logit",
    "stem",
    "÷2",
    "concat",
    "cell",
    "reduce",
)


def test_every_word_that_the_page_uses_has_a_sentence() -> None:
    said = by_word()
    assert {*WANTED, "aux1", "frozen features", "not sure", "Grad-CAM"} <= said.keys()
    assert all(sentence.endswith(".") for sentence in said.values())


def test_no_word_stands_for_two_terms() -> None:
    words = [word for term in TERMS for word in (term.name, *term.also)]
    assert len(words) == len(set(words))


def test_a_terms_sentences_have_at_most_twenty_words() -> None:
    for term in TERMS:
        assert all(len(part.split()) <= 20 for part in term.sentence.split(". ")), term.name


def test_the_glossary_is_made_of_the_table() -> None:
    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == glossary()
