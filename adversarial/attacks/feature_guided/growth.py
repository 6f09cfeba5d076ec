"""The growth of the tree: one batch of leaves after the other, from parents that UCT selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.shrink import drops
from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.effects import Effects
    from adversarial.attacks.feature_guided.players import Players
    from adversarial.attacks.feature_guided.tree import Tree
    from adversarial.attacks.moves import ChangeSet
    from adversarial.query_log import Search

    Floats: TypeAlias = NDArray[np.floating]
    Indices: TypeAlias = NDArray[np.int64]

SMALL = 32  # pixels: up to so many are compared with each other directly


@dataclass(eq=False)
class Growth:
    """How one tree grows.

    Attributes:
        tree: the tree.
        effects: the estimates that choose changes, and learn from the answers.
        players: draw from these estimates.
        tuning: its constants.
        rivals: columns of the classes that share the elite, or None.
        widening: times the usual number of nodes in the elite; doubled whenever the elite gives too few new children.
        added: changes by which the sets of the current size exceed their parents.
    """

    tree: Tree
    effects: Effects
    players: Players
    tuning: Tuning = STANDARD
    rivals: Indices | None = None
    widening: int = 1
    added: int = 1

    def round(self, planned: int) -> Search:
        """Ask about one batch of leaves: parents by UCT, and a change (or several, while sets grow fast) added to each.

        Until a set is adversarial, sets grow. Afterwards the goal is a set with one change less than the smallest one: the
        best sets of that size lose one change each, and the parents that result get another one.

        Args:
            planned: queries made by the end of the stage: with more, more of them go to each size.
        """
        tree, leaves = self.tree, self.tuning.leaves
        size, added = tree.best_size, 1
        if size and tree.deepest >= size - 1:
            goal = size - 1
            smaller = yield from drops(tree, tree.top(goal, self._elite(), self.rivals), 2 * leaves)
            if tree.best_size <= goal:
                return
        else:
            goal, added = self._next_size(size - 1 if size else None, planned)
            smaller = []
        parents = self._parents(smaller, goal - added)
        if not len(parents):
            self.widening *= 2
            return
        self.effects.refresh(tree.gaps[parents[0]], tree.focus)
        pairs = self.tuning.tree.pairs if size and goal == size - 1 and goal >= 2 else 0
        counts = tree.select(parents, leaves - pairs, self.tuning.tree.exploration, float(self.effects.scale.mean()))
        children = self._expand(parents, counts, added)
        # what the expansion left of the batch goes to exchanges of two changes
        yield from tree.ask(self._exchange_pairs(goal, leaves - len(children) if pairs else 0))
        before = len(tree.sets)
        yield from tree.ask([changes for _, changes in children])
        asked = [(parent, node) for parent, changes in children if (node := tree.node_of.get(changes, -1)) >= before]
        if len(asked) < (leaves - pairs) // 2:
            self.widening *= 2
        if asked:
            self._learn(np.array(asked), added)

    def _elite(self) -> int:
        return self.tuning.tree.elite * self.widening

    def _parents(self, smaller: list[int], size: int) -> Indices:
        """The nodes that may be expanded: sets that lost a change, and the elite of the size, the nearest to flipping first."""
        tree = self.tree
        nodes = [*smaller, *tree.top(size, 2 * self._elite(), self.rivals).tolist()]
        distinct = np.array(list(dict.fromkeys(nodes)), dtype=np.int64)
        return np.asarray(distinct[np.argsort(-tree.worth(distinct), kind="stable")[: 2 * self._elite()]])

    def _next_size(self, most: int | None, planned: int) -> tuple[int, int]:
        """The size to try next while nothing is adversarial, and by how much it exceeds its parents' size."""
        tree, leaves, large = self.tree, self.tuning.leaves, self.tuning.large_sets.large
        deepest = tree.deepest
        enough = leaves if deepest >= large else min(2 * leaves, max(leaves, int(self.tuning.tree.level * planned)))
        if deepest <= 1 or len(tree.of_size(deepest)) >= enough:
            self.added = 1 if deepest < large else max(1, int(self.tuning.tree.growth * deepest))
            if most is not None:
                self.added = min(self.added, most - deepest)
            deepest += self.added
        return deepest, self.added

    def _expand(self, nodes: Indices, counts: Indices, added: int) -> list[tuple[int, ChangeSet]]:
        """New children of the nodes, as many as asked for each where there are as many: pairs of parent and set."""
        tree, effects, moves = self.tree, self.effects, self.tree.moves
        constants = self.tuning.tree
        # changes that are poor for the best parent are hardly ever good for another: one short list serves the whole batch
        length = max(constants.shortlist * self.widening, constants.shortlist_per_added * added)
        shortlist, belief = self.players.shortlist(effects, tree.gaps[nodes[0]], length)
        pixels = moves.pixels(shortlist)
        parent_of: dict[ChangeSet, int] = {}
        given = np.zeros_like(counts)
        for place in np.flatnonzero(counts).tolist():
            node, wanted = int(nodes[place]), int(counts[place])
            changes = tree.sets[node]
            utility = effects.utility(belief, tree.gaps[node])
            free = outside(pixels, moves.pixels(np.array(changes, dtype=np.int64)))
            made: Iterable[ChangeSet]
            if added > 1:
                made = self._several(changes, shortlist[free], pixels[free], utility[free], added, wanted)
            else:
                order = shortlist[free][np.argsort(-utility[free], kind="stable")]
                made = (_with(changes, change) for change in order.tolist())  # mostly the first few are taken
            for child in made:
                if given[place] == wanted:
                    break
                # a transposition: another order of moves led to this set already
                if child not in tree.node_of and child not in parent_of:
                    parent_of[child] = node
                    given[place] += 1
        tree.visit(nodes, given)
        return [(parent, changes) for changes, parent in parent_of.items()]

    def _several(
        self, changes: ChangeSet, candidates: Indices, pixels: Indices, utility: Floats, added: int, wanted: int
    ) -> list[ChangeSet]:
        """Children with several more changes: the best candidates under fresh noise, at most one per pixel."""
        children: list[ChangeSet] = []
        for _ in range(wanted if len(utility) else 0):
            deviation = self.tuning.tree.several_noise * max(float(utility.std()), 1e-9)
            noisy = utility + self.players.rng.gumbel(size=len(utility)) * deviation
            order = np.argsort(-noisy, kind="stable")
            _, first = np.unique(pixels[order], return_index=True)
            chosen = candidates[order[np.sort(first)[:added]]]
            children.append(tuple(sorted((*changes, *chosen.tolist()))))
        return children

    def _exchange_pairs(self, size: int, count: int) -> list[ChangeSet]:
        """Sets near the elite of a size with two changes drawn anew: a way out where no single change helps."""
        tree, moves, rng = self.tree, self.tree.moves, self.players.rng
        elite = tree.top(size, self._elite())
        if not count or not len(elite):
            return []
        shortlist, _ = self.players.shortlist(self.effects, tree.gaps[elite[0]], self.tuning.tree.shortlist // 2)
        made, places = [], moves.pixels(shortlist)
        for node in rng.choice(elite, size=count):
            changes = np.array(tree.sets[node])
            kept = np.delete(changes, rng.choice(len(changes), size=2, replace=False))
            free = shortlist[outside(places, moves.pixels(kept))]
            if not len(free):
                continue
            drawn = free[(len(free) * rng.random(2) ** self.tuning.tree.early_draws).astype(np.int64)]
            if moves.pixels(drawn[:1]) != moves.pixels(drawn[1:]):
                made.append(tuple(sorted((*kept.tolist(), *drawn.tolist()))))
        return made

    def _learn(self, asked: Indices, added: int) -> None:
        """Observe what was added to the parents, from rows of (parent, child)."""
        tree = self.tree
        new = [sorted(set(tree.sets[child]).difference(tree.sets[parent])) for parent, child in asked.tolist()]
        # several changes share equally what they did together: nothing is known of how to divide it
        gains = (tree.gaps[asked[:, 1]] - tree.gaps[asked[:, 0]]) / added
        self.effects.observe(np.concatenate(new), np.repeat(gains, [len(changes) for changes in new], axis=0))


def outside(pixels: Indices, others: Indices) -> NDArray[np.bool_]:
    """Which of the pixels are not among the others; faster than `np.isin` for sets as small as these."""
    if len(others) > SMALL:
        return ~np.isin(pixels, others)
    return np.asarray((pixels[:, None] != others).all(axis=1))


def _with(changes: ChangeSet, change: int) -> ChangeSet:
    return tuple(sorted((*changes, change)))
