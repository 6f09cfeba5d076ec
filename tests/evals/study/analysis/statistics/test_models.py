"""Mixed models, against exact results of balanced designs, brute-force integration, and what they must say of hard data."""

import numpy as np
import pytest
from scipy import stats

from evals.study.analysis.statistics import Crossed, mixed_model
from evals.study.analysis.statistics.models.crossing import Pair
from evals.study.analysis.statistics.models.laplace import Laplace
from evals.study.analysis.statistics.models.likelihoods import Binomial, Cumulative
from saywhy_core.errors import UsageError


def latin(people, items, wide=3):
    person, item = (part.ravel() for part in np.indices((people, items)))
    names = [tuple(f"{letter}{n}" for n in range(size)) for letter, size in (("p", people), ("i", items), ("c", wide))]
    return Crossed(np.zeros(people * items), person, item, (person + item) % wide, *names)


def drawn(study, seed, *, binary=False, people=0.8, items=0.6, effects=(0.5, 1.0, 1.3)):
    rng = np.random.default_rng(seed)
    predictor = np.asarray(effects)[study.condition] + rng.normal(0, people, len(study.participants))[study.participant]
    predictor = predictor + rng.normal(0, items, len(study.items))[study.item] + rng.logistic(size=len(study))
    return study.with_values(predictor > 0 if binary else 1 + np.searchsorted([-2, -1, 0, 1, 2, 3], predictor))


def test_a_balanced_linear_model_is_the_analysis_of_variance():
    """With one answer per participant and item, Latin squares have closed forms for every part of the model."""
    people, items, wide = 12, 9, 3
    study = drawn(latin(people, items), 0)
    table, condition = study.values.reshape(people, items), study.condition.reshape(people, items)
    means = np.array([table[condition == place].mean() for place in range(wide)])
    middle = table.mean()
    rest = table - table.mean(1, keepdims=True) - table.mean(0) + middle - (means[condition] - middle)
    freedom = people * items - people - items - wide + 2
    remainder = (rest**2).sum() / freedom
    of_people = (items * table.mean(1).var(ddof=1) - remainder) / items
    of_items = (people * table.mean(0).var(ddof=1) - remainder) / people
    found = mixed_model(study, "linear")
    assert found.converged
    assert found.deviations["remainder"] ** 2 == pytest.approx(remainder, rel=1e-5)
    assert found.deviations["participants"] ** 2 == pytest.approx(of_people, rel=1e-4)
    assert found.deviations["items"] ** 2 == pytest.approx(of_items, rel=1e-4)
    error = np.sqrt(2 * remainder / (people * items / wide))
    for place in (1, 2):
        one = found[f"c{place}"]
        assert one.estimate == pytest.approx(means[place] - means[0])
        assert one.error == pytest.approx(error, rel=1e-5)
        assert one.freedom == pytest.approx(freedom, rel=1e-2)
        assert one.p == pytest.approx(2 * stats.t.sf(abs(one.estimate / error), freedom), rel=1e-2)
        assert (one.low + one.high) / 2 == pytest.approx(one.estimate)


def test_the_restricted_likelihood_is_that_of_the_whole_covariance_matrix():
    study = drawn(latin(7, 5), 1).where(np.random.default_rng(0).random(35) < 0.8)
    found = mixed_model(study, "linear")
    z = [np.eye(size)[codes] for size, codes in ((7, study.participant), (5, study.item))]
    s = found.deviations
    covariance = (
        s["participants"] ** 2 * z[0] @ z[0].T + s["items"] ** 2 * z[1] @ z[1].T + s["remainder"] ** 2 * np.eye(len(study))
    )
    x = np.column_stack([np.ones(len(study)), study.condition == 1, study.condition == 2]).astype(float)
    inner = x.T @ np.linalg.solve(covariance, x)
    effects = np.linalg.solve(inner, x.T @ np.linalg.solve(covariance, study.values))
    left = study.values - x @ effects
    logs = [np.linalg.slogdet(matrix)[1] for matrix in (covariance, inner)]
    deviance = sum(logs) + left @ np.linalg.solve(covariance, left) + (len(study) - 3) * np.log(2 * np.pi)
    assert found.criterion == pytest.approx(deviance, rel=1e-8)
    assert [one.estimate for one in found.coefficients] == pytest.approx(effects.tolist())
    assert [one.error for one in found.coefficients] == pytest.approx(np.sqrt(np.diag(np.linalg.inv(inner))).tolist(), rel=1e-5)


@pytest.mark.parametrize("kind", ["binomial", "cumulative"])
def test_laplace_is_near_the_integral(kind):
    """With one item the participants' effects can be integrated one by one, by quadrature."""
    rng = np.random.default_rng(2)
    person = np.repeat(np.arange(6), 20)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    if kind == "binomial":
        y = (rng.random(120) < 0.6).astype(float)
        likelihood, extra, design = Binomial(y), np.zeros(0), np.ones((120, 1))
        fixed = np.array([0.3])
        densities = lambda effect: stats.logistic.cdf((2 * y - 1)[:, None] * (0.3 + effect))  # noqa: E731
    else:
        y = rng.integers(0, 4, 120)
        likelihood, extra, design = Cumulative(y, 4), np.array([-1.0, 0.0, 0.2]), np.zeros((120, 0))
        fixed = np.zeros(0)
        ends = np.array([-np.inf, -1.0, 0.0, np.exp(0.2), np.inf])
        densities = lambda effect: (  # noqa: E731
            stats.logistic.cdf(ends[y + 1][:, None] - effect) - stats.logistic.cdf(ends[y][:, None] - effect)
        )
    each = densities(0.8 * nodes[None, :])
    exact = sum(np.log((np.prod(each[person == one], axis=0) * weights).sum() / weights.sum()) for one in range(6))
    found = Laplace(likelihood, design, Pair.of(person, np.zeros(120, int)))(np.concatenate([fixed, extra, [0.8, 0.0]]))
    assert found == pytest.approx(-2 * exact, abs=0.1)


