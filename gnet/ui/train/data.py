"""The data set in the Train tab: a zip of one's own, and a look at the pictures before a run."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import gradio as gr

from gnet.data.preview import Preview, preview
from gnet.errors import GnetError
from gnet.runs.train_config import TrainConfig
from gnet.serving.offers import Offers
from gnet.system.paths import without_paths
from gnet.system.stamps import stamp_of
from gnet.ui.components import drawing
from gnet.ui.events import as_text
from gnet.ui.train import form as train_form

_KEPT = 16
"""Previews that are kept, some 200 kB each."""
_MOST_KEYS = 20
"""Zips of one page that its list has."""

Parse = Callable[[], TrainConfig]
"""Gives what the form holds as a run that this server allows; raises `GnetError`."""


def place(offers: Offers, enabled: bool) -> gr.HTML:
    """The buttons beside the data set's field, to be rendered where they belong."""
    return drawing(
        "train/data",
        render=False,
        enabled=enabled,
        zips=offers.takes_zips,
        megabytes=offers.zip_bytes // 1_000_000,
    )


def listed(offers: Offers, keys: Any) -> Any:
    """The field's list with a page's zips in it, the last one chosen; raises `GnetError`."""
    if not isinstance(keys, list) or not keys:
        raise GnetError("No zip was named; upload one.")
    pairs = []
    for key in keys[-_MOST_KEYS:]:
        try:
            pairs.append((offers.label(key), key))
        except GnetError:
            if key == keys[-1]:
                raise
    return gr.update(choices=known(offers) + pairs, value=keys[-1])


def known(offers: Offers) -> list[tuple[str, str]]:
    """What the field's list has before anything is uploaded."""
    return train_form.known_data() + offers.choices()


def with_data(offers: Offers, values: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values with the data set's key replaced by what it stands for."""
    return {**values, "data": offers.data_of(values["data"])}


def looked_at(offers: Offers, parse: Parse) -> Iterator[str]:
    """How far a download is, as long as there is one, and then the preview or a sentence."""
    try:
        config = parse()
        for sentence in offers.fetching.fetch(config.data):
            yield as_text({"busy": sentence})
        yield as_text({"busy": "Opening pictures …"})
        settings = (config.data, config.size, config.seed, config.per_class)
        yield _previewed(*settings, stamp_of(config.data))
    except GnetError as error:
        yield as_text({"refused": without_paths(str(error))})


@lru_cache(maxsize=_KEPT)
def _previewed(data: str, size: int, seed: int, per_class: int, _: object) -> str:
    """A preview as text; opened again only when the files are others, which the last one tells."""
    return as_text(described(preview(data, size=size, seed=seed, per_class=per_class)))


def described(found: Preview) -> dict[str, Any]:
    """A preview as the page draws it."""
    sheet = f"data:image/webp;base64,{b64encode(found.sheet).decode()}"
    counts = _counted(found.train, "training picture"), _counted(found.val, "validation picture")
    how = "split here, the same way for the same seed" * found.made_split
    return asdict(found) | {
        "sheet": sheet,
        "title": f"{found.name}: {len(found.classes)} classes, "
        f"{_counted(found.train + found.val, 'picture')}",
        "split": f"{' and '.join(counts)}, {how or 'split as the data set comes'}.",
    }


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
