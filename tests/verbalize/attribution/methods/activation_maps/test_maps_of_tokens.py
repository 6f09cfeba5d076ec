"""Class activation maps of vision transformers: the tokens of the patches as feature maps."""

import numpy as np
import pytest
import torch
from models_to_explain import swin, vit
from torch import nn

from saywhy_core.errors import UsageError
from verbalize import Query, attribute
from verbalize.attribution import methods_for
from verbalize.attribution.layers import default_layer
from verbalize.models import as_model
from verbalize.models.image_preparation import preparation

CAMS = tuple(
    name
    for name in (*methods_for("layer"), "layer_grad_cam", "eigen_cam", "norm_grad", "meta_norm_grad", "cf_cam")
    if name not in ("score_cam", "smooth_grad_cam_pp")
)
IMAGE = np.random.default_rng(1).random((12, 12, 3), dtype=np.float32)
LAYER = "vit.layers.1.layernorm_before"


def _batch(image):
    return torch.from_numpy(image).permute(2, 0, 1)[None]


def _tokens_and_slopes(model, layer, label):
    """What a layer gives and the gradient of a logit with respect to it, by hand."""
    kept = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _layer, _given, output: kept.append(output))
    logits = model(pixel_values=_batch(IMAGE).requires_grad_()).logits
    handle.remove()
    (slopes,) = torch.autograd.grad(logits[0, label], kept)
    return kept[0][0].detach(), slopes[0]


def _enlarged(coarse):
    return nn.functional.interpolate(coarse[None, None], size=(12, 12), mode="bilinear", align_corners=False)[0, 0].numpy()


def test_grad_cam_is_the_formula_on_the_patches_without_the_class_token():
    tokens, slopes = _tokens_and_slopes(vit(), LAYER, 2)
    weights = slopes[1:].mean(dim=0)
    signed = (tokens[1:] @ weights).reshape(4, 4)
    for method, expected in (("layer_grad_cam", signed), ("grad_cam", signed.clamp(min=0))):
        found = attribute(vit(), IMAGE, Query("LABEL_2"), method=method, layer=LAYER)
        np.testing.assert_allclose(found.scores, _enlarged(expected), atol=1e-6)
    norms = (tokens[1:].norm(dim=1) * slopes[1:].norm(dim=1)).reshape(4, 4)
    found = attribute(vit(), IMAGE, Query("LABEL_2"), method="norm_grad", layer=LAYER)
    np.testing.assert_allclose(found.scores, _enlarged(norms), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("method", CAMS)
def test_the_default_layer_is_the_last_one_that_the_logits_depend_on(method):
    by_default = attribute(vit(), IMAGE, method=method)
    named = attribute(vit(), IMAGE, method=method, layer=LAYER)
    np.testing.assert_array_equal(by_default.scores, named.scores)
    assert default_layer(as_model(vit()).module, _batch(IMAGE)) == f"model.{LAYER}"


@pytest.mark.parametrize("method", CAMS)
def test_batches_give_the_maps_of_single_images(method):
    images = np.random.default_rng(0).random((3, 12, 12, 3), dtype=np.float32)
    together = attribute(vit(), images, method=method)
    for one, image in zip(together, images, strict=True):
        np.testing.assert_allclose(one.scores, attribute(vit(), image, method=method).scores, rtol=1e-4, atol=1e-6)


def test_the_model_answers_as_before_while_its_tokens_are_looked_at():
    plain = attribute(vit(), IMAGE, method="saliency").prediction
    assert attribute(vit(), IMAGE, method="norm_grad", layer="vit.layers.0").prediction == plain
    model = vit()
    attribute(model, IMAGE, method="score_cam")
    assert sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in model.modules()) == 0
    assert all(one.grad is None and not one.requires_grad for one in model.parameters())


class Scaled(nn.Module):
    """A block that changes nothing."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, tokens):
        return tokens * self.scale


class Planted(nn.Module):
    """Patches whose red channel speaks for the first class, in a network of T×N×D tokens, read from a class token."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.cut = nn.Conv2d(3, 4, 4, 4)
        self.mixed = nn.MultiheadAttention(4, 1)
        self.block = nn.Conv1d(4, 4, 1)
        self.head = nn.Linear(4, 2)
        with torch.no_grad():
            for one in self.parameters():
                one.zero_()
            self.cut.weight[0, 0] = 1 / 16
            self.block.weight[:, :, 0] = torch.eye(4)
            self.mixed.in_proj_weight[8:] = torch.eye(4)
            self.mixed.out_proj.weight.copy_(torch.eye(4))
            self.head.weight[0, 0] = 3.0
        self.inner = Scaled()
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, images):
        patches = self.block(self.cut(images).flatten(2)).permute(2, 0, 1)
        tokens = torch.cat([patches.new_zeros(2, len(images), 4), patches])
        tokens = self.inner(tokens)
        mixed, _ = self.mixed(tokens, tokens, tokens)
        return self.head(mixed[0])


@pytest.mark.parametrize("method", ["grad_cam", "layer_grad_cam", "layer_cam", "norm_grad", "eigen_cam"])
def test_a_planted_patch_is_found_where_tokens_come_first_and_the_image_is_not_square(method):
    image = np.zeros((12, 20, 3), dtype=np.float32)
    image[4:8, 8:12, 0] = 1
    found = attribute(Planted(), [image, image[::-1, ::-1].copy()], method=method, layer="inner", class_names=("red", "other"))
    assert np.unravel_index(found[0].scores.argmax(), (12, 20))[0] in range(4, 8)
    inside = found[0].scores[4:8, 8:12].mean()
    assert inside > 3 * np.abs(found[0].scores).mean()
    np.testing.assert_allclose(found[1].scores, found[0].scores[::-1, ::-1], atol=1e-6)


def test_merged_patches_keep_the_proportions_of_the_image():
    image = np.random.default_rng(0).random((16, 16, 3), dtype=np.float32)
    found = attribute(swin(), image, method="grad_cam", layer="swin.encoder.layers.0.blocks.0")
    assert found.shape == (16, 16)


def test_layers_without_patches_are_refused_in_a_sentence():
    for layer in ("classifier", "vit"):
        with pytest.raises(UsageError, match="gives no feature maps"):
            attribute(vit(), IMAGE, method="grad_cam", layer=layer)
    with pytest.raises(UsageError, match=r"has no layer 'vit\.layers\.7'"):
        attribute(vit(), IMAGE, method="eigen_cam", layer="vit.layers.7")


def test_maps_lie_over_the_part_of_the_image_that_a_centre_crop_leaves():
    cropped = as_model(vit())
    cropped.module.preparation_steps = preparation({"do_center_crop": True, "crop_size": {"height": 12, "width": 12}})
    wide = np.pad(IMAGE, ((2, 2), (4, 4), (0, 0)))
    for method in ("grad_cam", "norm_grad"):
        whole, part = attribute(cropped, wide, method=method), attribute(vit(), IMAGE, method=method)
        np.testing.assert_allclose(whole.scores[2:14, 4:16], part.scores, atol=1e-6)
        assert not whole.scores[:2].any()
        assert not whole.scores[:, :4].any()
