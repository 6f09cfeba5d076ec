"""The two players of the game: how player I weighs the features, and how player II draws changes in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.effects import Effects
    from adversarial.attacks.feature_guided.tree import Tree
    from adversarial.features import KeypointMixture

    Array: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.floating]


class Players:
    """Both players of the cooperative game, whose moves are drawn for all pixels at once.

    Player I picks features by UCT with the mixture as prior. Its pick is not one feature but a factor for every pixel, which
    scales how far player II's draws may stray from the estimates. Player II picks changes by Thompson sampling: it takes
    those that are best under a draw from what is believed of each (Thompson 1933; Russo et al. 2018).

    Attributes:
        density: (P,) probability of each pixel, the mixture's and a uniform one's in equal parts.
    """

    def __init__(
        self, tree: Tree, mixture: KeypointMixture | None, rng: np.random.Generator, tuning: Tuning = STANDARD
    ) -> None:
        self.tree, self.rng, self.tuning = tree, rng, tuning.tree
        pixels = len(tree.touched)
        self.density = np.full(pixels, 1 / pixels)
        self._shares: Floats | None = None
        self._weights: Floats | None = None
        if mixture is not None:
            uniform = tuning.opening.uniform
            self.density = uniform * self.density + (1 - uniform) * mixture.density.ravel()
            self._shares = mixture.responsibilities.reshape(len(mixture), -1).astype(np.float32)
            self._weights = mixture.weights

    def prior(self) -> Array:
        """(P J,) player I's factor for the deviation of each change: above 1 in dense features that were visited little."""
        raised = self._raised()
        return np.ones(1, dtype=np.float32) if raised is None else np.repeat(raised, self.tree.moves.count)

    def _raised(self) -> Array | None:
        """(P,) the same factor for each pixel; None where it is 1."""
        if self._shares is None or self._weights is None:
            return None
        # PUCT's exploration term (Rosin 2011): probability sqrt(N) / (1 + n), with n the visits that fell to the feature
        visits = self._shares @ self.tree.touched.astype(np.float32)
        bonus = self._weights * np.sqrt(1 + visits.sum()) / (1 + visits)
        pixels = self.density * (1 + self.tuning.features * (bonus.astype(np.float32) @ self._shares))
        raised = np.clip((pixels / pixels.mean()) ** self.tuning.guidance, *self.tuning.guidance_range)
        return np.asarray(raised, dtype=np.float32)

    def draw(self, effects: Effects) -> Array:
        """(P J, A) player II's draw from what is believed of each change, in steps (see `Effects`)."""
        # one draw per change for all classes: a change that does more than believed does so for every class
        raised = self._raised()
        noise = self.rng.standard_normal(len(effects.mean), dtype=np.float32)
        reach = np.float32(self.tuning.thompson) * effects.deviation
        if raised is not None:
            by_pixel = reach.reshape(len(raised), -1)
            by_pixel *= raised[:, None]
        noise *= reach
        drawn = np.empty(effects.mean.shape[::-1], dtype=np.float32)
        for row, mean, scale, step in zip(drawn, effects.mean.T, effects.scale, effects.step, strict=True):
            np.multiply(noise, scale, out=row)
            row += mean
            row /= step
        return drawn.T


def largest(score: Floats, count: int) -> NDArray[np.int64]:
    """Places of the largest finite scores, at most `count`, the largest first."""
    count = min(count, len(score))
    falling = -score
    # selecting by a limit is several times as fast as np.argpartition, which is left to say which of equal scores are taken
    places = np.flatnonzero(falling <= np.partition(falling, count - 1)[count - 1])
    ordered = places[np.argsort(falling[places], kind="stable")]
    rising = falling[ordered]
    if len(places) != count or (rising[1:] == rising[:-1]).any():
        places = np.argpartition(falling, count - 1)[:count]
        ordered = places[np.argsort(falling[places], kind="stable")]
    return np.asarray(ordered[np.isfinite(score[ordered])])
