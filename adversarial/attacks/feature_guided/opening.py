"""The opening: blocks of pixels, single changes, and the way to a first adversarial set."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.large_sets import climb, ranked
from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.effects import Effects
    from adversarial.attacks.feature_guided.experience import Experience
    from adversarial.attacks.feature_guided.players import Players
    from adversarial.attacks.feature_guided.tree import Tree
    from adversarial.query_log import Search

    Indices: TypeAlias = NDArray[np.int64]


class Opening:
    """What is asked about while little is known: blocks, single changes, and ever larger sets until one is adversarial.

    Args:
        tree: holds the original.
        effects: learns from the answers.
        players: draw the changes after the lattice.
        tuning: its constants.

    Attributes:
        open: whether there are single changes that were not asked about.
    """

    def __init__(self, tree: Tree, effects: Effects, players: Players, tuning: Tuning = STANDARD) -> None:
        self.tree, self.effects, self.players, self.tuning = tree, effects, players, tuning
        self.open = True
        self._last = 0
        size = tree.moves.size
        self._large = size > tuning.opening.smallest_change * size.max()

    def blocks(self) -> Search:
        """Ask about square blocks in one value each, on a lattice: areas tell more than pixels while little is known."""
        tree, moves = self.tree, self.tree.moves
        height, width = tree.log.image.shape[:2]
        side = -(-min(height, width) // self.tuning.opening.blocks_across)
        corners = lattice(tree, self.players, self.tuning.leaves, self.tuning)
        pixels, values = np.divmod(corners, moves.count)
        top = np.clip(pixels // width - side // 2, 0, height - side)
        left = np.clip(pixels % width - side // 2, 0, width - side)
        within = (np.arange(side)[:, None] * width + np.arange(side)).ravel()
        numbers = ((top * width + left)[:, None] + within) * moves.count + values[:, None]
        allowed = moves.size[numbers] > 0
        sets = [tuple(row[kept].tolist()) for row, kept in zip(numbers, allowed, strict=True) if kept.any()]
        nodes = yield from tree.ask(sets, listed=side == 1)
        for node in nodes.tolist():
            changes = np.array(tree.sets[node])
            gain = (tree.gaps[node] - tree.gaps[0]) / len(changes)
            self.effects.observe(changes, np.repeat(gain[None], len(changes), axis=0), shared=len(changes) > 1)

    def believed(self, experience: Experience) -> Search:
        """Ask about ever larger sets of what earlier images let expect to do most, towards the class that seems nearest.

        Nothing is learned from the answers: what a set of hundreds of changes did says little about each.
        """
        tree, constants = self.tree, self.tuning.experience
        columns = np.arange(min(constants.classes, tree.gaps.shape[1]))
        told = experience.expected(columns)
        few = min(self.tuning.effects.best, told.shape[1])
        best = np.partition(told, told.shape[1] - few, axis=1)[:, -few:].mean(axis=1)
        if not (best > 0).any():
            return
        need = np.where(best > 0, -tree.gaps[0][columns] / np.maximum(best, 1e-9), np.inf)
        order = ranked(tree.moves, self.effects.everywhere(told[need.argmin()][None])[0])
        sizes = [constants.smallest]
        while 2 * sizes[-1] <= min(constants.largest, len(order)):
            sizes.append(2 * sizes[-1])
        yield from tree.ask([tuple(np.sort(order[:size]).tolist()) for size in sizes], listed=False)

    def singles(self) -> Search:
        """Ask about a batch of single changes: from a lattice, or where the players draw them, in turn."""
        tree, tuning = self.tree, self.tuning
        wanted = tuning.leaves
        first = lattice(tree, self.players, int(wanted * tuning.opening.lattice), tuning)
        asked = np.array([tree.sets[node][0] for node in tree.of_size(1)], dtype=np.int64)
        first = first[~np.isin(first, asked)]
        self.effects.refresh(tree.gaps[0])
        # the classifier is deterministic: asking twice teaches nothing
        barred = np.concatenate([asked, first])
        drawn, _ = self.players.shortlist(self.effects, tree.gaps[0], wanted - len(first), allowed=self._large, barred=barred)
        chosen = np.concatenate([first, drawn])
        if not len(chosen):
            self.open = False
            return
        yield from _ask_singles(tree, self.effects, chosen)

    def first_flip(self, rng: np.random.Generator) -> Search:
        """Climb to an adversarial set."""
        yield from climb(self.tree, self.effects, self.players.density, rng, self.tuning, finely=self._last > 0)
        self._last = self.tree.log.queries

    def is_due(self) -> bool:
        """Whether much was asked since the last climb."""
        return self.tree.log.queries > self.tuning.large_sets.climb_again * self._last


def tells_little(tree: Tree, tuning: Tuning = STANDARD) -> bool:
    """Whether the changes asked about so far mostly left the deciding gap as it was, to the last digit.

    Scores that were not rounded, clipped or saturated move with any change that the classifier sees at all. A classifier that
    sees only some of the pixels is told from rounding by the gaps that did move: those of exact scores are all different.
    """
    constants, asked = tuning.opening, len(tree.sets) - 1
    moved = tree.value[1:]
    moved = moved[moved != tree.value[0]]
    if not asked or len(moved) >= (1 - constants.unmoved) * asked:
        return False
    return len(moved) < constants.few_moved or len(np.unique(moved)) < constants.different * len(moved)


def lattice(tree: Tree, players: Players, count: int, tuning: Tuning = STANDARD) -> Indices:
    """At most `count` single changes on a lattice of pixels, more of them where the mixture is dense.

    The value of each pixel is drawn, with a probability that grows with the square of the change: large changes show what a
    pixel can do.
    """
    moves, rng = tree.moves, players.rng
    height, width = tree.log.image.shape[:2]
    step = max(1, int(np.sqrt(moves.open_pixels.mean() * height * width / (tuning.opening.lattice_spare * count))))
    top, left = rng.integers(step, size=2)
    rows, columns = np.arange(top, height, step), np.arange(left, width, step)
    points = (rows[:, None] * width + columns).ravel()
    points = points[moves.open_pixels[points]]
    if not len(points):
        points = np.flatnonzero(moves.open_pixels)
    # Gumbel noise on log densities: the largest `count` are a draw without replacement in proportion to the density
    noisy = np.log(players.density[points]) + rng.gumbel(size=len(points))
    points = points[np.argsort(-noisy, kind="stable")[:count]]
    cumulative = np.cumsum(moves.size.reshape(-1, moves.count)[points].astype(np.float64) ** 2, axis=1)
    draws = rng.random(len(points))[:, None] * cumulative[:, -1:]
    return np.asarray(points * moves.count + (draws >= cumulative).sum(axis=1))


def _ask_singles(tree: Tree, effects: Effects, changes: Indices) -> Search:
    nodes = yield from tree.ask([(change,) for change in changes.tolist()])
    if len(nodes):
        asked = np.array([tree.sets[node][0] for node in nodes])
        effects.observe(asked, tree.gaps[nodes] - tree.gaps[0])
