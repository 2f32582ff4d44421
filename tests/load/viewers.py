"""Viewers of a served page, as an asyncio client: each gives a photo of its own and then clicks.

Every answer is compared with what its viewer gave, so that a mixed-up one is seen.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from support.pages import photo

PATIENCE = 300.0
"""Seconds a viewer waits for one answer; what takes longer counts as lost."""
STAGES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
BRANCHES = ("1x1", "3x3", "5x5", "pool")
_EVENT = re.compile(r"event: (\w+)\r?\ndata: (.*)")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One thing a viewer asked, and how it went."""

    viewer: int
    action: str
    """photo, module, switch or channel."""
    seconds: float
    outcome: str
    """"right", or what was wrong: "mixed", "refused", "full" or "lost"."""
    detail: str = ""


class Refused(Exception):
    """The server answered with a sentence of its own."""


class Full(Exception):
    """The server answered that too many wait."""


@dataclass(kw_only=True)
class Viewer:
    """One person's tab: a photo whose size nobody else's has, and a session of its own."""

    number: int
    address: str
    side: int = 1600
    session: Any = None
    answers: list[Answered] = field(default_factory=list)
    picture: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    belief: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.width, self.height = self.side + 2 * self.number, self.side * 3 // 4
        self.name = f"viewer-{self.number}.jpg"  # and of its session
        self.photo = photo(self.width, self.height, seed=self.number)
        self.random = random.Random(self.number)

    async def visit(self, clicks: int, pause: float = 0.0) -> None:
        """Give the photo, look at the answer, and click; about `pause` seconds between clicks."""
        async with self._opened():
            await self.look()
            for _ in range(clicks):
                await asyncio.sleep(pause * self.random.uniform(0.5, 1.5))
                await self.click()

    async def look(self) -> None:
        """Upload the photo and have it explored: timed as one thing."""
        await self._timed("photo", self._explore())

    async def click(self) -> None:
        """One click, on a module, a switch or a channel."""
        stage, branch = self.random.choice(STAGES), self.random.choice(BRANCHES)
        kind = self.random.choice(("module", "switch", "channel"))
        await self._timed(kind, getattr(self, f"_{kind}")(stage, branch))

    async def ask(self, name: str, *values: Any) -> Any:
        """What an endpoint answers; `Refused` or `Full` where it does not."""
        path = f"gradio_api/call/{name}"
        given = await self.session.post(path, json={"data": values, "session_hash": self.name})
        if given.status_code == 503:
            raise Full(given.text)
        if given.status_code != 200:
            raise Refused(given.text)
        text = (await self.session.get(f"{path}/{given.json()['event_id']}")).text
        found = _EVENT.findall(text)
        if not found:
            raise OSError("the stream ended without an answer")
        kind, data = found[-1]
        if kind != "complete":
            raise Refused(data)
        value = json.loads(data)[0]
        return json.loads(value) if isinstance(value, str) else value

    def _opened(self) -> httpx.AsyncClient:
        self.session = httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=PATIENCE)
        return self.session

    async def _explore(self) -> bool:
        files = {"files": (self.name, self.photo, "image/jpeg")}
        (path,) = (await self.session.post("gradio_api/upload", files=files)).json()
        self.picture = {"path": path, "orig_name": self.name}
        answer = await self.ask("explore", self.picture)
        self.key = answer["key"]
        self.belief = answer["heads"]["main"]["probabilities"]
        shape = answer["picture"]["width"] / answer["picture"]["height"]  # it is read smaller
        return answer["name"] == self.name and abs(shape - self.width / self.height) < 5e-3

    async def _module(self, stage: str, _: str) -> bool:
        answer = await self.ask("measure_fields", self.picture, stage, self.key)
        return answer["key"] == self.key and answer["stage"] == stage

    async def _switch(self, stage: str, branch: str) -> bool:
        switch = f"{stage}/{branch}"
        answer = await self.ask("switch_branches", self.picture, {switch: 0}, self.key)
        return answer["key"] == self.key and list(answer["switched"]["switches"]) == [switch]

    async def _channel(self, stage: str, branch: str) -> bool:
        answer = await self.ask("open_channel", self.picture, stage, branch, 0, None, self.number)
        wanted = {"key": self.key, "stage": stage, "branch": branch, "channel": 0}
        return all(answer[name] == value for name, value in wanted.items())

    async def _timed(self, action: str, asked: Coroutine[Any, Any, bool]) -> None:
        begun, detail = time.perf_counter(), ""
        try:
            outcome = "right" if await asked else "mixed"
        except Full as full:
            outcome, detail = "full", str(full)
        except Refused as refused:
            outcome, detail = "refused", str(refused)
        except (httpx.HTTPError, OSError, ValueError) as error:
            outcome, detail = "lost", f"{type(error).__name__}: {error}"
        self.answers.append(
            Answered(
                viewer=self.number,
                action=action,
                seconds=time.perf_counter() - begun,
                outcome=outcome,
                detail=detail[:300],
            )
        )
