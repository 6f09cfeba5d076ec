import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from adversarial.bounds import LipschitzConstant, estimate_lipschitz, grid_bound
from saywhy_core.errors import UsageError

DUAL = {"l1": np.inf, "l2": 2, "linf": 1}


class Linear:
    """Two classes whose gap is `start + weights @ (x - centre)`, in float64; class 0 holds at the centre."""

    def __init__(self, weights, centre, start):
        self.weights, self.centre, self.start = np.asarray(weights, float), np.asarray(centre, np.float32), start
        self.asked = 0

    def __call__(self, images):
        self.asked += len(images)
        moved = images.reshape(len(images), -1).astype(float) - self.centre.ravel()
        gap = self.start + moved @ self.weights.ravel()
        return np.stack([gap, np.zeros(len(images))], axis=1)


def exact_linear(weights, centre, start, norm):
    """The smallest distance at which the gap reaches 0 within [0, 1], by closed form or by another solver."""
    weights, centre = np.ravel(weights).astype(float), np.ravel(centre).astype(float)
    # how far each coordinate can go in the direction that lowers the gap
    room = np.where(weights > 0, centre, 1 - centre)
    gain = np.abs(weights)
    if start > (gain * room).sum():
        return np.inf
    if norm in {"l1", "l0"}:
        if norm == "l0":
            best = np.sort(gain * room)[::-1].cumsum()
            return int(np.searchsorted(best, start - 1e-12) + 1)
        solved = linprog(
            np.ones(len(gain)), A_ub=[-gain], b_ub=[-start], bounds=list(zip(np.zeros(len(gain)), room, strict=True))
        )
        return solved.fun
    low, high = 0.0, 2.0 * math.sqrt(len(gain))
    for _ in range(100):  # the most the gap can fall within a ball grows with its radius
        middle = (low + high) / 2
        if norm == "linf":
            fall = (gain * np.minimum(room, middle)).sum()
        else:
            solved = largest_fall(gain, room, middle)
            fall = solved
        low, high = (middle, high) if fall < start else (low, middle)
    return high


def largest_fall(gain, room, radius):
    """max gain @ t with 0 <= t <= room and ||t||_2 <= radius: t = min(room, gain / multiplier)."""
    if (room**2).sum() <= radius**2:
        return float(gain @ room)
    low, high = 1e-12, 1e12
    for _ in range(200):
        multiplier = math.sqrt(low * high)
        t = np.minimum(room, gain / multiplier)
        low, high = (multiplier, high) if (t**2).sum() > radius**2 else (low, multiplier)
    return float(gain @ np.minimum(room, gain / high))


def every_pixel(shape):
    return [(y, x) for y in range(shape[0]) for x in range(shape[1])]


# --- the truth is known: linear classifiers ---


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_far_from_the_border_the_radius_is_the_closed_form(norm):
    weights = np.array([[1.0, -2.0, 0.5]])
    centre = np.full((1, 3, 1), 0.5)
    constant = np.linalg.norm(weights.ravel(), DUAL[norm])
    start = 0.4 * constant  # so that the minimal distance is 0.4 in each norm
    model = Linear(weights, centre, start)
    bound = grid_bound(model, centre, every_pixel((1, 3)), tau=0.25, norm=norm, lipschitz=constant)
    assert bound.radius == pytest.approx(exact_linear(weights, centre, start, norm), rel=1e-6)
    assert bound.radius == pytest.approx(0.4, rel=1e-6)
    assert bound.radius <= bound.upper
    assert bound.certain
    assert bound.evaluations == model.asked


@pytest.mark.parametrize("norm", ["l0", "l1", "l2", "linf"])
def test_a_finer_grid_closes_in_on_the_truth_even_where_the_constant_alone_does_not(norm):
    # a constant ten times too large: the one evaluation at the original shows a tenth of the radius only
    weights, centre, start = np.array([[2.0, 1.0]]), np.full((1, 2, 1), 0.5), 1.2
    truth = exact_linear(weights, centre, start, norm)
    tight = np.linalg.norm(weights.ravel(), DUAL[norm]) if norm != "l0" else np.abs(weights).sum()
    radii = [
        grid_bound(Linear(weights, centre, start), centre, every_pixel((1, 2)), tau=tau, norm=norm, lipschitz=10 * tight).radius
        for tau in (0.5, 0.1, 0.01, 0.004)
    ]
    assert all(radius <= truth + 1e-7 for radius in radii)
    assert radii[-1] >= 0.8 * truth
    assert radii[0] < truth


