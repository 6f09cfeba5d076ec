"""Eigen-CAM against numpy's singular value decomposition of each image's features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize import attribute
from verbalize.attribution.methods.activation_maps.eigen_cam import first_component
from verbalize.saliency import Query

NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3), nn.Conv2d(8, 6, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)).eval()


def _by_svd(maps):
    """Section III of the paper: the features, one row per place, times their first right singular vector."""
    found = []
    for one in maps.double().numpy():
        rows = one.reshape(len(one), -1).T
        _, _, right = np.linalg.svd(rows, full_matrices=False)
        projected = rows @ right[0]
        projected *= -1 if projected.sum() < 0 else 1
        found.append(projected.clip(min=0).reshape(one.shape[1:]))
    return np.stack(found)


@pytest.mark.parametrize("shape", [(3, 6, 5, 7), (2, 40, 3, 4), (1, 1, 4, 4), (2, 5, 1, 2)])
@pytest.mark.parametrize("kind", ["relu", "signed"])
def test_the_first_component_is_that_of_the_singular_value_decomposition(shape, kind):
    maps = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    maps = maps.relu() if kind == "relu" else maps
    np.testing.assert_allclose(first_component(maps).numpy(), _by_svd(maps), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-20, 1e12])
def test_tiny_and_huge_features_keep_their_component(scale):
    maps = torch.rand(2, 5, 4, 4, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(first_component(maps * scale).numpy(), _by_svd(maps) * scale, rtol=1e-4)
    assert not first_component(torch.zeros(1, 3, 4, 4)).any()


def test_the_map_is_the_enlarged_component_of_the_layer(network):
    image = np.random.default_rng(0).random((9, 12, 3), dtype=np.float32)
    found = attribute(network, image, method="eigen_cam", layer="4", class_names=NAMES)
    coarse = _by_svd(network[:5](torch.from_numpy(image).permute(2, 0, 1)[None]).detach())
    fine = nn.functional.interpolate(torch.from_numpy(coarse)[None], size=(9, 12), mode="bilinear")[0, 0]
    np.testing.assert_allclose(found.scores, fine.numpy(), atol=1e-5)
    assert not found.signed


def test_it_looks_at_no_class(network):
    image = np.random.default_rng(0).random((9, 12, 3), dtype=np.float32)
    plain = attribute(network, image, method="eigen_cam", layer="4", class_names=NAMES)
    other = next(name for name in NAMES if name != plain.query.label)
    for query in (Query(other), Query(plain.query.label, versus=(other,)), Query("x", members=NAMES[:2])):
        with pytest.raises(UsageError, match="eigen_cam looks at no class"):
            attribute(network, image, query, method="eigen_cam", layer="4", class_names=NAMES)
