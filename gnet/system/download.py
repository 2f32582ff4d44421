"""Fetches one file over http, whole and checked or not at all.

Does not know what the file is for.
"""

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

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

    `progress(done, total)` is told bytes, `total` 0 where the server does not say; without it a
    bar is drawn on standard error when that is a terminal. `timeout`: seconds without an answer.
    """
    path = Path(path)
    if urlsplit(url).scheme not in ("http", "https"):
        raise GnetError(f"Cannot download {url}; only http and https addresses are allowed.")
    bar = Bar(f"downloading {path.name}")
    with atomically(path) as temporary:
        try:
            found = _receive(url, temporary, progress or bar, timeout)
        except (
            urllib.error.URLError,
            http.client.HTTPException,
            TimeoutError,
            ConnectionError,
        ) as e:
            raise GnetError(
                f"Could not download {url} ({_reason(e)}); this needs the network once: "
                f"connect, or put {path.name} into {path.parent} yourself."
            ) from e
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


def _reason(error: Exception) -> str:
    """Why a download failed, in few words; an answer that is an error is closed."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return str(error)
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__


def _receive(url: str, path: Path, report: Progress, timeout: float) -> str:
    """Write what `url` answers to `path` and return its sha256."""
    digest = hashlib.sha256()
    request = urllib.request.Request(url, headers={"User-Agent": "gnet"})
    with urllib.request.urlopen(request, timeout=timeout) as answer, open(path, "wb") as file:
        length = answer.headers.get("Content-Length")
        total = int(length) if length and length.isdecimal() else 0
        done = 0
        while chunk := answer.read(CHUNK):
            done += len(chunk)
            if done > MOST_BYTES:
                raise http.client.HTTPException(f"more than {MOST_BYTES >> 20} MB were sent")
            file.write(chunk)
            digest.update(chunk)
            report(done, total)
    if done < total:
        raise http.client.HTTPException(f"cut off after {done} of {total} bytes")
    return digest.hexdigest()
