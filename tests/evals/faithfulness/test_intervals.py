"""Intervals of means: Student's where values are symmetric, further out on the side of rare large values."""

import numpy as np
import pytest
from scipy import stats

from evals.faithfulness.intervals import mean_interval, skewed_interval
from saywhy_core.errors import UsageError


def test_symmetric_values_have_students_interval():
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    low, high = stats.t.interval(0.9, 4, values.mean(), stats.sem(values))
    assert mean_interval(values, range(5), 0.9) == pytest.approx((3.0, low, high))


def test_skewed_ends_undo_halls_transformation():
    values = np.array([0.0, 0.1, 0.2, 0.1, 0.4, 3.0])
    count, spread = len(values), values.std(ddof=1)
    skewness = np.mean(((values - values.mean()) / spread) ** 3)

    def transformed(mean):
        """Hall 1992: g(W) = W + γW²/3 + γ²W³/27 + γ/6n of W = (sample mean - mean) / s."""
        way = (values.mean() - mean) / spread
        return way + skewness * way**2 / 3 + skewness**2 * way**3 / 27 + skewness / (6 * count)

    low, high = skewed_interval(values, 0.95)
    reach = stats.t.ppf(0.975, count - 1) / count**0.5
    assert [transformed(low), transformed(high)] == pytest.approx([reach, -reach])
    assert high - values.mean() > values.mean() - low
    assert skewed_interval(-values, 0.95) == pytest.approx((-high, -low))


def test_skewed_values_are_covered_more_often_than_by_student():
    chance = np.random.default_rng(0)
    samples = chance.lognormal(size=(400, 10))
    mean = np.exp(0.5)
    ours = sum(low <= mean <= high for low, high in (skewed_interval(one, 0.95) for one in samples))
    ends = (stats.t.interval(0.95, 9, one.mean(), stats.sem(one)) for one in samples)
    students = sum(low <= mean <= high for low, high in ends)
    assert ours > students + 0.02 * 400


def test_the_unit_of_values_does_not_decide_whether_there_is_an_interval():
    values = np.array([1.0, 2.0, 4.0])
    for unit in (1e-20, 1.0, 1e20):
        assert np.array(mean_interval(values * unit, range(3))) / unit == pytest.approx(mean_interval(values, range(3)))
    assert np.isnan(mean_interval(np.array([0.3, 0.1 + 0.2]), range(2))[1:]).all()


@pytest.mark.parametrize("level", [0, 1, 95, True, "0.9", None])
def test_an_impossible_level_is_refused(level):
    with pytest.raises(UsageError, match="level"):
        mean_interval(np.arange(3.0), range(3), level)
