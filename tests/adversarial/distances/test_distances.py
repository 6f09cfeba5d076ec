"""Distances: their measures by hand, their geometry against another solver, and one that comes from outside."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.distances import DISTANCES, Distance, all_distances, clipped_ray
from adversarial.findings import finding_in_words
from adversarial.margins import margin
from saywhy_core.errors import UsageError

SHAPE = (2, 3, 2)


def test_measures_are_those_of_the_definitions():
    differences = np.array([[0.0, 0.0, 0.0], [0.5, -0.5, 0.0], [0.0, 0.0, 1.0]])[None, :, None]
    values = [DISTANCES.get(name).measure(differences)[0] for name in ("l0", "l1", "l2", "linf")]
    assert values == [2, 2, pytest.approx(1.5**0.5), 1]


def test_margin_is_negative_exactly_where_the_goal_is_reached():
    scores = np.array([[3.0, 1.0, 2.0], [0.0, 1.0, 2.0], [2.0, 2.0, 1.0]])
    np.testing.assert_array_equal(margin(scores, 0), [1, -2, 0])
    np.testing.assert_array_equal(margin(scores, 0, target=1), [2, 1, 0])


def test_an_unknown_distance_is_refused_with_the_names_of_the_others():
    with pytest.raises(UsageError, match="no distance 'l3'; use one of l0, l1, l2, linf"):
        DISTANCES.get("l3")


@pytest.mark.parametrize("name", list(DISTANCES))
def test_every_registered_distance_measures_and_speaks(name):
    distance = DISTANCES.get(name)
    assert distance.name == name
    rng = np.random.default_rng(0)
    differences = rng.normal(size=(4, *SHAPE))
    differences[0] = 0
    values = distance.measure(differences)
    assert values.shape == (4,)
    assert values[0] == 0
    assert (values[1:] > 0).all()
    assert distance.in_words(float(values[1]))
    assert "4 pixels" in distance.change_in_words("4 pixels", 0.5)
    assert distance.served_by in {"feature_guided", "waves"}


def smallest(measure, slope, need, low, high):
    """By a general solver, from several starts; for smooth convex distances."""
    best = math.inf
    for start in (0.3, 0.6, 0.9):
        x0 = np.where(slope > 0, high, low).ravel() * start
        solved = minimize(
            lambda x: measure(x.reshape(1, *SHAPE))[0], x0, bounds=list(zip(low.ravel(), high.ravel(), strict=True)),
            constraints={"type": "ineq", "fun": lambda x: float(slope.ravel() @ x) - need}, options={"maxiter": 500, "ftol": 1e-12},
        )  # fmt: skip
        if solved.success:
            best = min(best, solved.fun)
    return best


def box(seed):
    rng = np.random.default_rng(seed)
    slope = rng.normal(size=SHAPE) * rng.random(SHAPE)
    image = rng.random(SHAPE)
    low, high = -image, 1 - image
    most = float(np.where(slope > 0, slope * high, slope * low).sum())
    return slope, low, high, most


@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_flip_is_the_smallest(seed, share):
    slope, low, high, most = box(seed)
    need = share * most
    moves = {name: DISTANCES.get(name).nearest(slope, need, low, high) for name in ("l1", "l2", "linf")}
    for move in moves.values():
        assert move.shape == SHAPE
        assert (move >= low - 1e-12).all()
        assert (move <= high + 1e-12).all()
        assert float((slope * move).sum()) == pytest.approx(need, rel=1e-4)
    gains = np.abs(slope).ravel()
    room = np.where(slope > 0, high, -low).ravel()
    l1 = linprog(np.ones(len(gains)), A_ub=[-gains], b_ub=[-need], bounds=list(zip(np.zeros(len(gains)), room, strict=True)))
    assert np.abs(moves["l1"]).sum() == pytest.approx(l1.fun, rel=1e-6)
    # in L-infinity one more variable is the greatest of all, and it is made small
    linf = linprog(
        [*np.zeros(len(gains)), 1.0],
        A_ub=np.vstack([[*-gains, 0.0], np.hstack([np.eye(len(gains)), -np.ones((len(gains), 1))])]),
        b_ub=[-need, *np.zeros(len(gains))],
        bounds=[*zip(np.zeros(len(gains)), room, strict=True), (0, None)],
    )
    assert np.abs(moves["linf"]).max() == pytest.approx(linf.fun, rel=1e-4)
    l2 = smallest(DISTANCES.get("l2").measure, slope, need, low, high)
    assert np.linalg.norm(moves["l2"]) == pytest.approx(l2, rel=1e-3)


def test_what_the_box_does_not_allow_ends_in_its_corner():
    slope, low, high, most = box(0)
    corner = np.where(slope > 0, high, low)
    for name in ("l1", "l2", "linf"):
        np.testing.assert_allclose(DISTANCES.get(name).nearest(slope, 2 * most, low, high), corner)


# --- a distance of the user's own ---


def power(differences):
    return (np.abs(differences) ** 1.5).sum(axis=(1, 2, 3)) ** (1 / 1.5)


def nearest_power(slope, need, low, high):
    return clipped_ray(np.sign(slope) * slope**2, slope, need, low, high)


def far_left(differences):
    """An L2 in which the left half of the image costs three times as much."""
    weights = np.where(np.arange(differences.shape[2]) < differences.shape[2] // 2, 9.0, 1.0)[:, None]
    return np.sqrt((weights * differences**2).sum(axis=(1, 2, 3)))


def nearest_far_left(slope, need, low, high):
    weights = np.where(np.arange(slope.shape[1]) < slope.shape[1] // 2, 9.0, 1.0)[:, None]
    return clipped_ray(slope / weights, slope, need, low, high)


OWN = {
    "l1.5": Distance(name="l1.5", title="L1.5", measure=power, nearest=nearest_power, power=1.5),
    "left": Distance(name="left", title="left-weighted L2", measure=far_left, nearest=nearest_far_left),
    "rows": Distance(
        name="rows",
        title="rows",
        measure=lambda d: (d != 0).any(axis=(2, 3)).sum(axis=1).astype(float),
        change="{pixels} in rows",
    ),
}


@pytest.fixture
def own(monkeypatch):
    monkeypatch.setattr(DISTANCES, "_loaded", {**DISTANCES._loaded, **OWN})
    return OWN


@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
@pytest.mark.parametrize("name", ["l1.5", "left"])
def test_a_clipped_ray_is_the_smallest_move_of_other_distances_too(name, share):
    slope, low, high, most = box(1)
    move = OWN[name].nearest(slope, share * most, low, high)
    best = smallest(OWN[name].measure, slope, share * most, low, high)
    assert OWN[name].measure(move[None])[0] == pytest.approx(best, rel=1e-3)


def linear(weights, gap):
    image = np.full((1, 6, 6, 1), 0.5, np.float32)

    def predict(batch):
        score = ((batch.astype(float) - 0.5) * weights).sum(axis=(1, 2, 3)) - gap
        return np.stack([-score, np.zeros(len(batch))], axis=1)

    return predict, image


@pytest.mark.parametrize("name", ["l1.5", "left"])
def test_a_distance_of_ones_own_is_searched_by_its_own_geometry(own, name):
    """Against the closed form of a hyperplane far from the border of the cube: need / dual norm of the weights."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(6, 6, 1)) * rng.random((6, 6, 1)) ** 2
    gap = 0.05 * np.abs(weights).sum()
    predict, image = linear(weights, gap)
    if name == "l1.5":  # the dual of 1.5 is 3
        best = gap / (np.abs(weights) ** 3).sum() ** (1 / 3)
    else:
        best = gap / np.sqrt((weights**2 / np.where(np.arange(6) < 3, 9.0, 1.0)[:, None]).sum())
    (result,) = FeatureGuidedAttack(distance=name, budget=1500).run(CallableClassifier(predict), image, [0])
    (euclidean,) = FeatureGuidedAttack(distance="l2", budget=1500).run(CallableClassifier(predict), image, [0])
    assert best - 1e-6 <= result.distance <= 1.01 * best
    assert euclidean.distances[name] > 1.02 * best  # the geometry of L2 ends elsewhere
    assert result.norm == name
    assert set(result.distances) == {"l0", "l1", "l2", "linf", *own}
    assert result.distance == result.distances[name] == pytest.approx(own[name].measure(result.adversarial[None] - image)[0])
    assert f"in {own[name].title} distance" in finding_in_words(result)


