"""In what a network differs from the paper within one module, read from its config."""

from gnet.network.config import EXITS, ModelConfig

PAPER = ModelConfig.preset("paper")


def deviations(config: ModelConfig, stage: str) -> list[str]:
    """Each difference as a clause, such as `batch norm follows each convolution`."""
    return [*_convolutions(config), *_around(config, stage), *_heads(config, stage)]


def _convolutions(config: ModelConfig) -> list[str]:
    """What differs in every module."""
    left_out = config.branches_left_out()
    found = [f"the {branch.replace('x', '×')} branch is left out" for branch in left_out]
    if config.kernel_5x5 != PAPER.kernel_5x5 and "5x5" not in left_out:
        found.append(f"the 5×5 branch has a {config.kernel_5x5}×{config.kernel_5x5} kernel")
    if config.order != PAPER.order:
        found.append("batch norm and ReLU come before each convolution")
    elif config.norm != PAPER.norm:
        found.append("batch norm follows each convolution")
    if config.width != PAPER.width:
        found.append(f"channel counts are {config.width:g} times as large")
    return found


def _around(config: ModelConfig, stage: str) -> list[str]:
    """What differs just before a module."""
    if stage == "5a" and config.pool4 != PAPER.pool4:
        return [f"the max-pool before it is {config.pool4}×{config.pool4}"]
    return []


def _heads(config: ModelConfig, stage: str) -> list[str]:
    """What differs in the head that reads a module."""
    head = next((name for name, exit in EXITS.items() if exit == stage), None)
    if head == "main":
        found = []
        if config.dropout != PAPER.dropout:
            found.append(f"dropout before the classifier is {config.dropout:g}")
        if config.rectified_outputs:
            found.append("a ReLU follows the logits")
        return found
    if head and not config.aux:
        return ["no auxiliary head reads it"]
    if head and config.aux_pool != PAPER.aux_pool:
        return [f"{head} pools to 4×4 at any size"]
    return []
