"""CF-CAM against scikit-learn's DBSCAN and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize import attribute
from verbalize.attribution.methods.activation_maps.cf_cam import bilateral, channel_weights, cluster_channels
from verbalize.saliency import Query

NAMES = ("a", "b", "c")
IMAGE = np.random.default_rng(0).random((9, 12, 3), dtype=np.float32)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    layers = [nn.Conv2d(3, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(96, 3)).eval()


def _clusters(vectors):
    """The three kinds of channels, with scikit-learn."""
    cluster = pytest.importorskip("sklearn.cluster")
    norms = np.linalg.norm(vectors, axis=1)
    dominant = norms >= np.percentile(norms, 75)
    rest = vectors[~dominant]
    apart = [np.linalg.norm(one - other) for i, one in enumerate(rest) for j, other in enumerate(rest) if i != j]
    least = max(2, int(len(rest) * 0.05))
    found = np.full(len(vectors), -2)
    found[~dominant] = cluster.DBSCAN(eps=max(np.percentile(apart, 25), 1e-5), min_samples=least).fit(rest).labels_
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("depth", [12, 80, 130])
def test_clusters_are_those_of_scikit_learn(depth, seed):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(4, 6)) * 3
    vectors = centres[rng.integers(4, size=depth)] + rng.normal(size=(depth, 6)) * rng.uniform(0.1, 1.5)
    np.testing.assert_array_equal(cluster_channels(vectors), _clusters(vectors))


def _filtered(values, width, share):
    height, breadth = values.shape
    largest = np.abs(values).max()
    found = np.zeros_like(values)
    for row in range(height):
        for column in range(breadth):
            total = weight = 0.0
            for y in range(height):
                for x in range(breadth):
                    near = np.exp(-((row - y) ** 2 + (column - x) ** 2) / (2 * width**2))
                    alike = np.exp(-((values[row, column] - values[y, x]) ** 2) / (2 * (share * largest) ** 2))
                    total += near * alike * values[y, x]
                    weight += near * alike
            found[row, column] = total / weight
    return found


def test_the_filter_is_a_bilateral_one():
    values = np.random.default_rng(1).normal(size=(4, 5))
    np.testing.assert_allclose(bilateral(torch.from_numpy(values), 1.5, 0.4).numpy(), _filtered(values, 1.5, 0.4))
    edge = torch.cat([torch.zeros(4, 4), torch.ones(4, 4)], dim=1)
    torch.testing.assert_close(bilateral(edge, 5.0, 0.1), edge, atol=1e-6, rtol=0)  # edges stay
    assert bilateral(torch.rand(90, 90), 5.0, 0.1).numel() <= 4096


@pytest.mark.parametrize("query", [Query("b"), Query("a", versus=("c",))])
def test_the_map_is_the_weighted_sum_of_the_channels_that_are_left(network, query):
    found = attribute(network, IMAGE, query, method="cf_cam", layer="2", spatial_width=2.0, range_width=0.5, class_names=NAMES)
    maps = network[:3](torch.from_numpy(IMAGE).permute(2, 0, 1)[None]).detach().requires_grad_()
    logits = network[3:](maps)[0]
    score = logits[1] if not query.versus else logits[0] - logits[2]
    gradients = torch.autograd.grad(score, maps)[0][0].double().numpy()
    features = maps[0].detach().double().numpy()
    labels = _clusters(features.reshape(len(features), -1))
    assert {-2, -1, 0} <= set(labels)  # all three kinds occur
    weights = np.zeros(len(features))
    for channel, label in enumerate(labels):
        if label == -2:
            weights[channel] = gradients[channel].mean()
        elif label >= 0:
            weights[channel] = _filtered(gradients[labels == label].mean(axis=0), 2.0, 0.5).mean()
    kept = labels != -1
    powers = np.exp(weights[kept] / np.abs(weights[kept]).max())
    coarse = np.tensordot(powers / powers.sum(), features[kept], axes=1).clip(min=0)
    fine = nn.functional.interpolate(torch.from_numpy(coarse)[None, None], size=(9, 12), mode="bilinear")[0, 0]
    np.testing.assert_allclose(found.scores, fine.numpy(), rtol=1e-4, atol=1e-6)
    assert not found.signed


def test_the_scale_of_the_scores_changes_nothing():
    generator = torch.Generator().manual_seed(0)
    maps, gradients = torch.rand(20, 4, 4, generator=generator), torch.randn(20, 4, 4, generator=generator)
    first = channel_weights(maps, gradients)
    torch.testing.assert_close(first, channel_weights(maps, gradients * 1e-6))
    assert float(first.sum()) == pytest.approx(1, abs=1e-5)
    assert not torch.isnan(channel_weights(torch.zeros(3, 4, 4), torch.zeros(3, 4, 4))).any()
    assert channel_weights(maps[:1], gradients[:1]).tolist() == [1.0]


@pytest.mark.parametrize("options", [{"spatial_width": 0}, {"range_width": -1}, {"temperature": float("inf")}])
def test_bad_settings_are_told_in_a_sentence(network, options):
    with pytest.raises(UsageError, match=f"{next(iter(options))} must be a number above 0"):
        attribute(network, IMAGE, method="cf_cam", layer="2", class_names=NAMES, **options)
    with pytest.raises(UsageError, match="seed has no effect"):
        attribute(network, IMAGE, method="cf_cam", layer="2", class_names=NAMES, seed=1)
