"""Total Sobol indices, against functions whose indices are known."""

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from verbalize.concepts import total_indices


def test_ishigami():
    """Ishigami and Homma 1990 with a = 7, b = 0.1; the values follow from the integrals of the function."""
    a, b = 7.0, 0.1

    def ishigami(points):
        x, y, z = (2 * points.T - 1) * np.pi
        return np.sin(x) + a * np.sin(y) ** 2 + b * z**4 * np.sin(x)

    first = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    second = a**2 / 8
    mixed = b**2 * np.pi**8 * (1 / 18 - 1 / 50)
    total = first + second + mixed
    expected = [(first + mixed) / total, second / total, mixed / total]
    assert total_indices(ishigami, 3, samples=4096) == pytest.approx(expected, abs=0.01)


def test_a_linear_function():
    weights = np.array([3.0, -2.0, 1.0, 0.0])
    expected = weights**2 / (weights**2).sum()
    assert total_indices(lambda points: points @ weights, 4, samples=1024) == pytest.approx(expected, abs=0.01)


def test_interactions_count_for_each_input():
    # of x*y on the unit square: variances 1/48, 1/48 and 1/144, so that each total index is 4/7
    assert total_indices(lambda points: points.prod(axis=1), 2, samples=4096) == pytest.approx([4 / 7, 4 / 7], abs=0.01)


def test_a_constant_function_has_no_index():
    assert not total_indices(lambda points: np.full(len(points), 5.0), 3, samples=8).any()


def test_the_seed_is_kept_and_the_function_is_called_once():
    calls = []

    def function(points):
        calls.append(len(points))
        return points @ np.arange(1.0, 4.0)

    assert np.array_equal(total_indices(function, 3, samples=16), total_indices(function, 3, samples=16))
    assert calls == [64, 64]
    assert not np.array_equal(total_indices(function, 3, samples=16), total_indices(function, 3, samples=16, seed=1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: total_indices(len, 2, samples=12), "power of two"),
        (lambda: total_indices(len, 0, samples=8), "inputs"),
        (lambda: total_indices(lambda points: points, 2, samples=8), "one value per point"),
    ],
)
def test_wrong_input_is_told(call, message):
    with pytest.raises(UsageError, match=message):
        call()
