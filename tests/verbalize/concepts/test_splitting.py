"""Models in two halves."""

import pytest
import torch
from torch import nn

from saywhy import signs
from saywhy_core.errors import UsageError
from verbalize.concepts import split_model
from verbalize.models import BlackBoxImages


def network(inplace=False, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(inplace=inplace), nn.MaxPool2d(2), nn.Conv2d(6, 5, 3), nn.ReLU(inplace=inplace),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3),
    ).eval()  # fmt: skip


class Around(nn.Module):
    """A branch goes around the layer `inner`."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer, self.last = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1), nn.Linear(4, 3)

    def forward(self, images):
        return self.last((self.inner(images) + self.outer(images)).mean(dim=(2, 3)))


class Counting(nn.Module):
    """After the layer, the size of the batch of images is used."""

    def __init__(self):
        super().__init__()
        self.inner, self.last = nn.Conv2d(3, 4, 1), nn.Linear(4 * 64, 3)

    def forward(self, images):
        return self.last(self.inner(images).reshape(images.shape[0], -1))


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("layer", ["0", "1", "3", "4", "6"])
def test_head_after_features_is_the_model(layer, inplace):
    model = network(inplace).requires_grad_(requires_grad=False)
    images = torch.rand(4, 3, 9, 11)
    split = split_model(model, layer, images)
    features = split.features(images)
    before = features.clone()
    assert torch.allclose(split.head(features), model(images), atol=1e-6)
    assert torch.equal(features, before)
    assert split.alone


def test_the_sign_network_and_its_gradients():
    classifier = signs.load()
    images = torch.rand(3, 3, 48, 48)
    split = split_model(classifier.module(), "features.11", images)
    features = split.features(images).requires_grad_()
    logits = split.head(features)
    assert torch.allclose(logits, classifier.module()(images), atol=1e-5)
    (slopes,) = torch.autograd.grad(logits[:, 2].sum(), features)
    weights = classifier.module().head.weight[2] / features.shape[2] / features.shape[3]
    assert torch.allclose(slopes, weights[None, :, None, None].expand_as(slopes), atol=1e-7)
    assert not classifier.module()._forward_hooks


def test_a_head_that_counts_on_the_batch():
    model = Counting().eval()
    images = torch.rand(3, 3, 8, 8)
    split = split_model(model, "inner", images)
    assert not split.alone
    assert torch.allclose(split.head(split.features(images)), model(images), atol=1e-6)


def test_a_layer_of_a_vit():
    from transformers import ViTConfig, ViTForImageClassification

    small = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
    model = ViTForImageClassification(ViTConfig(**small, image_size=16, patch_size=8)).eval()
    layer = next(name for name, _ in model.named_modules() if name.endswith(("layers.0", "layer.0")))
    images = torch.rand(2, 3, 16, 16)
    split = split_model(model, layer, images)
    assert split.features(images).shape == (2, 5, 16)
    assert torch.allclose(split.head(split.features(images)), model(images).logits, atol=1e-5)


def test_half_precision():
    model = network().to(torch.bfloat16)
    images = torch.rand(2, 3, 9, 9)
    split = split_model(model, "4", images)
    assert split.features(images).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: split_model(Around().eval(), "inner", torch.rand(2, 3, 4, 4)), "goes around it"),
        (lambda: split_model(network(), "9", torch.rand(2, 3, 9, 9)), "no layer '9'"),
        (lambda: split_model(network(), "", torch.rand(2, 3, 9, 9)), "no layer ''"),
        (lambda: split_model(network(), "1", torch.rand(3, 9, 9)), "N×C×H×W"),
        (lambda: split_model(network().train(), "1", torch.rand(2, 3, 9, 9)), "training mode"),
        (lambda: split_model(BlackBoxImages(signs.load()), "1", torch.rand(2, 3, 9, 9)), "layers of a torch module"),
    ],
)
def test_wrong_input_is_told(call, message):
    with pytest.raises(UsageError, match=message):
        call()
