"""sigma-zero, a white-box attack in L0: the reference that no black box should reach.

Cinà, Villani, Pintor, Schönherr, Biggio and Pelillo, "sigma-zero: Gradient-based Optimization of l0-norm Adversarial Examples",
ICLR 2025, algorithm 1, with its settings: 1,000 steps of Adam at a rate of 1 that falls along a cosine to a tenth, gradients
divided by their largest number, the smoothed count d² / (d² + 0.001) beside the margin, and a threshold below which changes are
set to 0: 0.3 at first, lowered by a hundredth of the rate while the image is not adversarial and raised by it where it is.

The paper counts numbers of the array. Here pixels are counted, so that the smoothed count and the threshold look at a pixel's
channels together (by the sum of their squares, and by the largest of them); for grey images both are the same. The gradients
come from the network itself, and each step's image is asked about like any query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.peers.recorder import BudgetSpent, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    Scores = Callable[[torch.Tensor], torch.Tensor]

RATE, SMOOTH, THRESHOLD, STEP = 1.0, 1e-3, 0.3, 0.01


def sigma_zero(recorder: Recorder, seed: int, scores: Scores) -> None:  # noqa: ARG001 - as every peer; nothing is drawn
    """Take as many steps as the recorder has queries.

    Args:
        recorder: the image and its count.
        seed: of all chance, of which there is none.
        scores: (N, H, W, C) -> (N, K), differentiable.
    """
    image = torch.from_numpy(recorder.image.astype(np.float64))[None]
    change = torch.zeros_like(image, requires_grad=True)
    adam = torch.optim.Adam([change], lr=RATE)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=recorder.budget, eta_min=RATE / 10)
    threshold = THRESHOLD
    pivot = recorder.label if recorder.target is None else recorder.target
    try:
        while True:
            found = scores(image + change)[0]
            rest = torch.cat([found[:pivot], found[pivot + 1 :]]).max()
            gap = found[pivot] - rest if recorder.target is None else rest - found[pivot]
            asked = (image + change).detach().numpy().astype(np.float32)
            winner = int(recorder(asked)[0].argmax())
            won = winner != recorder.label if recorder.target is None else winner == recorder.target
            mass = change.square().sum(dim=-1)
            loss = gap.clip(min=0) + (mass / (mass + SMOOTH)).mean()
            adam.zero_grad()
            loss.backward()
            assert change.grad is not None
            change.grad /= change.grad.abs().max().clip(min=1e-12)
            adam.step()
            falling.step()
            with torch.no_grad():
                change.copy_((image + change).clip(0, 1) - image)
                threshold += STEP * falling.get_last_lr()[0] * (1 if won else -1)
                threshold = min(max(threshold, 0.0), 1.0)
                change *= change.abs().amax(dim=-1, keepdim=True) >= threshold
    except BudgetSpent:
        return
