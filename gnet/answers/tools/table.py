"""The tools that another program may use: name, description, arguments, and what answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from gnet.answers.explorer import Explorer
from gnet.answers.tools import texts
from gnet.answers.tools.given import Parameter, checked
from gnet.errors import GnetError
from gnet.network.config import HEADS, STAGES
from gnet.words import cut, listed

_EXAMPLE = Parameter(name="example", about="Name of an example picture, as list_examples tells it.")
_PICTURE = Parameter(
    name="picture",
    about="A picture of yours: its JPEG, PNG or WebP file in base64, up to about 2.9 MB. "
    "Give this or example. Addresses are not fetched.",
)
_MODULE = Parameter(
    name="module", about="One of the nine modules; all if it is left out.", choices=STAGES
)


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One question that can be asked."""

    name: str
    about: str
    answer: Callable[..., str]
    parameters: tuple[Parameter, ...] = ()

    def schema(self) -> dict[str, Any]:
        """Its arguments in JSON Schema."""
        return {
            "type": "object",
            "properties": {p.name: p.schema() for p in self.parameters},
            "required": [p.name for p in self.parameters if p.required],
            "additionalProperties": False,
        }

    def ask(self, explorer: Explorer, given: Any) -> str:
        """The answer; raises `GnetError` for arguments that it does not take."""
        return self.answer(explorer, *checked(self.name, self.parameters, given).values())


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            name="list_examples",
            about="The example pictures of this GoogLeNet lab, by name, and what each shows.",
            answer=texts.list_examples,
        ),
        Tool(
            name="list_classes",
            about="The classes that the network can answer, each with its family.",
            answer=texts.list_classes,
            parameters=(Parameter(name="contains", about="Only classes with this in their name."),),
        ),
        Tool(
            name="look_at_picture",
            about="What the network's three heads (aux1, aux2 and main, from early to late) "
            "believe a picture shows: the five likeliest classes of each, whether it is sure, and "
            "whether they agree.",
            answer=texts.look_at_picture,
            parameters=(_EXAMPLE, _PICTURE),
        ),
        Tool(
            name="list_branch_shares",
            about="How the activity of each of the nine modules divides between its four branches "
            "(1×1, 3×3, 5×5, pool) for a picture, in percent: 36 shares.",
            answer=texts.list_branch_shares,
            parameters=(_EXAMPLE, _PICTURE, _MODULE),
        ),
        Tool(
            name="switch_branches",
            about="What the heads believe of a picture with some of the 36 branches switched off, "
            "set to their mean, or scaled, and what changed most.",
            answer=texts.switch_branches,
            parameters=(
                Parameter(
                    name="switches",
                    about='Module and branch to its setting, as {"4b/5x5": 0, "5b/pool": "mean"}: '
                    "0 is off, 1 leaves it as it is, 2 doubles it, mean sets it to its mean.",
                    kind="object",
                    required=True,
                    values={
                        "anyOf": [
                            {"type": "number", "minimum": 0, "maximum": 2},
                            {"const": "mean"},
                        ]
                    },
                ),
                _EXAMPLE,
                _PICTURE,
            ),
        ),
        Tool(
            name="weigh_branches",
            about="Why a class: which of the 36 branches it needs in a picture. Each is switched "
            "off by itself, and the fall of the class's logit is what the branch is worth.",
            answer=texts.weigh_branches,
            parameters=(
                Parameter(name="class", about="A class, as list_classes tells it.", required=True),
                Parameter(name="head", about="The head that answers; main.", choices=HEADS),
                _EXAMPLE,
                _PICTURE,
            ),
        ),
    )
}
"""By name, in the order in which they are listed."""


def check_installed() -> None:
    """Raise `GnetError` where the package is missing that asks the tools over http."""
    if find_spec("mcp") is None:
        raise GnetError(
            "--mcp needs the package mcp, which is not installed: pip install mcp, or "
            'pip install -e ".[mcp]".'
        )


def find(name: Any) -> Tool:
    """The tool of this name; raises `GnetError`."""
    if name not in TOOLS:
        raise GnetError(f"There is no tool {cut(name)!r}; there are {listed(TOOLS)}.")
    return TOOLS[name]
