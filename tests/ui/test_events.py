"""What the tabs' events have in common: what was sent, refusals, and errors nobody foresaw."""

import logging
from typing import Any

import pytest

from gnet.errors import GnetError

pytestmark = pytest.mark.usefixtures("gradio_environment")


def double(number: Any) -> dict[str, Any]:
    if not isinstance(number, int):
        raise GnetError("A number is needed.")
    return {"double": 10 // number * 2}


@pytest.mark.parametrize("question", [None, 7, [], "x", {}, {"number": "3"}])
def test_a_question_without_what_is_needed_is_answered_with_the_refusal(question):
    from gnet.ui.events import answered

    assert answered(double, "number")(question) == {"error": "A number is needed."}


def test_an_error_nobody_foresaw_is_logged_and_never_blamed_on_the_person(caplog):
    from gnet.ui.events import UNFORESEEN, answered

    ask = answered(double, "number")
    assert ask({"number": 5, "more": 1}) == {"double": 4}
    with caplog.at_level(logging.ERROR, logger="gnet.ui.events"):
        assert ask({"number": 0}) == {"error": UNFORESEEN}
    assert "ZeroDivisionError" in caplog.text


def test_an_events_error_nobody_foresaw_is_a_toast_that_tells_nothing_of_it(caplog):
    import gradio as gr

    from gnet.ui.events import UNFORESEEN, spoken

    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as caught, spoken():
        raise KeyError("/secret/place")
    assert caught.value.duration is not None and 0 < caught.value.duration <= 10
    assert caught.value.message == UNFORESEEN and "/secret/place" in caplog.text


@pytest.mark.parametrize("data", [None, 3, "stage", ["stage"], {}])
def test_what_was_not_sent_is_none(data):
    import gradio as gr

    from gnet.ui.events import sent

    assert sent(gr.EventData(None, data), "stage", "key") == {"stage": None, "key": None}
    assert sent(gr.EventData(None, {"stage": "4b"}), "stage") == {"stage": "4b"}
