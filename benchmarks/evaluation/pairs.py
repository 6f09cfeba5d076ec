"""A run and as many pure forward passes, one after the other. It needs only numpy and torch, as other environments have."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.evaluation.resnet20 import load_cifar10

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SINGLES = 4  # images of the rows that take one at a time
SAMPLES, SUBSET = 48, 0.2  # random sets of correlations with random sets, and the share of the values that each hides


def material(folder: Path, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    """Images of CIFAR-10, the 20 lossless ones first, their labels, and random maps, which cost as much as any other."""
    images, labels = (np.concatenate(both) for both in zip(load_cifar10(folder), load_cifar10(folder, jpeg=True), strict=True))
    return images[:count], labels[:count], np.random.default_rng(0).random((min(count, len(images)), 32, 32))


def one_pair(run: Callable[[], int], network: torch.nn.Module, images: torch.Tensor, batch: int) -> tuple[int, float, float]:
    """(forward passes, processor seconds of the run, those of as many pure forward passes).

    The pure passes take batches of the same size, which are in memory already. Seconds are those of the processor, so that
    other work on the machine counts less. `run` returns how many passes it made.
    """
    began = time.process_time()
    forwards = run()
    ended = time.process_time()
    full = images.repeat(-(-batch // len(images)), 1, 1, 1)[:batch]
    last = full[: forwards % batch]
    ready = time.process_time()
    with torch.no_grad():
        for _ in range(forwards // batch):
            network(full)
        if len(last):
            network(last)
    return forwards, ended - began, time.process_time() - ready
