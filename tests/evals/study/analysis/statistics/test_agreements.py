"""Agreement, against the `krippendorff` package, statsmodels, and published values."""

import numpy as np
import pytest

from evals.study.analysis.statistics import Crossed, agreement
from saywhy_core.errors import UsageError

# Krippendorff 2011, section C: 4 observers, 12 units, with missing values.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, np.nan, np.nan, np.nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, np.nan, 3],
        [np.nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, np.nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, np.nan],
    ]
)


def crossed(table, conditions=None):
    """From a table of participants by items, with NaN for no answer."""
    person, item = np.nonzero(np.isfinite(table))
    names = [tuple(map(str, range(size))) for size in table.shape]
    place = np.zeros_like(person) if conditions is None else conditions[item]
    return Crossed(table[person, item], person, item, place, *names, ("a",) if conditions is None else ("a", "b"))


@pytest.mark.parametrize(("scale", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_the_published_one(scale, value):
    found = agreement(crossed(PUBLISHED), scale=scale, draws=100)[0]
    assert found.value == pytest.approx(value, abs=6e-4)
    assert (found.units, found.answers, found.participants) == (11, 40, 4)  # the twelfth unit has one answer


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_alpha_is_that_of_the_krippendorff_package(scale):
    krippendorff = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(0)
    for missing in (0.0, 0.3, 0.6):
        table = np.clip(np.round(4 + rng.normal(0, 1.5, 15) + rng.normal(0, 1, (6, 15))), 1, 7)
        table[rng.random((6, 15)) < missing] = np.nan
        expected = krippendorff.alpha(table, level_of_measurement=scale)
        assert agreement(crossed(table), scale=scale, draws=100)[0].value == pytest.approx(expected, abs=1e-10)


def test_kappa_is_that_of_statsmodels():
    raters = pytest.importorskip("statsmodels.stats.inter_rater")
    table = np.random.default_rng(1).integers(0, 4, (6, 20)).astype(float)
    table[:, :8] = table[0, :8]
    counts = np.stack([(table == value).sum(axis=0) for value in range(4)], axis=1)
    found = agreement(crossed(table), coefficient="fleiss", draws=100)[0]
    assert found.value == pytest.approx(raters.fleiss_kappa(counts), abs=1e-10)
    assert found.low < found.value < found.high


def test_a_participant_who_is_drawn_twice_does_not_agree_with_himself():
    """Participants who answer at random agree by chance alone; a bootstrap with self-agreement would lie above zero."""
    table = np.random.default_rng(2).integers(0, 2, (5, 60)).astype(float)
    for coefficient in ("krippendorff", "fleiss"):
        found = agreement(crossed(table), coefficient=coefficient, draws=500)[0]
        assert found.low < 0 < found.high
        assert abs((found.low + found.high) / 2) < 0.1


def test_conditions_are_reported_and_then_all_together():
    table = np.random.default_rng(3).integers(1, 8, (5, 12)).astype(float)
    table[:, :6] = table[0, :6]
    found = agreement(crossed(table, np.arange(12) // 6), scale="interval", draws=200)
    assert [one.condition for one in found] == ["a", "b", ""]
    assert found[0].value == pytest.approx(1)
    assert found[2].units == 12


def test_new_participants_make_the_interval_longer():
    rng = np.random.default_rng(4)
    table = np.round(rng.normal(0, 1, 30) + rng.normal(0, 1, (6, 30)) + rng.normal(0, 1, (6, 1)))
    both, items = (agreement(crossed(table), scale="interval", over=over, draws=500, seed=1)[0] for over in ("both", "items"))
    assert both.value == items.value
    assert both.high - both.low > items.high - items.low
    assert agreement(crossed(table), draws=200, seed=1) != agreement(crossed(table), draws=200, seed=2)


def test_what_is_undefined_says_why():
    equal = agreement(crossed(np.ones((3, 4))))[0]
    assert np.isnan(equal.value)
    assert "all answers are equal" in equal.note
    alone = agreement(crossed(np.ones((1, 4))))[0]
    assert "two participants" in alone.note
    pair = agreement(crossed(np.array([[1.0, 2, 1], [1, 2, 2]])))[0]
    assert np.isfinite(pair.value)
    assert "too few" in pair.note


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scale": "ratio"}, "no scale 'ratio'"),
        ({"coefficient": "cohen"}, "no coefficient 'cohen'"),
        ({"coefficient": "fleiss", "scale": "ordinal"}, "knows no ordinal scale"),
        ({"over": "participants"}, "both or items"),
        ({"draws": 3}, "3 draws"),
        ({"level": 0}, "level of 0"),
    ],
)
def test_what_cannot_be_used_is_refused(options, said):
    with pytest.raises(UsageError, match=said):
        agreement(crossed(PUBLISHED), **options)


def test_two_answers_to_one_unit_are_refused():
    study = Crossed.of([1, 2, 1], ["p", "p", "q"], ["i", "i", "i"], ["a", "a", "a"])
    with pytest.raises(UsageError, match="twice"):
        agreement(study)