grids = st.tuples(
    st.integers(1, 3),
    st.sampled_from([1, 2]),
    st.sampled_from([0.2, 0.34, 0.5, 1.0]),
    st.sampled_from(["l0", "l1", "l2", "linf"]),
    st.sampled_from(["l1", "l2", "linf"]),
    st.sampled_from([1.0, 1.7, 20.0]),
    st.sampled_from([None, 1, 2, 0.3]),
    st.integers(0, 2**32 - 1),
)


@settings(max_examples=150, deadline=None)
@given(grids)
def test_radii_of_random_linear_classifiers_are_truly_free(drawn):
    count, channels, tau, norm, constant_norm, factor, radius, seed = drawn
    assume(count * channels <= 4)
    rng = np.random.default_rng(seed)
    centre = np.clip(rng.uniform(-0.2, 1.2, (2, 3, channels)), 0, 1).astype(np.float32)
    weights = rng.normal(size=centre.shape)
    pixels = [every_pixel((2, 3))[i] for i in rng.choice(6, count, replace=False)]
    rows, columns = np.array(pixels).T
    chosen = weights[rows, columns]
    start = float(rng.uniform(0.05, 1.1) * np.abs(chosen).sum())
    if norm == "l0":
        radius = None if radius is None else math.ceil(radius)
    constant = LipschitzConstant(factor * np.linalg.norm(chosen.ravel(), DUAL[constant_norm]), norm=constant_norm)
    model = Linear(weights, centre, start)
    bound = grid_bound(
        model, centre, pixels, tau=tau, norm=norm, lipschitz=constant, radius=radius, partial=True, max_images=3000
    )
    assert bound.refuted is None
    if norm == "l0":  # a pixel counts once: its room is that of all its channels together
        gains = np.abs(chosen) * np.where(chosen > 0, centre[rows, columns], 1 - centre[rows, columns])
        best = np.sort(gains.sum(axis=1))[::-1].cumsum()
        truth = np.searchsorted(best, start - 1e-9) + 1 if best[-1] >= start else np.inf
    else:
        truth = exact_linear(chosen, centre[rows, columns], start, norm)
    assert bound.radius <= truth + 1e-6
    assert bound.upper >= truth - 1e-6
    # and the other way: with a constant of up to `largest_constant`, the whole of `free_if` would be free
    if bound.largest_constant >= np.linalg.norm(chosen.ravel(), DUAL[constant_norm]):
        assert bound.free_if <= truth + 1e-6
    if bound.example is not None:
        changed = (bound.example != centre).any(axis=2)
        changed[rows, columns] = False
        assert not changed.any()
        assert model(bound.example[None])[0, 0] < 0


class Tent:
    """A gap that is the least of several linear pieces: piecewise linear, concave, with a known constant."""

    def __init__(self, slopes, offsets):
        self.slopes, self.offsets = slopes, offsets

    def __call__(self, images):
        gaps = images.reshape(len(images), -1).astype(float) @ self.slopes.T + self.offsets
        return np.concatenate([np.zeros((len(images), 1)), -gaps], axis=1)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["l1", "l2", "linf"]), st.sampled_from([0.15, 0.3]), st.sampled_from([1.0, 3.0])
)
def test_radii_of_piecewise_linear_classifiers_are_truly_free(seed, norm, tau, factor):
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 1, (1, 3, 1)).astype(np.float32)
    slopes = rng.normal(size=(3, 3))
    gaps = rng.uniform(0.2, 1.5, 3)
    offsets = gaps - slopes @ centre.ravel().astype(float)
    constant = factor * max(np.linalg.norm(slope, DUAL[norm]) for slope in slopes)
    bound = grid_bound(Tent(slopes, offsets), centre, every_pixel((1, 3)), tau=tau, norm=norm, lipschitz=constant)
    # class 0 is left where any piece falls below 0: the nearest of the pieces' own closed forms
    truth = min(exact_linear(slope, centre, gap, norm) for slope, gap in zip(slopes, gaps, strict=True))
    assert bound.radius <= truth + 1e-6
    assert bound.upper >= truth - 1e-6


