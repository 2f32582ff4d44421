"""A lab for GoogLeNet (Inception v1): build it, look inside it, train it."""

from gnet.config import ModelConfig
from gnet.errors import GnetError
from gnet.model import GoogLeNet
from gnet.recording import record
from gnet.training import train
from gnet.weights import load

__all__ = ["GnetError", "GoogLeNet", "ModelConfig", "load", "record", "train"]
__version__ = "0.1.0"
