"""What happened in a run, in one sentence: whether it learned, and what it confuses."""

import pytest
import torch

from gnet.evaluation.review import Answers, Review
from gnet.network.config import TRAINED
from gnet.runs.outcomes import Outcome, has_learned, learned

CLASSES = ("grid", "small dots", "rings", "a", "b", "c", "d", "e", "f", "g")


def ended(main: float, pictures: int = 500) -> Outcome:
    return Outcome(
        finished=True,
        epochs=2,
        classes=10,
        pictures=pictures,
        parameters=1,
        accuracy={"main": main},
        train_loss={"main": 1.0},
        seconds=1.0,
        pictures_per_second=1.0,
    )


def reviewed(labels: list[int], answers: list[int]) -> Review:
    count = len(labels)
    main = Answers(
        status=TRAINED,
        classes=torch.tensor(answers)[:, None],
        probabilities=torch.full((count, 1), 0.5),
        truth=torch.full((count,), 0.5),
    )
    return Review(
        classes=CLASSES,
        labels=torch.tensor(labels),
        total=count,
        size=32,
        heads={"main": main},
        untrained=(),
        pictures=(b"",) * count,
    )


MIXED = reviewed([0, 0, 0, 0, 1, 1, 2, 2], [1, 1, 1, 0, 1, 1, 2, 0])
SPREAD = reviewed([0] * 100, [0] * 64 + [1 + n % 9 for n in range(36)])
CONSTANT = reviewed([0, 0, 1, 1], [2, 2, 2, 2])


@pytest.mark.parametrize(
    ("run", "review", "sentence"),
    [
        (ended(0.34), None, "It learned: from 10 % by guessing to 34 %."),
        (
            ended(0.34),
            MIXED,
            "It learned: from 10 % by guessing to 34 %; it confuses grid with small dots.",
        ),
        (
            ended(0.999),
            reviewed([0, 1, 2], [0, 1, 2]),
            "It learned: from 10 % by guessing to 99.9 %; it rarely makes a mistake.",
        ),
        (ended(0.64), SPREAD, "It learned: from 10 % by guessing to 64 %."),
        (ended(0.12), None, "It has not learned: 12 % right, and guessing gives 10 %."),
        (
            ended(0.1),
            CONSTANT,
            "It has not learned: 10 % right, and guessing gives 10 %; "
            "it answers rings for 100 % of the pictures.",
        ),
    ],
)
def test_a_sentence_says_whether_a_run_learned_and_what_it_confuses(run, review, sentence) -> None:
    assert learned(run, review) == sentence


def test_few_pictures_must_be_right_by_more_to_count_as_learned() -> None:
    assert has_learned(ended(0.2, pictures=500))
    assert not has_learned(ended(0.2, pictures=10))


def test_the_most_frequent_mistake_is_counted_in_pictures() -> None:
    assert MIXED.most_frequent_mistake("main") == (0, 1, 0.75)