def test_targeted_bounds_hold_the_target_only():
    # class 1 is near, class 2 is far: the radius for the target 2 is larger than that for any other class
    def predict(images):
        x = images[:, 0, 0, 0].astype(float)
        return np.stack([np.full(len(x), 0.5), x, x - 0.4], axis=1)

    image = np.full((1, 1, 1), 0.2)
    either = grid_bound(predict, image, [(0, 0)], tau=0.05, lipschitz=1.0)
    second = grid_bound(predict, image, [(0, 0)], tau=0.05, lipschitz=2.0, target=2)
    assert either.radius == pytest.approx(0.3, abs=1e-6)
    assert second.radius == np.inf  # at x = 1 the target's score is 0.6, that of class 1 is 1
    assert "becomes class 2" in second.statement()


def test_a_wide_grid_shows_that_nothing_flips():
    model = Linear([[0.5, 0.5]], np.full((1, 2, 1), 0.5), 0.8)
    bound = grid_bound(model, np.full((1, 2, 1), 0.5), every_pixel((1, 2)), tau=0.1, lipschitz=1.0)
    assert bound.radius == np.inf
    assert "differs from this one only in the 2 chosen pixels leaves" in bound.statement()
    assert bound.statement().startswith("Guaranteed: no image")


# --- the grid ---


def test_the_grid_is_that_of_the_paper():
    seen = []

    def predict(images):
        seen.append(images[:, 0, 0, 0])
        return np.stack([np.ones(len(images)), np.zeros(len(images))], axis=1)

    grid_bound(predict, np.full((1, 1, 1), 0.5), [(0, 0)], tau=0.2, lipschitz=1.0)
    # 0.5 + k 0.2; the ends 0 and 1 lie exactly half a step from the last values
    assert sorted(np.unique(np.round(np.concatenate(seen), 6)).tolist()) == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])


def test_the_size_of_the_grid_is_counted_before_a_query_is_spent():
    model = Linear(np.ones((2, 3)), np.full((2, 3, 1), 0.5), 1.0)
    with pytest.raises(UsageError, match=r"holds 1\.48e\+08 images.*fewer pixels, a larger tau"):
        grid_bound(model, np.full((2, 3, 1), 0.5), every_pixel((2, 3)), tau=1 / 22, lipschitz=1.0)
    assert model.asked == 0


def test_l0_grids_hold_each_choice_of_pixels_once():
    seen = []

    def predict(images):
        seen.append(images.reshape(len(images), -1))
        return np.stack([np.ones(len(images)), np.zeros(len(images))], axis=1)

    image = np.array([0.0, 1.0, 0.0, 0.5]).reshape(1, 4, 1)
    bound = grid_bound(predict, image, every_pixel((1, 4)), tau=0.5, norm="l0", lipschitz=1e-9, radius=2)
    rows = np.concatenate(seen)[1:]  # the original is asked about first, for its label
    states = [(0, 0.5, 1)] * 4
    expected = {r for r in itertools.product(*states) if sum(a != b for a, b in zip(r, image.ravel(), strict=True)) <= 2}
    assert {tuple(row) for row in rows.tolist()} == expected
    assert len(rows) == len(expected) == bound.evaluations - 1
    assert bound.radius == 3  # no image with fewer than 3 changed pixels flips
    assert "in at most 2 of the 4 chosen pixels" in bound.statement()


def test_partial_grids_say_how_far_they_went():
    image = np.full((2, 3, 1), 0.5)
    model = Linear(np.ones((2, 3)), image, 2.9)
    for norm, radius in (("linf", None), ("l0", None), ("l2", 0.9)):
        bound = grid_bound(
            model, image, every_pixel((2, 3)), tau=0.1, norm=norm, lipschitz=6.0, radius=radius, partial=True, max_images=2000
        )
        assert not bound.exhaustive
        assert bound.evaluations <= 2001
        assert bound.searched < np.inf
        assert "too large to be evaluated any further" in bound.statement()
        assert bound.radius <= exact_linear(np.ones(6), image, 2.9, norm) + 1e-6


