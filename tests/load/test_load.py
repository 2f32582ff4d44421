"""A few viewers at once: each is told of its own photo, and a full line says so."""

import asyncio
import os
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from load import measuring
from load.measuring import Load, measure, quantile, soak
from load.served import Served
from load.table import soak_table, table
from load.viewers import Viewer

from support.pages import Server


def finish(coroutine: Coroutine) -> Any:
    """What it comes to, run in a thread of its own: that of the tests has the browser's loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def test_four_viewers_who_upload_at_once_and_click_are_each_told_of_their_own_photo(
    server: Server,
) -> None:
    viewers = [Viewer(number=n, address=server.address, side=320 + 40 * n) for n in range(4)]

    async def visit() -> None:
        await asyncio.gather(*(viewer.visit(clicks=3) for viewer in viewers))

    finish(visit())
    answers = [answer for viewer in viewers for answer in viewer.answers]
    assert [answer for answer in answers if answer.outcome != "right"] == []
    assert Counter(answer.viewer for answer in answers) == dict.fromkeys(range(4), 4)
    assert len({viewer.key for viewer in viewers}) == 4


def test_an_answer_about_another_photo_is_noticed(server: Server) -> None:
    one, other = (Viewer(number=n, address=server.address, side=320) for n in (0, 1))

    async def visit() -> None:
        await one.visit(clicks=0)
        other.photo, other.name = one.photo, one.name
        other.width = 2 * one.width
        await other.visit(clicks=0)

    finish(visit())
    assert [answer.outcome for answer in other.answers] == ["mixed"]


def test_what_is_measured_is_told_in_a_table(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "ALONE", 3)
    page = Served(address=server.address, pid=os.getpid())
    load = Load(viewers=2, clicks=2, pause=0.0, crowd=2)
    result = finish(measure(page, load))
    assert result["wrong"] == {} and result["crowd"] == {"right": 2}
    together = result["together"]
    assert together["all"]["count"] == 2 * (1 + 2) and together["photo"]["count"] == 2
    photos = together["photo"]["p95"] / result["alone"]["photo"]["median"]
    assert result["photo_ratio"] == pytest.approx(photos)
    assert f"for a photo {photos:.1f} times" in table(result)
    soaked = finish(soak(page, load, 0.0))
    assert (soaked["rounds"], soaked["answers"], soaked["wrong"]) == (1, 6, {})
    assert soaked["start"] == soaked["end"] and "1 rounds in 0 min" in soak_table(soaked)


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert quantile([7.0], 0.95) == 7.0
