"""The statistics of the search tree in arrays: sets of changes as nodes, their gaps, visits, and UCT with virtual loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.attacks.moves import Key, MoveTable
    from adversarial.query_log import QueryLog

    Indices: TypeAlias = NDArray[np.int64]

COLUMNS = 48  # classes followed in the tree: those that start nearest. Any class counts as a flip


class Tree:
    """Nodes of the game tree, with transpositions: a node is a set of changes, however the players came to it.

    Attributes:
        keys: the sets, in the order in which they were asked about; the first is the original.
        gaps: (N, columns) how far classes are ahead of the label.
        value: (N,) the gap that decides, above 0 where the set is adversarial.
        visits: (N,) children that were asked about from this node.
        best: the smallest adversarial set, or None.
    """

    def __init__(self, palette: MoveTable, account: QueryLog) -> None:
        self.palette, self.account = palette, account
        self.keys: list[Key] = []
        self.index: dict[Key, int] = {}
        self.best: int | None = None
        self.tried = np.zeros(account.image.shape[0] * account.image.shape[1], dtype=np.int64)
        self._columns: Indices | None = None
        self._gaps = np.zeros((0, 0), dtype=np.float32)
        self._value = np.zeros(0, dtype=np.float32)
        self._visits = np.zeros(0, dtype=np.float32)
        self._by_size: dict[int, dict[int, None]] = {}
        self.focus: int | None = None

    @property
    def gaps(self) -> NDArray[np.float32]:
        """See the class."""
        return self._gaps[: len(self.keys)]

    @property
    def value(self) -> NDArray[np.float32]:
        """See the class."""
        return self._value[: len(self.keys)]

    @property
    def visits(self) -> NDArray[np.float32]:
        """See the class."""
        return self._visits[: len(self.keys)]

    def size_found(self) -> int:
        """Changes in the smallest adversarial set; 0 while there is none."""
        return 0 if self.best is None else len(self.keys[self.best])

    @property
    def deepest(self) -> int:
        """The size of the largest set."""
        return max(self._by_size)

    def restart(self, focus: int | None) -> None:
        """Begin another tree from the single changes, for one class where `focus` names its column; answers are kept."""
        self._by_size = {size: nodes for size, nodes in self._by_size.items() if size < 2}
        self._visits[:] = 0
        self.focus = focus

    def worth(self, nodes: Indices) -> NDArray[np.float32]:
        """(n,) the gap by which nodes are chosen: the one that decides, or that of the class in focus."""
        return self.value[nodes] if self.focus is None else self.gaps[nodes, self.focus]

    def of_size(self, size: int) -> Indices:
        """The nodes of that size."""
        return np.array(list(self._by_size.get(size, ())), dtype=np.int64)

    def ask(self, keys: list[Key], *, listed: bool = True) -> Generator[NDArray[np.float32], NDArray[np.float64], Indices]:
        """Ask about sets; those already known, and those asked for twice, cost nothing. Returns the new nodes (n,).

        Sets that are not `listed` are remembered, but the tree does not grow from them.
        """
        fresh = [key for key in dict.fromkeys(keys) if key not in self.index][: max(self.account.left, 1)]
        for key in keys:
            if listed and key in self.index:
                self._by_size.setdefault(len(key), {})[self.index[key]] = None
        if not fresh:
            return np.zeros(0, dtype=np.int64)
        images = self.palette.render(fresh)
        gaps = yield from self.account.ask(images)
        if self._columns is None:
            nearest = gaps[0] if self.account.every else -gaps[0]  # the classes that matter: ahead, or close behind
            self._columns = np.argsort(nearest, kind="stable")[:COLUMNS]
        first = len(self.keys)
        self._grow(first + len(fresh), len(self._columns))
        self._gaps[first : first + len(fresh)] = gaps[:, self._columns]
        self._value[first : first + len(fresh)] = self.account.value(gaps)
        for node, key in enumerate(fresh, start=first):
            self.keys.append(key)
            self.index[key] = node
            if listed:
                self._by_size.setdefault(len(key), {})[node] = None
            if self._value[node] > 0 and (self.best is None or len(key) < len(self.keys[self.best])):
                self.best = node
        changes = np.fromiter((change for key in fresh for change in key), dtype=np.int64)
        np.add.at(self.tried, changes // self.palette.count, 1)
        return np.arange(first, first + len(fresh))

    def top(self, size: int, count: int, rivals: Indices | None = None) -> Indices:
        """The nodes of a size that are nearest to flipping, at most `count`, the nearest first.

        With `rivals`, columns of the gaps, half of the places go by turns to those that are nearest to each of these classes.
        """
        nodes = self.of_size(size)
        order = nodes[np.argsort(-self.worth(nodes), kind="stable")]
        if self.focus is not None or rivals is None or not len(rivals) or len(nodes) <= count:
            return order[:count]
        ranked = nodes[np.argsort(-self.gaps[nodes][:, rivals], axis=0, kind="stable")]
        turns = dict.fromkeys([*order[: count - count // 2].tolist(), *ranked.ravel().tolist()])
        chosen = np.array(list(turns)[:count], dtype=np.int64)
        return chosen[np.argsort(-self.worth(chosen), kind="stable")]

    def select(self, nodes: Indices, count: int, exploration: float, scale: float) -> Indices:
        """How often each node is to be expanded in the next batch, (n,) summing to `count`, by UCT.

        One leaf after the other goes to the node with the greatest value / scale + exploration sqrt(log N / n); a leaf that
        has been handed out counts as a visit before its value is known (virtual loss).
        """
        value = self.worth(nodes) / max(scale, 1e-12)
        visits = 1 + self.visits[nodes]
        width = np.log(visits.sum() + count) * exploration**2
        given = np.zeros(len(nodes), dtype=np.int64)
        for _ in range(count):
            chosen = int(np.argmax(value + np.sqrt(width / visits)))
            given[chosen] += 1
            visits[chosen] += 1
        return given

    def visit(self, nodes: Indices, counts: Indices) -> None:
        """Enter visits for good."""
        self._visits[nodes] += counts

    def _grow(self, wanted: int, columns: int) -> None:
        if wanted > len(self._value):
            capacity = max(256, 2 * wanted)
            gaps = np.zeros((capacity, columns), dtype=np.float32)
            value, visits = np.zeros(capacity, dtype=np.float32), np.zeros(capacity, dtype=np.float32)
            count = len(self.keys)
            if count:
                gaps[:count], value[:count], visits[:count] = self.gaps, self.value, self.visits
            self._gaps, self._value, self._visits = gaps, value, visits
