"""torchvision's published weights on one server: here or not, and fetched once on request.

Whether they may be fetched is the server owner's choice. Knows nothing of pages.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gnet.errors import GnetError
from gnet.network import weights
from gnet.network.weights import Published
from gnet.system.progress import Progress
from gnet.system.stamps import Stamp, stamp_of

logger = logging.getLogger(__name__)

HERE, ABSENT, FETCHING, FORBIDDEN = "here", "absent", "fetching", "forbidden"


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """How far the file is: on this machine, absent, being fetched, or absent and forbidden."""

    state: str
    done: int = 0
    """Bytes received while it is fetched."""
    total: int = 0
    message: str = ""
    """Why the last download failed."""


class PublishedWeights:
    """The file of one server; safe to call from several threads."""

    def __init__(
        self,
        *,
        allowed: bool = False,
        find: Callable[[], Published] = weights.published,
        fetch: Callable[[Progress], object] = lambda told: weights.imagenet(progress=told),
    ) -> None:
        """`allowed`: whether viewers may have the file downloaded."""
        self.allowed = allowed
        self._find = find
        self._fetch = fetch
        self._lock = threading.Lock()
        self._running: Fetched | None = None
        self._message = ""
        self._checked: tuple[list[tuple[Path, Stamp]], bool] | None = None

    @property
    def file(self) -> Published:
        """What is published, and where it is kept."""
        return self._find()

    def status(self) -> Fetched:
        """How far the file is now."""
        with self._lock:
            if self._running is not None:
                return self._running
            if self._is_here():
                return Fetched(state=HERE)
            state = ABSENT if self.allowed else FORBIDDEN
            return Fetched(state=state, total=self.file.size, message=self._message)

    def fetch(self) -> Fetched:
        """Begin to download the file unless it is here; all callers share one download."""
        status = self.status()
        if status.state == FORBIDDEN:
            raise GnetError(
                "This server downloads no weights for its viewers; its owner allows it with "
                "--download-weights."
            )
        with self._lock:
            if status.state == ABSENT and self._running is None:
                self._running = Fetched(state=FETCHING, total=self.file.size)
                threading.Thread(target=self._download, name="fetch imagenet", daemon=True).start()
        return self.status()

    def check_here(self) -> None:
        """Raise `GnetError` while the file is not on this machine."""
        if self.status().state != HERE:
            raise GnetError(
                "The ImageNet weights are not on this server; the menu of networks says whether "
                "they can be downloaded."
            )

    def _is_here(self) -> bool:
        """Whether nothing has to be fetched; a file is checked again only if it has changed."""
        file = self.file
        if file.converted.is_file():
            return True
        key = [(path, stamp_of(path)) for path in file.places()]
        if not key:
            return False
        if self._checked is None or self._checked[0] != key:
            self._checked = key, file.fetched() is not None
        return self._checked[1]

    def _download(self) -> None:
        message = ""
        try:
            self._fetch(self._note)
        except GnetError as error:
            message = str(error)
        except Exception:
            logger.exception("the download of weights failed")
            message = "The download failed; the reason is in the server's log."
        finally:
            with self._lock:
                self._running, self._message = None, message

    def _note(self, done: int, total: int) -> None:
        with self._lock:
            if self._running is not None:
                known = total or self._running.total
                self._running = replace(self._running, done=done, total=known)
