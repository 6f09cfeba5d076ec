"""Means and differences over participants and items, against classical tests that they must reduce to."""

import numpy as np
import pytest
from scipy import stats

from evals.study.analysis.statistics import Crossed, differences, equivalence, estimate
from saywhy_core.errors import UsageError


def crossed(values, participant, item, condition, conditions=("a", "b")):
    names = [tuple(f"{letter}{n}" for n in range(max(codes) + 1)) for letter, codes in (("p", participant), ("i", item))]
    return Crossed(values, participant, item, condition, *names, conditions)


def complete(rng, people, items, wide=2):
    """Every participant under every condition with every item, with effects of both that differ between conditions."""
    person, item, condition = (part.ravel() for part in np.indices((people, items, wide)))
    values = rng.normal(0, 1, len(person)) + rng.normal(0, 1, (people, wide))[person, condition]
    return crossed(values + rng.normal(0, 1, (items, wide))[item, condition], person, item, condition, tuple("abcd"[:wide]))


def test_one_answer_per_participant_and_item_gives_the_t_test():
    rng = np.random.default_rng(0)
    places = np.arange(30)
    found = differences(crossed(rng.normal(0, 1, 30), places, places, places % 2))[0]
    values = np.random.default_rng(0).normal(0, 1, 30)
    expected = stats.ttest_ind(values[1::2], values[::2])
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()), rel=1e-9)
    assert found.freedom == pytest.approx(28)


def test_items_of_one_participant_each_give_the_t_test_of_participants_means():
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(20), 6)
    study = crossed(rng.normal(0, 1, 120) + rng.normal(0, 1, 20)[person], person, np.arange(120), person % 2)
    means = study.values.reshape(20, 6).mean(axis=1)
    assert differences(study)[0].p == pytest.approx(stats.ttest_ind(means[1::2], means[::2]).pvalue, rel=1e-9)
    one = estimate(crossed(study.values, person, np.arange(120), 0 * person, ("a",)))[0]
    assert (one.low, one.high) == pytest.approx(tuple(stats.ttest_1samp(means, 0).confidence_interval()), rel=1e-9)


def test_a_complete_design_gives_clarks_quasi_f():
    people, items = 12, 9
    study = complete(np.random.default_rng(2), people, items)
    table = study.values.reshape(people, items, 2)
    apart = table[..., 1] - table[..., 0]
    remainder = apart - apart.mean(1, keepdims=True) - apart.mean(0) + apart.mean()
    squares = (
        items * apart.mean(1).var(ddof=1),
        people * apart.mean(0).var(ddof=1),
        (remainder**2).sum() / ((people - 1) * (items - 1)),
    )
    found = differences(study)[0]
    assert found.difference == pytest.approx(apart.mean())
    assert found.error == pytest.approx(np.sqrt((squares[0] + squares[1] - squares[2]) / (people * items)), rel=1e-9)
    assert min(people, items) - 1 <= found.freedom <= people + items


def test_a_latin_square_ignores_the_main_effects_of_participants_and_items():
    """Each participant and item counts for both conditions alike, so that their main effects cancel and must not count."""
    rng = np.random.default_rng(3)
    person, item = (part.ravel() for part in np.indices((12, 10)))
    condition = (person + item) % 2
    noise = rng.normal(0, 1, 120)
    plain = differences(crossed(noise, person, item, condition))[0]
    shifted = noise + rng.normal(0, 50, 12)[person] + rng.normal(0, 50, 10)[item]
    large = differences(crossed(shifted, person, item, condition))[0]
    assert (large.difference, large.error, large.p) == pytest.approx((plain.difference, plain.error, plain.p), rel=1e-6)


def test_both_averages_where_participants_answered_differently_often():
    study = crossed([1, 1, 1, 0, 0, 1], [0, 0, 0, 1, 2, 2], [0, 1, 2, 0, 0, 1], [0] * 6, ("a",))
    assert estimate(study)[0].mean == pytest.approx((1 + 0 + 0.5) / 3)
    assert estimate(study, average="answers")[0].mean == pytest.approx(4 / 6)
    assert (estimate(study)[0].participants, estimate(study)[0].items, estimate(study)[0].answers) == (3, 3, 6)


def test_an_interval_lies_between_the_bounds_and_longer_towards_the_middle():
    rng = np.random.default_rng(4)
    person, item = (part.ravel() for part in np.indices((15, 12)))
    study = crossed((rng.random(180) < 0.95).astype(float), person, item, 0 * person, ("a",))
    for options in ({}, {"method": "bootstrap", "draws": 500, "seed": 1}):
        one = estimate(study, **options)[0]
        assert 0 < one.low < one.mean < one.high <= 1
        assert one.mean - one.low > one.high - one.mean


def test_the_bootstrap_has_the_width_of_the_t_interval():
    study = complete(np.random.default_rng(5), 25, 20, 1)
    t, drawn = estimate(study)[0], estimate(study, method="bootstrap", draws=4000, seed=2)[0]
    assert drawn.high - drawn.low == pytest.approx(t.high - t.low, rel=0.05)
    assert estimate(study, method="bootstrap", draws=200, seed=3) == estimate(study, method="bootstrap", draws=200, seed=3)
    assert estimate(study, method="bootstrap", draws=200, seed=3) != estimate(study, method="bootstrap", draws=200, seed=4)


