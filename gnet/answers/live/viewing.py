"""Answers frames: any network, any module, one frame at a time, behind everybody's requests.

Nothing of a frame is kept: its pixels and its recording go with its answer.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

from gnet.answers.explorers import Explorers
from gnet.answers.live.answer import describe_frame
from gnet.answers.live.frame import read_frame
from gnet.answers.live.turns import Turns
from gnet.errors import GnetError
from gnet.network.config import STAGES
from gnet.words import cut

MOST_WAITING = 32
"""Frames that wait for their turn, everybody's together; each viewer has one on its way."""


class TooMany(GnetError):
    """More frames than this server takes at a time."""


class Viewing:
    """Frames given by viewers, answered by a thread of their own."""

    def __init__(self, explorers: Explorers, turns: Turns) -> None:
        self.explorers, self.turns = explorers, turns
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="frames")
        self._waiting = 0
        self._lock = Lock()

    def submit(
        self, content: bytes, *, stage: Any, net: Any = "", before: Any = ""
    ) -> Future[dict[str, Any]]:
        """The answer to a frame, once it had its turn; raises `TooMany`."""
        with self._lock:
            if self._waiting >= MOST_WAITING:
                raise TooMany(
                    f"{MOST_WAITING} frames wait already; give this one again in a moment."
                )
            self._waiting += 1
        given = self._thread.submit(self._in_turn, content, stage, net, before)
        given.add_done_callback(self._gone)
        return given

    def answer(
        self, content: bytes, *, stage: Any, net: Any = "", before: Any = ""
    ) -> dict[str, Any]:
        """The light answer to a frame while `stage` is the chosen module.

        `before` is the key of the answer to the picture that it was. Raises `GnetError`.
        """
        explorer = self.explorers.find(net)
        if stage not in STAGES:
            raise GnetError(f"There is no module {cut(stage)!r}; there are {', '.join(STAGES)}.")
        info = explorer.model.info
        recording = explorer.record(read_frame(content, info.preprocessing))
        kept = explorer.recordings.find(str(before), info.digest) if before else None
        answer = describe_frame(recording, stage, explorer.probes, kept.recording if kept else None)
        return answer | {"net": explorer.net}

    def _in_turn(self, content: bytes, stage: Any, net: Any, before: Any) -> dict[str, Any]:
        self.turns.wait()
        return self.answer(content, stage=stage, net=net, before=before)

    def _gone(self, _: Future[dict[str, Any]]) -> None:
        with self._lock:
            self._waiting -= 1
