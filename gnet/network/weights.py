"""Where weights come from and go to: bundled, torchvision's published file, safetensors files.

Own files are safetensors whose header holds the config and the info as JSON. Pickles are refused:
opening one can run code. The single exception is torchvision's published file, whose checksum is
checked first and which is read as tensors only.
"""

import hashlib
import os
import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from gnet import strict_json
from gnet.errors import GnetError
from gnet.network.config import TRAINED, UNTRAINED, ModelConfig
from gnet.network.header import read_header
from gnet.network.info import ModelInfo, Preprocessing
from gnet.network.model import GoogLeNet
from gnet.system.assets import ASSETS
from gnet.system.cache import cache_folder
from gnet.system.download import download, sha256_of
from gnet.system.paths import expanded
from gnet.system.progress import Progress
from gnet.system.tensor_file import check_tensors, write_tensors
from gnet.words import some

BUNDLED = ASSETS / "everyday.safetensors"

_TORCHVISION = {
    name: getattr(ModelConfig.preset("torchvision"), name)
    for name in (
        "width",
        "kernel_5x5",
        "norm",
        "norm_eps",
        "local_response_norm",
        "order",
        "left_out",
        "aux_pool",
        "stem",
        "pool4",
        "rectified_outputs",
    )
}
"""Fields a config must have for torchvision's class to compute the same; its constructor takes
the rest."""


def load(name_or_path: str | Path = "everyday", *, progress: Progress | None = None) -> GoogLeNet:
    """Load `everyday` (bundled), `imagenet` (torchvision's) or a file written by `save`.

    Returns the network in eval mode, float32 on the CPU, with `.info` filled, digest included.
    `progress(done, total)` gets bytes if something has to be downloaded. Raises `GnetError`.
    """
    if name_or_path == "imagenet":
        return imagenet(progress=progress)
    if name_or_path == "everyday":
        if not BUNDLED.is_file():
            raise GnetError(
                f"The bundled weights are missing ({BUNDLED}); give the path of a .safetensors "
                "file, or restore that one."
            )
        return _load_file(BUNDLED)
    return _load_file(expanded(name_or_path))


def save(model: GoogLeNet, path: str | Path, *, half: bool = False) -> Path:
    """Write `model` to `path` as safetensors, whole or not at all, and return the path.

    `half` stores the weights of convolutions and linear layers as float16; biases, norms and their
    statistics stay float32. `load` gives float32 back either way.
    """
    halved = (
        {
            f"{name}.weight"
            for name, module in model.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear)
        }
        if half
        else set()
    )
    tensors = {}
    for name, value in _plain(model.state_dict()).items():
        tensors[name] = value.half() if name in halved else value
        if name in halved and value.isfinite().all() and not tensors[name].isfinite().all():
            raise GnetError(
                f"{name} holds values up to {value.abs().max():.3g}; half precision allows "
                "magnitudes up to 65504, so save it without half."
            )
    return write_tensors(path, tensors, {"gnet": description(model)})


def save_info(source: str | Path, info: ModelInfo, path: str | Path) -> Path:
    """Write the file `source` to `path` with another info in its header, and return the path.

    The tensors stay as they are stored, so the weights' digest does, too. Raises `GnetError`.
    """
    model = _load_file(Path(source))  # refuses whatever is not whole
    model.info = info
    return write_tensors(path, _tensors(Path(source)), {"gnet": description(model)})


def description(model: GoogLeNet) -> str:
    """Return config and info as the JSON text that stands under `gnet` in a file's header."""
    info = replace(model.info, digest="")  # taken anew from the values each time they are loaded
    record = {"config": model.config.to_json(), "info": info.to_json()}
    return strict_json.dumps(record, ensure_ascii=False)


def is_finite(model: nn.Module) -> bool:
    """Whether the state of a network holds no NaN and no infinity."""
    return not _not_finite(model.state_dict())


