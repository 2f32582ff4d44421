"""What the Train tab says of a run, state by state."""

import pytest

from gnet.runs.beginning import Beginning
from gnet.serving.reviews import ReviewProgress
from gnet.ui.train.sentences import (
    WATCHING,
    about,
    chosen_count,
    evaluated,
    queue,
    share_begun,
    watched,
)


def run(state: str, **changes):
    shown = {"state": state, "mine": True, "position": 0, "step": 0, "accuracy": {}, "message": ""}
    return shown | changes


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (run("queued", position=1), "one run trains at a time here. It is next."),
        (run("queued", position=3), "2 more wait before it."),
        (run("starting"), "1 of 3: the training program starts."),
        (run("running"), "3 of 3: the first step is under way."),
        (run("running", step=3), "comes after the first epoch"),
        (
            run("paused", step=9, accuracy={"main": 0.24}, epochs_done=1),
            "After epoch 1: 24 % of the validation pictures right.",
        ),
        (run("stopped", mine=False), "It ended before its first whole epoch"),
        (run("failed", message="No room."), "No room."),
    ],
)
def test_each_state_of_a_run_has_a_sentence(row, words) -> None:
    assert words in about(row)


def test_the_maps_are_said_to_start_as_the_runs_weights_did() -> None:
    assert "from random weights" in watched("") and "from loaded weights" in watched("everyday")


def test_the_start_goes_from_the_program_over_the_pictures_to_the_first_step() -> None:
    notes = [
        None,
        Beginning(split="train", done=0, total=9),
        Beginning(split="train", done=6, total=9),
        Beginning(split="train", done=9, total=9),
        Beginning(split="val", done=1, total=4),
        Beginning(split="val", done=4, total=4),
    ]
    told = [about(run("starting"), note) for note in notes]
    assert [words[:6] for words in told] == ["1 of 3", *["2 of 3"] * 4, "3 of 3"]
    assert told[2] == "2 of 3: training pictures are read, 6 of 9."
    assert told[4] == "2 of 3: validation pictures are read, 1 of 4."
    shares = [share_begun(note) for note in notes]
    assert shares == sorted(shares) and shares[0] > 0 and shares[-1] < 1
    assert about(run("starting"), download="Downloading 3 MB") == "Downloading 3 MB."


def test_a_viewer_is_told_that_watching_is_all() -> None:
    assert WATCHING in about(run("running", mine=False))
    assert WATCHING not in about(run("finished", mine=False))


def test_a_server_says_how_busy_it_is_but_not_of_ones_own_single_run() -> None:
    assert queue(1, 0, own=True) == queue(0, 0, own=False) == ""
    assert "A run is training on this server" in queue(1, 0, own=False)
    assert queue(2, 1, own=True) == "On this server 2 runs are training and 1 waits."
    between = "the next one starts once the program before it has ended."
    assert queue(0, 1, own=True) == f"On this server 1 run waits; {between}"
    assert queue(0, 2, own=True) == f"On this server 2 runs wait; {between}"


def test_a_review_says_how_far_it_is() -> None:
    assert evaluated(ReviewProgress(state="waiting")).endswith("evaluated next.")
    assert "those of 2 other runs" in evaluated(ReviewProgress(state="waiting", before=2))
    looking = ReviewProgress(state="looking", done=3, total=12)
    assert evaluated(looking).endswith("3 of 12, 25 %.")
    assert "Why." in evaluated(ReviewProgress(state="failed", message="Why."))


def test_pictures_say_how_many_there_are_and_which_heads_are_silent() -> None:
    assert chosen_count(12, 40, ()) == "12 of 40, as the network saw them."
    assert chosen_count(0, 0, ("aux2",)).endswith("aux2 is untrained: no answers.")
