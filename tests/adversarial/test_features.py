import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chisquare, norm

from adversarial.features import KeypointMixture, keypoint_mixture
from saywhy_core.errors import UsageError
from verbalize.saliency import PixelSaliency, Query


def blob_image(shape=(32, 40), centre=(10.0, 25.0), sigma=2.5, channels=3):
    y, x = np.mgrid[: shape[0], : shape[1]]
    blob = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * sigma**2))
    return np.repeat((0.1 + 0.8 * blob)[:, :, None], channels, axis=2).astype(np.float32)


def textured_image(seed=0, shape=(32, 32), channels=3):
    return np.random.default_rng(seed).random((*shape, channels)).astype(np.float32)


def hold_invariants(mixture, shape):
    count = len(mixture.weights)
    assert mixture.shape == shape
    assert mixture.density.shape == shape
    assert mixture.density.dtype == np.float64
    assert (mixture.density >= 0).all()
    assert mixture.density.sum() == pytest.approx(1)
    assert mixture.weights.shape == mixture.sigmas.shape == (count,)
    assert mixture.means.shape == (count, 2)
    assert (mixture.weights > 0).all()
    assert mixture.weights.sum() == pytest.approx(1)
    assert (mixture.sigmas > 0).all()
    assert mixture.responsibilities.shape == (count, *shape)
    np.testing.assert_allclose(mixture.responsibilities.sum(axis=0), 1, atol=1e-9)
    # the shares of the density add up to the weights: features and pixels describe one distribution
    np.testing.assert_allclose((mixture.density * mixture.responsibilities).sum(axis=(1, 2)), mixture.weights, atol=1e-9)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_blob_is_found_where_it_is(channels):
    mixture = keypoint_mixture(blob_image(channels=channels), min_keypoints=1)
    assert mixture.source == "sift"
    hold_invariants(mixture, (32, 40))
    strongest = int(mixture.weights.argmax())
    np.testing.assert_allclose(mixture.means[strongest], (10, 25), atol=0.3)
    # a scale-space blob detector answers a Gaussian blob at about the blob's own width
    assert mixture.sigmas[strongest] == pytest.approx(2.5, rel=0.35)
    peak = np.unravel_index(mixture.density.argmax(), mixture.shape)
    np.testing.assert_allclose(peak, (10, 25), atol=1)


def test_density_is_the_mixture_of_gaussians_written_out_by_hand():
    mixture = keypoint_mixture(textured_image(shape=(24, 30)))
    y, x = np.mgrid[:24, :30]
    expected = np.zeros((24, 30))
    for weight, (my, mx), sigma in zip(mixture.weights, mixture.means, mixture.sigmas, strict=True):
        bump = norm.pdf(y, my, sigma) * norm.pdf(x, mx, sigma)
        expected += weight * bump / bump.sum()
    np.testing.assert_allclose(mixture.density, expected, atol=1e-12)


def test_keypoints_at_one_place_are_one_and_the_strongest_are_kept():
    image = textured_image(3, (64, 64))
    every, few = keypoint_mixture(image, max_keypoints=10_000), keypoint_mixture(image, max_keypoints=8)
    assert len(few) == 8 < len(every)
    rows = np.column_stack([every.means, every.sigmas])
    assert len(np.unique(rows, axis=0)) == len(rows)
    np.testing.assert_array_equal(few.means, every.means[np.argsort(-every.weights, kind="stable")[:8]])


def test_small_images_are_enlarged_so_that_digits_have_keypoints():
    digit = np.zeros((28, 28, 1), np.float32)
    digit[6:22, 13:16] = 1
    assert keypoint_mixture(digit, min_keypoints=1).source == "sift"


def test_dim_copies_of_an_image_still_have_keypoints():
    image = blob_image()
    dim = (image * 0.2).astype(np.float32)
    assert keypoint_mixture(dim, min_keypoints=1).source == "sift"


def test_fallbacks_are_stated():
    ramp = np.tile(np.linspace(0, 1, 32, dtype=np.float32)[:, None, None], (1, 32, 1))
    edge = np.zeros((16, 16, 1), np.float32)
    edge[:, 8:] = 0.03
    flat = np.full((12, 9, 3), 0.4, np.float32)
    assert keypoint_mixture(ramp).source == "gradient"
    gradient = keypoint_mixture(edge, min_keypoints=50)
    assert gradient.source == "gradient"
    assert gradient.density[:, 6:10].sum() > 0.9
    uniform = keypoint_mixture(flat)
    assert uniform.source == "uniform"
    np.testing.assert_allclose(uniform.density, 1 / 108)
    for mixture, shape in ((gradient, (16, 16)), (uniform, (12, 9))):
        hold_invariants(mixture, shape)
        assert mixture.source.split()[0] in mixture.saliency().method


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 20).flatmap(
        lambda h: st.integers(1, 20).flatmap(
            lambda w: st.sampled_from([1, 2, 3]).flatmap(
                lambda c: arrays(np.float32, (h, w, c), elements=st.floats(0, 1, width=32))
            )
        )
    )
)
def test_every_image_has_a_distribution(image):
    mixture = keypoint_mixture(image)
    hold_invariants(mixture, image.shape[:2])
    again = keypoint_mixture(image)
    np.testing.assert_array_equal(mixture.density, again.density)
    np.testing.assert_array_equal(mixture.means, again.means)


def test_two_dimensional_images_are_grey():
    image = textured_image(channels=1)
    np.testing.assert_array_equal(keypoint_mixture(image[:, :, 0]).density, keypoint_mixture(image).density)


