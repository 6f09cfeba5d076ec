"""Curves and intervals, against scipy's, against brute force, and against an example worked out by hand."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, binomtest, ecdf

from adversarial.audit.summary import held_by_distance, held_by_queries, median_of, wilson
from adversarial.audit.summary.survival import value_at
from saywhy_core.errors import UsageError


@given(st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilson_is_that_of_scipy(pair):
    count, of = pair
    share, expected = wilson(count, of), binomtest(count, of).proportion_ci(0.95, method="wilson")
    assert share.value == count / of
    assert (share.low, share.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_of_nothing_there_is_no_share():
    assert wilson(0, 0).value is None
    assert wilson(0, 0).low is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=60))
def test_the_curve_over_queries_is_the_kaplan_meier_estimate_of_scipy(outcomes):
    turned = [queries for queries, flip in outcomes if flip]
    held = [queries for queries, flip in outcomes if not flip]
    steps = held_by_queries(outcomes)
    expected = ecdf(CensoredData(uncensored=turned, right=held)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # there is no interval where all or none are left
        limits = expected.confidence_interval(0.95, method="log-log")
    for at in range(32):
        step = value_at(steps, at)
        assert step.value == pytest.approx(float(expected.evaluate(at)), abs=1e-12)
        if step.low is not None:
            known = float(limits.low.evaluate(at)), float(limits.high.evaluate(at))
            assert (step.low, step.high) == pytest.approx(known, abs=1e-9)


def test_a_search_that_found_nothing_is_censored_at_its_last_query():
    # by hand: 4 images; one is turned at 10, one gives up at 20, one is turned at 30, one gives up at 30
    steps = held_by_queries([(10, True), (20, False), (30, True), (30, False)])
    assert [(step.at, step.at_risk, step.flips, step.censored) for step in steps] == [
        (0, 4, 0, 0), (10, 4, 1, 0), (20, 3, 0, 1), (30, 2, 1, 1),
    ]  # fmt: skip
    assert [step.value for step in steps] == pytest.approx([1, 0.75, 0.75, 0.375])  # 3/4, then 3/4 x 1/2
    assert steps[0].low is None


@given(st.lists(st.one_of(st.none(), st.integers(0, 12).map(float)), max_size=40), st.integers(0, 5))
def test_the_curve_over_distance_is_a_proportion_at_each_distance(distances, wrong):
    steps = held_by_distance(distances, wrong)
    total = len(distances) + wrong
    if not total:
        assert steps == ()
        return
    for at in np.arange(0, 14, 0.5):
        held = sum(distance is None or distance > at for distance in distances)
        assert value_at(steps, at).value == pytest.approx(held / total)
    assert all(first.value >= second.value for first, second in pairwise(steps))


@pytest.mark.parametrize(
    ("distances", "median"),
    [([], None), ([None], None), ([3.0], 3.0), ([1.0, None], 1.0), ([1.0, 2.0, None], 2.0), ([1.0, None, None], None)],
)
def test_the_median_counts_images_that_held_as_farther(distances, median):
    assert median_of(distances) == median


@pytest.mark.parametrize(("count", "of"), [(5, 4), (-1, 4), (1, 0), (0, -1)])
def test_a_share_of_more_than_there_are_is_refused(count, of):
    with pytest.raises(UsageError, match="must be from 0 to of"):
        wilson(count, of)
