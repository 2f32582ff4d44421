"""Files for torchvision: its own class loads them, and so does this program."""

import pytest
import torch
from safetensors.torch import load_file

from gnet.errors import GnetError
from gnet.network import weights
from gnet.network.config import ModelConfig
from gnet.network.export.torchvision_file import to_torchvision
from gnet.network.model import GoogLeNet
from support.networks import EXPORTED, exported


def test_a_file_for_torchvision_loads_there_and_here(tmp_path):
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    model = GoogLeNet(ModelConfig.preset("torchvision", num_classes=3), EXPORTED).eval()
    path = to_torchvision(model, tmp_path / "tv.safetensors")
    theirs = torchvision.models.GoogLeNet(num_classes=3, init_weights=False).eval()
    theirs.load_state_dict(load_file(path), strict=True)
    pixels = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(theirs(pixels), model(pixels).main)
    again = weights.load(path)
    assert again.config == model.config
    assert again.info.classes == EXPORTED.classes


def test_a_network_torchvision_cannot_compute_is_not_written(tmp_path):
    with pytest.raises(GnetError, match=r"kernel_5x5 5.*allows only.*kernel_5x5 3"):
        to_torchvision(exported("batch-norm"), tmp_path / "tv.safetensors")
    assert list(tmp_path.iterdir()) == []
