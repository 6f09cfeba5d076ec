"""Sobol's total indices: the share of a function's variance in which an input has a part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def design(inputs: int, samples: int, seed: int) -> Floats:
    """(samples * (inputs + 1), inputs) points of the unit cube: A, then for each input A with that column from B.

    A and B are the halves of one scrambled Sobol sequence in twice as many dimensions.
    """
    from scipy.stats import qmc

    drawn = qmc.Sobol(2 * inputs, scramble=True, rng=np.random.default_rng(seed)).random_base2(samples.bit_length() - 1)
    first, second = drawn[:, :inputs], drawn[:, inputs:]
    replaced = np.repeat(first[None], inputs, axis=0)
    for index in range(inputs):
        replaced[index, :, index] = second[:, index]
    found: Floats = np.concatenate([first[None], replaced]).reshape(-1, inputs)
    return found


def jansen(values: Floats, inputs: int) -> Floats:
    """(..., samples * (inputs + 1)) values at the points of `design` -> (..., inputs) total indices.

    S_i = mean((f(A) - f(C_i))^2) / (2 Var f(A)) with C_i for A with column i of B (Jansen 1999). Without variance all are 0.
    """
    parts = values.reshape(*values.shape[:-1], inputs + 1, -1)
    base = parts[..., :1, :]
    variance = base.var(axis=-1, ddof=1)
    spread = ((base - parts[..., 1:, :]) ** 2).mean(axis=-1) / 2.0
    scale = np.abs(base).max(axis=-1)
    still = variance <= (1e-12 * scale) ** 2  # what rounding leaves of a function that does not change
    found: Floats = np.where(still, 0.0, spread / np.where(still, 1.0, variance))
    return found


def check_samples(samples: int) -> None:
    """See whether this is a power of two, for which a Sobol sequence is balanced.

    Raises:
        UsageError: it is not.
    """
    if samples < 2 or samples & (samples - 1):
        raise UsageError(f"samples must be a power of two from 2 up, such as 32 or 64, not {samples!r}")


def total_indices(function: Callable[[Floats], Floats], inputs: int, *, samples: int = 1024, seed: int = 0) -> Floats:
    """(inputs,) total Sobol indices of a function on the unit cube, whose inputs are independent and uniform.

    The index of an input is the share of the variance that would be left if all other inputs were known (Homma and Saltelli
    1996), estimated as by Jansen (1999) from `samples` * (`inputs` + 1) values.

    Args:
        function: (N, inputs) points -> (N,) values; called once.
        inputs: the number of inputs.
        samples: a power of two.
        seed: the seed of the scrambling.

    Raises:
        UsageError: `samples` is no power of two, `inputs` is below 1, or the function gives another number of values.
    """
    check_samples(samples)
    if inputs < 1:
        raise UsageError(f"inputs is the number of inputs of the function, 1 or more, not {inputs!r}")
    points = design(inputs, samples, seed)
    values = np.asarray(function(points), dtype=np.float64)
    if values.shape != (len(points),):
        raise UsageError(f"the function must give one value per point, {len(points)}, not an array of shape {values.shape}")
    return jansen(values, inputs)
