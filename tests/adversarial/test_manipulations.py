"""Manipulations of the user's own: by object and by name, with values that differ from pixel to pixel."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks.feature_guided.effects import Effects
from adversarial.attacks.moves import make_move_table
from adversarial.manipulations import MANIPULATIONS, load_manipulation
from saywhy_core.errors import UsageError


class Shade:
    """Halfway to black, or halfway to white: every pixel has values of its own."""

    spec = "shade"
    once = True

    def moves(self, original, current):
        values = np.stack([original / 2, (1 + original) / 2], axis=-2)
        untouched = (original == current).all(axis=-1)
        return values, untouched[..., None] & (values != original[..., None, :]).any(axis=-1)


@pytest.mark.parametrize("name", list(MANIPULATIONS))
def test_every_manipulation_by_name(name):
    example = {"colour": "colour:1"}.get(name, name)
    manipulation = load_manipulation(example)
    assert load_manipulation(manipulation.spec).spec == manipulation.spec
    values, legal = manipulation.moves(np.full((5, 1), 0.5, np.float32), np.full((5, 1), 0.5, np.float32))
    assert legal.any()
    assert values.shape == (*legal.shape, 1)
    assert ((values >= 0) & (values <= 1)).all()


def test_the_moves_of_every_pixel_are_its_own():
    image = np.random.default_rng(0).random((3, 4, 3), dtype=np.float32)
    image[0, 0] = 0  # halfway to black is no move here
    table = make_move_table(image, Shade())
    assert table.count == 2
    np.testing.assert_allclose(table.values.reshape(3, 4, 2, 3)[..., 0, :], image / 2)
    np.testing.assert_allclose(table.values.reshape(3, 4, 2, 3)[..., 1, :], (1 + image) / 2)
    assert table.codes.shape == (12, 2, 3)
    assert table.size.reshape(12, 2)[0, 0] == 0
    made = table.render([(2 * 5 + 1,), (2 * 7,)])
    np.testing.assert_allclose(made[0, 1, 1], (1 + image[1, 1]) / 2)
    np.testing.assert_allclose(made[1, 1, 3], image[1, 3] / 2)


def test_likeness_is_that_of_the_pixels_own_colours():
    """Pixel 0 takes black or white; pixel 1, in the reverse order, white or black. What one teaches goes to the same colour."""
    codes = np.array([[[0.0], [1.0]], [[1.0], [0.0]]], dtype=np.float32)
    effects = Effects((1, 2), codes, 1)
    effects.observe(np.array([0]), np.array([[1.0]]))
    effects.refresh(np.array([-5.0]))
    believed = effects.mean[:, 0]
    assert believed[3] > 10 * believed[2] > 0  # change 3 is black at pixel 1
    shared = Effects((1, 2), codes[0], 1)
    shared.observe(np.array([0]), np.array([[1.0]]))
    shared.refresh(np.array([-5.0]))
    # the same by the shared palette, where pixel 1 has its values in the order of pixel 0
    np.testing.assert_allclose(believed[[0, 1, 3, 2]], shared.mean[:, 0], rtol=1e-5)


def test_a_search_with_ones_own_manipulation_finds_the_smallest_change():
    """Only pixel (4, 2) decides, and only where it is brightened halfway: known by hand."""

    def predict(batch):
        return np.stack([np.full(len(batch), 0.65), batch[:, 4, 2, 0]], axis=1)

    image = np.random.default_rng(3).random((1, 6, 6, 1), dtype=np.float32)
    image[0, 4, 2], image[0, 0, 0] = 0.4, 0.0
    (result,) = FeatureGuidedAttack(manipulation=Shade(), budget=150).run(CallableClassifier(predict), image, [0])
    assert result.distance == 1
    assert np.argwhere((result.adversarial != image[0]).any(axis=-1)).tolist() == [[4, 2]]
    assert result.adversarial[4, 2, 0] == pytest.approx(0.7)


def test_a_manipulation_of_ones_own_is_taken_by_name(monkeypatch):
    monkeypatch.setattr(MANIPULATIONS, "_loaded", dict(MANIPULATIONS._loaded))
    MANIPULATIONS.register("shade", lambda rest: Shade())
    assert isinstance(load_manipulation("shade"), Shade)
    image = np.random.default_rng(3).random((1, 6, 6, 1), dtype=np.float32)
    predict = lambda batch: np.stack([np.full(len(batch), 20.0), batch.sum(axis=(1, 2, 3))], axis=1)  # noqa: E731
    label = int(predict(image)[0].argmax())
    (result,) = FeatureGuidedAttack(manipulation="shade", budget=150).run(CallableClassifier(predict), image, [label])
    changed = (result.adversarial != image[0]).any(axis=-1)
    allowed = Shade().moves(image[0], image[0])[0]
    assert changed.any()
    assert np.isclose(allowed, result.adversarial[:, :, None], atol=1e-6).any(axis=2)[changed].all()


def test_what_can_not_be_read_is_named():
    for spec, words in (("blur", "no manipulation 'blur'; use one of corners"), ("plus_minus_tau:x", "plus_minus_tau:0.1")):
        with pytest.raises(UsageError, match=words):
            load_manipulation(spec)
