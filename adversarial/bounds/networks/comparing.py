"""Whether a network as it is run gives the scores of its graph: a look that finds graphs which were read wrongly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from adversarial.bounds.networks.evaluating import compute, evaluate, running
from adversarial.bounds.networks.network import Add, MaxPool, Relu
from adversarial.bounds.networks.precision import FORMATS, gamma

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from adversarial.bounds.networks.network import Network, Node, Precision

SEEN = 4  # times the change by random errors; real ones were a thousandth of it on networks for MNIST, GTSRB and CIFAR-10
SMALLEST = 1e-12  # of probabilities that are compared


def unlike(
    network: Network, predict: Callable[[NDArray[np.floating]], NDArray[np.floating]], images: NDArray[np.float32]
) -> tuple[float, float] | None:
    """By how much scores differ from those of the graph, and how much of that rounding explains; None where it explains all.

    What is explained is an estimate, as bounds on rounding errors grow by a factor with each layer: how much scores change
    where each sum of products is off by the largest error that it may have, up or down at random, times `SEEN`.

    Args:
        network: the graph.
        predict: images (N, H, W, C) float32 to scores (N, K), as its users run it.
        images: those that are looked at.
    """
    with torch.no_grad():
        exact = evaluate(network, images)
        random = torch.Generator().manual_seed(0)
        moved = [(_disturbed(network, images, random) - exact).abs().amax(1, keepdim=True) for _ in range(2)]
    explained = SEEN * torch.stack(moved).amax(0).cpu() + 2 * FORMATS[network.precision].unit
    each = [torch.as_tensor(predict(images[place : place + 1])) for place in range(len(images))]  # calls may change something
    scores, exact = torch.cat(each).to(torch.float64), exact.cpu()
    if network.softmax:  # which shares out one whole, or takes the logarithm of that
        scores = torch.log(scores.clamp(min=SMALLEST)) if bool((scores >= 0).all()) else scores
        scores, exact = (one.clamp(min=math.log(SMALLEST)) for one in (scores, exact.log_softmax(1)))
        explained = 2 * explained + 2.0**10 * FORMATS[network.precision].unit * (1 + exact.abs())
    apart = (scores - exact).abs()
    wrong = ~(apart <= explained) & explained.isfinite() & exact.isfinite()
    if not bool(wrong.any()):
        return None
    return float(apart[wrong].nan_to_num(torch.inf).max()), float(explained.expand_as(wrong)[wrong].max())


def _disturbed(network: Network, images: NDArray[np.float32], random: torch.Generator) -> Tensor:
    """(N, K) scores where each sum is off by the error that it may have, up or down at random."""
    precision: Precision = network.precision

    def step(node: Node, *inputs: Tensor) -> Tensor:
        values = compute(node, *inputs)
        if isinstance(node.op, Relu | MaxPool):
            return values
        if isinstance(node.op, Add):
            most = (inputs[0].abs() + inputs[1].abs()) * FORMATS[precision].unit
        elif not node.op.terms:
            return values
        else:
            most = node.op.absolute().forward(inputs[0].abs()) * gamma(precision, node.op.terms)
        signs = 2 * torch.randint(0, 2, values.shape, generator=random).to(values) - 1
        return values + most * signs

    weights = (getattr(node.op, name, None) for node in network.nodes for name in ("weight", "factor"))
    device = next((one.device for one in weights if isinstance(one, torch.Tensor)), None)
    *_, scores = running(network, torch.as_tensor(images).to(device=device, dtype=torch.float64), step)
    return scores
