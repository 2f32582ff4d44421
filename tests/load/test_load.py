"""A few viewers at once: each is told of its own photo, and a full line says so."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor

from load.measuring import quantile
from load.viewers import Viewer

from support.pages import Server


def finish(coroutine: Coroutine) -> None:
    """Run it in a thread of its own: that of the tests has the browser's loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()


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


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert quantile([7.0], 0.95) == 7.0