def test_a_distance_without_a_geometry_is_searched_pixel_by_pixel(own):
    rng = np.random.default_rng(0)
    predict, image = linear(rng.normal(size=(6, 6, 1)), 1.5)
    (result,) = FeatureGuidedAttack(distance="rows", budget=300).run(CallableClassifier(predict), image, [0])
    assert result.success
    assert result.distance == (result.adversarial != image[0]).any(axis=(1, 2)).sum()
    assert "in rows turns" in finding_in_words(result)


def test_all_distances_are_the_registry(own):
    image = np.zeros(SHAPE)
    other = image.copy()
    other[1, 2] = 0.5
    assert all_distances(image, other) == pytest.approx(
        {"l0": 1, "l1": 1, "l2": 0.5**0.5, "linf": 0.5, "l1.5": 2 ** (1 / 1.5) * 0.5, "left": 0.5**0.5, "rows": 1}
    )


def test_a_flawed_distance_of_others_hinders_no_attack(monkeypatch, tmp_path):
    info = tmp_path / "flawed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flawed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[saywhy.distances]\nflaw = math:pi\n")
    monkeypatch.syspath_prepend(tmp_path)
    failing = Distance(name="failing", title="failing", measure=lambda differences: 1 / 0)
    monkeypatch.setattr(DISTANCES, "_loaded", {**DISTANCES._loaded, "failing": failing})
    image = np.zeros((2, 2, 1), np.float32)
    with pytest.warns(RuntimeWarning) as warned:
        assert all_distances(image, image + 1) == {"l0": 4, "l1": 4, "l2": 2, "linf": 1}
    said = sorted(str(one.message) for one in warned)
    assert len(said) == 2
    assert "'failing' failed (ZeroDivisionError" in said[0]
    assert "'flaw' of flawed can't be used: it must be a Distance" in said[1]


