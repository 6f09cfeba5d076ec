"""The sign classifier: a small convolutional network. Its weights come with the package."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from saywhy.signs.draw import CLASS_NAMES, SIZE, draw_signs
from saywhy_core.errors import UsageError
from saywhy_core.reading.numpy_files import load_arrays

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WIDTHS = (16, 32, 48, 64, 96)  # channels of the convolutions
_HALVED = (0, 2)  # after these convolutions the feature map is reduced to half its height and width
SAMPLE_SEED = 2018
TEST_SEED = 9_000  # of the held-out pictures; training pictures come from other seeds
_BATCH = 256


class SignNetwork(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """Images N×3×48×48 in [0, 1] -> N×12 logits.

    Five 3×3 convolutions, global average pooling, one linear layer. `features` returns the last feature map (12×12, after the
    ReLU), from which class activation maps are computed.
    """

    def __init__(self, *, normalise: bool = False) -> None:
        """Build the network; with `normalise`, batch normalisation follows each convolution, which training needs."""
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for place, width in enumerate(WIDTHS):
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            layers += [nn.BatchNorm2d(width)] if normalise else []
            layers.append(nn.ReLU())
            layers += [nn.MaxPool2d(2)] if place in _HALVED else []
            channels = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels, len(CLASS_NAMES))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of a batch."""
        logits: torch.Tensor = self.head(self.features((images - 0.5) * 4).mean(dim=(2, 3)))
        return logits


def fold(network: SignNetwork) -> SignNetwork:
    """A network that computes the same without batch normalisation: each is folded into the convolution before it."""
    plain = SignNetwork()
    plain.eval()
    normalised = [layer for layer in network.eval().features if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]
    ours = [layer for layer in plain.features if isinstance(layer, nn.Conv2d)]
    for target, convolution, norm in zip(ours, normalised[::2], normalised[1::2], strict=True):
        target.load_state_dict(nn.utils.fuse_conv_bn_eval(convolution, norm).state_dict())
    plain.head.load_state_dict(network.head.state_dict())
    return plain


@dataclass(frozen=True)
class SignClassifier:
    """A road-sign classifier: `predict` for black-box methods, `module` for methods that need the network itself."""

    network: nn.Module
    class_names: tuple[str, ...] = CLASS_NAMES

    @cached_property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an input image."""
        return (SIZE, SIZE, 3)

    def module(self) -> nn.Module:
        """The torch module: N×3×48×48 in [0, 1] -> N×12 logits, in evaluation mode."""
        return self.network

    def predict(self, images: NDArray[np.floating]) -> NDArray[np.float32]:
        """Images N×48×48×3, RGB float in [0, 1] -> N×12 logits.

        Raises:
            UsageError: the array has another shape.
        """
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise UsageError(f"the sign classifier takes images of shape (N, {SIZE}, {SIZE}, 3), not {images.shape}")
        batch = torch.from_numpy(np.ascontiguousarray(images, np.float32)).permute(0, 3, 1, 2)
        with torch.inference_mode():
            logits = [self.network(part) for part in batch.split(_BATCH)]
        return torch.cat(logits).numpy() if logits else np.zeros((0, len(self.class_names)), np.float32)

    __call__ = predict


def load(weights: Path | None = None) -> SignClassifier:
    """The classifier with the weights of the package, or with weights that `saywhy.signs.train` wrote to a file.

    Weights are plain float16 arrays: nothing in the file can run code.

    Raises:
        UsageError: the file isn't one that `saywhy.signs.train` wrote.
    """
    if weights is None:
        with as_file(files("saywhy.signs") / "weights.npz") as path:
            return load(path)
    network = SignNetwork().eval()
    try:
        state = {name: torch.from_numpy(one.astype(np.float32)) for name, one in load_arrays(weights).items()}
        network.load_state_dict(state)
    except (OSError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise UsageError(f"{weights} holds no weights of the sign classifier: {error}") from None
    network.requires_grad_(requires_grad=False)
    return SignClassifier(network)


def weights_digest(name: str = "weights.npz") -> str:
    """A short digest of a file of weights that comes with the package."""
    return hashlib.sha256((files("saywhy.signs") / name).read_bytes()).hexdigest()[:16]


def save(network: SignNetwork, path: Path) -> None:
    """Write the weights of a network without batch normalisation (see `fold`) as float16 arrays."""
    np.savez_compressed(path, **{name: value.numpy().astype(np.float16) for name, value in network.state_dict().items()})


def samples(
    per_class: int = 1, *, seed: int = SAMPLE_SEED, dirt: float = 0.35
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Sample pictures N×48×48×3 and their labels (N,): `per_class` of each class, in the order of `CLASS_NAMES`."""
    labels = np.repeat(np.arange(len(CLASS_NAMES)), per_class)
    return draw_signs(labels, seed=seed, dirt=dirt), labels


def held_out(size: int = 2_400) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """`size` pictures N×48×48×3 that the network was not trained on, and their labels (N,): the classes in turn, full dirt."""
    labels = np.arange(size) % len(CLASS_NAMES)
    return draw_signs(labels, seed=TEST_SEED), labels
