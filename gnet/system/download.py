"""Fetches one file over http, whole and checked or not at all.

Does not know what the file is for.
"""

import hashlib
import ssl
from pathlib import Path

from gnet.errors import GnetError
from gnet.system.atomic import atomically
from gnet.system.progress import Bar, Progress

CHUNK = 1 << 18
TIMEOUT = 30.0
MOST_BYTES = 1 << 30


def download(
    url: str,
    path: str | Path,
    *,
    sha256: str,
    progress: Progress | None = None,
    timeout: float = TIMEOUT,
) -> Path:
    """Fetch `url` into `path` and return it; `sha256` is the digest's beginning, in hex.

    `progress(done, total)` gets bytes, `total` 0 where the server does not give it; without it a
    bar is drawn on standard error when that is a terminal. `timeout`: seconds without an answer.
    """
    import httpx  # late: it takes a quarter of a second

    path = Path(path)
    if not url.lower().startswith(("http://", "https://")):
        raise GnetError(f"Cannot download {url}; only http and https addresses are allowed.")
    bar = Bar(f"downloading {path.name}")
    with atomically(path) as temporary:
        try:
            found = _receive(url, temporary, progress or bar, timeout)
        except (httpx.HTTPError, httpx.InvalidURL, ImportError, _TooLarge) as error:
            raise GnetError(
                f"Could not download {url} ({_reason(error)}); this needs the network once: "
                f"connect, or put {path.name} into {path.parent} yourself."
            ) from error
        finally:
            bar.clear()
        if not found.startswith(sha256):
            raise GnetError(
                f"{url} gave a file with the wrong checksum (sha256 {found[: len(sha256)]}… where "
                f"{sha256}… is expected), so it was thrown away; try again later."
            )
    return path


def sha256_of(path: str | Path) -> str:
    """Return the hexadecimal sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _TooLarge(Exception):
    """More bytes than any file of ours has."""


def _reason(error: Exception) -> str:
    """Why a download failed, in few words; an ImportError is a proxy that needs a package."""
    import httpx

    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code} {error.response.reason_phrase}".strip()
    if isinstance(error, httpx.TimeoutException):
        return "timed out"
    return str(error) or type(error).__name__


def _receive(url: str, path: Path, report: Progress, timeout: float) -> str:
    """Write what `url` answers to `path` and return its sha256."""
    import httpx

    digest = hashlib.sha256()
    headers = {"User-Agent": "gnet", "Accept-Encoding": "identity"}  # so that bytes can be counted
    client = httpx.Client(
        headers=headers,
        timeout=timeout,
        follow_redirects=True,
        verify=ssl.create_default_context(),  # trusts what the machine trusts
    )
    with client, client.stream("GET", url) as answer, path.open("wb") as file:
        answer.raise_for_status()
        length = answer.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else 0
        done = 0
        for chunk in answer.iter_raw(CHUNK):
            done += len(chunk)
            if done > MOST_BYTES:
                raise _TooLarge(f"more than {MOST_BYTES >> 20} MB were sent")
            file.write(chunk)
            digest.update(chunk)
            report(done, total)
    return digest.hexdigest()
