"""Formats of floating-point numbers, and how far from the truth a sum of products may be in each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from adversarial.bounds.networks.network import Precision


class Format(NamedTuple):
    """A format of numbers.

    Attributes:
        unit: half the distance between 1 and the next number: the largest relative error of one operation.
        smallest: the smallest normal number. Smaller results may become 0.
        largest: larger results become infinite.
    """

    unit: float
    smallest: float
    largest: float


FORMATS: dict[Precision, Format] = {
    "float64": Format(2.0**-53, 2.0**-1022, 2.0**1023),
    "float32": Format(2.0**-24, 2.0**-126, 2.0**127),
    "float16": Format(2.0**-11, 2.0**-14, 2.0**15),
    "bfloat16": Format(2.0**-8, 2.0**-126, 2.0**127),
}
# Operations beside the sum that an output may go through: its bias, and, where a runtime folds batch normalisation or a factor
# into the weights, a sum, a square root (which halves the error before it), a quotient and a product for each weight; and the
# factors that this package itself computes in float64, such as 1 / c in place of a division by c.
SPARE = 8


def gamma(precision: Precision, terms: int) -> float:
    """N u / (1 - n u) for n = terms + 8: the relative error of a sum of so many products, in any order.

    Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, Lemma 3.1 and equation 3.5. It holds with fused
    multiplications and additions too. It does not hold for algorithms that add and subtract before they multiply (Winograd,
    Strassen, Fourier transforms), or that round the inputs of products to a coarser format (TF32).

    Returns:
        Infinite where the sum may have no correct digit.
    """
    many = (terms + SPARE) * FORMATS[precision].unit
    return many / (1 - many) if many < 1 else math.inf
