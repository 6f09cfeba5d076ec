"""What all methods built here promise: evidence that is known by construction, batches, odd images, and an untouched model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize import attribute
from verbalize.models import BlackBoxImages
from verbalize.saliency import Query

NAMES = ("red", "green", "neither")
OF_LAYERS = ("eigen_cam", "norm_grad", "meta_norm_grad", "cf_cam")
METHODS = (*OF_LAYERS, "salient_relevance", "rise")
OPTIONS = {"rise": {"masks": 300, "cells": 6, "baseline": "black"}}
SQUARE = (slice(4, 12), slice(18, 26))


class Planted(nn.Module):
    """Red squares speak for "red" and green ones for "green" by the weights; brightness is looked at and has no effect."""

    class_names = NAMES

    def __init__(self, inplace=False):
        super().__init__()
        self.colours, self.relu, self.pool = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=inplace), nn.MaxPool2d(2)
        self.head = nn.Linear(8, 3)
        with torch.no_grad():
            self.colours.weight.zero_()
            self.colours.bias.zero_()
            red, green = torch.tensor([1.0, -0.5, -0.5]), torch.tensor([-0.5, 1.0, -0.5])
            for channel, colour in enumerate([red, red, green, green, 0.1 * torch.ones(3)]):
                self.colours.weight[channel] = (colour / 9 * (1 + 0.1 * channel))[:, None, None]
            self.colours.bias[:4] = -0.05
            self.head.weight.zero_()
            self.head.weight[0, :2] = self.head.weight[1, 2:4] = 40.0
            self.head.bias[:] = torch.tensor([0.0, 0.0, 0.5])
        self.eval()

    def forward(self, images):
        return self.head(self.pool(self.relu(self.colours(images))).mean(dim=(2, 3)))


def _image(seed=0, size=(24, 32), *, red=True, green=False):
    rng = np.random.default_rng(seed)
    image = np.repeat(0.4 + 0.05 * rng.random((*size, 1)), 3, axis=2)
    if red:
        image[SQUARE] = (0.9, 0.1, 0.1) + 0.05 * rng.random((8, 8, 3))
    if green:
        image[14:22, 4:12] = (0.1, 0.9, 0.1) + 0.05 * rng.random((8, 8, 3))
    return image.astype(np.float32)


def _inside(scores, square=SQUARE):
    """The share of pairs of a pixel in the square and one outside in which the first has the higher score."""
    mask = np.zeros(scores.shape, bool)
    mask[square] = True
    return (scores[mask][:, None] > scores[~mask]).mean() + 0.5 * (scores[mask][:, None] == scores[~mask]).mean()


@pytest.mark.parametrize("method", METHODS)
def test_the_decisive_square_is_found(method):
    found = [attribute(Planted(), _image(seed), method=method, **OPTIONS.get(method, {})) for seed in (0, 1, 2)]
    assert all(one.query.label == "red" for one in found)
    chance = [_inside(np.random.default_rng(seed).random((24, 32))) for seed in range(20)]
    assert min(_inside(one.scores) for one in found) > max(0.85, *chance)


@pytest.mark.parametrize("method", ["norm_grad", "cf_cam", "salient_relevance", "rise"])
def test_the_query_decides_which_of_two_squares_counts(method):
    image = _image(green=True)
    other = (slice(14, 22), slice(4, 12))
    # before a global mean every place has the same gradient, so that NormGrad of the last layer can't tell classes apart
    layer = {"layer": "colours"} if method == "norm_grad" else {}
    for label, own, rival in (("red", SQUARE, other), ("green", other, SQUARE)):
        options = {**OPTIONS.get(method, {}), **layer, **({"masks": 1500} if method == "rise" else {})}
        pointwise = attribute(Planted(), image, Query(label), method=method, **options).scores
        assert pointwise[own].mean() > pointwise[rival].mean()
    contrast = attribute(Planted(), image, Query("red", versus=("green",)), method=method, **options)
    if method == "rise":  # has signs: the square of the other class speaks against
        assert contrast.scores[SQUARE].mean() > 0 > contrast.scores[other].mean()
    elif method == "norm_grad":  # has none: both squares matter to the difference
        outside = np.ones(contrast.scores.shape, bool)
        outside[SQUARE] = outside[other] = False
        assert min(contrast.scores[SQUARE].mean(), contrast.scores[other].mean()) > 5 * contrast.scores[outside].mean()


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_gives_what_single_images_give(method):
    images = [_image(seed, green=seed % 2 == 0) for seed in range(5)]
    queries = (
        None
        if method == "eigen_cam"
        else [Query("red"), Query("green"), Query("red", ("green",)), Query("red"), Query("green")]
    )
    options = {**OPTIONS.get(method, {}), **({"masks": 40} if method == "rise" else {})}
    model, sizes = Planted(), []
    model.register_forward_pre_hook(lambda _module, given: sizes.append(len(given[0])))
    together = attribute(model, images, queries, method=method, batch_size=2, **options)
    assert max(sizes) <= 2
    for index, image in enumerate(images):
        query = queries[index] if queries else None
        alone = attribute(Planted(), image, query, method=method, batch_size=2, **options)
        np.testing.assert_allclose(together[index].scores, alone.scores, rtol=1e-4, atol=1e-6)
        assert together[index].query == alone.query


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("inplace", [False, True])
def test_the_model_stays_as_it_was(method, inplace):
    model = Planted(inplace)
    model.head.weight.requires_grad_(False)
    model.colours.bias.grad = torch.ones(8)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    attribute(model, _image(), method=method, **OPTIONS.get(method, {}))
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert [name for name, weight in model.named_parameters() if not weight.requires_grad] == ["head.weight"]
    assert torch.equal(model.colours.bias.grad, torch.ones(8))
    assert model.head.bias.grad is None
    assert not any(module.training for module in model.modules())
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())
    assert torch.equal(random, torch.get_rng_state())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("frozen", [False, True])
def test_frozen_weights_give_the_same_map(method, frozen):
    options = OPTIONS.get(method, {})
    found = attribute(Planted().requires_grad_(not frozen), _image(), method=method, **options)
    np.testing.assert_allclose(found.scores, attribute(Planted(), _image(), method=method, **options).scores, atol=1e-7)


@pytest.mark.parametrize("method", OF_LAYERS)
def test_hooks_are_removed_when_the_model_fails(method):
    model = Planted()
    calls = []

    def fail(_module, _given):
        calls.append(1)
        if len(calls) > 1:  # the first pass asks for the prediction
            raise RuntimeError("out of order")

    handle = model.head.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="out of order"):
        attribute(model, _image(), method=method, layer="pool")
    handle.remove()
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_constant_image_gives_a_finite_map(method, value):
    found = attribute(Planted(), np.full((9, 7, 3), value, np.float32), method=method, **OPTIONS.get(method, {}))
    assert found.shape == (9, 7)
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_grey_image_of_odd_size_is_explained(method):
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2)]
    grey = (np.random.default_rng(0).random((11, 5)) * 255).astype(np.uint8)
    found = attribute(nn.Sequential(*layers).eval(), grey, method=method, class_names=("a", "b"), **OPTIONS.get(method, {}))
    assert found.shape == (11, 5)
    assert np.ptp(found.scores) > 0


@pytest.mark.parametrize("method", METHODS)
def test_half_precision_is_explained(method):
    found = attribute(
        Planted().to(torch.bfloat16).eval(), _image(), method=method, class_names=NAMES, **OPTIONS.get(method, {})
    )
    assert found.scores.dtype == np.float64
    assert _inside(found.scores) > 0.8


@pytest.mark.parametrize("method", OF_LAYERS)
def test_black_boxes_are_referred_to_rise(method):
    class Box:
        scores, class_names = "logits", NAMES

        def __call__(self, images):
            return np.zeros((len(images), 3))

    with pytest.raises(UsageError, match=rf"{method} needs the layers of the model.*rise"):
        attribute(BlackBoxImages(Box()), _image(), method=method)


@pytest.mark.parametrize("method", OF_LAYERS)
def test_a_layer_without_a_part_in_the_score_is_refused(method):
    class Idle(Planted):
        def __init__(self):
            super().__init__()
            self.idle = nn.Conv2d(3, 3, 3)

    with pytest.raises(UsageError, match="layer 'idle'; choose another one"):
        attribute(Idle(), _image(), method=method, layer="idle")
    with pytest.raises(UsageError, match="no layer 'body'"):
        attribute(Idle(), _image(), method=method, layer="body")
