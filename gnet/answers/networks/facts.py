"""The facts of a network in a line: classes, size, the kernel called 5×5, its heads."""

from gnet.network.config import HEADS, UNTRAINED, ModelConfig
from gnet.network.info import ModelInfo
from gnet.words import listed


def facts(config: ModelConfig, info: ModelInfo) -> str:
    """Such as `150 classes, 144 px, true 5×5 kernels, 3 trained heads`."""
    size = info.preprocessing.size
    return f"{config.num_classes:,} classes, {size} px, {_kernel(config)}, {_heads(config, info)}"


def kind(config: ModelConfig) -> str:
    """Its kernel and heads, as a name bears them: `3×3 kernels, with heads`."""
    side = config.kernel_5x5
    return f"{side}×{side} kernels, {'with' if config.aux else 'without'} heads"


def about(config: ModelConfig, info: ModelInfo, origin: str) -> str:
    """What a network is and what holds of it alone, in sentences; `origin` says where it is from.

    Such as `trained here`; how often its heads are right is told where it is known.
    """
    right = _right(info)
    told = f"{origin}: {config.num_classes:,} classes, {info.preprocessing.size} px{right}."
    return " ".join([told, *_cautions(config, info)])


def _right(info: ModelInfo) -> str:
    known = info.metrics.get("heads", {})
    parts = [
        f"{head} {100 * known[head]['top1']:.0f} %"
        for head in reversed(HEADS)
        if known.get(head, {}).get("top1") is not None
    ]
    return f"; right in validation: {', '.join(parts)}" if parts else ""


def _cautions(config: ModelConfig, info: ModelInfo) -> list[str]:
    """What must not be taken for more than it is."""
    found = []
    if not is_true_5x5(config):
        side = config.kernel_5x5
        found.append(f"Its 5×5 is really {side}×{side}.")
    if untrained := untrained_heads(config, info):
        verb = "is" if len(untrained) == 1 else "are"
        found.append(f"{listed(untrained).capitalize()} {verb} untrained.")
    if not config.aux:
        found.append("It has no auxiliary heads.")
    return found


def _kernel(config: ModelConfig) -> str:
    side = config.kernel_5x5
    if "5x5" in config.branches_left_out():
        return "no 5×5 branch"
    return "true 5×5 kernels" if side == 5 else f"“5×5” is really {side}×{side}"


def _heads(config: ModelConfig, info: ModelInfo) -> str:
    untrained = untrained_heads(config, info)
    trained = [head for head in _present(config) if head not in untrained]
    if not config.aux:
        return "no auxiliary heads"
    if trained == ["main"]:
        return "auxiliary heads untrained"
    return f"{len(trained)} trained head{'s' * (len(trained) != 1)}"


def _present(config: ModelConfig) -> list[str]:
    return [head for head in HEADS if head == "main" or config.aux]


def untrained_heads(config: ModelConfig, info: ModelInfo) -> list[str]:
    """The heads that it has and nobody trained."""
    return [head for head in _present(config) if info.heads.get(head, UNTRAINED) == UNTRAINED]


def is_true_5x5(config: ModelConfig) -> bool:
    """Whether the 5×5 branch, if it has one, is what it is called."""
    return config.kernel_5x5 == 5 or "5x5" in config.branches_left_out()
