"""ResNet-20 for CIFAR-10 (He et al. 2016, section 4.2) with shortcuts of option A, from plain weights of numpy.

The weights are those of akamaster/pytorch_resnet_cifar10, under the names of its state dictionary. They are not part of the
project: the folder that SAYWHY_DATA names holds them as `cifar10/resnet20.npz`, beside images in
`cifar10/cifar10_test_png.npz` (20) and `cifar10/cifar10_test_jpeg.npz` (400).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # those that the network was trained with
_WIDTHS, _DEPTH = (16, 32, 64), 3  # channels of the three stages, blocks in each


class _Block(nn.Module):
    """Two 3x3 convolutions. Where the size is halved, the shortcut takes every other pixel and pads the channels (option A)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.stride = 1 if before == after else 2
        self.conv1 = nn.Conv2d(before, after, 3, self.stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        changed = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(features)))))
        if self.stride > 1:
            missing = changed.shape[1] - features.shape[1]
            features = functional.pad(features[:, :, ::2, ::2], (0, 0, 0, 0, missing // 2, missing - missing // 2))
        return functional.relu(changed + features)


class ResNet20(nn.Module):
    """N×3×32×32 in [0, 1] -> N×10 logits. The normalisation of the pixels is inside.

    Args:
        weights: arrays by the names of the state dictionary.
    """

    class_names = CLASS_NAMES

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)
        self.conv1 = nn.Conv2d(3, _WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(_WIDTHS[0])
        before = (_WIDTHS[0], *_WIDTHS[:-1])
        self.layer1, self.layer2, self.layer3 = (
            nn.Sequential(_Block(start, width), *(_Block(width, width) for _ in range(_DEPTH - 1)))
            for start, width in zip(before, _WIDTHS, strict=True)
        )
        self.linear = nn.Linear(_WIDTHS[-1], len(CLASS_NAMES))
        counters = {name for name in self.state_dict() if name.endswith("num_batches_tracked")}
        loaded = {name: torch.from_numpy(np.asarray(array)) for name, array in weights.items() if name not in counters}
        missing, unexpected = self.load_state_dict(loaded, strict=False)
        if unexpected or set(missing) - counters:
            raise ValueError(f"these are not weights of a ResNet-20: {unexpected or sorted(set(missing) - counters)[:3]}")
        self.eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """N×3×32×32 in [0, 1] -> N×10 logits."""
        features = functional.relu(self.bn1(self.conv1((images - self.mean) / self.deviation)))
        features = self.layer3(self.layer2(self.layer1(features)))
        return self.linear(features.mean(dim=(2, 3)))


def data_folder(folder: Path | None = None) -> Path | None:
    """The folder with the weights: the given one, else that of SAYWHY_DATA; None where it holds no `cifar10/resnet20.npz`."""
    named = folder or (Path(os.environ["SAYWHY_DATA"]) if os.environ.get("SAYWHY_DATA") else None)
    return named if named is not None and (named / "cifar10" / "resnet20.npz").is_file() else None


def load_resnet20(folder: Path) -> ResNet20:
    """The trained network, in evaluation mode."""
    with np.load(folder / "cifar10" / "resnet20.npz") as stored:
        return ResNet20({name: stored[name] for name in stored.files})


def load_cifar10(folder: Path, *, jpeg: bool = False) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Test images of CIFAR-10, N×32×32×3 in [0, 1], and their N labels: 20 without losses, or 400 that went through JPEG."""
    with np.load(folder / "cifar10" / f"cifar10_test_{'jpeg' if jpeg else 'png'}.npz") as stored:
        return stored["images"].astype(np.float32) / 255, stored["labels"].astype(np.int64)
