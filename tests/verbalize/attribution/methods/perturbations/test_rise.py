"""RISE against plain loops over masks and pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize import attribute
from verbalize.attribution.methods.perturbations.rise import draw_masks
from verbalize.models import BlackBoxImages
from verbalize.saliency import Query

NAMES = ("a", "b", "c")
IMAGE = np.random.default_rng(0).random((9, 13, 3), dtype=np.float32)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 3)]
    return nn.Sequential(*layers).eval()


class _BlackBox:
    """Answers with probabilities, and counts its questions."""

    scores, class_names = "probabilities", NAMES

    def __init__(self, network):
        self.network, self.sizes = network, []

    def __call__(self, images):
        self.sizes.append(len(images))
        with torch.no_grad():
            return self.network(torch.from_numpy(images).permute(0, 3, 1, 2)).softmax(dim=1).numpy()


@pytest.mark.parametrize("size", [(9, 13), (14, 14), (3, 5)])
def test_masks_are_enlarged_grids_cut_out_at_a_shift(size):
    cells = 4
    masks = draw_masks(30, size, cells=cells, keep=0.4, generator=torch.Generator().manual_seed(5))
    again = torch.Generator().manual_seed(5)
    grids = (torch.rand(30, cells, cells, generator=again) < 0.4).float()
    side = [-(-length // cells) for length in size]
    shifts = [torch.randint(one, (30,), generator=again) for one in side]
    for index in range(30):
        large = functional.interpolate(
            grids[index][None, None], size=[(cells + 1) * one for one in side], mode="bilinear", align_corners=False
        )[0, 0]
        top, left = int(shifts[0][index]), int(shifts[1][index])
        torch.testing.assert_close(masks[index], large[top : top + size[0], left : left + size[1]])


@pytest.mark.parametrize("query", [Query("b"), Query("a", versus=("c",)), Query("ab", members=("a", "b"))])
@pytest.mark.parametrize("baseline", ["black", "grey"])
def test_the_map_is_the_centred_mean_score_over_the_masks(network, query, baseline):
    found = attribute(
        network, IMAGE, query, method="rise", masks=21, cells=3, keep=0.6, seed=4, baseline=baseline, class_names=NAMES,
        batch_size=21,
    )  # fmt: skip
    masks = draw_masks(21, (9, 13), cells=3, keep=0.6, generator=torch.Generator().manual_seed(4)).numpy()
    empty = {"black": 0.0, "grey": 0.5}[baseline]
    scores = []
    for mask in masks:
        masked = empty + (IMAGE - empty) * mask[:, :, None]
        with torch.no_grad():
            logits = network(torch.from_numpy(masked).permute(2, 0, 1)[None])[0].double().numpy()
        own = np.log(sum(np.exp(logits[NAMES.index(name)]) for name in query.members or (query.label,)))
        scores.append(own - (logits[NAMES.index(query.versus[0])] if query.versus else 0))
    expected = np.zeros((9, 13))
    for score, mask in zip(scores, masks, strict=True):
        expected += (score - np.mean(scores)) * mask / (21 * 0.6)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert found.signed


def test_a_black_box_is_explained_with_bounded_batches(network):
    box = _BlackBox(network)
    model = BlackBoxImages(box)
    query = Query("a", versus=("b",))
    found = attribute(model, [IMAGE, 1 - IMAGE], query, method="rise", masks=50, batch_size=16)
    assert max(box.sizes) <= 16
    assert sum(box.sizes) == 2 + 2 * 50
    white = attribute(network, [IMAGE, 1 - IMAGE], query, method="rise", masks=50, class_names=NAMES, batch_size=16)
    for one, other in zip(found, white, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)  # a difference of logits is one of log-probabilities


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_the_size_of_batches_changes_no_mask(network, batch_size):
    asked = {"method": "rise", "masks": 20, "class_names": NAMES, "seed": 3}
    found = attribute(network, IMAGE, batch_size=batch_size, **asked)
    np.testing.assert_allclose(found.scores, attribute(network, IMAGE, batch_size=20, **asked).scores, atol=1e-6)


def test_the_seed_decides_and_the_random_state_stays(network):
    state = torch.get_rng_state()
    first, again, other = (
        attribute(network, IMAGE, method="rise", masks=10, seed=seed, class_names=NAMES).scores for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(state, torch.get_rng_state())


def test_a_linear_model_gives_its_weights_their_signs():
    torch.manual_seed(0)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(4 * 4, 2)).eval()
    with torch.no_grad():
        linear[1].weight[:] = torch.stack([torch.tensor([3.0, -3.0]).repeat_interleave(8), torch.zeros(16)])
    found = attribute(
        linear, np.ones((4, 4)), Query("a"), method="rise", masks=800, cells=4, baseline="black", class_names=("a", "b")
    )
    assert (found.scores[0] > 0).all()
    assert (found.scores[3] < 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"masks": 1}, "masks must be a whole number of 2 or more"),
        ({"masks": 2.5}, "masks must be a whole number"),
        ({"cells": 0}, "cells must be a whole number of 1 or more"),
        ({"keep": 1}, "keep must be a probability between 0 and 1"),
        ({"keep": "half"}, "keep must be a probability"),
        ({"layer": "0"}, "layer has no effect on the method 'rise'"),
    ],
)
def test_bad_settings_are_told_in_a_sentence(network, options, message):
    with pytest.raises(UsageError, match=message):
        attribute(network, IMAGE, method="rise", class_names=NAMES, **options)
