"""A small seeded network of five classes, images for it, a finding, and a mixture."""

from __future__ import annotations

import numpy as np

from adversarial import CallableClassifier, KeypointMixture
from verbalize import PixelSaliency, Query

SIDE = 12
NAMES = ("stop", "yield", "speed limit 30", "danger", "no entry")


def network(batch, classes=5, seed=0):
    """A network of two layers: not linear, five classes."""
    rng = np.random.default_rng(seed)
    inner = rng.normal(size=(SIDE * SIDE * 3, 24)).astype(np.float32) / 6
    outer = rng.normal(size=(24, classes)).astype(np.float32)
    return np.maximum((np.asarray(batch).reshape(len(batch), -1) - 0.5) @ inner, 0) @ outer


def other_network(batch):
    return network(batch, seed=7)


IMAGES = np.random.default_rng(1).random((2, SIDE, SIDE, 3), dtype=np.float32)
LABELS = network(IMAGES).argmax(axis=1)
OTHER_IMAGES = np.random.default_rng(5).random((2, SIDE, SIDE, 3), dtype=np.float32)
CORNER = np.zeros((SIDE, SIDE))
CORNER[:4, :4] = 1.0


def classifier(tools, predict=network):
    return CallableClassifier(tools.counting(predict))


RESULT = {
    "success": True,
    "original": IMAGES[0],
    "adversarial": IMAGES[0],
    "label": 0,
    "adversarial_label": 1,
    "distance": 1.0,
    "distances": {"l0": 1.0},
    "queries": 10,
    "trace": np.array([[5.0, 1.0]]),
    "touched": PixelSaliency(CORNER, Query("yield", ("stop",)), signed=False),
}
MIXTURE = KeypointMixture(
    np.array([0.4, 0.6]), np.array([[2.0, 2.0], [8.0, 9.0]]), np.array([1.0, 2.0]), np.full((SIDE, SIDE), 1 / SIDE**2), "map"
)
