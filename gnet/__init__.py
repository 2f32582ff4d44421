"""A lab for GoogLeNet (Inception v1): build it, look inside it, train it."""

from gnet.errors import GnetError
from gnet.explain.recording import record
from gnet.network.config import ModelConfig
from gnet.network.model import GoogLeNet
from gnet.network.weights import load
from gnet.training.loop import train

__all__ = ["GnetError", "GoogLeNet", "ModelConfig", "load", "record", "train"]
__version__ = "0.1.0"
