"""Feature visualization: pictures grown from noise until a channel answers them strongly.

The recipe is the published one of "Feature Visualization" (Olah, Mordvintsev, Schubert, Distill
2017, doi 10.23915/distill.00007) and of its library Lucid: the picture is kept as frequencies,
each scaled by 1/f, and in decorrelated colours; at every step it is shown moved, turned and
scaled at random, and Adam climbs the channel's mean response. The code is this project's own.
What differs: the response is taken before the ReLU, so that a channel which is silent on noise
has a slope to climb; several channels grow at once, each independent of the others.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from gnet import strict_json
from gnet.data.pictures import as_tensor, to_image
from gnet.errors import GnetError
from gnet.network.config import BRANCHES, STAGES
from gnet.network.hooks import evaluating
from gnet.network.model import ConvBlock, GoogLeNet
from gnet.settings import check_fields, option
from gnet.system.atomic import atomically
from gnet.system.cache import cache_folder
from gnet.system.progress import Progress
from gnet.words import listed

EVERY = 8
"""Steps between two states; a stop waits for so many at most."""
_COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Square root of the covariance of natural pictures' colours, as Lucid publishes it."""
_NOISE, _RANGE = 0.01, 4.0  # deviation of the first frequencies; what they are divided by


@dataclass(frozen=True, kw_only=True)
class VisualizationConfig:
    """How a picture is grown."""

    size: int = option(112, "side of the picture in px", low=32, high=224)
    steps: int = option(96, "steps of Adam", low=1, high=2048)
    rate: float = option(0.07, "learning rate", low=1e-4, high=1.0)
    jitter: float = option(10.0, "largest shift at a step in px", low=0.0, high=32.0)
    turn: float = option(15.0, "largest rotation at a step in degrees", low=0.0, high=45.0)
    zoom: float = option(0.2, "largest change of scale at a step", low=0.0, high=0.5)
    seed: int = option(0, "seed of the noise and of the movements", low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class Visualization:
    """Pictures while they grow."""

    step: int
    steps: int
    pictures: Tensor
    """uint8 (n, 3, size, size), one for each channel."""
    responses: tuple[float, ...]
    """Mean of each channel before its ReLU, over the cells, for the picture as it was moved."""


def visualizing(
    model: GoogLeNet,
    stage: str,
    branch: str,
    channels: Sequence[int],
    config: VisualizationConfig | None = None,
) -> Generator[Visualization, None, None]:
    """Grow a picture for each of a branch's `channels` at once; gives the state every few steps.

    The forward ends at the branch. Noise and movements follow from the config and the channel's
    number, so the others grown with it change nothing but the last bits, which many steps enlarge:
    the picture is then another one of the same kind. Closing the generator stops. Raises
    `GnetError`.
    """
    config = config or VisualizationConfig()
    front, block = lane_of(model, stage, branch, channels)
    growing = _Growing(channels, config)
    rows, own = torch.arange(len(channels)), torch.tensor(channels)
    normalise = model.info.preprocessing.normalise
    for step in range(1, config.steps + 1):
        with evaluating(model), torch.enable_grad():
            x = normalise(growing.moved(step)).contiguous(memory_format=torch.channels_last)
            maps = _before_relu(block, front(model.into(x, stage)))[rows, own]  # (n, h, w)
            responses = maps.mean((1, 2))
            growing.climb(responses.sum())
        if step % EVERY == 0 or step == config.steps:
            yield Visualization(
                step=step,
                steps=config.steps,
                pictures=growing.pictures(),
                responses=tuple(responses.tolist()),
            )


def visualize(
    model: GoogLeNet,
    stage: str,
    branch: str,
    channels: Sequence[int],
    config: VisualizationConfig | None = None,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Tensor | None:
    """The grown pictures, uint8 (n, 3, size, size), or None when `stop()` was true.

    `progress(done, total)` counts steps.
    """
    pictures = None
    with closing(visualizing(model, stage, branch, channels, config)) as states:
        for state in states:
            if stop is not None and stop():
                return None
            if progress is not None:
                progress(state.step, state.steps)
            pictures = state.pictures
    return pictures


class _Growing:
    """Frequencies of n pictures, and Adam to change them."""

    def __init__(self, channels: Sequence[int], config: VisualizationConfig) -> None:
        size, self.config = config.size, config
        noise = [
            torch.randn(3, size, size // 2 + 1, 2, generator=_random(config.seed, channel))
            for channel in channels
        ]
        self.spectrum = (_NOISE * torch.stack(noise)).requires_grad_()  # (n, 3, S, S/2 + 1, 2)
        down, across = torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None]
        # 1/f, as natural pictures have it; the mean, of frequency 0, counts as the lowest wave.
        self.scale = size / torch.hypot(down, across).clamp(min=1 / size)
        colours = torch.tensor(_COLOURS)
        self.colours = colours / colours.norm(dim=0).max()
        self.optimiser = torch.optim.Adam([self.spectrum], lr=config.rate)

    def grown(self) -> Tensor:
        """(n, 3, S, S) in [0, 1]."""
        size = self.config.size
        waves = torch.view_as_complex(self.spectrum) * self.scale
        values = torch.fft.irfft2(waves, s=(size, size)) / _RANGE
        return torch.einsum("nchw,dc->ndhw", values, self.colours).sigmoid()

    def moved(self, step: int) -> Tensor:
        """The pictures as step `step` sees them: all shifted, turned and scaled alike."""
        config = self.config
        a, b, c, d = (2 * torch.rand(4, generator=_random(config.seed, -step)) - 1).tolist()
        angle, scale = math.radians(config.turn * a), 1 + config.zoom * b
        cos, sin = scale * math.cos(angle), scale * math.sin(angle)
        y, x = (2 * config.jitter / config.size * part for part in (c, d))
        pictures = self.grown()
        turned = torch.tensor([[cos, -sin, x], [sin, cos, y]]).expand(len(pictures), 2, 3)
        grid = F.affine_grid(turned, list(pictures.shape), align_corners=False)
        return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)

    def climb(self, response: Tensor) -> None:
        self.optimiser.zero_grad()
        # Only to the picture: weights that could learn get no gradient.
        (slope,) = torch.autograd.grad(-response, self.spectrum)
        self.spectrum.grad = slope
        self.optimiser.step()

    def pictures(self) -> Tensor:
        with torch.no_grad():
            return (self.grown() * 255).round().byte()


def _random(seed: int, number: int) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(f"{seed} {number}".encode()))


