"""What a tool takes: its arguments by name and type, checked, and the picture that they mean."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from gnet.answers.explorer import Chosen
from gnet.answers.picture_input import picture_of
from gnet.errors import FieldError, GnetError
from gnet.words import cut, listed

_TYPES: dict[str, tuple[type, str]] = {"string": (str, "texts"), "object": (dict, "objects")}
_ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+:(?!image/[\w.+-]+;base64,)")
_DATA = re.compile(r"\s*data:image/[\w.+-]+;base64,")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One argument of a tool."""

    name: str
    about: str
    kind: str = "string"
    required: bool = False
    choices: tuple[str, ...] = ()
    values: dict[str, Any] | None = None
    """What an object may hold, as JSON Schema says it."""

    def schema(self) -> dict[str, Any]:
        """The argument in JSON Schema."""
        schema: dict[str, Any] = {"type": self.kind, "description": self.about}
        if self.choices:
            schema["enum"] = list(self.choices)
        if self.values:
            schema["additionalProperties"] = self.values
        return schema

    def check(self, value: Any) -> Any:
        """The value; raises `FieldError` for another type and for no choice of these."""
        python, allowed = _TYPES[self.kind]
        if not isinstance(value, python):
            raise FieldError(self.name, cut(value), allowed)
        if self.choices and value not in self.choices:
            raise FieldError(self.name, cut(value), ", ".join(self.choices))
        return value


def checked(name: str, parameters: tuple[Parameter, ...], given: Any) -> dict[str, Any]:
    """The arguments of the tool `name`, None for those left out; raises `GnetError`."""
    arguments = given if isinstance(given, dict) else {}
    known = [parameter.name for parameter in parameters]
    unknown = [cut(key) for key in arguments if key not in known]
    missing = [p.name for p in parameters if p.required and arguments.get(p.name) is None]
    if missing or unknown:
        takes = listed(known) or "nothing"
        wrong = "is missing" if missing else "is none of them"
        raise GnetError(f"{name} takes {takes}; {listed((missing or unknown)[:1])} {wrong}.")
    return {
        p.name: None if arguments.get(p.name) is None else p.check(arguments[p.name])
        for p in parameters
    }


def picture(example: str | None, content: str | None) -> Chosen:
    """The picture that a tool is asked about: an example's name, or a file in base64."""
    if bool(example) == bool(content):
        raise GnetError(
            "One picture was expected; give either example, a name that list_examples tells, or "
            "picture, a file in base64."
        )
    if example:
        return picture_of({"example": example}, None)
    assert content
    if _ADDRESS.match(content):
        raise GnetError(
            f"The picture is the address {cut(content)!r}; this server fetches nothing, so give "
            "the file itself in base64."
        )
    text = re.sub(r"\s+", "", _DATA.sub("", content))
    try:
        file = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise GnetError(
            f"The picture is {cut(text, 20)!r}; allowed is a picture's file in base64."
        ) from None
    return Chosen(content=file, name="the picture given")
