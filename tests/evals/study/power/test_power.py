"""Power against closed forms, and false alarms against their level."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from evals.study.design import cells_of, parse_study_file
from evals.study.power import AnswerSpread, PowerCurve, PowerPoint, detectable_effect, draw_power, power
from evals.study.power.layout import layout_of
from evals.study.power.spread import draw_answers, level_of, mean_of
from saywhy_core.errors import UsageError

NO_SPREAD = AnswerSpread(participants=0, items=0, participants_by_condition=0, items_by_condition=0)


def study(kind="latin", items=20, more="", tasks=""):
    return parse_study_file(
        f"title: t\nconditions: [{{name: one, kind: none}}, {{name: two, kind: none}}]\n"
        f"design: {{kind: {kind}, items: {items}, participants: 40}}\n"
        f"tasks: [{{name: guess, kind: simulation}}, {{name: helpfulness, kind: rating}}, {{name: why, kind: free_text}}{tasks}]\n{more}"
    )


def two_proportions(base, effect, n, alpha=0.05):
    """The power of the z test of two proportions with n answers each (Fleiss, Levin and Paik 2003, section 4.3)."""
    other = base + effect
    mean = (base + other) / 2
    null, true = np.sqrt(2 * mean * (1 - mean) / n), np.sqrt((base * (1 - base) + other * (1 - other)) / n)
    reach = norm.isf(alpha / 2) * null
    return norm.sf((reach - effect) / true) + norm.cdf((-reach - effect) / true)


def two_means(effect, deviation, n, alpha=0.05):
    error = deviation * np.sqrt(2 / n)
    reach = norm.isf(alpha / 2) * error
    return norm.sf((reach - effect) / error) + norm.cdf((-reach - effect) / error)


@pytest.mark.long
@pytest.mark.parametrize(("kind", "participants", "each"), [("latin", 40, 400), ("between", 40, 400), ("within", 30, 600)])
def test_drawn_studies_have_the_power_of_two_proportions(kind, participants, each):
    """Without differences between people and items, the z test of two proportions shows as much as its closed form says."""
    cells = cells_of(study(kind), [f"i{n}" for n in range(20)])
    layout = layout_of(cells, participants, "one", "two", compared=False)
    assert np.bincount(layout.condition).tolist() == [each, each]
    for effect in (0.05, 0.1):
        levels = np.array([level_of(mean, "binary", NO_SPREAD, 2) for mean in (0.7, 0.7 + effect)])
        drawn = draw_answers(layout, levels, "binary", NO_SPREAD, 2, 4000, np.random.default_rng(3))
        means = [drawn[:, layout.condition == n].mean(axis=1) for n in (0, 1)]
        pooled = (means[0] + means[1]) / 2
        z = (means[1] - means[0]) / np.sqrt(2 * pooled * (1 - pooled) / each)
        assert abs((abs(z) > norm.isf(0.025)).mean() - two_proportions(0.7, effect, each)) < 0.025


@pytest.mark.long
def test_with_many_people_and_items_it_is_nearly_the_power_of_two_proportions():
    """The analysis's test doesn't know that people and items are alike; what it has to estimate costs a few points of power."""
    found = power(study(items=200), 0.0115, participants=[200], base=0.7, spread=NO_SPREAD, simulations=1500).points[0]
    expected = two_proportions(0.7, 0.0115, 20_000)
    assert expected - 0.06 < found.power < expected + 0.03, (found.power, expected)
    assert abs(found.estimate - 0.0115) < 0.0005
    small = power(study(), 0.1, participants=[40], base=0.7, spread=NO_SPREAD, simulations=1500).points[0]
    assert two_proportions(0.7, 0.1, 400) - 0.12 < small.power < two_proportions(0.7, 0.1, 400) + 0.03


@pytest.mark.long
def test_ratings_without_differences_have_nearly_the_power_of_two_means():
    spread = replace(NO_SPREAD, remainder=1.2)
    found = power(study(items=200), 0.03, task="helpfulness", participants=[200], spread=spread, base=4.0, simulations=1500)
    deviation = np.sqrt(1.2**2 + 1 / 12)  # rounding adds the variance of a uniform draw
    expected = two_means(0.03, deviation, 20_000)
    assert expected - 0.06 < found.points[0].power < expected + 0.03
    assert abs(found.points[0].estimate - 0.03) < 0.002


@pytest.mark.long
@pytest.mark.parametrize("task", ["guess", "helpfulness", "best"])
@pytest.mark.parametrize("kind", ["latin", "within"])
def test_without_an_effect_alarms_stay_at_their_level(task, kind):
    one = study(kind, items=30, tasks=", {name: best, kind: preference}")
    found = power(one, 0.0, task=task, participants=[30], simulations=3000).points[0]
    assert found.power < 0.062
    assert abs(found.estimate) < 0.01


@pytest.mark.long
def test_equivalence_is_shown_at_most_at_its_level_where_the_difference_is_the_margin():
    found = power(study(items=30), 0.0999, margin=0.1, base=0.5, participants=[60], simulations=3000).points[0]
    assert found.power < 0.065
    assert power(study(items=30), margin=0.15, participants=[60], simulations=1000).points[0].power > 0.8


@pytest.mark.long
def test_more_participants_and_larger_effects_show_more():
    curve = power(study(), 0.15, participants=[8, 60], simulations=200)
    assert curve.points[0].power < curve.points[1].power - 0.3
    assert curve.points[0].low <= curve.points[0].power <= curve.points[0].high
    smallest = detectable_effect(study(), 60, simulations=100)
    assert 0.05 < smallest < 0.15
    at = power(study(), smallest, participants=[60], simulations=100).points[0].power
    assert 0.8 <= at < 0.85
    assert detectable_effect(study(items=2), 4, simulations=50) is None


def test_the_effect_is_one_of_the_mean_over_all_people_and_items():
    spread = AnswerSpread(participants=1.0, items=1.5, participants_by_condition=0.5, items_by_condition=0.5)
    draws = np.random.default_rng(0).normal(0, np.sqrt(1 + 2.25 + 0.25 + 0.25), 200_000)
    level = level_of(0.8, "binary", spread, 2)
    assert abs((1 / (1 + np.exp(-(level + draws)))).mean() - 0.8) < 0.003
    rated = level_of(5.5, "rating", replace(spread, remainder=1.0), 7)
    total = np.random.default_rng(1).normal(rated, np.sqrt(3.75 + 1), 200_000)
    assert abs(np.clip(np.round(total), 1, 7).mean() - 5.5) < 0.015
    assert mean_of("binary", NO_SPREAD, 2)(0.0) == pytest.approx(0.5)


POINTS = tuple(PowerPoint(n, p, p, p, 0.1) for n, p in [(10, 0.3), (20, 0.6), (30, 0.55), (40, 0.9)])
CURVE = PowerCurve(
    task="t",
    condition="a",
    reference="b",
    effect=0.1,
    margin=None,
    base=0.7,
    alpha=0.05,
    simulations=100,
    points=POINTS,
    deviations={},
)


def test_the_number_needed_lies_on_the_curve_made_monotone():
    # 20 and 30 participants are pooled at 0.575; from there to 0.9 at 40, 0.8 is reached at 30 + 10 * 0.225 / 0.325 = 36.9
    assert CURVE.participants_needed() == 37
    assert CURVE.participants_needed(0.3) == 10
    assert CURVE.participants_needed(0.95) is None
    with pytest.raises(UsageError, match="share between 0 and 1"):
        CURVE.participants_needed(1.0)
    assert "0.550" in CURVE.table()
    assert CURVE.advice() == "37 participants give a power of 0.8."
    level = replace(CURVE, points=tuple(PowerPoint(n, 0.7, 0.7, 0.7, 0.1) for n in (10, 20, 40)))
    assert level.advice() == (
        "A power of 0.8 is not reached: it is 0.70 with 40 participants and grows no more. "
        "What single items do for a condition is what is left: take more items."
    )


def test_hypotheses_name_what_is_compared():
    one = study(more="analysis: {hypotheses: [{task: guess, condition: one, reference: two, claim: higher}]}")
    curve = power(one, 0.1, participants=[8], simulations=10)
    assert (curve.condition, curve.reference) == ("one", "two")
    curve = power(study(), 0.1, participants=[8], simulations=10)
    assert (curve.condition, curve.reference) == ("two", "one")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "give one, such as effect=0.1"),
        ({"effect": 0.3}, "must lie between 0 and 1"),
        ({"effect": 0.1, "task": "gess"}, "there is no task 'gess'"),
        ({"effect": 0.1, "task": "why"}, "whose answers have a mean"),
        ({"effect": 0.1, "condition": "three"}, "not asked under a condition 'three'"),
        ({"effect": 0.1, "condition": "one", "reference": "one"}, "compared with itself"),
        ({"effect": 0.1, "participants": [1]}, "1 participants"),
        ({"effect": 0.1, "participants": []}, "no numbers of participants"),
        ({"effect": 0.1, "simulations": 1}, "simulations"),
        ({"effect": 0.1, "tests": 0}, "0 tests"),
        ({"effect": 0.1, "margin": 0.05}, "not within the margin"),
    ],
)
def test_what_can_not_be_simulated_is_told(arguments, says):
    with pytest.raises(UsageError, match=says):
        power(study(), **{"simulations": 10, "participants": [8], **arguments})


def test_a_spread_below_zero_is_refused():
    with pytest.raises(UsageError, match="items must be a number from 0"):
        replace(NO_SPREAD, items=-1)


@pytest.mark.long
def test_the_picture_is_the_same_each_time_and_escapes_names():
    odd = replace(CURVE, condition="a<b", task="$x$")
    svg = draw_power([CURVE, odd])
    assert svg == draw_power([CURVE, odd])
    assert "a&lt;b" in svg
    assert svg.startswith("<?xml")
    with pytest.raises(UsageError, match="1 to 6 curves"):
        draw_power([])
