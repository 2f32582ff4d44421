"""The network as a file that torchvision's own class loads."""

from pathlib import Path

from gnet.network import weights
from gnet.network.model import GoogLeNet


def to_torchvision(model: GoogLeNet, path: str | Path) -> Path:
    """Write safetensors whose tensors `torchvision.models.GoogLeNet` loads strictly.

    The header tells config and info, so that `weights.load` takes the file too. Raises `GnetError`
    for a network that torchvision's class cannot compute.
    """
    weights.check_torchvision(model.config)
    return weights.save(model, path)
