"""In what a network differs from the paper, each point with its reason and where to read of it."""

from __future__ import annotations

from gnet.answers.architecture import paper
from gnet.network.config import ModelConfig
from gnet.words import listed, percent

_PAPER = ModelConfig.preset("paper")
_ARTICLE = ("Going deeper with convolutions", "https://arxiv.org/abs/1409.4842")
_NORM = ("Batch Normalization", "https://arxiv.org/abs/1502.03167")
_KERNEL = ("pytorch/vision #906", "https://github.com/pytorch/vision/issues/906")
_ORDER = ("Identity Mappings in Deep Residual Networks", "https://arxiv.org/abs/1603.05027")
QUOTED = "quoted"
"""The id of the one difference that is the paper's own."""


def differences(config: ModelConfig, size: int) -> list[dict[str, str]]:
    """Id, sentence and link of each point, in the order they are met on the way."""
    found = [
        *_input(config, size),
        *_blocks(config),
        *_widths(config),
        *_ends(config),
        _point(
            QUOTED,
            "Some parameters and operations that the paper prints do not follow from the widths it "
            "prints beside them; both are shown.",
            _ARTICLE,
        ),
    ]
    return found


def _point(name: str, sentence: str, link: tuple[str, str] = _ARTICLE) -> dict[str, str]:
    return {"id": name, "sentence": sentence, "link": link[0], "address": link[1]}


def _input(config: ModelConfig, size: int) -> list[dict[str, str]]:
    found = []
    if size != paper.SIDE:
        found.append(
            _point(
                "size",
                f"The input is {size}×{size} px, in the paper {paper.SIDE}×{paper.SIDE}; so every "
                "map has another size, and so has the work.",
            )
        )
    if config.stem != _PAPER.stem:
        found.append(
            _point(
                "stem",
                "The stem is the small one: a 3×3 convolution with stride 2 and no max-pools, for "
                "small pictures.",
            )
        )
    return found


def _blocks(config: ModelConfig) -> list[dict[str, str]]:
    found = []
    if config.norm != _PAPER.norm and config.order == _PAPER.order:
        found.append(
            _point("norm", "Batch norm follows each convolution, which has no bias.", _NORM)
        )
    if config.order != _PAPER.order:
        norm = "Batch norm and ReLU come" if config.norm != _PAPER.norm else "ReLU comes"
        found.append(
            _point(
                "order",
                f"{norm} before each convolution instead of a ReLU behind it, so a branch puts out "
                "negative values, too.",
                _ORDER,
            )
        )
    if not config.local_response_norm:
        found.append(_point("lrn", "There is no local response norm in the stem."))
    if config.kernel_5x5 != _PAPER.kernel_5x5 and "5x5" not in config.branches_left_out():
        side = config.kernel_5x5
        found.append(
            _point(
                "kernel",
                f"The kernel of the “5×5” branch is {side}×{side}: fewer weights, and a cell sees "
                "less of the picture.",
                _KERNEL,
            )
        )
    return found


def _widths(config: ModelConfig) -> list[dict[str, str]]:
    found = []
    if config.width != _PAPER.width:
        found.append(
            _point(
                "width",
                f"Channel counts are {config.width:g} times the paper's, to a multiple of 4.",
            )
        )
    if gone := config.branches_left_out():
        names = listed(branch.replace("x", "×") for branch in gone)
        found.append(_point("left-out", f"Left out of every module, zeros in the place: {names}."))
    if config.pool4 != _PAPER.pool4:
        side = config.pool4
        found.append(_point("pool4", f"The max-pool before 5a is {side}×{side}, in the paper 3×3."))
    return found


def _ends(config: ModelConfig) -> list[dict[str, str]]:
    found = []
    if config.dropout != _PAPER.dropout:
        found.append(
            _point(
                "dropout",
                f"Dropout before the classifier is {percent(config.dropout, 0)}, in the paper "
                f"{percent(_PAPER.dropout, 0)}.",
            )
        )
    if config.num_classes != paper.CLASSES:
        found.append(
            _point(
                "classes",
                f"It answers {config.num_classes:,} classes, in the paper {paper.CLASSES:,}.",
            )
        )
    if not config.aux:
        found.append(_point("aux", "There are no auxiliary heads at 4a and 4d."))
    elif config.aux_pool != _PAPER.aux_pool:
        found.append(
            _point(
                "aux-pool",
                "The auxiliary heads pool to 4×4 at any input size; the paper's average pool is "
                "5×5 with stride 3.",
            )
        )
    if config.rectified_outputs:
        found.append(_point("rectified", "A ReLU follows the logits."))
    return found


def reasons(config: ModelConfig, layer: str, size: int, what: str) -> list[str]:
    """Ids of what may change a cell of the table: `what` is output, patch, weights, macs, field."""
    known = {point["id"] for point in differences(config, size)}
    module = layer.startswith("inception")
    own = {
        "output": {"size", "stem", "width", "pool4", *({"classes"} if _last(layer) else ())},
        "patch": {"maxpool4": {"pool4"}, "dropout": {"dropout"}, "avgpool": {"size", "stem"}}.get(
            layer, {"stem"}
        ),
        "widths": {"width", "left-out"},
        "weights": {"width", "left-out", "kernel"} if module else {"width", "stem"},
        "field": {"stem", "kernel", "left-out"}
        | ({"pool4"} if layer in ("maxpool4", "inception5a", "inception5b") else set()),
    }
    own["weights"] |= {"classes"} if _last(layer) else set()
    own["macs"] = own["weights"] | {"stem"} | (set() if _last(layer) else {"size"})
    return [point for point in known if point in own[what]]


def _last(layer: str) -> bool:
    return layer in ("fc", "softmax")