def test_batches_are_never_larger_than_asked_for():
    sizes = []

    def predict(images):
        sizes.append(len(images))
        return np.stack([np.ones(len(images)), np.zeros(len(images))], axis=1)

    grid_bound(predict, np.full((2, 2, 1), 0.5), every_pixel((2, 2)), tau=0.25, lipschitz=0.1, batch_size=100)
    assert max(sizes) == 100
    assert sum(size < 100 for size in sizes) <= 2  # the original, and the last


def test_masks_and_pairs_choose_the_same_pixels():
    image = np.full((2, 2, 1), 0.5)
    mask = np.array([[False, True], [True, False]])
    by_mask = grid_bound(Linear(np.ones((2, 2)), image, 0.7), image, mask, tau=0.25, lipschitz=2.0)
    by_pair = grid_bound(Linear(np.ones((2, 2)), image, 0.7), image, [(1, 0), (0, 1)], tau=0.25, lipschitz=2.0)
    assert by_mask.pixels == by_pair.pixels == ((0, 1), (1, 0))
    assert by_mask.radius == by_pair.radius


# --- what is said ---


def bounds_of_all_kinds(estimated):
    image = np.full((1, 2, 1), 0.5)
    flipped = np.array([0.0, 0.5]).reshape(1, 2, 1)
    for norm, value, start, target, adversarial, pixels in itertools.product(
        ["l0", "l1", "l2", "linf"],
        [0.0, 0.5, 3.0, 40.0],
        [-0.1, 0.2, 0.45, 5.0],
        [None, 1],
        [None, flipped],
        [[(0, 0)], [(0, 0), (0, 1)]],
    ):
        model = Linear([[1.0, 0.5]], image, start)
        if adversarial is not None and model(flipped[None].astype(np.float32))[0, 0] >= 0:
            continue
        constant = LipschitzConstant(value, estimated=estimated)
        yield grid_bound(
            model,
            image,
            pixels,
            tau=0.25,
            norm=norm,
            lipschitz=constant,
            label=0,
            target=target,
            adversarial=adversarial,
            partial=True,
        )


def test_an_estimated_constant_never_yields_the_word_guaranteed():
    count = 0
    for bound in bounds_of_all_kinds(estimated=True):
        words = " ".join([bound.statement(), bound.statement(["cat", "dog"]), bound.condition, str(bound.to_json())]).lower()
        assert "guarant" not in words
        assert not bound.certain
        count += 1
    assert count > 100


def test_a_given_constant_yields_it_only_with_its_condition():
    spoken = 0
    for bound in bounds_of_all_kinds(estimated=False):
        if "Guaranteed" in bound.statement():
            assert bound.certain
            assert f"holds if the constant is at most {bound.constant.value:.4g}" in bound.statement()
            spoken += 1
    assert spoken > 20


def test_an_estimate_in_use_says_so():
    image = np.full((2, 2, 1), 0.5)
    model = Linear([[1.0, -2.0], [0.0, 0.5]], image, 0.6)
    constant = estimate_lipschitz(model, image, every_pixel((2, 2)), samples=4)
    bound = grid_bound(
        model, image, every_pixel((2, 2)), tau=0.25, lipschitz=LipschitzConstant(constant.value * 1.01, estimated=True)
    )
    assert bound.radius > 0
    assert "Estimated, not certain" in bound.statement()
    assert "estimated from samples" in bound.condition


def test_without_a_constant_the_result_names_the_one_it_needs():
    image = np.full((1, 2, 1), 0.5)
    model = Linear([[1.0, 1.0]], image, 0.45)
    bound = grid_bound(model, image, every_pixel((1, 2)), tau=0.1)
    assert bound.radius == 0
    # the truth: the constant is 2, the radius 0.225; half of it is what the best product of the two comes to
    assert 0.05 <= bound.free_if <= 0.225
    assert bound.largest_constant >= 2
    printed = math.floor(bound.largest_constant * 1000) / 1000
    assert f"holds if the constant is at most {printed:.4g}" in bound.statement()
    assert bound.statement().startswith("On the grid, no image")
    assert "guarant" not in bound.statement().lower()
    # used as the constant, it gives at least that radius
    again = grid_bound(model, image, every_pixel((1, 2)), tau=0.1, lipschitz=bound.largest_constant * 0.999)
    assert again.radius >= bound.free_if


