"""The way to a wanted class: areas are painted until it wins, and the set is then pressed into ever fewer changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.large_sets import ranked
from adversarial.attacks.feature_guided.players import looked_at
from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.effects import Effects
    from adversarial.attacks.feature_guided.players import Players
    from adversarial.attacks.feature_guided.tree import Tree
    from adversarial.attacks.moves import ChangeSet, MoveTable
    from adversarial.query_log import Search

    Floats: TypeAlias = NDArray[np.floating]
    Indices: TypeAlias = NDArray[np.int64]


class Probed(NamedTuple):
    """What a batch told about a set: the sets that were asked about, and what each change is believed to do by now."""

    asked: list[ChangeSet]
    worth: Floats


class Reach:
    """Climbs on the gap that decides until a set is adversarial, however large it gets.

    Each round asks about areas in one value each, painted over the set that is nearest so far, and about this set with the
    changes that are believed to do most. What brought the class nearer is then made together, since the effects of areas
    nearly add up: the best two, three and so on. Areas become smaller when nothing helps, and after the smallest ones large
    ones are tried again (Andriushchenko et al. 2020, Square, shrinks its squares by a schedule of the budget; here there is
    none, and several squares are kept at a time).

    Args:
        tree: receives the answers.
        effects: learns from them.
        players: draw places and values.
        tuning: its constants.
    """

    def __init__(self, tree: Tree, effects: Effects, players: Players, tuning: Tuning = STANDARD) -> None:
        self.tree, self.effects, self.players, self.tuning = tree, effects, players, tuning
        self._shorter = min(tree.log.image.shape[:2])
        self._side = max(1.0, self._shorter / tuning.reach.across)

    def steps(self) -> Search:
        """Climb until a set is adversarial, or many rounds brought nothing."""
        tree, constants = self.tree, self.tuning.reach
        sizes = np.array([tree.sets.size(node) for node in range(len(tree.sets))])
        here = int(np.where(sizes <= constants.start * len(tree.touched), tree.value, -np.inf).argmax())
        idle = 0
        while tree.best is None and idle < constants.patience:
            state = np.array(tree.sets[here], dtype=np.int64)
            sets = [*self._painted(state, here), *self._believed(state, here)]
            known = len(tree.sets)
            yield from tree.ask(sets, listed=False)
            nodes = _nodes(tree, sets)
            self._learn(here, nodes[nodes >= known])
            together = self._together(state, here, nodes)
            yield from tree.ask(together, listed=False)
            nodes = np.concatenate([nodes, _nodes(tree, together)])
            best = int(nodes[tree.value[nodes].argmax()]) if len(nodes) else here
            if tree.value[best] > tree.value[here]:
                here, idle = best, 0
            else:
                idle += 1
                self._side *= constants.smaller
                if self._side < 1:
                    self._side = max(1.0, self._shorter / constants.again_across)

    def _painted(self, state: Indices, here: int) -> list[ChangeSet]:
        """The set with an area in one value each, half of them where the players draw; a closed change restores its pixel."""
        tree, moves, rng = self.tree, self.tree.moves, self.players.rng
        height, width = tree.log.image.shape[:2]
        count, side = self.tuning.reach.areas, min(round(self._side), height, width)
        self.effects.refresh(tree.gaps[here])
        drawn, _ = self.players.shortlist(self.effects, tree.gaps[here], self.tuning.reach.spread * count)
        drawn = rng.permutation(drawn)[: count // 2]
        centres = np.concatenate([drawn, rng.integers(len(moves.size), size=count - len(drawn))])
        pixels, values = np.divmod(centres, moves.count)
        top = np.clip(pixels // width - side // 2, 0, height - side)
        left = np.clip(pixels % width - side // 2, 0, width - side)
        within = (np.arange(side)[:, None] * width + np.arange(side)).ravel()
        numbers = ((top * width + left)[:, None] + within) * moves.count + values[:, None]
        return [joined(moves, state, row, row[~moves.closed[row]]) for row in numbers]

    def _believed(self, state: Indices, here: int) -> list[ChangeSet]:
        moves, sizes = self.tree.moves, self.tuning.reach.added
        worth = believed(self.tree, self.effects, self.players.rng, here, self.tuning)
        order = ranked(moves, worth, max(sizes))
        order = order[worth[order] > 0]
        return [joined(moves, state, order[:size], order[:size]) for size in sizes if len(order) > size // 2]

    def _learn(self, here: int, nodes: Indices) -> None:
        """Observe what came into the set, from nodes where nothing went."""
        tree, before = self.tree, set(self.tree.sets[here])
        for node in nodes.tolist():
            after = set(tree.sets[node])
            new = np.array(sorted(after - before), dtype=np.int64)
            if len(new) and before <= after:
                gain = (tree.gaps[node] - tree.gaps[here]) / len(new)
                self.effects.observe(new, np.repeat(gain[None], len(new), axis=0), shared=len(new) > 1)

    def _together(self, state: Indices, here: int, nodes: Indices) -> list[ChangeSet]:
        """Sets with what brought the class nearer: the best two, three and so on, as if gaps added up."""
        tree, moves = self.tree, self.tree.moves
        gaps = tree.gaps[here].astype(np.float64)
        gains, left, order = tree.gaps[nodes] - gaps, list(range(len(nodes))), []
        while left:
            gain = gains[left] @ hardest(gaps, self.tuning)
            if gain.max() <= 0:
                break
            order.append(left.pop(int(gain.argmax())))
            gaps = gaps + gains[order[-1]]
        made, best = [], state
        for count, place in enumerate(order, start=1):
            after = np.array(tree.sets[int(nodes[place])], dtype=np.int64)
            gone, new = np.setdiff1d(state, after), np.setdiff1d(after, state)
            best = np.array(joined(moves, best, np.concatenate([gone, new]), new), dtype=np.int64)
            if count in self.tuning.reach.together:
                made.append(tuple(best.tolist()))
        return made


def press(tree: Tree, effects: Effects, players: Players, tuning: Tuning = STANDARD) -> Search:
    """Make the smallest adversarial set much smaller at a time, as long as that works.

    A set of a share of its size is brought to the flip (see `hold`); where that fails, one of a greater share is.
    """
    constants = tuning.reach
    tries = 0
    while tree.best_size > constants.least:
        before, asked = tree.best_size, tree.log.queries
        shares = constants.shares if before > constants.large else constants.small_shares
        yield from hold(tree, effects, players, min(before - 1, max(constants.least, int(shares[tries] * before))), tuning)
        tries = 0 if tree.best_size < before else tries + 1
        if tries == len(shares) or (tree.log.queries == asked and tree.best_size == before):
            return


def hold(tree: Tree, effects: Effects, players: Players, most: int, tuning: Tuning = STANDARD) -> Search:
    """Look for an adversarial set of at most `most` changes: exchange the worst for the best until it flips.

    The search starts from the nearest set of that size: parts of the smallest adversarial set, the changes that are believed
    to do most, and all that was asked about before. Each round asks about single further changes and, where the set is full,
    about leaving some out, in the set itself, where single changes do something else than in the original. The best are then
    exchanged for the worst, in several numbers at once. It is given up where the way is too long for the pace so far.
    """
    constants, moves, before = tuning.reach, tree.moves, tree.best_size
    yield from tree.ask(_starts(tree, effects, players, most, tuning), listed=False)
    sizes = np.array([tree.sets.size(node) for node in range(len(tree.sets))])
    here = int(np.where(sizes <= most, tree.value, -np.inf).argmax())
    began, rounds, idle = float(tree.value[here]), 0, 0
    while tree.best_size == before and idle < constants.idle:
        state = np.array(tree.sets[here], dtype=np.int64)
        probed = yield from _probe(tree, effects, players, here, most, tuning)
        if probed is None:
            return
        outside = probed.worth.copy()
        outside.reshape(-1, moves.count)[moves.pixels(state)] = -np.inf
        new = ranked(moves, outside, min(most, max(constants.steps)))
        worth = probed.worth[state]
        order = np.argsort(worth, kind="stable")
        tried = [_as_set(ranked(moves, probed.worth, most))]
        for step in constants.steps:
            gone = order[: max(0, len(state) + step - most)]
            if step <= len(new) and outside[new[:step]].sum() > worth[gone].sum():
                tried.append(joined(moves, np.delete(state, gone), new[:step], new[:step]))
        yield from tree.ask(tried, listed=False)
        nodes = _nodes(tree, [one for one in [*probed.asked, *tried] if len(one) <= most])
        best = int(nodes[tree.value[nodes].argmax()]) if len(nodes) else here
        rounds += 1
        if tree.value[best] > tree.value[here]:
            here, idle = best, 0
        else:
            idle += 1
        pace = (float(tree.value[here]) - began) / rounds
        if rounds >= constants.rounds and -float(tree.value[here]) > constants.hope * pace:
            return


def _starts(tree: Tree, effects: Effects, players: Players, most: int, tuning: Tuning) -> list[ChangeSet]:
    """Sets of a size to begin with: parts of the smallest adversarial set, and the changes that are believed to do most."""
    assert tree.best is not None
    found = np.array(tree.sets[tree.best], dtype=np.int64)
    there, at_first = (believed(tree, effects, players.rng, node, tuning) for node in (tree.best, 0))
    worthy = found[np.argsort(-there[found], kind="stable")]
    best = ranked(tree.moves, there, most)
    return [
        _as_set(changes)
        for changes in (
            worthy[:most], players.rng.permutation(found)[:most], best, best[: max(1, most // 2)],
            ranked(tree.moves, at_first, most),
        )
    ]  # fmt: skip


def _probe(
    tree: Tree, effects: Effects, players: Players, here: int, most: int, tuning: Tuning
) -> Generator[NDArray[np.float32], NDArray[np.float64], Probed | None]:
    """Ask about a set with single further changes, and without some where it is full; None where the budget ended."""
    constants, moves, gaps = tuning.reach, tree.moves, tree.gaps[here]
    state = np.array(tree.sets[here], dtype=np.int64)
    worth = believed(tree, effects, players.rng, here, tuning)[state]
    drawn, _ = players.shortlist(effects, gaps, constants.probes, barred=state)
    groups: list[Indices] = []
    if len(state) + constants.room > most:
        noise = players.rng.standard_normal(len(state)) * worth.std() if len(state) else worth
        order = state[np.argsort(worth + constants.noise * noise, kind="stable")]
        each = max(1, len(state) // constants.parts)
        groups = [order[start : start + each] for start in range(0, min(len(state), each * constants.probes), each)]
    asked = [
        *(joined(moves, state, group, group[:0]) for group in groups),
        *(joined(moves, state, one, one) for one in drawn[:, None]),
    ]
    yield from tree.ask(asked, listed=False)
    nodes = _nodes(tree, asked)
    if len(nodes) < len(asked):
        return None
    moved = tree.gaps[nodes] - gaps
    if groups:
        lengths = np.array([len(group) for group in groups])
        effects.observe(np.concatenate(groups), np.repeat(-moved[: len(groups)] / lengths[:, None], lengths, axis=0))
    if len(drawn):
        effects.observe(drawn, moved[len(groups) :])
    return Probed(asked, believed(tree, effects, players.rng, here, tuning))


def believed(tree: Tree, effects: Effects, rng: np.random.Generator, node: int, tuning: Tuning = STANDARD) -> Floats:
    """(P J,) what every change is believed to do to the set of a node, mostly to the hardest classes.

    On large pictures this is said of the set's own changes, those that were seen and one of each value in each cell; of others
    it is minus infinity.
    """
    gaps = tree.gaps[node]
    effects.refresh(gaps)
    weights = hardest(gaps[effects.classes], tuning).astype(np.float32)
    if effects.cells is None:
        return np.asarray(effects.mean @ weights)
    worth = np.full(len(tree.moves.size), -np.inf, dtype=np.float32)
    inside = np.concatenate([looked_at(effects, rng), np.array(tree.sets[node], dtype=np.int64)])
    worth[inside] = effects.at(inside)[0] @ weights
    return worth


def hardest(gaps: Floats, tuning: Tuning = STANDARD) -> Floats:
    """(n,) weights of gaps (n,) that must all be closed, in sum 1: the smallest gap has most, as in a soft minimum."""
    unit = max(tuning.reach.softness * abs(float(gaps.min())), 1e-9)
    weights = np.exp(-(gaps - gaps.min()) / unit)
    return np.asarray(weights / weights.sum())


def joined(moves: MoveTable, state: Indices, gone: Indices, new: Indices) -> ChangeSet:
    """A set without the changes at the pixels of `gone`, and with `new` ones, one per pixel."""
    kept = state[~np.isin(moves.pixels(state), moves.pixels(gone))]
    return _as_set(np.concatenate([kept, new]))


def _nodes(tree: Tree, sets: list[ChangeSet]) -> Indices:
    """The nodes of those of the sets that are known, each once."""
    return np.array([tree.node_of[one] for one in dict.fromkeys(sets) if one in tree.node_of], dtype=np.int64)


def _as_set(changes: Indices) -> ChangeSet:
    return tuple(np.sort(changes).tolist())