def test_answers_that_are_all_right_have_the_exact_interval():
    person, item = (part.ravel() for part in np.indices((10, 20)))
    one = estimate(crossed(np.ones(200), person, item, 0 * person, ("a",)))[0]
    assert (one.mean, one.high) == (1, 1)
    assert one.low == pytest.approx(0.025 ** (1 / 10))  # Clopper and Pearson for 10 of 10
    assert "all answers are equal" in one.note
    wrong = estimate(crossed(np.zeros(200), person, item, 0 * person, ("a",)))[0]
    assert (wrong.low, wrong.high) == pytest.approx((0, 1 - one.low))


def test_what_has_no_interval_says_why():
    person, item = (part.ravel() for part in np.indices((6, 5)))
    fours = estimate(crossed(np.full(30, 4.0), person, item, 0 * person, ("a",)), bounds=(1, 7))[0]
    assert np.isnan(fours.low)
    assert "no spread" in fours.note
    alone = estimate(crossed(np.arange(5.0), np.zeros(5, int), np.arange(5), np.zeros(5, int), ("a", "b")))
    assert np.isnan(alone[0].low)
    assert "too few" in alone[0].note
    assert np.isnan(alone[1].mean)
    assert "no answers" in alone[1].note
    pair = differences(crossed(np.ones(30), person, item, person % 2))[0]
    assert np.isnan(pair.p)
    assert "no spread" in pair.note


def test_the_p_value_and_the_interval_agree():
    for seed in range(5):
        study = complete(np.random.default_rng(seed), 8, 6)
        one = differences(study)[0]
        edge = differences(study, level=1 - one.p)[0]
        assert min(abs(edge.low), abs(edge.high)) == pytest.approx(0, abs=1e-9)


def test_pairs_and_reference_choose_what_is_compared():
    study = complete(np.random.default_rng(6), 6, 5, 3)
    assert [(one.condition, one.reference) for one in differences(study)] == [("b", "a"), ("c", "a"), ("c", "b")]
    assert [(one.condition, one.reference) for one in differences(study, reference="b")] == [("a", "b"), ("c", "b")]
    back, forth = differences(study, pairs=[("a", "b")])[0], differences(study, pairs=[("b", "a")])[0]
    assert (back.difference, back.low, back.p) == pytest.approx((-forth.difference, -forth.high, forth.p))


def test_equivalence_is_two_one_sided_tests():
    study = complete(np.random.default_rng(7), 10, 10)
    one = differences(study, level=0.9)[0]
    found = equivalence(study, 2.0)[0]
    uppers = [
        stats.t.sf((2.0 - one.difference) / one.error, one.freedom),
        stats.t.sf((2.0 + one.difference) / one.error, one.freedom),
    ]
    assert found.p == pytest.approx(max(uppers))
    assert (found.low, found.high) == pytest.approx((one.low, one.high))
    assert found.equivalent == (found.p < 0.05) == (found.low > -2 and found.high < 2)
    assert not equivalence(study, 1e-6)[0].equivalent


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda study: estimate(study, level=95), "level of 95"),
        (lambda study: estimate(study, average="items"), "average over 'items'"),
        (lambda study: estimate(study, draws=500), "belong to the bootstrap"),
        (lambda study: estimate(study, seed=1), "belong to the bootstrap"),
        (lambda study: estimate(study, method="bootstrap", draws=5), "5 draws"),
        (lambda study: estimate(study, method="normal"), "no method 'normal'"),
        (lambda study: estimate(study, bounds=(0, 1e-9)), "outside of the bounds"),
        (lambda study: estimate(study, bounds=(7, 1)), "least value first"),
        (lambda study: differences(study, reference="z"), "no condition 'z'"),
        (lambda study: differences(study, reference="a", pairs=[("a", "b")]), "one of them"),
        (lambda study: differences(study, pairs=[("a", "a")]), "with itself"),
        (lambda study: equivalence(study, 0), "margin of 0"),
        (lambda study: equivalence(study, 1, alpha=0.5), "alpha of 0.5"),
        (lambda study: study.with_values(np.full(len(study), np.nan)), "is nan"),
        (lambda study: crossed([1.0], [0], [0], [4]), "from 4 to 4, but there are 2"),
        (lambda study: crossed([1.0, 2.0], [0], [0], [0]), "one per value"),
        (lambda study: crossed([1.0], [0], [0], [0.5]), "whole numbers"),
        (lambda study: crossed([1.0], [0], [0], [0], ("a", "a")), "twice"),
        (lambda study: Crossed.of([1.0], ["p"], ["i"], ["z"], order=["a"]), "not in the order"),
    ],
)
def test_what_cannot_be_used_is_refused(call, said):
    with pytest.raises(UsageError, match=said):
        call(complete(np.random.default_rng(8), 4, 3))


def test_tiny_studies_have_numbers_or_say_why_not():
    """Every layout of a few answers gives ordered ends or a note, and no warning of numpy."""
    rng = np.random.default_rng(9)
    for n in range(20):
        size = int(rng.integers(1, 12))
        codes = [rng.integers(0, 3, size) for _ in range(3)]
        values = (rng.integers(0, 2, size), rng.integers(1, 8, size), np.ones(size))[n % 3]
        study = Crossed(values, *codes, tuple("pqr"), tuple("ijk"), tuple("abc"))
        with np.errstate(all="raise"):
            found = [*estimate(study), *differences(study), *equivalence(study, 1.0)]
        for one in found:
            assert one.note if np.isnan(one.low) else one.low <= one.high