def test_in_l0_a_radius_of_one_pixel_is_no_radius():
    image = np.full((1, 2, 1), 0.5)
    nearest = grid_bound(Linear([[1.0, 1.0]], image, 0.45), image, every_pixel((1, 2)), tau=0.1, norm="l0")
    assert nearest.free_if == 0  # one pixel flips it
    assert "No radius" in nearest.statement()
    assert "whatever the constant" in nearest.condition
    two = grid_bound(Linear([[1.0, 1.0]], image, 0.8), image, every_pixel((1, 2)), tau=0.1, norm="l0")
    assert two.free_if == 2
    assert "in at most 1 of the 2 chosen pixels leaves class 0." in two.statement()


def test_a_constant_that_the_grid_refutes_proves_nothing():
    image = np.full((1, 2, 1), 0.5)
    model = Linear([[1.0, 1.0]], image, 0.45)
    bound = grid_bound(model, image, every_pixel((1, 2)), tau=0.1, lipschitz=0.5)
    assert bound.refuted == pytest.approx(2.0, rel=1e-3)
    assert bound.radius == 0
    assert bound.statement().startswith("Nothing follows")
    assert "at least 2" in bound.condition


def test_rounding_of_large_scores_refutes_nothing():
    rng = np.random.default_rng(0)
    weights, image = rng.normal(size=4).astype(np.float32), rng.random((2, 2, 1)).astype(np.float32)

    def predict(images):
        score = images.reshape(len(images), -1) @ weights + np.float32(3000)
        return np.stack([score, np.full(len(images), np.float32(2999))], axis=1)

    constant = float(np.abs(weights.astype(float)).sum())
    assert grid_bound(predict, image, every_pixel((2, 2)), tau=0.25, lipschitz=constant).refuted is None


def test_lower_and_upper_bounds_stand_together():
    image = np.full((1, 2, 1), 0.5)
    model = Linear([[1.0, 0.2]], image, 0.3)
    found = image.copy()
    found[0, 0] = 0.19
    bound = grid_bound(model, image, every_pixel((1, 2)), tau=0.125, lipschitz=1.2, adversarial=found)
    assert bound.upper == pytest.approx(0.31, abs=1e-6)
    assert bound.radius == pytest.approx(0.25, abs=1e-6)
    assert "by less than 0.2" in bound.statement()
    assert "lies at 0.31 in L-infinity" in bound.statement()
    np.testing.assert_allclose(bound.example, found, atol=1e-6)


def test_an_example_beyond_the_chosen_pixels_is_kept_apart():
    image = np.full((1, 2, 1), 0.5)
    found = np.array([0.5, 0.0]).reshape(1, 2, 1)
    bound = grid_bound(Linear([[0.1, 1.0]], image, 0.3), image, [(0, 0)], tau=0.25, lipschitz=0.1, adversarial=found)
    assert bound.beyond == pytest.approx(0.5)
    assert bound.upper == np.inf
    assert "changes other pixels as well" in bound.statement()


def test_an_example_that_is_none_is_refused():
    image = np.full((1, 2, 1), 0.5)
    with pytest.raises(UsageError, match="does not flip"):
        grid_bound(Linear([[0.1, 1.0]], image, 0.3), image, [(0, 0)], tau=0.25, lipschitz=1.0, adversarial=image)


def test_what_is_misclassified_has_no_radius():
    image = np.full((1, 1, 1), 0.5)
    bound = grid_bound(Linear([[1.0]], image, -0.3), image, [(0, 0)], tau=0.25, lipschitz=1.0, label=0)
    assert bound.radius == 0
    assert bound.evaluations == 1
    assert bound.statement(["cat", "dog"]) == "The image is not classified as 'cat' in the first place; no radius is free."


