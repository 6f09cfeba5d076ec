"""The two players of the game: how player I weighs the features, and how player II draws changes in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.effects import kernel_width
from adversarial.attacks.large_pictures.cells import Cells, cell_side
from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.effects import Effects
    from adversarial.attacks.feature_guided.tree import Tree
    from adversarial.features import KeypointMixture

    Array: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.floating]
    Indices: TypeAlias = NDArray[np.int64]


class Players:
    """Both players of the cooperative game, whose moves are drawn for all pixels at once.

    Player I picks features by UCT with the mixture as prior. Its pick is not one feature but a factor for every pixel, which
    scales how far player II's draws may stray from the estimates. Player II picks changes by Thompson sampling: it takes
    those that are best under a draw from what is believed of each (Thompson 1933; Russo et al. 2018). On large pictures
    player I weighs cells (see `Effects`), and of each cell player II draws the best change of each value at once.

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
        shape = (tree.log.image.shape[0], tree.log.image.shape[1])
        side = cell_side(kernel_width(shape, tuning.effects), tuning.effects.cell)
        self._cells = None if side == 1 else Cells(shape, side, tree.moves.count, None, tree.moves.count)
        if mixture is not None:
            uniform = tuning.opening.uniform
            self.density = uniform * self.density + (1 - uniform) * mixture.density.ravel()
            self._shares = mixture.shares(side).reshape(len(mixture), -1).astype(np.float32)
            self._weights = mixture.weights

    def prior(self) -> Array:
        """(P J,) player I's factor for the deviation of each change: above 1 in dense features that were visited little."""
        raised = self._raised()
        return np.ones(1, dtype=np.float32) if raised is None else np.repeat(raised, self.tree.moves.count)

    def _raised(self) -> Array | None:
        """(P,) the same factor for each pixel; None where it is 1."""
        raised = self._raised_cells()
        return raised if raised is None or self._cells is None else raised[self._cells.of_pixels]

    def _raised_cells(self) -> Array | None:
        """The same for each cell, or each pixel where there are no cells."""
        if self._shares is None or self._weights is None:
            return None
        touched, density = self.tree.touched.astype(np.float32), self.density
        if self._cells is not None:
            touched, density = self._cells.sums(touched), self._cells.sums(density)
        # PUCT's exploration term (Rosin 2011): probability sqrt(N) / (1 + n), with n the visits that fell to the feature
        visits = self._shares @ touched
        bonus = self._weights * np.sqrt(1 + visits.sum()) / (1 + visits)
        pixels = density * (1 + self.tuning.features * (bonus.astype(np.float32) @ self._shares))
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

    def shortlist(
        self, effects: Effects, gaps: Floats, count: int, *, allowed: NDArray[np.bool_] | None = None,
        barred: Indices | None = None,
    ) -> tuple[Indices, Array]:  # fmt: skip
        """The best changes from these gaps under a draw, at most `count`, the best first, and what was drawn of them, (n, A).

        Args:
            effects: what is believed of the changes.
            gaps: (columns,) see `Effects.utility`.
            count: how many.
            allowed: (P J,) the changes that may be chosen; None for all that the moves allow.
            barred: changes that may not.
        """
        allowed = ~self.tree.moves.closed if allowed is None else allowed
        if effects.cells is None:
            belief = self.draw(effects)
            score = np.where(allowed, effects.utility(belief, gaps), -np.inf)
            if barred is not None:
                score[barred] = -np.inf
            chosen = largest(score, count)
            return chosen, belief[chosen]
        changes, belief = self.draw_best(effects)
        score = np.where(allowed[changes], effects.utility(belief, gaps), -np.inf)
        if barred is not None:
            score[np.isin(changes, barred)] = -np.inf
        chosen = largest(score, count)
        return changes[chosen], belief[chosen]

    def draw_best(self, effects: Effects) -> tuple[Indices, Array]:
        """Changes (n,) of a large picture and a draw of what is believed of them (n, A), in steps.

        They are all that were seen, and of every cell one change of each value, for which the best draw of the cell stands.
        """
        changes, noise = candidates(effects, self.rng)
        mean, deviation = effects.at(changes)
        noise *= np.float32(self.tuning.thompson) * deviation
        raised = self._raised_cells()
        if raised is not None and self._cells is not None:
            noise *= raised[self._cells.of_pixels[self.tree.moves.pixels(changes)]]
        belief = (mean + noise[:, None] * effects.scale) / effects.step
        return changes, belief.astype(np.float32, copy=False)


def candidates(effects: Effects, rng: np.random.Generator) -> tuple[Indices, Array]:
    """Changes (n,) of a large picture that are looked at in one draw, and the noise (n,) of each; see `Players.draw_best`."""
    changes, noise, of_seen, fresh = _drawn(effects, rng)
    assert effects.cells is not None
    return changes, np.concatenate([of_seen, effects.cells.highest_noise(noise[fresh])])


def looked_at(effects: Effects, rng: np.random.Generator) -> Indices:
    """The same changes without their noise, which takes longest; it is drawn, so that both leave `rng` alike."""
    return _drawn(effects, rng)[0]


def _drawn(effects: Effects, rng: np.random.Generator) -> tuple[Indices, NDArray[np.float64], Array, NDArray[np.bool_]]:
    """The changes; evenly drawn numbers, one for each cell and value; the noise of what was seen; which cells' are unseen."""
    assert effects.cells is not None
    unseen = effects.cells.one_each(rng)
    numbers = rng.random(len(unseen))
    fresh = ~effects.was_seen(unseen)
    of_seen = rng.standard_normal(len(effects.seen), dtype=np.float32)
    return np.concatenate([effects.seen, unseen[fresh]]), numbers, of_seen, fresh


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
