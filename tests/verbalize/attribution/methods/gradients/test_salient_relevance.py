"""Context-aware saliency against plain loops over patches, and Salient Relevance as its map of the relevance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize import attribute
from verbalize.attribution.methods.gradients.context_aware import context_aware_saliency
from verbalize.saliency import Query

NAMES = ("a", "b", "c")


def _small(picture, scale):
    size = [max(1, round(length * scale)) for length in picture.shape[1:]]
    reduced = functional.interpolate(torch.from_numpy(picture)[None], size=size, mode="bilinear", antialias=True)
    return reduced[0].numpy()


def _all_patches(picture, scale, side):
    """The place and the values of each patch, by loops: every other half of a patch, with edges repeated."""
    small = _small(picture, scale)
    channels, height, width = small.shape
    half, step = side // 2, max(1, side // 2)
    padded = np.pad(small, [(0, 0), (half, side), (half, side)], mode="edge")
    found = []
    for row in range(0, height, step):
        for column in range(0, width, step):
            place = np.array([row * picture.shape[1] / height, column * picture.shape[2] / width]) / max(picture.shape[1:])
            values = padded[:, row : row + side, column : column + side]
            found.append((place, values.ravel() / np.sqrt(channels * side * side)))
    return found, (len(range(0, height, step)), len(range(0, width, step)))


def _by_loops(picture, side, neighbours, scales):
    maps = []
    for scale in scales:
        here, size = _all_patches(picture, scale, side)
        others = [one for part in (1, 0.5, 0.25) for one in _all_patches(picture, scale * part, side)[0]]
        salient = []
        for place, values in here:
            apart = [np.linalg.norm(values - v) / (1 + 3 * np.linalg.norm(place - p)) for p, v in others]
            salient.append(1 - np.exp(-np.mean(sorted(apart)[:neighbours])))
        grid = torch.tensor(salient).reshape(1, 1, *size)
        maps.append(functional.interpolate(grid, size=picture.shape[1:], mode="bilinear")[0, 0].numpy())
    mean = np.mean(maps, axis=0)
    foci = np.argwhere(mean >= 0.8 * mean.max())
    found = np.zeros_like(mean)
    for row in range(mean.shape[0]):
        for column in range(mean.shape[1]):
            nearest = np.sqrt(((foci - [row, column]) ** 2).sum(axis=1)).min() / max(mean.shape)
            found[row, column] = mean[row, column] * max(0, 1 - nearest)
    return found


@pytest.mark.parametrize(("shape", "side", "neighbours"), [((3, 17, 12), 5, 9), ((1, 8, 20), 3, 500), ((2, 6, 5), 7, 4)])
def test_it_is_that_of_the_formulas(shape, side, neighbours):
    picture = np.random.default_rng(0).random(shape) * np.linspace(0, 1, shape[2])
    found = context_aware_saliency(torch.from_numpy(picture), patch=side, neighbours=neighbours, scales=(1.0, 0.5))
    np.testing.assert_allclose(found.numpy(), _by_loops(picture, side, neighbours, (1.0, 0.5)), atol=1e-6)


def test_a_spot_that_is_unlike_the_rest_is_salient_and_a_plain_picture_is_not():
    picture = torch.zeros(1, 40, 50)
    assert not context_aware_saliency(picture).any()
    picture[0, 10:16, 30:36] = 1
    found = context_aware_saliency(picture)
    peak = divmod(int(found.argmax()), 50)
    assert 6 <= peak[0] < 20
    assert 26 <= peak[1] < 40
    assert found[30:, :15].max() < 0.3 * found.max()
    assert found.max() <= 1


def test_large_pictures_are_reduced():
    picture = torch.rand(1, 600, 30, generator=torch.Generator().manual_seed(0))
    found = context_aware_saliency(picture, scales=(0.3,))
    assert found.shape == (600, 30)
    assert torch.isfinite(found).all()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)).eval()


IMAGES = [np.random.default_rng(seed).random((14, 19, 3), dtype=np.float32) for seed in range(3)]


@pytest.mark.parametrize("query", [Query("b"), Query("a", versus=("c",)), Query("ab", members=("a", "b"), versus=("c",))])
def test_it_is_the_saliency_of_the_absolute_relevance(network, query):
    from verbalize.attribution.image_question import ask_all, joined
    from verbalize.attribution.method import explainer_for
    from verbalize.models import as_model

    model = as_model(network, NAMES)
    question = joined(model, ask_all(model, IMAGES, [query] * 3, [None] * 3))
    relevance = np.abs(explainer_for("pixels", "lrp").explain(question).detach().numpy())
    found = attribute(network, IMAGES, query, method="salient_relevance", context_patch=5, neighbours=10, class_names=NAMES)
    for one, picture in zip(found, relevance, strict=True):
        stretched = (picture - picture.min()) / (picture.max() - picture.min())
        expected = context_aware_saliency(torch.from_numpy(stretched), patch=5, neighbours=10)
        np.testing.assert_allclose(one.scores, expected.numpy(), atol=1e-6)
        assert not one.signed
        assert one.scores.min() >= 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neighbours": 0}, "neighbours must be a whole number of 1 or more"),
        ({"context_patch": 2.5}, "context_patch must be a whole number"),
        ({"layer": "0"}, "layer has no effect"),
    ],
)
def test_bad_settings_are_told_in_a_sentence(network, options, message):
    with pytest.raises(UsageError, match=message):
        attribute(network, IMAGES[0], method="salient_relevance", class_names=NAMES, **options)
