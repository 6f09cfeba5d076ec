"""Images of every usual form come to the same attack; what nobody can know is asked for."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from PIL import Image

from adversarial import CallableClassifier, FeatureGuidedAttack, GivenImagesWarning
from adversarial.given import given_classes, given_images
from saywhy_core.errors import UsageError

FREE = (None, None, None)
BYTES = np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)
FLOATS = BYTES.astype(np.float32) / np.float32(255)
GREY = FLOATS[..., 0]


def tensor(values):
    import torch

    return torch.tensor(values)


FORMS = {
    "float64": (FLOATS.astype(float), ""),
    "bytes": (BYTES, "are uint8, so that their values were divided by 255"),
    "16 bits": (BYTES.astype(np.uint16) * 257, "are uint16, so that their values were divided by 65,535"),
    "64-bit whole numbers": (BYTES.astype(int), "are int64, so that their values were divided by 255"),
    "lists": (FLOATS.tolist(), ""),
    "channels first": (FLOATS.transpose(0, 3, 1, 2), "have their channels first"),
    "a tensor": (lambda: tensor(FLOATS.transpose(0, 3, 1, 2)), "have their channels first"),
    "tensors": (lambda: [tensor(one.transpose(2, 0, 1)) for one in FLOATS], "have their channels first"),
    "bytes with channels first": (BYTES.transpose(0, 3, 1, 2), "are uint8, .*, and have their channels first"),
    "a list": (list(FLOATS), ""),
    "pictures": ([Image.fromarray(one) for one in BYTES], ""),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_the_same_images(form):
    given, words = FORMS[form]
    given = given() if callable(given) else given
    for shape in (FREE, (12, 16, 3), (None, None, 3)):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = given_images(given, shape)
        np.testing.assert_allclose(np.stack(found), FLOATS, atol=1e-7)
        assert all(one.dtype == np.float32 for one in found)
        assert len(told) == bool(words)
        if words:
            assert told[0].category is GivenImagesWarning
            assert re.search(words, str(told[0].message))


@pytest.mark.parametrize(
    ("given", "shape", "count", "wanted", "words"),
    [
        (FLOATS[0], FREE, None, (1, 12, 16, 3), "are one image"),
        (FLOATS[0], FREE, 1, (1, 12, 16, 3), "are one image"),
        (FLOATS[0].transpose(2, 0, 1), (None, None, 3), None, (1, 12, 16, 3), "channels first"),
        (FLOATS[0].transpose(2, 0, 1), (12, 16, 1), None, (3, 12, 16, 1), "are grey"),
        (FLOATS[0].transpose(2, 0, 1), FREE, 3, (3, 12, 16, 1), "are grey"),
        (FLOATS[0].transpose(2, 0, 1), FREE, 1, (1, 12, 16, 3), "channels first"),
        (GREY, FREE, None, (2, 12, 16, 1), "are grey"),
        (GREY, (12, 16, 3), None, (2, 12, 16, 3), "repeated for the three channels"),
        (GREY[0], FREE, None, (1, 12, 16, 1), "one grey image"),
        (GREY[:1], FREE, None, (1, 12, 16, 1), "are grey"),
        (GREY[0] > 0.5, FREE, None, (1, 12, 16, 1), "booleans"),
        (FLOATS[:, :3], FREE, None, (2, 3, 16, 3), ""),
        (FLOATS[:, :3], (16, 3, 3), None, (2, 16, 3, 3), "channels first"),
        (np.zeros((2, 10, 12, 10), np.float32), FREE, None, (2, 10, 12, 10), ""),
        (np.zeros((2, 12, 14, 48), np.float32), (12, 14, 48), None, (2, 12, 14, 48), ""),
    ],
)
def test_axes_are_told_by_their_lengths_the_classifier_and_the_labels(given, shape, count, wanted, words):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = np.stack(given_images(given, shape, count=count))
    assert found.shape == wanted
    assert len(told) == bool(words)
    assert words in "".join(str(one.message) for one in told)


@pytest.mark.parametrize(
    ("given", "shape", "words"),
    [
        (FLOATS[0].transpose(2, 0, 1), FREE, "nobody can know which"),
        (np.zeros((2, 48, 48, 48)), FREE, "no axis that can be the channels"),
        (FLOATS * 255, FREE, "divide by 255"),
        (FLOATS * 4 - 2, FREE, "before a mean was subtracted"),
        (BYTES.astype(int) * 300, FREE, "run from 0"),
        (np.full((1, 4, 4, 3), np.nan), FREE, "NaN"),
        (FLOATS[0, 0, 0], FREE, "must be an array"),
        (np.zeros((0, 4, 4, 3)), FREE, "at least one image"),
        ([], FREE, "at least one image"),
        ([FLOATS[0], "stop.png"], FREE, "not the name of a file"),
        ("stop.png", FREE, "not the name of a file"),
        ([FLOATS[0], FLOATS], FREE, "image 1 of the list"),
        ([["a"]], FREE, "must be finite"),
        (None, FREE, "must be an array"),
    ],
)
def test_what_is_no_image_is_named(given, shape, words):
    with pytest.raises(UsageError, match=words), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given_images(given, shape)


def test_labels_may_be_left_out_for_some():
    assert given_classes(None, 2, "labels") == [None, None]
    assert given_classes([1, None], 2, "labels") == [1, None]
    assert given_classes(np.array([1.0, 2.0]), 2, "labels") == [1, 2]
    assert given_classes(3, 1, "labels") == [3]
    assert given_classes(3, 2, "targets") == [3, 3]
    for wrong in ([1], [1, -1], [0.5, 1], ["stop", "go"], 3):
        with pytest.raises(UsageError, match="labels must be 2 class numbers"):
            given_classes(wrong, 2, "labels")


@pytest.mark.parametrize("wrong", [-1, 2.5, True, np.nan, np.inf, -1.5])
def test_the_wrong_class_number_is_named(wrong):
    for given in (wrong, [wrong], np.array([wrong])):
        with pytest.raises(UsageError, match=f"targets must be a class number of 0 or more, one per image, not {wrong}$"):
            given_classes(given, 1, "targets")
    if wrong is not True:
        with pytest.raises(UsageError, match=f"labels must be 2 class numbers .*; that of image 1 is {wrong}$"):
            given_classes([1, wrong], 2, "labels")


def sums(images):
    left, right = images[:, :, :4].mean(axis=(1, 2, 3)), images[:, :, 4:].mean(axis=(1, 2, 3))
    return np.stack([left, right], axis=1)


def test_images_of_several_sizes_without_labels_are_attacked_in_their_order():
    rng = np.random.default_rng(1)
    images = [rng.random((height, 9, channels), dtype=np.float32) for height, channels in ((8, 3), (12, 3), (8, 3), (10, 1))]
    classifier = CallableClassifier(sums)
    results = FeatureGuidedAttack(budget=40).run(classifier, images)
    assert [result.original.shape for result in results] == [one.shape for one in images]
    assert [result.label for result in results] == [int(sums(one[None])[0].argmax()) for one in images]
    assert classifier.queries <= sum(result.queries for result in results) <= 160
    for image, result in zip(images, results, strict=True):
        (alone,) = FeatureGuidedAttack(budget=40).run(CallableClassifier(sums), image[None], [result.label])
        assert (alone.distance, alone.queries) == (result.distance, result.queries)


def test_channels_first_is_no_image_of_many_channels():
    images = np.random.default_rng(2).random((1, 3, 48, 48), dtype=np.float32)
    with pytest.warns(GivenImagesWarning, match="channels first") as told:
        (result,) = FeatureGuidedAttack(budget=40).run(CallableClassifier(sums), images)
    assert told[0].filename == __file__
    assert result.original.shape == (48, 48, 3)
