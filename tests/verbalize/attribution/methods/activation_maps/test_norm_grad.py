"""NormGrad against the weight gradient of a 1x1 convolution that is really put in, and meta-saliency against a step by hand."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize import attribute
from verbalize.saliency import Query

NAMES = ("a", "b", "c")
IMAGE = np.random.default_rng(0).random((9, 12, 3), dtype=np.float32)
TENSOR = torch.from_numpy(IMAGE).permute(2, 0, 1)[None]
QUERIES = [Query("b"), Query("a", versus=("c",)), Query("ab", members=("a", "b")), Query("a", versus=("b", "c"))]


def _score(logits, query):
    def of(labels):
        return logits[:, [NAMES.index(label) for label in labels]].exp().sum(dim=1).log()

    score = of(query.members or (query.label,))
    return score - of(query.versus) if query.versus else score


def _network():
    torch.manual_seed(1)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3, padding=1)]
    network = nn.Sequential(*layers, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))
    network(torch.rand(16, 3, 9, 12))  # running statistics that are not those of a new network
    return network.eval()


@pytest.fixture(scope="module")
def network():
    return _network()


def _by_places(network, index, query):
    """The norm of each place's part of the gradient of a 1x1 convolution, which is written as one convolution per place."""
    with torch.no_grad():
        maps = network[:index](TENSOR)
    depth, height, width = maps.shape[1:]
    filters = torch.eye(depth).repeat(height, width, 1, 1).requires_grad_()
    mapped = torch.einsum("hwde,ehw->dhw", filters, maps[0])[None]
    (gradient,) = torch.autograd.grad(_score(network[index:](mapped), query).sum(), filters)
    norms = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            norms[row, column] = np.sqrt((gradient[row, column].double().numpy() ** 2).sum())
    return functional.interpolate(torch.from_numpy(norms)[None, None], size=(9, 12), mode="bilinear")[0, 0].numpy()


@pytest.mark.parametrize("query", QUERIES)
def test_it_is_the_norm_of_the_gradient_of_a_virtual_convolution(network, query):
    found = attribute(network, IMAGE, query, method="norm_grad", layer="5", class_names=NAMES)
    np.testing.assert_allclose(found.scores, _by_places(network, 6, query), rtol=1e-4, atol=1e-7)
    assert not found.signed


def test_layers_are_combined_by_the_geometric_mean(network):
    found = attribute(network, IMAGE, QUERIES[0], method="norm_grad", layers=("2", "3", "5"), class_names=NAMES)
    product = np.prod([_by_places(network, index + 1, QUERIES[0]) for index in (2, 3, 5)], axis=0)
    np.testing.assert_allclose(found.scores, product ** (1 / 3), rtol=1e-3, atol=1e-7)


def _stepped(network, query, rate):
    """A copy of the network after one step on -log of the share of the label, computed with an optimiser of torch."""
    changed = copy.deepcopy(network).requires_grad_(True)
    logits = changed(TENSOR)
    rivals = query.versus or NAMES
    shares = logits.softmax(dim=1)[0]
    own = sum(shares[NAMES.index(name)] for name in query.members or (query.label,))
    rest = sum(shares[NAMES.index(name)] for name in rivals)
    loss = -torch.log(own / (rest + own if query.versus else rest))
    optimizer = torch.optim.SGD(changed.parameters(), lr=rate)
    loss.backward()
    optimizer.step()
    return changed


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("frozen", [False, True])
def test_meta_saliency_is_norm_grad_of_the_network_after_a_step(query, frozen):
    network = _network().requires_grad_(not frozen)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = attribute(network, IMAGE, query, method="meta_norm_grad", layer="5", rate=0.5, class_names=NAMES)
    np.testing.assert_allclose(found.scores, _by_places(_stepped(network, query, 0.5), 6, query), rtol=1e-3, atol=1e-7)
    plain = attribute(network, IMAGE, query, method="norm_grad", layer="5", class_names=NAMES)
    assert np.abs(found.scores - plain.scores).max() > 1e-3 * plain.scores.max()
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(weight.requires_grad is not frozen and weight.grad is None for weight in network.parameters())


def test_weights_are_back_after_an_error(network):
    before = list(network.parameters())
    values = [weight.clone() for weight in before]

    def fails(_module, _given, _output):
        raise RuntimeError("no second pass")

    handles = []

    def late(_module, _given, _output):
        handles.append(network[8].register_forward_hook(fails))

    late_handle = network[7].register_forward_hook(late)
    try:
        with pytest.raises((RuntimeError, UsageError), match="no second pass"):
            attribute(network, IMAGE, Query("a"), method="meta_norm_grad", layer="5", class_names=NAMES)
    finally:
        for handle in (*handles, late_handle):
            handle.remove()
    assert all(weight is one for weight, one in zip(network.parameters(), before, strict=True))
    assert all(torch.equal(weight, value) for weight, value in zip(network.parameters(), values, strict=True))
    assert not any(layer._forward_hooks for layer in network.modules())


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("norm_grad", {"layer": "5", "layers": ("2",)}, "exclude each other"),
        ("norm_grad", {"layers": ()}, "sequence of different names"),
        ("norm_grad", {"layers": ("5", "5")}, "sequence of different names"),
        ("norm_grad", {"layers": "5"}, "sequence of different names"),
        ("norm_grad", {"layers": ("5", "x")}, "no layer 'x'"),
        ("norm_grad", {"layer": "8"}, "gives no feature maps"),
        ("norm_grad", {"rate": 0.1}, "rate has no effect"),
        ("meta_norm_grad", {"rate": 0}, "rate must be a number above 0"),
        ("meta_norm_grad", {"rate": 1e38}, "smaller rate|not finite"),
    ],
)
def test_bad_settings_are_told_in_a_sentence(network, method, options, message):
    with pytest.raises(UsageError, match=message):
        attribute(network, IMAGE, Query("a"), method=method, class_names=NAMES, **options)