def test_few_evaluations_find_the_very_point_of_a_plain_bisection():
    rng = np.random.default_rng(3)
    for case in range(120):
        size = int(rng.choice([1, 2, 7, 60, 700]))
        slope = rng.normal(size=size) * 10.0 ** rng.uniform(-6, 6)
        slope[rng.random(size) < 0.3 * (case % 2)] = 0.0
        image = np.round(rng.random(size) * 255) / 255
        low, high = -image, 1 - image
        greatest = float(np.where(slope > 0, high, low) @ slope)
        need = greatest * float(rng.choice([1e-9, 0.01, 0.3, 0.9, 1.0, 1.5])) or 1.0
        # the last direction leads against the slope in some values, where a farther point may rise less
        direction = [slope, np.sign(slope), slope / (0.1 + rng.random(size)), rng.normal(size=size)][case % 4]
        np.testing.assert_array_equal(
            clipped_ray(direction, slope, need, low, high), bisected(direction, slope, need, low, high)
        )


def bisected(direction, slope, need, low, high):
    """The definition: from 1 / max|direction| in steps of four, then by halving down to a millionth."""

    def move(multiplier):
        return np.minimum(np.maximum(direction * multiplier, low), high)

    below, above = 0.0, 1.0 / max(np.abs(direction).max(), 1e-300)
    while slope @ move(above) < need and above < 1e12:
        below, above = above, 4 * above
    for _ in range(60):
        middle = (below + above) / 2
        below, above = (middle, above) if slope @ move(middle) < need else (below, middle)
        if above - below < 1e-6 * above:
            break
    return move(above)


@pytest.mark.parametrize("digits", [1, 12])  # with one digit, many slopes are equal
def test_l1_spends_the_steepest_values_first_and_equal_ones_in_their_order(digits):
    rng = np.random.default_rng(digits)
    slope = np.round(rng.normal(size=3000), digits)
    image = rng.random(3000)
    reach = np.where(slope > 0, 1 - image, -image)
    for share in (1e-6, 0.01, 0.2, 0.8, 0.99999):
        need = share * float(slope @ reach)
        expected, risen = np.zeros(3000), 0.0
        for place in sorted(range(3000), key=lambda place: -abs(slope[place])):
            gain = slope[place] * reach[place]
            expected[place] = reach[place] * min(1.0, (need - risen) / max(gain, 1e-300))
            risen += gain
            if risen >= need:
                break
        found = DISTANCES.get("l1").nearest(slope, need, -image, 1 - image)
        np.testing.assert_allclose(found, expected, atol=1e-9)
