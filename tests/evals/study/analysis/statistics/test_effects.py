"""Effect sizes and corrections, against brute force, scipy and statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from evals.study.analysis.statistics import Crossed, cliff_delta, cohen_h, differences, holm

RATINGS = st.lists(st.integers(1, 7), min_size=1, max_size=12)


def test_cohens_h_is_that_of_his_table():
    assert cohen_h(0.5, 0.4) == pytest.approx(0.2014, abs=1e-4)  # 1.5708 - 1.3694, Cohen 1988, table 6.2.2
    assert cohen_h(1, 0) == pytest.approx(np.pi)


@settings(max_examples=30)
@given(RATINGS, RATINGS)
def test_cliffs_delta_counts_pairs(first, second):
    pairs = [np.sign(a - b) for a in first for b in second]
    assert cliff_delta(first, second) == pytest.approx(np.mean(pairs))
    superior = mannwhitneyu(first, second).statistic / (len(first) * len(second))
    assert (cliff_delta(first, second) + 1) / 2 == pytest.approx(superior)


def test_holm_is_that_of_statsmodels():
    multipletests = pytest.importorskip("statsmodels.stats.multitest").multipletests
    p = np.random.default_rng(0).random(9) ** 3
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm([np.nan, 0.03, np.nan, 0.01])[[1, 3]] == pytest.approx([0.03, 0.02])
    assert np.isnan(holm([np.nan, 0.03])[0])


def test_effects_of_ratings():
    values = [1, 2, 3, 4, 3, 5, 4, 7]
    study = Crossed.of(values, ["p", "p", "q", "q"] * 2, ["i", "j"] * 4, ["a"] * 4 + ["b"] * 4)
    effects = differences(study)[0].effects
    own = np.array([4 - 1.5, 5.5 - 3.5])
    assert effects["d_z"] == pytest.approx(own.mean() / own.std(ddof=1))
    pooled = np.sqrt((np.var(values[:4], ddof=1) + np.var(values[4:], ddof=1)) / 2)
    assert effects["d"] == pytest.approx((4.75 - 2.5) / pooled)
    assert effects["superiority"] == pytest.approx((effects["cliff_delta"] + 1) / 2)


def test_the_effect_of_accuracy_is_h():
    study = Crossed.of([1, 0, 0, 0, 1, 1, 1, 0], ["p", "p", "q", "q"] * 2, ["i", "j"] * 4, ["a"] * 4 + ["b"] * 4)
    assert differences(study)[0].effects == {"cohen_h": pytest.approx(cohen_h(0.75, 0.25))}
