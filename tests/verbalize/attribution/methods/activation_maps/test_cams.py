"""Class activation maps through the front door, against torchcam called directly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torchcam import methods as torchcam

from saywhy_core.errors import UsageError
from verbalize import Query, attribute
from verbalize.attribution import methods_for
from verbalize.models import BlackBoxImages

NAMES = ("a", "b", "c")
SIZE = (10, 14)
DIRECT = {
    "grad_cam": torchcam.GradCAM,
    "grad_cam_pp": torchcam.GradCAMpp,
    "xgrad_cam": torchcam.XGradCAM,
    "layer_cam": torchcam.LayerCAM,
    "score_cam": torchcam.ScoreCAM,
}


def network(inplace=False):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(inplace=inplace), nn.MaxPool2d(2), nn.Conv2d(6, 5, 3, padding=1)]
    return nn.Sequential(*layers, nn.ReLU(inplace=inplace), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3)).eval()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((5, *SIZE, 3), dtype=np.float32)


def tensor(image):
    return torch.from_numpy(np.asarray(image)).permute(2, 0, 1)[None]


@pytest.mark.parametrize("method", DIRECT)
def test_the_map_is_torchcams(images, method):
    model = network()
    found = attribute(model, images[0], Query("b"), method=method, class_names=NAMES, layer="3")
    with DIRECT[method](model, "3") as cam:
        coarse = cam(1, model(tensor(images[0]).requires_grad_()), normalized=False)[0]
    fine = functional.interpolate(coarse[:, None], size=SIZE, mode="bilinear")[0, 0].clamp(min=0)
    np.testing.assert_allclose(found.scores, fine.detach().numpy(), atol=1e-6)


def test_smooth_grad_cam_is_torchcams_with_the_same_noise(images):
    model = network()
    options = {"samples": 3, "noise": 0.2, "seed": 4, "layer": "3"}
    found = attribute(model, images[0], Query("b"), method="smooth_grad_cam_pp", class_names=NAMES, **options)
    with torchcam.SmoothGradCAMpp(model, "3", num_samples=3, std=0.2) as cam:
        scores = model(tensor(images[0]))
        torch.manual_seed(4)
        coarse = cam(1, scores, normalized=False)[0]
    fine = functional.interpolate(coarse[:, None], size=SIZE, mode="bilinear")[0, 0]
    np.testing.assert_allclose(found.scores, fine.detach().numpy(), atol=1e-6)
    with pytest.raises(UsageError, match="samples must be a whole number of 1 or more"):
        attribute(model, images[0], method="smooth_grad_cam_pp", class_names=NAMES, samples=0)


@pytest.mark.parametrize("method", methods_for("layer"))
def test_batches_give_the_maps_of_single_images_and_bound_the_memory(images, method):
    model, sizes = network(), []
    model.register_forward_pre_hook(lambda _model, inputs: sizes.append(len(inputs[0])))
    queries = [Query("a"), Query("b", versus=("c",)), Query("ab", members=("a", "b")), None, Query("c")]
    single = [attribute(model, *pair, method=method, class_names=NAMES).scores for pair in zip(images, queries, strict=True)]
    for size in (1, 2):
        sizes.clear()
        loader = torch.utils.data.DataLoader(torch.from_numpy(images).permute(0, 3, 1, 2), batch_size=3)
        batches = list(attribute(model, loader, queries, method=method, class_names=NAMES, batch_size=size))
        assert [len(batch) for batch in batches] == [3, 2]
        assert max(sizes[: len(sizes)]) <= size
        for one, expected in zip([one for batch in batches for one in batch], single, strict=True):
            np.testing.assert_allclose(one.scores, expected, atol=1e-5)


@pytest.mark.parametrize("method", methods_for("layer"))
def test_an_in_place_layer_that_follows_changes_nothing(images, method):
    plain, inplace = (
        attribute(network(inplace).requires_grad_(not inplace), images[0], method=method, class_names=NAMES, layer="3").scores
        for inplace in (False, True)
    )
    np.testing.assert_allclose(plain, inplace, atol=1e-7)


def test_the_layer_is_chosen_and_refusals_are_one_sentence(images):
    model = network()
    chosen, named = (attribute(model, images[0], method="layer_cam", class_names=NAMES, **o) for o in ({}, {"layer": "4"}))
    np.testing.assert_array_equal(chosen.scores, named.scores)
    with pytest.raises(UsageError, match="steps has no effect on the method 'grad_cam'"):
        attribute(model, images[0], method="grad_cam", class_names=NAMES, steps=3)
    black_box = BlackBoxImages(lambda batch: np.zeros((len(batch), 3)), NAMES)
    with pytest.raises(UsageError, match="grad_cam needs the layers of the model"):
        attribute(black_box, images[0], method="grad_cam")


@pytest.mark.parametrize("method", methods_for("layer"))
def test_the_lit_corner_is_found(method):
    """Brightness of the red channel decides, and only one corner is bright."""
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    ).eval()
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].weight[:2, 0] = 1.0
        model[0].weight[2:, 1] = 1.0
        model[0].bias.fill_(-1.0)
        model[4].weight[:] = torch.tensor([[1.0, 1.0, -1.0, -1.0], [-1.0, -1.0, 1.0, 1.0]])
        model[4].bias.zero_()
    image = np.random.default_rng(2).random((12, 16, 3), dtype=np.float32) * 0.1
    image[:6, :6, 0] += 0.8
    scores = attribute(model, image, Query("red"), method=method, class_names=("red", "green"), layer="1").scores
    inside = np.zeros((12, 16), bool)
    inside[:6, :6] = True
    better = (scores[inside][:, None] > scores[~inside]).mean() + 0.5 * (scores[inside][:, None] == scores[~inside]).mean()
    assert better > 0.85
