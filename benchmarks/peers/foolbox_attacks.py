"""foolbox's sparse and Euclidean black-box attacks, on a torch module that asks a `Recorder`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import foolbox
import numpy as np
import torch

from benchmarks.peers.recorder import BudgetSpent, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class _Asking(torch.nn.Module):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.asarray(self.recorder(images.detach().permute(0, 2, 3, 1).numpy()), dtype=np.float32))


def run(recorder: Recorder, seed: int, make: Callable[[], object], start: NDArray[np.float32] | None = None) -> None:
    """Run an attack to its end or the budget's; `start` is an image of the target class, where one is needed."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - foolbox draws from it
    model = foolbox.PyTorchModel(_Asking(recorder).eval(), bounds=(0, 1), device="cpu")
    image = torch.from_numpy(recorder.image.transpose(2, 0, 1)[None].copy())
    if recorder.target is None:
        criterion: foolbox.Criterion = foolbox.Misclassification(torch.tensor([recorder.label]))
    else:
        criterion = foolbox.TargetedMisclassification(torch.tensor([recorder.target]))
    options = {} if start is None else {"starting_points": torch.from_numpy(start.transpose(2, 0, 1)[None].copy())}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make()(model, image, criterion, epsilons=None, **options)  # type: ignore[operator]
    except (BudgetSpent, ValueError, AssertionError):  # foolbox raises where its first step finds nothing
        return


def salt_and_pepper() -> object:
    return foolbox.attacks.SaltAndPepperNoiseAttack(across_channels=True)


def pointwise() -> object:
    return foolbox.attacks.PointwiseAttack(l2_binary_search=False)


def hop_skip_jump() -> object:
    return foolbox.attacks.HopSkipJumpAttack(steps=64)


def boundary() -> object:
    return foolbox.attacks.BoundaryAttack(steps=25_000)
