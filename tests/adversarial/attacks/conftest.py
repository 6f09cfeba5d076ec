"""Linear classifiers on small images: their minima are known, so that a search can be held against them."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial.attacks.feature_guided.effects import Effects
from adversarial.attacks.feature_guided.tree import Tree
from adversarial.attacks.moves import make_move_table
from adversarial.distances.distance import DISTANCES
from adversarial.query_log import BudgetSpent, QueryLog


class Linear:
    """A linear classifier, an image, and one search's log, moves and tree.

    Class 0 is the label. The gap of class k is `(x - image) . weights[k - 1] - needs[k - 1]`: `needs` says by how much the
    linear function must rise for the image to flip to that class.
    """

    def __init__(self, image, weights, needs, *, budget=10_000, distance="l0", target=None, manipulation="corners"):
        self.image = np.asarray(image, dtype=np.float32)
        self.weights = np.asarray(weights, dtype=np.float64).reshape(len(needs), -1)
        self.needs = np.asarray(needs, dtype=np.float64)
        self.log = QueryLog(self.image, 0, target, distance=DISTANCES.get(distance), budget=budget, kind="logits")
        self.moves = make_move_table(self.image, manipulation)
        self.tree = Tree(self.moves, self.log)
        self.asked = []

    def predict(self, images):
        change = (images.astype(np.float64) - self.image).reshape(len(images), -1)
        return np.concatenate([np.zeros((len(images), 1)), change @ self.weights.T - self.needs], axis=1)

    def run(self, search):
        """Drive a search to its end and return what it returns; None where the budget ended it."""
        try:
            images = next(search)
            while True:
                assert len(images)
                self.asked.append(len(images))
                images = search.send(self.predict(images))
        except StopIteration as end:
            return end.value
        except BudgetSpent:
            return None

    def gains(self):
        """(P J, K - 1) what each change does to each gap, worked out change by change."""
        flat = self.image.reshape(-1, self.image.shape[-1])
        rows = []
        for pixel in range(len(flat)):
            for value in self.moves.values[pixel]:
                change = np.zeros_like(flat, dtype=np.float64)
                change[pixel] = value.astype(np.float64) - flat[pixel]
                rows.append(self.weights @ change.ravel())
        return np.array(rows)

    def effects(self, *, observed=True):
        """Effects that have seen every allowed change, if `observed`."""
        effects = Effects(self.image.shape[:2], self.moves.codes, self.tree.gaps.shape[1], targeted=self.log.every)
        if observed:
            allowed = np.flatnonzero(self.moves.size > 0)
            effects.observe(allowed, self.gains()[allowed])
        return effects

    def flips(self, changes):
        """Whether the image with these changes is adversarial."""
        scores = self.predict(self.moves.render([tuple(changes)]))[0]
        return bool(scores.argmax() != 0 if self.log.target is None else scores.argmax() == self.log.target)

    def fewest(self):
        """The fewest pixels that flip to class 1: the best gain of each pixel, sorted and summed."""
        best = np.maximum(self.gains()[:, 0].reshape(-1, self.moves.count).max(axis=1), 0)
        return int(np.searchsorted(np.cumsum(np.sort(best)[::-1]), self.needs[0], side="right")) + 1


@pytest.fixture
def linear():
    """The class `Linear`."""
    return Linear


@pytest.fixture
def two_classes():
    """`two_classes(side, needed, seed=0, blur=0.0)`: a grey `Linear` whose image flips with `needed` pixels and no fewer."""

    def make(side, needed, seed=0, blur=0.0, **options):
        from scipy.ndimage import gaussian_filter

        rng = np.random.default_rng(seed)
        weights = gaussian_filter(rng.normal(size=(side, side)), blur)[None]
        image = (0.35 + 0.3 * rng.random((side, side, 1))).astype(np.float32)
        made = Linear(image, weights, [1.0], **options)
        best = np.sort(made.gains()[:, 0].reshape(-1, 2).max(axis=1))[::-1]
        made.needs[0] = best[: needed - 1].sum() + 0.5 * best[needed - 1]
        assert made.fewest() == needed
        return made

    return make
