"""What is found in a picture of 8 bits survives being saved, unless any numbers are asked for."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.distances.levels import is_picture, levels_for, on_grid, read_levels
from saywhy import signs
from saywhy_core.errors import UsageError


def saved(image):
    """An image after it was written as PNG and read again."""
    stored = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(image * 255))).save(stored, "PNG")
    return np.asarray(Image.open(stored)).astype(np.float32) / np.float32(255)


@pytest.fixture(scope="module")
def picture():
    images, labels = signs.samples()
    image = np.rint(images[0] * 255).astype(np.uint8)
    return (image / np.float32(255)).astype(np.float32), int(labels[0])


@pytest.mark.parametrize("distance", ["l0", "l1", "l2", "linf"])
def test_every_finding_in_a_picture_survives_being_saved(picture, distance):
    image, label = picture
    predict = signs.load().predict
    (found,) = FeatureGuidedAttack(distance=distance, budget=150).run(CallableClassifier(predict), image[None], [label])
    assert found.success
    assert "8 bits" not in found.note
    np.testing.assert_array_equal(saved(found.adversarial), found.adversarial)
    assert predict(saved(found.adversarial)[None])[0].argmax() == found.adversarial_label != label


@pytest.mark.parametrize("distance", ["l1", "l2", "linf"])
@pytest.mark.parametrize("levels", [256, None])
def test_a_longer_search_begins_with_the_shorter_one(picture, distance, levels):
    image, label = picture
    traces = []
    for budget in (60, 100, 180):
        attack = FeatureGuidedAttack(distance=distance, budget=budget, levels=levels, seed=3)
        (found,) = attack.run(CallableClassifier(signs.load().predict), image[None], [label])
        traces.append(found.trace)
    for short, long in pairwise(traces):
        same = long[long[:, 0] <= short[-1, 0]]
        np.testing.assert_array_equal(short[:-1], same[: len(short) - 1])
        assert long[-1, 1] <= short[-1, 1]


def test_other_numbers_are_searched_where_the_original_has_others_and_that_is_said():
    def predict(images):
        mean = images.astype(np.float64).mean(axis=(1, 2, 3))
        return np.stack([np.full_like(mean, 0.6), mean], axis=1)

    other = np.full((1, 6, 6, 3), 0.3337, np.float32)
    (found,) = FeatureGuidedAttack(distance="l2", budget=40).run(CallableClassifier(predict), other, [0])
    assert found.success
    assert "no picture of 8 bits" in found.note
    np.testing.assert_array_equal(found.original, other[0])
    for levels in (None, "any"):
        (found,) = FeatureGuidedAttack(distance="l2", budget=40, levels=levels).run(CallableClassifier(predict), other, [0])
        assert "8 bits" not in found.note
    pictures = CallableClassifier(predict)
    pictures.levels = 16
    (found,) = FeatureGuidedAttack(distance="l2", budget=40).run(pictures, other, [0])
    np.testing.assert_array_equal(found.original, np.full((6, 6, 3), 5 / 15, np.float32))


def test_what_is_a_picture():
    values = np.arange(256, dtype=np.float32).reshape(16, 16, 1)
    for scaled in (values / np.float32(255), values * np.float32(1 / 255), (values.astype(float) / 255).astype(np.float32)):
        assert is_picture(scaled)
        np.testing.assert_array_equal(on_grid(scaled, 256), values / np.float32(255))
    assert not is_picture(values / np.float32(256))
    assert levels_for("auto", None, values / np.float32(255)) == 256
    assert levels_for("auto", None, values / np.float32(256)) is None
    assert levels_for("auto", 16, values / np.float32(256)) == 16
    assert levels_for(None, 16, values / np.float32(255)) is None
    assert levels_for(8, None, values / np.float32(256)) == 8


def test_levels_on_the_command_line():
    assert [read_levels(text) for text in ("256", "auto", "any")] == [256, "auto", "any"]
    with pytest.raises(UsageError, match=r"levels must be a whole number from 2 to 65,536, 'auto', or 'any'.*not 'all'"):
        FeatureGuidedAttack(levels=read_levels("all"))
