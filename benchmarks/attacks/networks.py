"""The networks that attacks are measured on, and their images: halves that were tuned on and halves that were not looked at."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial import load_classifier
from saywhy import signs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from adversarial import AttackResult
    from benchmarks.peers.recorder import Recorder

    Images = NDArray[np.float32]
    Traced = AttackResult | Recorder

MNIST, GTSRB = ("mnist/mnist_test.npz",), ("gtsrb/gtsrb_test.npz",)
CIFAR = ("cifar10/cifar10_test_png.npz", "cifar10/cifar10_test_jpeg.npz")
NETWORKS = {
    "mnist_cnn": ("mnist/mnist_cnn.onnx", MNIST),
    "MNIST_ConvSmall": ("verify/MNIST_ConvSmall.onnx", MNIST),
    "MNIST_ConvSmallPGD": ("verify/MNIST_ConvSmallPGD.onnx", MNIST),
    "CIFAR_ConvSmallPGD": ("verify/CIFAR_ConvSmallPGD.onnx", CIFAR),
    "gtsrb": ("gtsrb/gtsrb_cnn.onnx", GTSRB),
    "resnet20": ("cifar10/resnet20.onnx", CIFAR),
}
SIGNS = "signs"  # the demo's road signs, which every development of the attacks has had in view
HALVES = ("even", "odd")


@dataclass(frozen=True, eq=False)
class Set:
    """A network's function and images that it classifies correctly, in file order.

    Attributes:
        name: the network's.
        predict: (N, H, W, C) float32 in [0, 1] -> (N, K) scores.
        images: (N, H, W, C).
        labels: (N,).
        positions: (N,) of each image among the correctly classified ones of its files.
        places: (N,) of each image among all of its files.
    """

    name: str
    predict: Callable[[Images], NDArray[np.floating]]
    images: Images
    labels: NDArray[np.int64]
    positions: NDArray[np.int64]
    places: NDArray[np.int64]

    def first(self, count: int) -> Set:
        """The same network with only the first images."""
        return self.at(np.arange(min(count, len(self.labels))))

    def at(self, places: NDArray[np.integer[Any]]) -> Set:
        """The same network with the images at these places of the arrays."""
        return Set(
            self.name, self.predict, self.images[places], self.labels[places], self.positions[places], self.places[places]
        )

    def half(self, which: str) -> Set:
        """The images at even or odd positions. The demo's signs were all tuned on: their odd half is empty."""
        if self.name == SIGNS:
            return self if which == "even" else self.first(0)
        return self.at(np.flatnonzero(self.positions % 2 == HALVES.index(which)))


@cache
def read(data: Path, name: str) -> Set:
    """A network with all the images that it classifies correctly."""
    if name == SIGNS:
        images, labels = signs.samples(2)
        predict: Callable[[Images], NDArray[np.floating]] = signs.load().predict
    else:
        network, files = NETWORKS[name]
        predict = load_classifier(f"onnx:{data / network}", threads=int(os.environ.get("OMP_NUM_THREADS", "0"))).predict
        arrays = [np.load(data / file) for file in files]
        images = np.concatenate([array["images"] for array in arrays]).astype(np.float32) / 255
        labels = np.concatenate([array["labels"] for array in arrays]).astype(np.int64)
    images = images if images.ndim == 4 else images[..., None]
    seen = np.concatenate([predict(images[start : start + 64]) for start in range(0, len(images), 64)]).argmax(axis=1)
    right = np.flatnonzero(seen == labels)
    return Set(name, predict, images[right], labels[right], np.arange(len(right)), right)


def distances_at(results: Sequence[Traced], queries: int) -> NDArray[np.float64]:
    """The best distance of each result after this many queries of a longer run."""
    rows = [result.trace[result.trace[:, 0] <= queries] for result in results]
    return np.array([trace[-1, 1] if len(trace) else np.inf for trace in rows])
