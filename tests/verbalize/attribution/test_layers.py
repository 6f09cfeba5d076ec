"""The layer that methods look at by default, and the feature maps that hooks bring out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.attribution.features import feature_maps
from verbalize.attribution.layers import default_layer

IMAGES = torch.rand(2, 3, 8, 10, generator=torch.Generator().manual_seed(0))


def _network(inplace=False):
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=inplace), nn.MaxPool2d(2))
    return nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()


def _hooks(module):
    return sum(len(layer._forward_hooks) for layer in module.modules())


def test_the_last_layer_with_rows_and_columns_is_the_default():
    network = _network()
    assert default_layer(network, IMAGES) == "0"  # the block, which ends after its pooling
    assert default_layer(network) == "0.0"
    assert _hooks(network) == 0


def test_models_without_feature_maps_are_refused_in_a_sentence():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(240, 2)).eval()
    for given in (None, IMAGES):
        with pytest.raises(UsageError, match=r"Conv2d|no layer of the model gives feature maps"):
            default_layer(flat, given)

    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches, self.norm = nn.Conv2d(3, 4, 2, stride=2), nn.LayerNorm(4)

        def forward(self, images):
            return self.norm(self.patches(images).flatten(2).transpose(1, 2)).mean(dim=1)

    assert default_layer(Tokens().eval(), IMAGES) == "norm"


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("inplace", [False, True])
def test_feature_maps_and_gradients_are_those_of_the_layer_itself(frozen, inplace):
    network = _network(inplace).requires_grad_(not frozen)
    with torch.enable_grad(), feature_maps(network, ["0.0", "0.2"]) as found:
        score = network(IMAGES)[:, 1].sum()
        inner, outer = torch.autograd.grad(score, [found["0.0"], found["0.2"]])
    convolved = network[0][0](IMAGES).detach()
    torch.testing.assert_close(found["0.0"], convolved)
    assert (convolved < 0).any()  # an in-place ReLU would have set these to zero
    expected = network[3].weight[1].detach()[None, :, None, None].expand_as(outer) / (outer.shape[2] * outer.shape[3])
    torch.testing.assert_close(outer, expected)
    assert torch.count_nonzero(inner[convolved <= 0]) == 0
    assert all(parameter.grad is None for parameter in network.parameters())
    assert _hooks(network) == 0


def test_hooks_are_removed_after_an_error():
    network = _network()
    with pytest.raises(UsageError, match="gives no feature maps"), feature_maps(network, ["0.0", "2"]):
        network(IMAGES)
    assert _hooks(network) == 0
    with pytest.raises(UsageError, match=r"no layer 'body'; it has 0, 0.0"), feature_maps(network, ["body"]):
        pass
