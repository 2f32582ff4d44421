"""Reads the header of a safetensors file: which network is in it, or why none is.

Knows nothing of the tensors themselves.
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from gnet.errors import GnetError
from gnet.network.config import ModelConfig
from gnet.network.info import ModelInfo
from gnet.system.paths import regular

MOST_HEADER_BYTES = 4 << 20


def read_header(path: Path) -> tuple[ModelConfig, ModelInfo]:
    """Return what the header of a safetensors file says of the network in it, checked.

    Raises `GnetError` for anything but a file that `weights.save` could have written; the tensors
    are not read.
    """
    try:
        if path.is_dir():
            raise GnetError(f"{path} is a folder; give a .safetensors file in it.")
        with open(regular(path), "rb") as file:
            start = file.read(512)
            length = int.from_bytes(start[:8], "little")
            _check_kind(path, start)
            if length > MOST_HEADER_BYTES:
                raise GnetError(
                    f"{path} announces a header of {length} bytes; allowed are up to "
                    f"{MOST_HEADER_BYTES}."
                )
            file.seek(8)
            text = file.read(length)
    except FileNotFoundError as error:
        raise GnetError(
            f"There is no file {path}; give everyday, imagenet or the path of a .safetensors file."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = getattr(error, "strerror", None) or error
        raise GnetError(f"{path} cannot be read ({reason}); give a .safetensors file.") from error
    if len(text) < length:
        raise GnetError(f"{path} is cut off within its header; give a whole safetensors file.")
    metadata = _json(text, path, "header").get("__metadata__")
    if not isinstance(metadata, dict) or "gnet" not in metadata:
        raise GnetError(
            f"{path} says nothing of the network in its header; give a file that gnet saved, or "
            f"convert torchvision's weights: {_conversion(path)}."
        )
    record = _json(metadata["gnet"], path, "description")
    try:
        config = ModelConfig.from_json(record.get("config"))
        info = ModelInfo.from_json(record.get("info"))
    except GnetError as error:
        raise GnetError(f"{path}: {error}") from error
    return config, info


def _conversion(path: Path) -> str:
    """The command that converts a file of torchvision's network."""
    out = path.with_name(f"{path.stem}-gnet.safetensors")
    return (
        f"`python -m gnet convert {shlex.quote(str(path))} --classes FILE --transform-input "
        f"--out {shlex.quote(str(out))}`, or --no-transform-input for weights that were trained "
        "from random ones"
    )


def _json(text: Any, path: Path, part: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise GnetError(
            f"The {part} of {path} is not JSON ({error}); give a file that gnet saved."
        ) from error
    if not isinstance(record, dict):
        raise GnetError(f"The {part} of {path} is no JSON object; give a file that gnet saved.")
    return record


def _check_kind(path: Path, start: bytes) -> None:
    """Raise `GnetError` unless `start`, the file's first bytes, is a safetensors file's."""
    # A header's length has eight bytes, of which the upper ones are zero in any file of ours.
    if start[8:9] == b"{" and 0 in start[:8]:
        return
    if start.startswith(
        (b"PK\x03\x04", *(b"\x80" + bytes([protocol]) for protocol in range(2, 6)))
    ):
        raise GnetError(
            f"{path} is a pickle or zip, as .pth and .pt files are, which can run code when "
            f"opened; allowed are safetensors files: convert torchvision's weights with "
            f"{_conversion(path)}."
        )
    if not start:
        kind = "is empty"
    elif b"\0" not in start and not re.search(rb"[\x01-\x08\x0e-\x1a]", start):
        kind = "is a text file"
    else:
        kind = "is no safetensors file"
    raise GnetError(f"{path} {kind}; allowed are .safetensors files that gnet saved.")