def test_a_binary_rating_makes_both_models_the_same():
    study = drawn(latin(15, 12), 3, binary=True)
    one, other = mixed_model(study, "binomial"), mixed_model(study, "cumulative")
    assert one.criterion == pytest.approx(other.criterion, abs=1e-5)
    assert one["c2"].estimate == pytest.approx(other["c2"].estimate, abs=1e-3)
    assert one["c2"].error == pytest.approx(other["c2"].error, rel=1e-3)
    assert one["intercept"].estimate == pytest.approx(-other["0|1"].estimate, abs=1e-3)


def test_the_reference_turns_the_sign():
    study = drawn(latin(10, 9), 4)
    for kind in ("linear", "cumulative"):
        forth, back = mixed_model(study, kind, reference="c0"), mixed_model(study, kind, reference="c1")
        assert forth["c1"].estimate == pytest.approx(-back["c0"].estimate, abs=1e-4)
        assert forth["c1"].p == pytest.approx(back["c0"].p, rel=1e-3)
        wide = mixed_model(study, kind, level=0.99)["c1"]
        assert wide.low < forth["c1"].low


def test_zero_variance_is_told():
    study = latin(12, 12).with_values(np.random.default_rng(5).normal(0, 1, 144))
    flat = study.with_values(study.values - study.values.reshape(12, 12).mean(1)[study.participant])
    found = mixed_model(flat, "linear")
    assert found.deviations["participants"] == 0
    assert any("participants is estimated as zero" in note for note in found.notes)


def test_a_separated_condition_is_told_and_does_not_spoil_the_others():
    study = drawn(latin(12, 12), 6, binary=True)
    values = np.where(study.condition == 2, 1.0, study.values)
    for kind in ("binomial", "cumulative"):
        found = mixed_model(study.with_values(values), kind)
        assert found["c2"].estimate == np.inf
        assert np.isnan(found["c2"].p)
        assert any("c2" in note and "infinite" in note for note in found.notes)
        alone = mixed_model(study.where(study.condition < 2), kind)
        assert found["c1"].estimate == pytest.approx(alone["c1"].estimate)
        assert mixed_model(study.with_values(values), kind, reference="c2")["c0"].estimate == -np.inf


def test_nearly_separated_answers_are_told():
    study = latin(12, 12)
    values = (study.condition > 0).astype(float)
    values[:3] = 1 - values[:3]  # one of 48 under each condition: log odds of 3.85 + 3.85
    found = mixed_model(study.with_values(values), "binomial")
    assert found["c1"].estimate == pytest.approx(2 * np.log(47), abs=0.3)
    assert any("nearly separated" in note for note in found.notes)


def test_a_perfect_fit_has_no_errors():
    study = latin(6, 6)
    found = mixed_model(study.with_values(study.participant * 1.0 + study.item * 2.0 + study.condition), "linear")
    assert not found.converged
    assert all(np.isnan(one.error) for one in found.coefficients)
    assert any("without a remainder" in note for note in found.notes)


def test_too_little_is_told():
    study = latin(3, 3)
    assert "equal" in mixed_model(study, "linear").notes[0]
    alone = study.with_values(np.arange(9.0)).where(study.participant == 0)
    assert "too few" in mixed_model(alone, "linear").notes[0]


def test_large_numbers_lose_no_digits():
    study = drawn(latin(10, 9), 7)
    plain, moved = mixed_model(study, "linear"), mixed_model(study.with_values(study.values + 1e7), "linear")
    assert moved["c1"].error == pytest.approx(plain["c1"].error, rel=1e-6)
    assert moved["intercept"].estimate == pytest.approx(plain["intercept"].estimate + 1e7)


@pytest.mark.parametrize(
    ("kind", "values", "options", "said"),
    [
        ("probit", [0, 1] * 18, {}, "no model 'probit'"),
        ("binomial", [1, 2] * 18, {}, "0 or 1"),
        ("cumulative", np.arange(36), {}, "36 different values"),
        ("linear", np.arange(36), {"reference": "z"}, "no condition 'z'"),
        ("linear", np.arange(36), {"level": 2}, "level of 2"),
    ],
)
def test_what_cannot_be_used_is_refused(kind, values, options, said):
    with pytest.raises(UsageError, match=said):
        mixed_model(latin(6, 6).with_values(values), kind, **options)


def test_an_unknown_coefficient_is_refused():
    with pytest.raises(UsageError, match="no coefficient 'z'"):
        mixed_model(drawn(latin(6, 6), 8), "linear")["z"]


@pytest.mark.long
def test_the_linear_model_is_that_of_statsmodels():
    """statsmodels has crossed effects as variance components of one group that holds all answers."""
    formula = pytest.importorskip("statsmodels.formula.api")
    pandas = pytest.importorskip("pandas")
    study = drawn(latin(12, 10), 9)
    frame = pandas.DataFrame({"y": study.values, "p": study.participant, "i": study.item, "c": study.condition, "one": 1})
    components = {"p": "0 + C(p)", "i": "0 + C(i)"}
    model = formula.mixedlm("y ~ C(c)", frame, groups="one", vc_formula=components).fit(reml=True)
    found = mixed_model(study, "linear")
    assert [one.estimate for one in found.coefficients] == pytest.approx(model.fe_params.tolist(), abs=1e-3)
    assert [one.error for one in found.coefficients] == pytest.approx(model.bse_fe.tolist(), rel=1e-2)
