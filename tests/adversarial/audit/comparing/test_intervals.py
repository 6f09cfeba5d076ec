"""Paired intervals and tests, against published figures, scipy, and simulation."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap

from adversarial.audit.comparing.intervals import (
    holm,
    lower_median,
    mean_difference,
    median_difference,
    share_difference,
    sign_test,
)


def table(both, lost, won, neither):
    before = [True] * (both + lost) + [False] * (won + neither)
    after = [True] * both + [False] * lost + [True] * won + [False] * neither
    return np.array(before), np.array(after)


def test_newcombe_as_published():
    """Airway hyper-responsiveness before and after a transplantation (Bentur et al. 2009) in Fagerland et al. (2014)."""
    found = share_difference(*table(1, 7, 1, 12))
    assert found.value == pytest.approx(-6 / 21)
    assert (round(found.low, 3), round(found.high, 3)) == (-0.507, -0.026)


def test_newcombe_covers_the_truth():
    """The interval holds the true difference in about 95 of 100 samples, also of few images."""
    odds = np.array([0.7, 0.12, 0.03, 0.15])
    for images in (20, 60):
        draws = np.random.default_rng(0).multinomial(images, odds, size=400)
        known = {tuple(draw): share_difference(*table(*draw)) for draw in draws}
        inside = [known[tuple(draw)].low <= 0.03 - 0.12 <= known[tuple(draw)].high for draw in draws]
        assert 0.92 <= np.mean(inside) <= 0.99


def test_newcombe_mirrors_and_stays_in_range():
    for cells in itertools.product(range(4), repeat=4):
        if sum(cells):
            one, two = share_difference(*table(*cells)), share_difference(*table(*cells)[::-1])
            assert one.value == -two.value
            assert one.low == pytest.approx(-two.high)
            assert -1 <= one.low <= one.value <= one.high <= 1
    assert share_difference(*table(5, 0, 0, 0)).low < 0 < share_difference(*table(5, 0, 0, 0)).high


def test_the_sign_test_by_counting():
    """Of n images that changed, the chance of a split at least as uneven, over all 2 ** n ways."""
    for rises, falls in itertools.product(range(6), repeat=2):
        total = rises + falls
        before = np.zeros(total + 3)
        after = np.array([math.inf] * rises + [-1.0] * falls + [0.0] * 3)
        ways = [sum(way) for way in itertools.product((0, 1), repeat=total)]
        uneven = sum(abs(ups - total / 2) >= abs(rises - total / 2) for ups in ways) / len(ways)
        assert sign_test(before, after) == pytest.approx(uneven)
    assert sign_test(np.array([math.inf, 1.0]), np.array([math.inf, 1.0])) == 1
    assert sign_test(np.array([True] * 9 + [False]), np.array([False] * 9 + [True])) == pytest.approx(binomtest(1, 10).pvalue)


def test_bootstraps_agree_with_scipy():
    rng = np.random.default_rng(1)
    before = rng.gamma(2, 5, 80)
    after = before * rng.uniform(0.5, 1.1, 80)
    for ours, statistic in ((mean_difference, np.mean), (median_difference, lower_median)):
        found = ours(before, after, 0)
        theirs = bootstrap(
            (before, after), lambda one, two, of=statistic: of(two) - of(one), paired=True, vectorized=False,
            n_resamples=2000, method="percentile", rng=2,
        ).confidence_interval  # fmt: skip
        assert found.value == pytest.approx(statistic(after) - statistic(before))
        width = found.high - found.low
        assert found.low == pytest.approx(theirs.low, abs=0.12 * width)
        assert found.high == pytest.approx(theirs.high, abs=0.12 * width)
        assert ours(before, after, 0) == found
        assert ours(before, after, 1) != found


def test_medians_of_censored_distances():
    inf = math.inf
    assert lower_median(np.array([1.0, 5.0, inf])) == 5
    assert lower_median(np.array([1.0, 5.0, inf, inf])) == 5
    assert lower_median(np.array([1.0, inf, inf])) == inf
    assert median_difference(np.array([1.0, inf, inf]), np.array([1.0, inf, inf]), 0).value is None
    one_sided = median_difference(np.array([inf] * 9 + [1.0]), np.array([4.0] * 10), 0)
    assert one_sided.value is None


def test_holm_by_hand():
    corrected = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert corrected == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}
