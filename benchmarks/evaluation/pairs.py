"""Runs and as many pure forward passes, in turns. It needs only numpy and torch, as other environments have."""

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


def material(folder: Path, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    """Images of CIFAR-10, their labels, and random maps, which cost as much to measure as any other."""
    images, labels = load_cifar10(folder, jpeg=count > 20)
    return images[:count], labels[:count], np.random.default_rng(0).random((min(count, len(images)), 32, 32))


def pure(network: torch.nn.Module, images: torch.Tensor, count: int, batch: int) -> None:
    """So many forward passes, in batches that are in memory already."""
    with torch.no_grad():
        for start in range(0, count, batch):
            network(images[torch.arange(start, min(start + batch, count)) % len(images)])


def paired(
    run: Callable[[], int], network: torch.nn.Module, images: torch.Tensor, batch: int, rounds: int
) -> tuple[int, float, float]:
    """(forwards, median seconds, median ratio) of runs and as many pure forward passes, in turns.

    Seconds are those of the processor, so that other work on the machine counts less. `run` returns how many forward passes it
    made.
    """
    forwards = run()
    seconds, ratios = [], []
    for _ in range(rounds):
        began = time.process_time()
        pure(network, images, forwards, batch)
        between = time.process_time()
        run()
        ended = time.process_time()
        seconds.append(ended - between)
        ratios.append((ended - between) / (between - began))
    return forwards, float(np.median(seconds)), float(np.median(ratios))
