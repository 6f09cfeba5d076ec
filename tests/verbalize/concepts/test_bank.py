"""Concept banks: dictionary learning on activations."""

import re

import numpy as np
import pytest
from scipy.optimize import nnls

from saywhy_core.errors import UsageError
from verbalize.concepts import fit_bank


def planted(samples=60, width=12, concepts=3, seed=0):
    """Activations that are non-negative mixtures of concepts on channels of their own."""
    random = np.random.default_rng(seed)
    directions = np.zeros((concepts, width))
    for index in range(concepts):
        directions[index, index * 4 : index * 4 + 4] = random.uniform(0.5, 1.0, 4)
    amounts = random.gamma(0.5, 1.0, (samples, concepts))
    return amounts @ directions, directions, amounts


def test_nmf_finds_planted_directions():
    activations, directions, amounts = planted()
    bank = fit_bank(activations, 3)
    assert bank.error(activations) < 1e-3
    assert np.allclose(np.linalg.norm(bank.directions, axis=1), 1.0)
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    alike = bank.directions @ units.T
    assert sorted(alike.argmax(axis=1).tolist()) == [0, 1, 2]
    assert alike.max(axis=1) == pytest.approx(1.0, abs=1e-2)
    found = bank.encode(activations)[:, np.argsort(alike.argmax(axis=1))]
    assert np.allclose(found, amounts * np.linalg.norm(directions, axis=1), atol=0.05 * amounts.max())


def test_coefficients_are_the_non_negative_least_squares_solution():
    random = np.random.default_rng(1)
    bank = fit_bank(random.random((40, 8)), 5)
    others = random.random((20, 8))
    expected = np.array([nnls(bank.directions.T, row)[0] for row in others])
    assert np.allclose(bank.encode(others), expected, atol=1e-4)


def test_kmeans_is_one_hot_and_pca_orthonormal():
    random = np.random.default_rng(2)
    activations = np.concatenate([random.normal(place, 0.05, (10, 6)) for place in (0.0, 3.0, -3.0)])
    hard = fit_bank(activations, 3, extractor="kmeans")
    codes = hard.encode(activations)
    assert (codes.sum(axis=1) == 1).all()
    assert len(set(codes[:10].argmax(axis=1))) == 1
    soft = fit_bank(activations, 2, extractor="pca")
    assert np.allclose(soft.directions @ soft.directions.T, np.eye(2), atol=1e-8)
    centred = activations - activations.mean(axis=0)
    best = np.linalg.svd(centred)[1]
    missed = np.linalg.norm(activations - soft.decode(soft.encode(activations)))
    assert missed == pytest.approx(np.sqrt((best[2:] ** 2).sum()), rel=1e-6)


def test_encoding_nothing_and_zeros():
    activations, _, _ = planted()
    bank = fit_bank(activations, 3)
    assert bank.encode(np.zeros((0, 12))).shape == (0, 3)
    assert not bank.encode(np.zeros((2, 12))).any()
    assert bank.error(np.zeros((2, 12))) == 0.0


@pytest.mark.parametrize(
    ("activations", "count", "options", "message"),
    [
        (-np.ones((4, 4)), 2, {}, "after a ReLU"),
        (np.full((4, 4), np.nan), 2, {}, "not finite"),
        (np.ones((4, 4)), 5, {}, "between 1 and 4"),
        (np.ones((4, 4)), 0, {}, "between 1 and 4"),
        (np.ones(4), 1, {}, "(number, width)"),
        (np.ones((4, 4)), 2, {"extractor": "x"}, "extractor"),
        (np.ones((4, 4)), 2, {"extractor": "kmeans"}, "fewer than 2 different"),
    ],
)
def test_wrong_input_is_told(activations, count, options, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        fit_bank(activations, count, **options)
