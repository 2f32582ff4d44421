"""The words of the field that the page uses, one sentence each; page and glossary read them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Term:
    """One word and what it means."""

    name: str
    sentence: str
    also: tuple[str, ...] = ()
    """Other forms under which the page finds it."""


def _term(name: str, sentence: str, *also: str) -> Term:
    return Term(name=name, sentence=sentence, also=also)


TERMS: tuple[Term, ...] = (
    _term(
        "module",
        "One of the nine inception blocks, 3a to 5b: four branches side by side on the same input.",
        "modules",
    ),
    _term(
        "branch",
        "One of the four ways through a module: 1×1, 3×3, 5×5 or pool.",
        "branches",
    ),
    _term("1×1 branch", "It mixes the channels at one cell and sees none of its neighbours."),
    _term(
        "3×3 branch",
        "A 1×1 reduces the channels. Then a 3×3 convolution sees a cell and its eight neighbours.",
    ),
    _term(
        "5×5 branch",
        "A 1×1 reduces the channels. Then a 5×5 convolution sees a cell and 24 around it.",
    ),
    _term(
        "pool branch",
        "It keeps the strongest of 3×3 cells in each channel. Then a 1×1 mixes the channels.",
        "pool",
    ),
    _term(
        "channel",
        "One map of responses, made by one filter; a branch has many of them.",
        "channels",
    ),
    _term(
        "cell",
        "One place of a map: one number, computed from a square of the picture.",
        "cells",
    ),
    _term(
        "head",
        "A classifier that turns what the network has seen so far into one probability per class.",
        "heads",
    ),
    _term("main", "The head at the end of the network; its answer is the network's answer."),
    _term(
        "aux",
        "An auxiliary head inside the network: aux1 reads after 4a, aux2 after 4d. "
        "Both helped in training.",
        "aux1",
        "aux2",
    ),
    _term(
        "probe",
        "A small classifier that was fitted afterwards to read one module; it changed nothing in "
        "the network.",
        "probes",
    ),
    _term(
        "frozen features",
        "What a finished network computes; fitting a probe on it leaves the network as it is.",
    ),
    _term(
        "new pictures",
        "Validation pictures: the network never trained on them. They show how it does on a "
        "picture it does not know.",
        "validation pictures",
    ),
    _term(
        "family",
        "Classes of one kind taken together, as all dogs; its probability is the sum of theirs.",
        "families",
    ),
    _term(
        "not sure",
        "The network's score is so low that the picture perhaps shows no class it knows.",
    ),
    _term(
        "surer",
        "With a higher first probability. Each head was trained on the features at its depth, and "
        "for some pictures simple ones are enough.",
    ),
    _term(
        "entropy",
        "How undecided a head is: 0 when it is certain, larger when it spreads its belief.",
    ),
    _term(
        "nats",
        "The unit of entropy and loss that goes with the natural logarithm; 1 nat is 1.44 bits.",
    ),
    _term(
        "logit",
        "A class's raw score before it becomes a probability; higher means more probable.",
        "logits",
    ),
    _term(
        "gradient",
        "How fast a number changes when another one is changed a little.",
    ),
    _term(
        "stem",
        "The first layers: they shrink the picture and find edges and colours before 3a.",
    ),
    _term("÷2", "A max pool that halves height and width: of four cells the strongest stays."),
    _term(
        "reduce",
        "A 1×1 convolution that lowers the number of channels, so that the next one costs less.",
    ),
    _term(
        "naive module",
        "A module without 1×1 reduces, as in Fig. 2a of the paper: every kernel sees all channels.",
    ),
    _term(
        "multiply-adds",
        "One multiplication and one addition each: the work of a layer, counted for one picture.",
    ),
    _term(
        "receptive field",
        "The square of the picture that one cell can see, in px.",
        "receptive fields",
    ),
    _term(
        "concat",
        "The four branches' channels are put one after another and go on as one stack.",
    ),
    _term(
        "Saliency",
        "A map of how strongly the answer reacts to a small change of each pixel.",
    ),
    _term(
        "Integrated Gradients",
        "A map of what each pixel adds to the logit on the way from a plain picture to this one.",
    ),
    _term("Grad-CAM", "A map of where the channels of one module speak for a class."),
)
"""In the order of the glossary: the network from its parts to its answer, then the reasons."""

PAPER = "https://arxiv.org/abs/1409.4842"


def by_word() -> dict[str, str]:
    """Each form of each term → its sentence."""
    return {word: term.sentence for term in TERMS for word in (term.name, *term.also)}


def rows() -> list[tuple[str, str]]:
    """The glossary's rows: a word and its sentence."""
    return [(term.name, term.sentence) for term in TERMS]


def glossary() -> str:
    """The page docs/glossary.md."""
    lines = "\n".join(f"| {name} | {sentence} |" for name, sentence in rows())
    return (
        "# Glossary\n\nThe page explains these words where they stand: point at one, or move the "
        "focus to it, or tap it.\n\n| word | what it means |\n|---|---|\n"
        f"{lines}\n\nThe network is GoogLeNet, from [Going Deeper with Convolutions]({PAPER}). How "
        "the bundled weights were trained, and how often they are right, stands in their "
        "[model card](../assets/everyday.md).\n"
    )
