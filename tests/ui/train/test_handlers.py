"""What the Train tab's handlers answer to a page that asks for what there is not."""

from collections.abc import Iterator

import gradio as gr
import pytest

from gnet.serving.measuring import Measuring
from gnet.serving.runs import Runs
from gnet.ui.train.handlers import Handlers


@pytest.fixture
def handlers(tmp_path) -> Iterator[Handlers]:
    with Runs(tmp_path) as runs:
        yield Handlers(runs, runs.offers, Measuring(lambda: 0))


@pytest.mark.parametrize("key", ["none", None, ["first-run"]])
def test_an_experiment_that_there_is_not_is_a_sentence_at_every_handler(key, handlers) -> None:
    visit = gr.Request(session_hash="one")
    asked = [
        lambda: handlers.start("me", key),
        lambda: handlers.check(key),
        lambda: next(handlers.estimate(visit, key)),
        lambda: next(handlers.find_rate(visit, key)),
    ]
    for ask in asked:
        with pytest.raises(gr.Error, match="There is no experiment"):
            ask()
