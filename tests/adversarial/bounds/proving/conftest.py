"""Networks around images, for the parts of a proof."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session")
def around(programs):
    """`around(seed, kind, size)`: a random network and image, and all that a proof computes about them."""
    torch = pytest.importorskip("torch")
    from adversarial.bounds.networks import read_module
    from adversarial.bounds.proving.bounding import Bounding
    from adversarial.bounds.proving.deviations import Deviations
    from adversarial.bounds.proving.items import Items

    def make(seed, kind, size=(4, 4, 1), classes=3, quirk="none"):
        rng = np.random.default_rng(seed)
        module = programs.build(rng, kind, *size, classes, quirk)
        picture = programs.image(rng, *size, "inside")
        label = int(programs.scores(module, picture[None]).argmax())
        network = read_module(module, size)
        deviations = Deviations(network, torch.as_tensor(picture, dtype=torch.float64))
        return SimpleNamespace(
            rng=rng, module=module, picture=picture, label=label, network=network, deviations=deviations,
            bounding=Bounding(deviations, label), items=Items(deviations),
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def boxed():
    """`boxed(one, number)`: split so many random items of random boxes off; their numbers."""

    def make(one, number):
        count, channels = one.picture.shape[0] * one.picture.shape[1], one.picture.shape[2]
        low, high = np.sort(one.rng.random((2, number, channels)), axis=0)
        return one.items.add(one.rng.integers(0, count, number), low, high)

    return make


@pytest.fixture
def eager(monkeypatch):
    """Take parts of every network however small, and bound all layers forwards, as in large networks."""
    pytest.importorskip("torch")
    from adversarial.bounds.proving import bounding, nearby, prover

    monkeypatch.setattr(nearby, "LEAST_PRODUCTS", 0)
    monkeypatch.setattr(nearby, "TILE", 1)
    for module in (bounding, prover):
        monkeypatch.setattr(module, "MOST_PRODUCTS", 0)
