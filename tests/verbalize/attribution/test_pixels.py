"""Attribution of pixels, against values worked out from the model's own weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize.attribution import METHODS, attribute_cam, attribute_pixels, methods_for, score_of_query
from verbalize.saliency import Query

NAMES = ("a", "b", "c")
SIZE = (9, 12)


@pytest.fixture(scope="module")
def linear() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE[0] * SIZE[1], 3)).eval()


@pytest.fixture(scope="module")
def network() -> nn.Sequential:
    torch.manual_seed(1)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3), nn.Conv2d(8, 6, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)).eval()


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(0).random((*SIZE, 3), dtype=np.float32)


def _weights(linear: nn.Sequential, label: int) -> np.ndarray:
    return linear[1].weight.detach().double().numpy()[label].reshape(3, *SIZE).transpose(1, 2, 0)


BASELINES = {"black": 0.0, "grey": 0.5, "white": 1.0}


WEIGHTED_DIFFERENCES = (
    *("integrated_gradients", "input_x_gradient", "gradient_shap", "deep_lift"),
    *("occlusion", "shapley", "kernel_shap"),
)


@pytest.mark.parametrize("baseline", [*BASELINES, "mean", "blur"])
@pytest.mark.parametrize("method", WEIGHTED_DIFFERENCES)
def test_a_linear_model_gives_weight_times_difference(linear, image, method, baseline):
    given = {"baseline": baseline, "patch": 1, "steps": 3}
    used = {name: value for name, value in given.items() if name in METHODS.get(method).pixels.uses}
    saliency = attribute_pixels(linear, image, Query("b"), class_names=NAMES, method=method, **used)
    if baseline == "mean":
        absent = image.mean(axis=(0, 1))
    elif baseline == "blur":
        tensor = torch.from_numpy(image).permute(2, 0, 1)[None]
        absent = functional.avg_pool2d(tensor, 5, 1, 2, count_include_pad=False)[0].permute(1, 2, 0).numpy()
    else:
        absent = BASELINES[baseline]
    expected = (_weights(linear, 1) * (image - absent)).sum(axis=-1)
    np.testing.assert_allclose(saliency.scores, expected, atol=1e-5)
    assert saliency.signed
    np.testing.assert_array_equal(saliency.image, image)


@pytest.mark.parametrize("query", [Query("a"), Query("a", versus=("c",)), Query("ab", members=("a", "b"), versus=("c",))])
@pytest.mark.parametrize(("method", "steps"), [("integrated_gradients", 300), ("shapley", 2)])
def test_scores_add_up_to_the_score_less_the_baseline(network, image, query, method, steps):
    squares = {"patch": 4} if method == "shapley" else {}
    saliency = attribute_pixels(network, image, query, class_names=NAMES, method=method, steps=steps, **squares)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None]
    with torch.no_grad():
        both = score_of_query(network(torch.cat([tensor, torch.full_like(tensor, 0.5)])), query, NAMES)
    assert saliency.scores.sum() == pytest.approx(float(both[0] - both[1]), abs=2e-3)


def test_a_patch_shares_its_value_among_its_pixels(linear, image):
    saliency = attribute_pixels(linear, image, Query("a"), class_names=NAMES, method="shapley", patch=5, steps=1)
    change = (_weights(linear, 0) * (image - 0.5)).sum(axis=-1)
    np.testing.assert_allclose(saliency.scores[:5, :5], change[:5, :5].mean(), atol=1e-6)
    np.testing.assert_allclose(saliency.scores[5:, 10:], change[5:, 10:].mean(), atol=1e-6)  # cut off by the edge


def test_occlusion_is_the_mean_drop_over_the_squares_that_cover_a_pixel(network, image):
    saliency = attribute_pixels(network, image, Query("c"), class_names=NAMES, method="occlusion", patch=6)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None]
    drops, covers = np.zeros(SIZE), np.zeros(SIZE)
    with torch.no_grad():
        whole = network(tensor)[0, 2].item()
        for top in (0, 3):
            for left in (0, 3, 6):
                covered = tensor.clone()
                covered[:, :, top : top + 6, left : left + 6] = 0.5
                drops[top : top + 6, left : left + 6] += whole - network(covered)[0, 2].item()
                covers[top : top + 6, left : left + 6] += 1
    np.testing.assert_allclose(saliency.scores, drops / covers, atol=1e-5)


def test_a_grey_image_without_channels_is_read(image):
    model = nn.Sequential(nn.Flatten(), nn.Linear(SIZE[0] * SIZE[1], 3)).eval()
    grey = (image[..., 0] * 255).astype(np.uint8)
    saliency = attribute_pixels(model, grey, class_names=NAMES, baseline="black")
    assert saliency.shape == SIZE
    assert saliency.image is not None
    np.testing.assert_allclose(saliency.image[..., 0], grey / 255, atol=1e-6)


def _cam_by_hand(network, image, score, method):
    """Feature maps times their gradients, written out: Selvaraju et al. 2017, eq. 1-2; Jiang et al. 2021, eq. 5-6."""
    features = network[:5](torch.from_numpy(image).permute(2, 0, 1)[None]).detach().requires_grad_()
    gradient = torch.autograd.grad(score(network[5:](features)[0]), features)[0]
    weights = gradient.mean(dim=(2, 3), keepdim=True) if method == "grad_cam" else gradient.clamp(min=0)
    coarse = (weights * features).sum(dim=1, keepdim=True).clamp(min=0)
    return functional.interpolate(coarse, size=SIZE, mode="bilinear")[0, 0].detach().numpy()


@pytest.mark.parametrize("method", ["grad_cam", "layer_cam"])
@pytest.mark.parametrize(("query", "score"), [(Query("c"), lambda z: z[2]), (Query("a", versus=("b",)), lambda z: z[0] - z[1])])
def test_cam_is_features_times_gradients(network, image, method, query, score):
    saliency = attribute_cam(network, image, query, layer="4", class_names=NAMES, method=method)
    assert saliency.shape == SIZE
    assert not saliency.signed
    np.testing.assert_allclose(saliency.scores, _cam_by_hand(network, image, score, method), atol=1e-6)


@pytest.mark.parametrize("method", methods_for("layer"))
def test_cam_works_on_frozen_weights_and_leaves_no_hooks(network, image, method):
    network.requires_grad_(False)
    saliency = attribute_cam(network, image, layer="4", class_names=NAMES, method=method)
    network.requires_grad_(True)
    assert saliency.scores.min() >= 0
    assert not any(module._forward_hooks for module in network.modules())


def test_the_prediction_is_asked_about(network, image):
    with torch.no_grad():
        logits = network(torch.from_numpy(image).permute(2, 0, 1)[None])[0]
    saliency = attribute_pixels(network, image, class_names=NAMES, true_label="b", id="sign 3")
    assert saliency.query == Query(NAMES[int(logits.argmax())])
    assert saliency.prediction is not None
    assert saliency.prediction.true_label == "b"
    assert saliency.prediction.probability == pytest.approx(float(logits.softmax(0).max()), abs=1e-6)
    assert saliency.id == "sign 3"
    assert saliency.method == "integrated_gradients"


def test_the_seed_decides(network, image):
    first, again, other = (
        attribute_pixels(network, image, class_names=NAMES, method="shapley", steps=1, patch=3, seed=seed).scores
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"image": np.zeros((2, 9, 12, 3))}, "must be an array"),
        ({"image": np.full((9, 12, 3), 255.0)}, "float in"),
        ({"image": np.full((9, 12, 3), np.nan)}, "float in"),
        ({"image": np.zeros((0, 12, 3))}, "must be an array"),
        ({"method": "grad_cam"}, "no attribution method 'grad_cam'"),
        ({"baseline": "pink"}, "baseline must be one of"),
        ({"query": Query("z")}, "no class 'z'"),
        ({"class_names": ("a", "b")}, "answers with 3 scores per input, and 2 class names"),
        ({"steps": 0}, "steps must be a whole number of 1 or more"),
        ({"method": "occlusion", "patch": 0}, "patch must be a whole number of 1 or more"),
        ({"patch": 4}, "patch has no effect on the method 'integrated_gradients'"),
        ({"method": "shapley", "stride": 2}, "stride has no effect on the method 'shapley'"),
        ({"method": "occlusion", "seed": 2}, "seed has no effect on the method 'occlusion'"),
    ],
)
def test_bad_input_is_told_in_a_sentence(network, image, fields, message):
    with pytest.raises(UsageError, match=message):
        attribute_pixels(network, **{"image": image, "query": Query("a"), "class_names": NAMES, **fields})


def test_cam_names_the_layers_there_are(network, image):
    with pytest.raises(UsageError, match="no layer 'conv9'; it has 0, 1, 2"):
        attribute_cam(network, image, layer="conv9", class_names=NAMES)
    with pytest.raises(UsageError, match="gives no feature maps"):
        attribute_cam(network, image, layer="6", class_names=NAMES)
    with pytest.raises(UsageError, match="no attribution method"):
        attribute_cam(network, image, layer="4", class_names=NAMES, method="occlusion")


def test_a_model_in_training_mode_is_refused(image):
    with pytest.raises(UsageError, match="training mode"):
        attribute_pixels(nn.Sequential(nn.Flatten(), nn.Linear(324, 3)), image, class_names=NAMES)


def test_a_finer_stride_covers_a_pixel_more_often(linear, image):
    """Of a linear model a square's drop is the sum of its pixels' changes; here every square but those at the edge."""
    saliency = attribute_pixels(linear, image, Query("a"), class_names=NAMES, method="occlusion", patch=3, stride=1)
    change = (_weights(linear, 0) * (image - 0.5)).sum(axis=-1)
    squares = np.lib.stride_tricks.sliding_window_view(change, (3, 3)).sum(axis=(2, 3))
    np.testing.assert_allclose(saliency.scores[2:-2, 2:-2], [
        [squares[row - 2 : row + 1, column - 2 : column + 1].mean() for column in range(2, SIZE[1] - 2)]
        for row in range(2, SIZE[0] - 2)
    ], atol=1e-5)  # fmt: skip


def test_a_picture_that_the_network_cannot_take_is_said_in_words(network, image):
    with pytest.raises(UsageError, match=r"9 x 12 pixels with 1 channel\(s\).*channels=3"):
        attribute_pixels(network, image[:, :, 0], class_names=NAMES, method="occlusion")