def digest(model: nn.Module) -> str:
    """Return the sha256, in hex, of names, shapes and values of a network's state."""
    total = hashlib.sha256()
    for name, value in sorted(_plain(model.state_dict()).items()):
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.numpy().data)
    return total.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Published:
    """The file that torchvision publishes, and where this machine keeps it."""

    url: str
    size: int
    """In bytes, as torchvision states it."""
    classes: tuple[str, ...]
    folder: Path

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def checksum(self) -> str:
        """The beginning of its sha256, as its name ends; `GnetError` without one."""
        found = re.search(r"-([0-9a-f]{8,64})\.pth$", self.name)
        if found is None:
            raise GnetError(
                f"The address {self.url} names no checksum; allowed are addresses that end in "
                "-<first digits of the sha256>.pth."
            )
        return found.group(1)

    @property
    def converted(self) -> Path:
        """The file that it becomes here."""
        return (self.folder / self.name).with_suffix(".safetensors")

    def places(self) -> list[Path]:
        """Where this program and torch.hub keep it as it was fetched, if they have it."""
        kept = (self.folder, Path(torch.hub.get_dir()) / "checkpoints")
        return [path for folder in kept if (path := folder / self.name).is_file()]

    def fetched(self) -> Path | None:
        """The file as it was fetched, if it is here and whole."""
        start = self.checksum
        return next((path for path in self.places() if sha256_of(path).startswith(start)), None)

    @property
    def info(self) -> ModelInfo:
        """What is known of the network in it."""
        return ModelInfo(
            name="imagenet",
            classes=self.classes,
            preprocessing=Preprocessing(size=224, crop=224 / 256),
            # The file carries auxiliary heads, but nobody trained them.
            heads={"aux1": UNTRAINED, "aux2": UNTRAINED, "main": TRAINED},
            metrics={"heads": {"main": {"top1": 0.69778, "top5": 0.89530}}},
        )


def published(url: str | None = None, cache: str | Path | None = None) -> Published:
    """torchvision's file at `url` (else GNET_IMAGENET_URL, else torchvision's own address).

    It is kept in `cache` (else GNET_CACHE, else ~/.cache/gnet); nothing is fetched here.
    """
    from torchvision.models import GoogLeNet_Weights  # here: its import takes a second

    known = GoogLeNet_Weights.IMAGENET1K_V1
    return Published(
        url=url or os.environ.get("GNET_IMAGENET_URL") or str(known.url),
        size=round(known.meta["_file_size"] * 2**20),
        classes=tuple(known.meta["categories"]),
        folder=expanded(cache) if cache else cache_folder(),
    )


