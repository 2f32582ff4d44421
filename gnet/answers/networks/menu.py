"""The networks that a viewer can choose, each with its facts and whether it is there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gnet.answers.explorers import Explorers
from gnet.answers.networks.facts import facts, kind
from gnet.errors import GnetError
from gnet.network import weights
from gnet.network.config import ModelConfig
from gnet.network.header import read_header
from gnet.network.info import ModelInfo
from gnet.serving.networks.offered import BUNDLED, PUBLISHED
from gnet.serving.networks.own import PREFIX
from gnet.serving.networks.published import ABSENT, FETCHING, FORBIDDEN, HERE, Fetched
from gnet.system.stamps import Stamp, stamp_of

GROUPS: Final = {
    "here": "For everybody",
    "runs": "Your runs",
    "files": "Your files",
}
_MOST = 200
"""Ids of files that one question may hold."""


def describe_networks(explorers: Explorers, owner: Any, files: Any) -> dict[str, Any]:
    """The networks in groups: those of the server, the runs of `owner`, and own `files` by id.

    A row is `{"net", "name", "kind", "facts", "state", "words", "part"}`: the id (empty for the
    network served first), its name, kernel and heads, all facts, whether it is here, absent, being
    fetched or forbidden, what is said of that, and the fraction of it that has been fetched.
    """
    rows = {
        "here": [_served(explorers), *_named(explorers)],
        "runs": _runs(explorers, owner),
        "files": _files(explorers, files),
    }
    own = explorers.offers.own
    return {
        "groups": [
            {"id": group, "title": GROUPS[group], "rows": found}
            for group, found in rows.items()
            if found
        ],
        "takes_files": own.takes_files,
        "most_bytes": own.most_bytes,
    }


def fetch_network(explorers: Explorers, net: Any) -> dict[str, Any]:
    """Begin to download a network that is absent; its row as it is then."""
    if net != PUBLISHED:
        raise GnetError(f"Only {PUBLISHED} can be downloaded; choose any other network as it is.")
    explorers.offers.published.fetch()
    return _published(explorers)


def _row(net: str, name: str, config: ModelConfig, info: ModelInfo, **more: Any) -> dict[str, Any]:
    told = {"kind": kind(config), "facts": facts(config, info)}
    return {"net": net, "name": name, **told, "state": HERE, "words": "", "part": 0.0} | more


def _served(explorers: Explorers) -> dict[str, Any]:
    model = explorers.served.model
    first = "served first" if len(_other_names(explorers)) else ""
    return _row("", model.info.name, model.config, model.info, words=first)


def _other_names(explorers: Explorers) -> list[str]:
    return [name for name in (BUNDLED, PUBLISHED) if name != explorers.offers.served]


def _named(explorers: Explorers) -> list[dict[str, Any]]:
    found = {BUNDLED: _bundled, PUBLISHED: _published}
    return [row for name in _other_names(explorers) if (row := found[name](explorers))]


def _bundled(_: Explorers) -> dict[str, Any] | None:
    known = _known(weights.BUNDLED)
    return _row(BUNDLED, BUNDLED, *known) if known else None


def _published(explorers: Explorers) -> dict[str, Any]:
    offer = explorers.offers.published
    status, file = offer.status(), offer.file
    config = ModelConfig.preset("torchvision", transform_input=True)
    return _row(
        PUBLISHED,
        file.info.name,
        config,
        file.info,
        state=status.state,
        words=_state_words(status, urlsplit(file.url).hostname or file.url),
        part=round(status.done / status.total, 3) if status.total else 0.0,
    )


def _state_words(status: Fetched, source: str) -> str:
    """What is said of the published file, its size and source before anything is fetched."""
    size = f"{status.total / 1e6:.0f} MB"
    if status.state == FETCHING:
        return f"Downloading: {status.done / 1e6:.0f} of {size} from {source}"
    if status.state == ABSENT:
        failed = f"{status.message} " if status.message else ""
        return f"{failed}torchvision's published weights: {size} from {source}, kept on the server"
    if status.state == FORBIDDEN:
        return (
            f"torchvision's published weights, {size}, are not on this server, and its owner does "
            "not allow the download"
        )
    return "torchvision's published weights"


def _runs(explorers: Explorers, owner: Any) -> list[dict[str, Any]]:
    """The owner's runs with saved weights, the newest first."""
    shelf = explorers.runs
    own = shelf.list(owner) if shelf and isinstance(owner, str) and owner else []
    found = []
    for row in own:
        if not row["weights"] or shelf is None:
            continue
        known = _known(shelf.weights(row["id"]))
        state = "" if row["state"] == "finished" else f"{row['state']}, as saved last"
        if known:
            found.append(_row(row["id"], row["name"], *known, words=state))
    return found


def _files(explorers: Explorers, given: Any) -> list[dict[str, Any]]:
    """The own files among the ids given that are still there."""
    own = explorers.offers.own
    ids: Iterable[Any] = given[:_MOST] if isinstance(given, list) else ()
    found = []
    for net in dict.fromkeys(one for one in ids if isinstance(one, str)):
        path = own.path_of(net) if net.startswith(PREFIX) else None
        known = path and _known(path)
        if path and known:
            found.append(_row(net, path.stem, *known, words="a file of yours"))
    return found


def _known(path: Path) -> tuple[ModelConfig, ModelInfo] | None:
    """What a file's header says; None where there is none any more."""
    try:
        return _header(path, stamp_of(path))
    except GnetError:
        return None


@lru_cache(maxsize=256)
def _header(path: Path, _: Stamp) -> tuple[ModelConfig, ModelInfo]:
    return read_header(path)
