"""The opening: single changes, first on a lattice, then where the players draw them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.large_sets import glance
from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.effects import Effects
    from adversarial.attacks.feature_guided.players import Players
    from adversarial.attacks.feature_guided.tree import Tree
    from adversarial.query_log import Search

    Indices: TypeAlias = NDArray[np.int64]


def open_game(tree: Tree, effects: Effects, players: Players, budget: int, tuning: Tuning = STANDARD) -> Search:
    """Ask about single changes until a share of the budget is spent, one of them alone is adversarial, or scores tell little.

    Args:
        tree: holds the original only.
        effects: learns from the answers.
        players: draw the changes after the lattice.
        budget: queries of the whole search.
        tuning: its constants.
    """
    spent = max(1, int(tuning.opening.share * budget))
    first = lattice(tree, players, max(1, int(tuning.opening.lattice * spent)), tuning)
    for start in range(0, len(first), tuning.leaves):
        yield from _ask_singles(tree, effects, first[start : start + tuning.leaves])
        if tree.best_size == 1 or tells_little(tree, tuning):
            return
    # the lattice has just told which areas matter: sets of the best changes flip many images at this point
    if budget >= tuning.opening.glance_budget:
        yield from glance(tree, effects, tuning)
    size = tree.moves.size
    large = size > tuning.opening.smallest_change * size.max()
    while tree.log.queries < spent:
        effects.refresh(tree.gaps[0])
        # the classifier is deterministic: asking twice teaches nothing
        chosen, _ = players.shortlist(effects, tree.gaps[0], tuning.leaves, allowed=large, barred=effects.seen)
        if not len(chosen):
            return
        yield from _ask_singles(tree, effects, chosen)
        if tree.best_size == 1 or tells_little(tree, tuning):
            return


def tells_little(tree: Tree, tuning: Tuning = STANDARD) -> bool:
    """Whether the single changes asked so far mostly left the deciding gap as it was, to the last digit.

    Scores that were not rounded, clipped or saturated move with any change that the classifier sees at all. A classifier that
    sees only some of the pixels is told from rounding by the gaps that did move: those of exact scores are all different.
    """
    singles, constants = tree.of_size(1), tuning.opening
    moved = tree.value[singles]
    moved = moved[moved != tree.value[0]]
    if not len(singles) or len(moved) >= (1 - constants.unmoved) * len(singles):
        return False
    return len(moved) < constants.few_moved or len(np.unique(moved)) < constants.different * len(moved)


def lattice(tree: Tree, players: Players, count: int, tuning: Tuning = STANDARD) -> Indices:
    """At most `count` single changes on a lattice of pixels, more of them where the mixture is dense.

    The value of each pixel is drawn, with a probability that grows with the square of the change: large changes show what a
    pixel can do.
    """
    moves, rng = tree.moves, players.rng
    height, width = tree.log.image.shape[:2]
    chances = moves.size.reshape(-1, moves.count).astype(np.float64) ** 2
    open_share = (chances.sum(axis=1) > 0).mean()
    step = max(1, int(np.sqrt(open_share * height * width / (tuning.opening.lattice_spare * count))))
    top, left = rng.integers(step, size=2)
    rows, columns = np.arange(top, height, step), np.arange(left, width, step)
    points = (rows[:, None] * width + columns).ravel()
    points = points[chances[points].sum(axis=1) > 0]
    if not len(points):
        points = np.flatnonzero(chances.sum(axis=1) > 0)
    # Gumbel noise on log densities: the largest `count` are a draw without replacement in proportion to the density
    noisy = np.log(players.density[points]) + rng.gumbel(size=len(points))
    points = points[np.argsort(-noisy, kind="stable")[:count]]
    cumulative = np.cumsum(chances[points], axis=1)
    draws = rng.random(len(points))[:, None] * cumulative[:, -1:]
    return np.asarray(points * moves.count + (draws >= cumulative).sum(axis=1))


def _ask_singles(tree: Tree, effects: Effects, changes: Indices) -> Search:
    nodes = yield from tree.ask([(change,) for change in changes.tolist()])
    if len(nodes):
        asked = np.array([tree.sets[node][0] for node in nodes])
        effects.observe(asked, tree.gaps[nodes] - tree.gaps[0])