def imagenet(
    *,
    url: str | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> GoogLeNet:
    """Load torchvision's published GoogLeNet, fetching it on first use.

    `url` and `cache` as in `published`; the address ends in `-<start of its sha256>.pth`. A file
    that torch.hub already holds is used. Raises `GnetError` offline or for a wrong checksum.
    """
    file = published(url, cache)
    start = file.checksum
    if file.converted.exists():
        return _load_file(file.converted)
    source = file.fetched()
    fetched = source is None
    if source is None:
        source = download(file.url, file.folder / file.name, sha256=start, progress=progress)
    try:
        state = torch.load(source, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, zipfile.BadZipFile) as e:
        raise GnetError(
            f"{source} holds more than tensors, or is damaged; allowed is torchvision's published "
            "state dict."
        ) from e
    save(from_torchvision(state, transform_input=True, info=file.info), file.converted)
    if fetched:
        source.unlink()
    return _load_file(file.converted)


def from_torchvision(
    state: Mapping[str, Tensor],
    *,
    transform_input: bool = False,
    info: ModelInfo | None = None,
) -> GoogLeNet:
    """Build the preset `torchvision` from a state dict of `torchvision.models.GoogLeNet`.

    Strict: every tensor must have its place and shape. The number of classes and whether there are
    auxiliary heads are read from the state dict; without `info` all heads count as untrained.
    """
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise GnetError(
            f"The weights given are a {type(state).__name__}; allowed is a state dict, names to "
            "tensors."
        )
    check_tensors(state, "The state dict given")
    classifier = state.get("fc.weight")
    config = ModelConfig.preset(
        "torchvision",
        num_classes=len(classifier) if classifier is not None and classifier.dim() else 1000,
        aux=any(name.startswith(("aux1.", "aux2.")) for name in state),
        transform_input=transform_input,
    )
    return _build(config, info or ModelInfo(name="torchvision"), state, "The state dict given")


def to_torchvision(model: GoogLeNet) -> dict[str, Tensor]:
    """Return a state dict that `torchvision.models.GoogLeNet` loads strictly, copied to the CPU.

    Raises `GnetError` for a network that torchvision's class cannot compute.
    """
    check_torchvision(model.config)
    return {name: value.clone() for name, value in _plain(model.state_dict()).items()}


def check_torchvision(config: ModelConfig) -> None:
    """Raise `GnetError` where torchvision's class would not compute what `config` describes."""
    differing = [name for name, value in _TORCHVISION.items() if getattr(config, name) != value]
    if differing:
        given = ", ".join(f"{name} {getattr(config, name)!r}" for name in differing)
        allowed = ", ".join(f"{name} {_TORCHVISION[name]!r}" for name in differing)
        raise GnetError(f"This network has {given}; torchvision's GoogLeNet allows only {allowed}.")


def _not_finite(state: Mapping[str, Tensor]) -> list[str]:
    """The names of tensors that hold NaN or infinity."""
    # A sum is finite only of finite numbers, and in double precision it does not overflow.
    return [
        name
        for name, value in state.items()
        if value.is_floating_point() and not value.sum(dtype=torch.float64).isfinite()
    ]


def _plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors detached, contiguous, on the CPU; floats as float32. Raises `GnetError`."""
    check_tensors(state, "The network")
    return {
        name: value.detach().cpu().to(torch.float32 if value.is_floating_point() else value.dtype)
        .contiguous()
        for name, value in state.items()
    }  # fmt: skip


def _load_file(path: Path) -> GoogLeNet:
    config, info = read_header(path)
    return _build(config, info, _tensors(path), str(path))


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise GnetError(
            f"{path} is cut off or damaged ({error}); give a whole safetensors file."
        ) from error


def _build(
    config: ModelConfig, info: ModelInfo, state: Mapping[str, Tensor], given: str
) -> GoogLeNet:
    """The network in eval mode holding `state`; `given` names its origin in a refusal."""
    if info.classes and len(info.classes) != config.num_classes:
        raise GnetError(
            f"{given} names {len(info.classes)} classes, but its network has "
            f"{config.num_classes}; allowed is one name per class."
        )
    check_tensors(state, given)
    with torch.device("meta"):  # no memory, no drawing of weights that are replaced at once
        model = GoogLeNet(config)
    expected = model.state_dict()
    # Old state dicts lack the counters, which nothing in eval mode needs.
    counters = {name for name in expected if name.endswith(".num_batches_tracked")} - set(state)
    missing = [name for name in expected if name not in state and name not in counters]
    unexpected = sorted(name for name in state if name not in expected)
    if missing or unexpected:
        _refuse(given, {"lacks": missing, "has besides": unexpected})
    misshapen = [
        f"{name} {tuple(state[name].shape)} for {tuple(value.shape)}"
        for name, value in expected.items()
        if name in state and state[name].shape != value.shape
    ]
    if misshapen:
        _refuse(given, {"has other shapes": misshapen})
    whole = [
        name
        for name, value in expected.items()
        if value.is_floating_point() and not state[name].is_floating_point()
    ]
    if whole:
        _refuse(given, {"has whole numbers as": whole})
    tensors = {
        name: torch.zeros(value.shape, dtype=value.dtype)
        if name in counters
        # Copied: a tensor that stays a view of the file would change or vanish with it.
        else state[name].detach().to("cpu", value.dtype, copy=True).contiguous()
        for name, value in expected.items()
    }
    if damaged := _not_finite(tensors):
        raise GnetError(
            f"{given} holds NaN or infinity in {some(damaged)}, as after a training that "
            "diverged; allowed are finite weights."
        )
    model.load_state_dict(tensors, assign=True)
    model.info = replace(info, digest=digest(model))
    return model.eval()


def _refuse(given: str, differences: Mapping[str, list[str]]) -> None:
    found = "; it ".join(f"{what} {some(names)}" for what, names in differences.items() if names)
    raise GnetError(
        f"{given} is of another architecture than its config says: it {found}; allowed are the "
        "weights of exactly this network."
    )
