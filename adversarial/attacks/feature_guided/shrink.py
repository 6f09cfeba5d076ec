"""Make what was found smaller: drop changes that aren't needed, singly and in groups, and move back towards the original."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.effects import Effects
    from adversarial.attacks.feature_guided.tree import Tree
    from adversarial.attacks.moves import Key
    from adversarial.query_log import QueryLog

    Steps: TypeAlias = Generator[NDArray[np.float32], NDArray[np.float64], None]

LARGE = 9  # sets of more changes are first shrunk in groups: see `adversarial.attacks.feature_guided.large_sets`
FRACTIONS = np.array([1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8], dtype=np.float32)


def drops(
    tree: Tree, nodes: NDArray[np.int64], most: int | None = None
) -> Generator[NDArray[np.float32], NDArray[np.float64], list[int]]:
    """Ask about each of the sets with one change less, at most `most` new ones; all such nodes that are known."""
    wanted: dict[Key, None] = {}
    for node in nodes.tolist():
        key = tree.keys[node]
        wanted |= dict.fromkeys(key[:i] + key[i + 1 :] for i in range(len(key)))
    fresh = [key for key in wanted if key not in tree.index]
    yield from tree.ask(fresh[:most])
    return [tree.index[key] for key in wanted if key in tree.index]


def drop_singly(tree: Tree, effects: Effects) -> Steps:
    """Drop one change after the other from the smallest adversarial set, until none can be missed.

    What a drop costs is what the change did among the others: `effects` learns it.
    """
    before = None
    while tree.best is not None and tree.best != before and tree.size_found() > 1:
        before = tree.best
        key = set(tree.keys[before])
        nodes = np.array((yield from drops(tree, np.array([before]))), dtype=np.int64)
        if len(nodes):
            gone = np.array([next(iter(key.difference(tree.keys[node]))) for node in nodes.tolist()], dtype=np.int64)
            effects.observe(gone, tree.gaps[before] - tree.gaps[nodes])


def towards_original(account: QueryLog) -> Steps:
    """Move the best adversarial image back to the original as a whole, by search on the fraction of the way.

    For distances that fall on the way (L1, L2, L-infinity); in L0 nothing is gained before the last step.
    """
    if account.best is None:
        return
    low, high = 0.0, 1.0
    start = account.best - account.image
    for _ in range(3):
        steps = low + (high - low) * FRACTIONS
        fractions = np.float32(1) - steps
        images = np.clip(account.image + fractions[:, None, None, None] * start, 0, 1)
        gaps = yield from account.ask(images)
        held = np.flatnonzero(account.value(gaps) > 0)
        if len(held):
            last = int(held.max())
            following = float(steps[last + 1]) if last + 1 < len(steps) else high
            low, high = float(steps[last]), following
        else:
            high = float(steps[0])
