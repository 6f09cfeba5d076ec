"""Of two lower bounds the larger one counts, and one about a few chosen pixels never counts for the whole image."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adversarial import PixelBound, PixelProof
from adversarial.bounds import LipschitzConstant, grid_bound, larger_lower_bound
from saywhy_core.errors import UsageError

IMAGE = np.full((1, 3, 1), 0.5, np.float32)
EVERY = [(0, 0), (0, 1), (0, 2)]


def scores(images):
    """Class 0 leads by 1.2 minus the distance of all pixels together: each can bring 0.5, so that it takes 3 to flip."""
    gap = 1.2 - np.abs(images - IMAGE).sum(axis=(1, 2, 3))
    return np.stack([gap, np.zeros_like(gap)], axis=1)


def proved(lower):
    proof = PixelProof(
        pixels=lower - 1, asked=3, finished=True, share=1.0, blocks=1, seconds=1.0, rounding=0.0, network="this torch module"
    )
    return PixelBound(lower=lower, upper=math.inf, label=0, witness=None, witness_label=None, proof=proof)


def grid(pixels=EVERY, **options):
    given = {"tau": 0.1, "norm": "l0", "lipschitz": LipschitzConstant(3.0, norm="linf"), **options}
    return grid_bound(scores, IMAGE, pixels, **given)


def test_the_larger_bound_counts_with_its_condition():
    assert math.ceil(grid().radius) == 3
    assert larger_lower_bound(proved(2), grid(), 3) == (3, grid().condition)
    assert larger_lower_bound(proved(3), grid(), 3) == (3, proved(3).condition)
    assert larger_lower_bound(proved(4), grid(), 3) == (4, proved(4).condition)


@pytest.mark.parametrize(
    "options",
    [{"pixels": EVERY[:2]}, {"norm": "linf", "lipschitz": 3.0}, {"target": 1},
     {"lipschitz": LipschitzConstant(3.0, estimated=True, norm="linf")}, {"lipschitz": None}],
)  # fmt: skip
def test_what_says_nothing_of_all_pixels_does_not_count(options):
    assert larger_lower_bound(proved(1), grid(**options), 3) == (1, proved(1).condition)


def test_bounds_about_other_classes_are_refused():
    with pytest.raises(UsageError, match="different"):
        larger_lower_bound(proved(1), grid(label=1), 3)
