"""The search tree in arrays: sets of changes as nodes, their gaps and visit counts, and UCT with virtual loss."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.large_pictures.kept_sets import KeptSets, NodesOfSets
from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.attacks.moves import ChangeSet, MoveTable
    from adversarial.query_log import QueryLog

    Indices: TypeAlias = NDArray[np.int64]


class Tree:
    """The nodes of the game tree, with transpositions: a node is a set of changes, whatever the order they were made in.

    A child has its parent's changes and one or several more. Edges are not stored: whoever expands a node counts the visit.

    Attributes:
        sets: the set of each node, in the order in which they were asked about; the first is the original, with no changes.
        node_of: the node of each set.
        gaps: (N, columns) how far classes are ahead of the label (see `QueryLog.gaps`), for the classes nearest at the start.
        value: (N,) the gap that decides, above 0 where the set is adversarial.
        visits: (N,) the visit count: children of this node that were asked about.
        best: the node of the smallest adversarial set, or None.
        touched: (P,) how often each pixel was changed in an image that was asked about.
        focus: the column of the class that this tree is grown towards, or None for whichever class is nearest.
    """

    def __init__(self, moves: MoveTable, log: QueryLog, tuning: Tuning = STANDARD) -> None:
        self.moves, self.log, self.tuning = moves, log, tuning
        self.sets, self.node_of = KeptSets(), NodesOfSets()
        self.best: int | None = None
        self.touched = np.zeros(log.image.shape[0] * log.image.shape[1], dtype=np.int64)
        self.focus: int | None = None
        self._columns: Indices | None = None
        # images are written where the last ones lay, which nobody holds any more: new memory is cleared first
        self._space = np.zeros((0, *log.image.shape), dtype=moves.image.dtype)
        self._fitting = moves.fit(log.levels)
        self._gaps = np.zeros((0, 0), dtype=np.float32)
        self._value = np.zeros(0, dtype=np.float32)
        self._visits = np.zeros(0, dtype=np.float32)
        # the listed nodes of each size, in the order in which they were listed: a dict is an ordered set
        self._by_size: dict[int, dict[int, None]] = {}

    @property
    def gaps(self) -> NDArray[np.float32]:
        """See the class."""
        return self._gaps[: len(self.sets)]

    @property
    def value(self) -> NDArray[np.float32]:
        """See the class."""
        return self._value[: len(self.sets)]

    @property
    def visits(self) -> NDArray[np.float32]:
        """See the class."""
        return self._visits[: len(self.sets)]

    @property
    def best_size(self) -> int:
        """Number of changes in the smallest adversarial set; 0 while there is none."""
        return 0 if self.best is None else self.sets.size(self.best)

    @property
    def deepest(self) -> int:
        """The size of the largest listed set."""
        return max(self._by_size)

    @property
    def columns(self) -> Indices:
        """The columns of `QueryLog.gaps` that are kept, the nearest class first; known once the original was asked about."""
        assert self._columns is not None
        return self._columns

    def of_size(self, size: int) -> Indices:
        """The listed nodes of that size."""
        return np.array(list(self._by_size.get(size, ())), dtype=np.int64)

    def restart(self, focus: int | None) -> None:
        """Begin another tree from the single changes, towards the class in column `focus` or towards any.

        All answers are kept: a set that comes up again costs no query.
        """
        self._by_size = {size: nodes for size, nodes in self._by_size.items() if size < 2}
        self._visits[:] = 0
        self.focus = focus

    def worth(self, nodes: Indices) -> NDArray[np.float32]:
        """(n,) the gap by which nodes are chosen: the one that decides, or that of the class in focus."""
        return self.value[nodes] if self.focus is None else self.gaps[nodes, self.focus]

    def ask(
        self, sets: list[ChangeSet], *, listed: bool = True
    ) -> Generator[NDArray[np.float32], NDArray[np.float64], Indices]:
        """Ask about sets of changes and return the new nodes, (n,).

        Sets that are known already, or given twice, cost nothing. Sets that are not `listed` are remembered, but the tree
        does not grow from them until they come up again as listed ones.

        Raises:
            BudgetSpent: there was something to ask, and no query left.
        """
        for changes in sets:
            if listed and changes in self.node_of:
                self._list(self.node_of[changes], len(changes))
        fresh = [changes for changes in dict.fromkeys(sets) if changes not in self.node_of][: max(self.log.left, 1)]
        if not fresh:
            return np.zeros(0, dtype=np.int64)
        # a part at a time: images of large pictures take more memory than all that is known of them
        together = max(self.tuning.large_pictures.least_together, self.tuning.large_pictures.together // self.log.image.size)
        before = len(self.sets)
        while fresh and (len(self.sets) == before or self.log.left > 0):
            some = fresh[: min(together, max(self.log.left, 1))]
            fresh = fresh[len(some) :]
            if len(self._space) < len(some):
                self._space = np.empty((len(some), *self.log.image.shape), dtype=self.moves.image.dtype)
            images = self.moves.render(some, self._space)
            self._enter(some, (yield from self.log.ask(images, fitting=self._fitting)), listed=listed)
        return np.arange(before, len(self.sets))

    def top(self, size: int, count: int, rivals: Indices | None = None) -> Indices:
        """The elite of a size: the nodes nearest to flipping, at most `count`, the nearest first.

        With `rivals`, columns of the gaps, half of the places go in turn to the nodes nearest to each of these classes.
        """
        nodes = self.of_size(size)
        order = nodes[np.argsort(-self.worth(nodes), kind="stable")]
        if self.focus is not None or rivals is None or not len(rivals) or len(nodes) <= count:
            return order[:count]
        ranked = nodes[np.argsort(-self.gaps[nodes][:, rivals], axis=0, kind="stable")]
        # row by row, `ranked` names the first of every rival, then the second of every rival, and so on
        turns = dict.fromkeys([*order[: count - count // 2].tolist(), *ranked.ravel().tolist()])
        chosen = np.array(list(turns)[:count], dtype=np.int64)
        return chosen[np.argsort(-self.worth(chosen), kind="stable")]

    def select(self, nodes: Indices, count: int, exploration: float, scale: float) -> Indices:
        """How many leaves of the next batch each node gets, (n,) summing to `count`, by UCT (Kocsis and Szepesvari 2006).

        The leaves are handed out one after the other, each to the node with the greatest
        value / scale + exploration sqrt(log N / n). A leaf counts as a visit as soon as it is handed out, before its value is
        known (virtual loss, Chaslot et al. 2008), so that one batch does not go to one node.
        """
        value = self.worth(nodes) / max(scale, 1e-12)
        visits = 1 + self.visits[nodes]
        # N is the visit count after the batch: it must not change while the leaves are handed out
        width = np.log(visits.sum() + count) * exploration**2
        given = np.zeros(len(nodes), dtype=np.int64)
        for _ in range(count):
            chosen = int(np.argmax(value + np.sqrt(width / visits)))
            given[chosen] += 1
            visits[chosen] += 1
        return given

    def visit(self, nodes: Indices, counts: Indices) -> None:
        """Add to the visit counts of nodes."""
        self._visits[nodes] += counts

    def _list(self, node: int, size: int) -> None:
        self._by_size.setdefault(size, {})[node] = None

    def _enter(self, fresh: list[ChangeSet], gaps: NDArray[np.float64], *, listed: bool) -> None:
        if self._columns is None:
            # the classes that matter: untargeted those close behind the label, with a target those farthest ahead of it
            nearest = gaps[0] if self.log.every else -gaps[0]
            self._columns = np.argsort(nearest, kind="stable")[: self.tuning.tree.columns]
        first = len(self.sets)
        self._reserve(first + len(fresh), len(self._columns))
        self._gaps[first : first + len(fresh)] = gaps[:, self._columns]
        self._value[first : first + len(fresh)] = self.log.value(gaps)
        for node, changes in enumerate(fresh, start=first):
            self.sets.append(changes)
            self.node_of[changes] = node
            if listed:
                self._list(node, len(changes))
            if self._value[node] > 0 and (self.best is None or len(changes) < self.best_size):
                self.best = node
        numbers = np.fromiter(chain.from_iterable(fresh), dtype=np.int64)
        np.add.at(self.touched, self.moves.pixels(numbers), 1)

    def _reserve(self, wanted: int, columns: int) -> None:
        """Double the arrays when they are full: appending to arrays batch by batch would copy them each time."""
        if wanted > len(self._value):
            capacity = max(256, 2 * wanted)
            gaps = np.zeros((capacity, columns), dtype=np.float32)
            value, visits = np.zeros(capacity, dtype=np.float32), np.zeros(capacity, dtype=np.float32)
            count = len(self.sets)
            if count:
                gaps[:count], value[:count], visits[:count] = self.gaps, self.value, self.visits
            self._gaps, self._value, self._visits = gaps, value, visits
