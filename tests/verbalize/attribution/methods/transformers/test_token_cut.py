"""TokenCut, against a dense generalised eigenproblem solved by scipy, and on planted groups of patches."""

import numpy as np
import pytest
import scipy.linalg
import tiny_models as tiny
import torch
from transformers import BeitConfig, BeitForImageClassification

from saywhy_core.errors import UsageError
from verbalize import attribute
from verbalize.attribution.methods.transformers.token_cut import foreground


def by_hand(keys, tau):
    count = len(keys)
    weights = np.empty((count, count))
    for i in range(count):
        for j in range(count):
            cosine = keys[i] @ keys[j] / np.linalg.norm(keys[i]) / np.linalg.norm(keys[j])
            weights[i, j] = 1 if cosine >= tau else 1e-5
    degrees = np.diag(weights.sum(axis=1))
    _, vectors = scipy.linalg.eigh(degrees - weights, degrees)
    second = vectors[:, 1]
    front = second > second.mean()
    if not front[np.abs(second).argmax()]:
        front = ~front
    return np.where(front, np.abs(second - second.mean()), 0)


def planted(members, seed=0, count=16, width=12):
    """Two groups of patches, each around a direction of its own."""
    rng = np.random.default_rng(seed)
    first, second = np.linalg.qr(rng.normal(size=(width, 2)))[0].T
    keys = np.where(np.isin(np.arange(count), members)[:, None], 3 * first, 3 * second)
    return keys + rng.normal(0, 0.1, keys.shape)


@pytest.mark.parametrize("tau", [0.1, 0.2, 0.5])
def test_scores_are_those_of_the_generalised_eigenproblem(tau):
    members = ([2, 3, 6], [5], [0, 1, 4, 5, 8])
    keys = np.stack([planted(some, seed) for seed, some in enumerate(members)])
    found = foreground(torch.from_numpy(keys), tau).numpy()
    for one, some, seen in zip(keys, members, found, strict=True):
        expected = by_hand(one, tau)
        np.testing.assert_allclose(seen / seen.max(), expected / expected.max(), atol=1e-3)
        assert set(np.flatnonzero(seen)) == set(some)  # the smaller group stands out


def test_patches_that_are_all_alike_have_no_foreground():
    assert not foreground(torch.ones(2, 9, 4), 0.2).any()
    assert not foreground(torch.eye(9)[None], 0.2).any()  # nor have those that are all unlike
    assert not foreground(torch.ones(1, 1, 4), 0.2).any()
    assert not foreground(torch.zeros(1, 9, 4), 0.2).any()


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        (lambda: tiny.vit(1), lambda model: model.vit.layers[-1].attention.k_proj),
        (
            lambda: BeitForImageClassification(BeitConfig(**tiny.SIZES, image_size=24)),
            lambda model: dict(model.named_modules())[
                next(name for name, _ in reversed(list(model.named_modules())) if name.endswith((".key", ".k_proj")))
            ],
        ),
    ],
    ids=["vit", "beit"],
)
def test_features_are_the_keys_of_the_last_layer(model, keys):
    network = model().eval()
    image = tiny.pictures(1)[0]
    image[6:18, 6:18] = [1, 0, 0]
    seen = {}
    handle = keys(network).register_forward_hook(lambda _m, _g, output: seen.update(keys=output))
    with torch.no_grad():
        network(pixel_values=tiny.batch_of(image[None]))
    handle.remove()
    for tau in (0.2, 0.6, 0.9):
        expected = foreground(seen["keys"][:, 1:], tau)[0].reshape(4, 4).numpy()
        found = attribute(network, image, method="token_cut", tau=tau).scores
        np.testing.assert_allclose(found[2::6, 2::6].argmax(), expected.argmax())
        assert bool(found.any()) == bool(expected.any())


def test_plain_torch_projects_its_keys_itself():
    images = tiny.pictures(2)
    images[0, :12, :12] = 1
    first = attribute(tiny.PlainTransformer(), images, method="token_cut", tau=0.5, class_names=tiny.NAMES)
    other = attribute(tiny.PlainTransformer(batch_first=False), images, method="token_cut", tau=0.5, class_names=tiny.NAMES)
    for one, two in zip(first, other, strict=True):
        np.testing.assert_allclose(one.scores, two.scores, atol=1e-5)


@pytest.mark.parametrize("tau", [1, -1, 2.0, "0.2", True, float("nan")])
def test_tau_is_a_cosine(tau):
    with pytest.raises(UsageError, match="tau must be a cosine between -1 and 1"):
        attribute(tiny.vit(), tiny.pictures(1)[0], method="token_cut", tau=tau)


def test_other_settings_have_no_effect():
    with pytest.raises(UsageError, match=r"steps has no effect on the method 'token_cut' .it uses tau"):
        attribute(tiny.vit(), tiny.pictures(1)[0], method="token_cut", steps=3)