def lane_of(
    model: GoogLeNet, stage: str, branch: str, channels: Sequence[int]
) -> tuple[nn.Sequential, ConvBlock]:
    """A branch's layers before its last block, and that block; `channels` are checked, too."""
    check_channels(model, stage, branch, channels)
    lane = model.inceptions()[stage].branch_modules()[branch]
    front, block = (lane[:-1], lane[-1]) if isinstance(lane, nn.Sequential) else ((), lane)
    if not isinstance(block, ConvBlock):
        raise GnetError(f"The branch {branch} of {stage} was left out of this network.")
    return nn.Sequential(*front), block


def _before_relu(block: ConvBlock, x: Tensor) -> Tensor:
    """What a block gives, without the ReLU after it."""
    return block(x) if block.pre_activation else block.bn(block.conv(x))


def check_channels(model: GoogLeNet, stage: str, branch: str, channels: Sequence[int]) -> None:
    """Raise `GnetError` unless the network has these channels of that branch."""
    if stage not in STAGES:
        raise GnetError(f"There is no module {stage!r}; there are {listed(STAGES)}.")
    if branch not in BRANCHES:
        raise GnetError(f"There is no branch {branch!r}; there are {listed(BRANCHES)}.")
    count = model.inceptions()[stage].widths.branches[BRANCHES.index(branch)]
    wrong = [channel for channel in channels if not 0 <= channel < count]
    if wrong or not channels:
        given = f"channel {wrong[0]}" if wrong else "no channel"
        raise GnetError(
            f"{given.capitalize()} of {stage} {branch} was given; allowed are 0 to {count - 1}."
        )


def visualization_path(
    digest: str, stage: str, branch: str, channel: int, config: VisualizationConfig | None = None
) -> Path:
    """Where a channel's picture is kept: by weights, place and settings."""
    # The folder keeps the name it had at first, so that pictures grown by then are still found.
    settings = strict_json.dumps(asdict(config or VisualizationConfig()), sort_keys=True)
    folder = cache_folder("dreams", digest[:16], sha256(settings.encode()).hexdigest()[:8])
    return folder / f"{stage}-{branch}-{channel}.webp"


def keep_visualization(path: Path, picture: Tensor) -> None:
    """Write a picture, uint8 (3, S, S); raises `GnetError` when that is impossible."""
    with atomically(path) as temporary:
        to_image(picture).save(temporary, "WEBP", quality=90, method=4)


def kept_visualization(path: Path) -> Tensor | None:
    """The picture kept at `path`, uint8 (3, S, S), if there is one that is whole."""
    try:
        with Image.open(path) as image:
            return as_tensor(image.convert("RGB"))
    except (OSError, ValueError):
        return None