def test_printed_radii_are_rounded_down():
    image = np.full((1, 1, 1), 0.5)
    bound = grid_bound(Linear([[1.0]], image, 0.199999), image, [(0, 0)], tau=1.0, lipschitz=1.0)
    assert "by less than 0.1999 in" in bound.statement()


# --- estimates ---


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_the_estimate_is_exact_where_the_slope_is_the_same_everywhere(norm):
    rng = np.random.default_rng(3)
    image, weights = rng.random((3, 3, 1)), rng.normal(size=(3, 3))
    pixels = [(0, 0), (1, 2), (2, 1)]
    estimate = estimate_lipschitz(Linear(weights, image, 0.5), image, pixels, norm=norm, samples=5)
    truth = np.linalg.norm([weights[p] for p in pixels], DUAL[norm])
    assert estimate.value == pytest.approx(truth, rel=1e-4)
    assert estimate.estimated
    assert estimate.norm == norm


def test_the_estimate_sees_slopes_away_from_the_image_and_has_a_seed():
    def predict(images):
        x = images[:, 0, 0, 0].astype(float)
        return np.stack([np.ones(len(x)), np.maximum(0, x - 0.5) * 8], axis=1)

    image = np.full((1, 1, 1), 0.1)
    assert estimate_lipschitz(predict, image, [(0, 0)], samples=1).value == 0
    assert estimate_lipschitz(predict, image, [(0, 0)], samples=40).value == pytest.approx(8, rel=1e-3)
    assert estimate_lipschitz(predict, image, [(0, 0)], samples=40, radius=0.2).value == 0
    curved = lambda images: np.stack([images[:, 0, 0, 0] ** 2, 0 * images[:, 0, 0, 0]], axis=1)  # noqa: E731
    values = [estimate_lipschitz(curved, image, [(0, 0)], samples=9, seed=seed).value for seed in (1, 1, 2)]
    assert values[0] == values[1] != values[2]


# --- bad input ---


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tau": 0}, "tau"),
        ({"tau": 1.5}, "tau"),
        ({"norm": "l3"}, "l3"),
        ({"radius": 0}, "radius"),
        ({"norm": "l0", "radius": 1.5}, "whole number"),
        ({"batch_size": 0}, "batch_size"),
        ({"max_images": 0}, "max_images"),
        ({"label": 5}, "label 5 is no class"),
        ({"target": 0}, "label itself"),
        ({"pixels": []}, "at least one pixel"),
        ({"pixels": [(0, 2)]}, r"\(0, 2\) lies outside"),
        ({"pixels": np.zeros((1, 2), bool)}, "at least one pixel"),
        ({"pixels": np.ones((2, 2), bool)}, "mask"),
        ({"pixels": [(0.5, 1)]}, "whole numbers"),
        ({"image": np.full((1, 2, 1), 3.0)}, "lie in"),
        ({"image": np.zeros((1, 2))}, "shape"),
        ({"adversarial": np.zeros((1, 1, 1))}, "shape"),
    ],
)
def test_bad_input_is_named(options, said):
    image = np.full((1, 2, 1), 0.5)
    given = {"image": image, "pixels": [(0, 0)], "tau": 0.5, "lipschitz": 1.0} | options
    with pytest.raises(UsageError, match=said):
        grid_bound(Linear([[1.0, 1.0]], image, 0.3), given.pop("image"), given.pop("pixels"), **given)


@pytest.mark.parametrize("value", [-1.0, math.inf, math.nan])
def test_constants_are_finite_and_not_negative(value):
    with pytest.raises(UsageError, match="Lipschitz"):
        LipschitzConstant(value)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (lambda n: np.zeros((n + 1, 2)), "one row per image"),
        (lambda n: np.zeros(n), "one row"),
        (lambda n: np.full((n, 2), np.nan), "finite"),
    ],
)
def test_a_classifier_that_misbehaves_is_named(scores, said):
    with pytest.raises(UsageError, match=said):
        grid_bound(lambda images: scores(len(images)), np.zeros((1, 1, 1)), [(0, 0)], tau=0.5)
