"""Make smaller what was found: leave out changes that are not needed, or move back along the line to the original."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.effects import Effects
    from adversarial.attacks.feature_guided.tree import Tree
    from adversarial.attacks.moves import ChangeSet
    from adversarial.query_log import QueryLog, Search

    Indices: TypeAlias = NDArray[np.int64]


def drops(
    tree: Tree, nodes: Indices, most: int | None = None
) -> Generator[NDArray[np.float32], NDArray[np.float64], list[int]]:
    """Ask about each of the sets with one change less, at most `most` new ones; return all such nodes that are known."""
    wanted: dict[ChangeSet, None] = {}
    for node in nodes.tolist():
        changes = tree.sets[node]
        wanted |= dict.fromkeys(changes[:i] + changes[i + 1 :] for i in range(len(changes)))
    fresh = [changes for changes in wanted if changes not in tree.node_of]
    yield from tree.ask(fresh[:most])
    return [tree.node_of[changes] for changes in wanted if changes in tree.node_of]


def drop_singly(tree: Tree, effects: Effects) -> Search:
    """Leave out one change after the other of the smallest adversarial set, until none can be spared.

    What leaving a change out costs is its effect among the others, the most telling observation of it that there is.
    """
    before = None
    while tree.best is not None and tree.best != before and tree.best_size > 1:
        before = tree.best
        changes = set(tree.sets[before])
        nodes = np.array((yield from drops(tree, np.array([before]))), dtype=np.int64)
        if len(nodes):
            gone = np.array([next(iter(changes.difference(tree.sets[node]))) for node in nodes.tolist()], dtype=np.int64)
            effects.observe(gone, tree.gaps[before] - tree.gaps[nodes])


def towards_original(log: QueryLog, tuning: Tuning = STANDARD) -> Search:
    """Move the best adversarial image along the line to the original, as far as it stays adversarial.

    For distances that fall on the way (L1, L2, L-infinity); in L0 nothing is gained before the last step.
    """
    if log.best is None:
        return
    low, high = 0.0, 1.0
    start = log.best - log.image
    fractions = np.array(tuning.shrinking.fractions, dtype=np.float32)
    for _ in range(tuning.shrinking.rounds):
        steps = low + (high - low) * fractions
        left = np.float32(1) - steps
        images = np.clip(log.image + left[:, None, None, None] * start, 0, 1)
        gaps = yield from log.ask(images)
        held = np.flatnonzero(log.value(gaps) > 0)
        # the farthest point that still holds, and not the first failure: the line may cross the boundary several times
        if len(held):
            last = int(held.max())
            following = float(steps[last + 1]) if last + 1 < len(steps) else high
            low, high = float(steps[last]), following
        else:
            high = float(steps[0])