def test_sampling_follows_the_density_and_the_seed():
    mixture = keypoint_mixture(textured_image(shape=(6, 7)), min_keypoints=1, seed=5)
    draws = mixture.sample(60_000)
    assert draws.shape == (60_000, 2)
    counts = np.bincount(draws[:, 0] * 7 + draws[:, 1], minlength=42)
    expected = mixture.density.ravel() * 60_000
    likely = expected > 5
    assert chisquare(counts[likely], expected[likely] * counts[likely].sum() / expected[likely].sum()).pvalue > 1e-3
    np.testing.assert_array_equal(draws, mixture.sample(60_000))
    np.testing.assert_array_equal(mixture.sample(9, 5), mixture.sample(9))
    assert (mixture.sample(50, 1) != mixture.sample(50, 2)).any()
    generator = np.random.default_rng(0)
    assert (mixture.sample(50, generator) != mixture.sample(50, generator)).any()
    assert mixture.sample(0).shape == (0, 2)


def test_pixels_of_density_zero_are_never_drawn():
    scores = np.zeros((5, 5))
    scores[0, 3], scores[4, 4] = 1, 3
    drawn = KeypointMixture.from_map(scores).sample(500, 0)
    assert {tuple(row) for row in drawn.tolist()} == {(0, 3), (4, 4)}


def test_a_map_takes_the_place_of_sift():
    scores = np.random.default_rng(1).random((20, 24)) ** 4
    mixture = KeypointMixture.from_map(scores)
    assert mixture.source == "map"
    np.testing.assert_allclose(mixture.density, scores / scores.sum())
    hold_invariants(mixture, (20, 24))
    assert len(mixture) <= 16


def test_two_bumps_of_a_map_become_features_of_their_own():
    y, x = np.mgrid[:40, :40]
    scores = np.exp(-((y - 8) ** 2 + (x - 8) ** 2) / 8) + 3 * np.exp(-((y - 30) ** 2 + (x - 28) ** 2) / 8)
    mixture = KeypointMixture.from_map(scores)
    near = np.linalg.norm(mixture.means - (8, 8), axis=1) < 6
    assert mixture.weights[near].sum() == pytest.approx(0.25, abs=0.02)
    assert mixture.weights[np.linalg.norm(mixture.means - (30, 28), axis=1) < 6].sum() == pytest.approx(0.75, abs=0.02)


def test_a_coarse_map_is_resized_and_negative_scores_count_as_nothing():
    coarse = np.array([[-5.0, 0.0], [0.0, 2.0]])
    mixture = KeypointMixture.from_map(coarse, shape=(16, 16))
    assert mixture.shape == (16, 16)
    # along each axis: a ramp over the middle 8 pixels, then 4 full ones, half of the whole
    assert mixture.density[12:, 12:].sum() == pytest.approx(0.25)
    assert mixture.density[:4, :4].sum() == 0
    saliency = PixelSaliency(coarse, Query("stop"))
    np.testing.assert_array_equal(KeypointMixture.from_map(saliency, shape=(16, 16)).density, mixture.density)


def test_large_maps_are_fitted_on_a_small_copy():
    y, x = np.mgrid[:300, :200]
    scores = np.exp(-((y - 210) ** 2 + (x - 50) ** 2) / (2 * 20**2))
    mixture = KeypointMixture.from_map(scores)
    hold_invariants(mixture, (300, 200))
    np.testing.assert_allclose(mixture.weights @ mixture.means, (210, 50), atol=2)


def test_the_density_is_a_map_for_everything_that_words_maps():
    mixture = keypoint_mixture(textured_image())
    saliency = mixture.saliency("stop", textured_image())
    assert isinstance(saliency, PixelSaliency)
    assert not saliency.signed
    assert saliency.query.label == "stop"
    assert saliency.image.shape == (32, 32, 3)
    np.testing.assert_array_equal(saliency.scores, mixture.density)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 4, 3), np.uint8), "floats in"),
        (np.full((4, 4, 3), 2.0), "lie in"),
        (np.full((4, 4, 3), np.nan), "finite"),
        (np.zeros(4), "shape"),
        (np.zeros((0, 4, 3)), "shape"),
    ],
)
def test_what_is_no_image_is_named(image, said):
    with pytest.raises(UsageError, match=said):
        keypoint_mixture(image)


@pytest.mark.parametrize(
    ("scores", "said"),
    [(np.zeros((3, 3)), "nowhere above 0"), (np.full((3, 3), np.inf), "finite"), (np.zeros(3), "shape")],
)
def test_what_is_no_map_is_named(scores, said):
    with pytest.raises(UsageError, match=said):
        KeypointMixture.from_map(scores)


def test_wrong_counts_are_named():
    with pytest.raises(UsageError, match="min"):
        keypoint_mixture(textured_image(), min_keypoints=0)
    with pytest.raises(UsageError, match="draw"):
        keypoint_mixture(textured_image()).sample(-1)


def test_the_arrays_cannot_be_written_to():
    mixture = keypoint_mixture(textured_image())
    with pytest.raises(ValueError, match="read-only"):
        mixture.density[0, 0] = 1


@pytest.mark.parametrize("shape", [(1, 65_500), (131_072, 2), (40, 6_000)])
def test_long_thin_images_are_not_enlarged_without_end(shape, monkeypatch):
    resized = cv2.resize
    areas = []

    def seen(values, size, **how):
        areas.append(size[0] * size[1])
        return resized(values, size, **how)

    monkeypatch.setattr("adversarial.features.cv2.resize", seen)
    mixture = keypoint_mixture(np.random.default_rng(0).random(shape))
    assert max(areas) <= 4096 * 128
    assert mixture.shape == shape
    assert mixture.density.sum() == pytest.approx(1)
