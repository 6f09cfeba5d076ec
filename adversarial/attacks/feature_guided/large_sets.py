"""Coarse steps for images that are hard to flip: find a large adversarial set quickly, then make it smaller in few queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.players import looked_at
from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.effects import Effects
    from adversarial.attacks.feature_guided.tree import Tree
    from adversarial.attacks.moves import ChangeSet, MoveTable
    from adversarial.query_log import Search

    Floats: TypeAlias = NDArray[np.floating]
    Indices: TypeAlias = NDArray[np.int64]


class Exchanged(NamedTuple):
    """A set in which some changes were exchanged: those that went, those that came, and the set that results."""

    gone: Indices
    new: Indices
    result: ChangeSet


def climb(
    tree: Tree, effects: Effects, density: Floats, rng: np.random.Generator, tuning: Tuning = STANDARD, *, finely: bool = False
) -> Search:
    """Ask about ever larger sets until one is adversarial, and then about sizes between it and the one below.

    First the changes that are believed to do most towards each of the nearest classes, the best one of each pixel, in order.
    Where no number of them flips the image: whole areas in one colour and in random colours, the densest pixels first.

    Args:
        tree: receives the answers.
        effects: what is believed of the changes.
        density: (P,) of the pixels.
        rng: draws the random colours.
        tuning: its constants.
        finely: whether more is known than in the opening: more sizes are tried, and more classes.
    """
    constants = tuning.large_sets
    effects.refresh(tree.gaps[0])
    ladders = _ladders(tree.moves, effects, None if finely else constants.classes)
    yield from _climb_ladders(tree, ladders, constants.finer_factor if finely else constants.fine_factor, tuning)
    if tree.best is None:
        yield from _climb_ladders(tree, _areas(tree.moves, density, rng), constants.coarse_factor, tuning)


def shed(tree: Tree, effects: Effects, rng: np.random.Generator, tuning: Tuning = STANDARD) -> Search:
    """Shrink the smallest adversarial set while it is large, by what its parts turn out to be worth.

    The set is cut into groups, and each group is left out once, which tells what it is worth. Then as many of the cheapest
    groups as the margin pays for are left out together (some fewer, some more), and sets of the same sizes are made anew from
    the changes that do most, as far as is known by now. Where nothing gives, the groups are halved.
    """
    constants = tuning.large_sets
    parts = constants.groups
    while tree.best is not None and (size := tree.best_size) > constants.large and parts <= constants.most_groups:
        best, parts = tree.best, min(parts, size)
        changes, margin = np.array(tree.sets[best]), float(tree.value[best])
        worth = _worth(effects, tree.gaps[best], changes)[0]
        # groups of changes of like worth: a group of poor changes can go as a whole
        noise = rng.standard_normal(size) * worth.std()
        groups = np.array_split(changes[np.argsort(worth + constants.group_noise * noise, kind="stable")], parts)
        left = [_without(changes, group) for group in groups]
        yield from tree.ask(left, listed=False)
        if any(smaller not in tree.node_of for smaller in left):
            return  # the budget is spent
        nodes = np.array([tree.node_of[smaller] for smaller in left])
        lengths = np.array([len(group) for group in groups])
        effects.observe(
            np.concatenate(groups),
            np.repeat((tree.gaps[best] - tree.gaps[nodes]) / lengths[:, None], lengths, axis=0),
        )
        loss = margin - tree.value[nodes]
        order = np.argsort(loss / lengths, kind="stable")
        paid = int(np.searchsorted(np.cumsum(np.maximum(loss[order], 0)), margin))
        counts = np.unique(np.clip((paid * np.array(constants.shares)).astype(np.int64), 2, max(2, parts - 1)))
        together = [_without(changes, np.concatenate([groups[g] for g in order[:count]])) for count in counts.tolist()]
        anew = _ranked_at(tree.moves, effects, tree.gaps[best], size)
        sizes = np.unique(np.maximum(1, (size * np.array(constants.rebuilt)).astype(np.int64)))
        yield from tree.ask(together + _prefixes(anew, sizes), listed=False)
        if tree.best_size < size:
            parts = max(constants.groups, parts // 2)
        elif parts == size:
            return  # the groups were single changes already
        else:
            parts *= 2


def exchange(tree: Tree, effects: Effects, rng: np.random.Generator, tuning: Tuning = STANDARD) -> Search:
    """Look for a clearly smaller adversarial set by exchanging changes, while the smallest one is large.

    The search starts from nine tenths of the smallest set and keeps the set of that size that is nearest to flipping. Each
    batch exchanges some of its changes for others, fewer as time goes on (Croce et al. 2022, Sparse-RS, section 3; the paper
    draws the new changes evenly, here they are drawn by what is believed of them).
    """
    constants = tuning.large_sets
    goal = max(constants.large, int(constants.goal * tree.best_size))
    if tree.best is None or goal >= tree.best_size:
        return
    changes = np.array(tree.sets[tree.best])
    worth, _ = _worth(effects, tree.gaps[tree.best], changes)
    start = np.sort(changes[np.argsort(-worth, kind="stable")[:goal]])
    yield from tree.ask([_as_set(start)], listed=False)
    yield from _exchange_from(tree, effects, rng, start, tuning)


def rebuild(tree: Tree, effects: Effects, tuning: Tuning = STANDARD) -> Search:
    """Ask about smaller sets made anew from the changes that do most, as far as is known by now."""
    if tree.best is not None and tree.best_size > tuning.large_sets.least_rebuilt:
        size = tree.best_size
        anew = _ranked_at(tree.moves, effects, tree.gaps[tree.best], size)
        sizes = np.unique((size * np.array(tuning.large_sets.looks)).astype(np.int64))
        yield from tree.ask(_prefixes(anew, sizes), listed=False)


def begin_anew(tree: Tree, effects: Effects, tuning: Tuning = STANDARD) -> Search:
    """Ask about smaller sets made anew towards each of the classes nearest at the original, for as long as that helps.

    The smallest set so far may lead to a class that seemed near when little was known.
    """
    effects.refresh(tree.gaps[0])
    ladders, before = _ladders(tree.moves, effects) if tree.best_size > tuning.large_sets.large else [], 0
    while tuning.large_sets.large < tree.best_size != before:
        before = tree.best_size
        sizes = np.unique((before * np.array(tuning.large_sets.looks)).astype(np.int64))
        yield from tree.ask([changes for ladder in ladders for changes in _prefixes(ladder, sizes)], listed=False)


def approach(tree: Tree, effects: Effects, rng: np.random.Generator, tuning: Tuning = STANDARD) -> Search:
    """Look for a first adversarial set: make the nearest of the smaller sets grow, then exchange changes of the nearest."""
    constants = tuning.large_sets
    if tree.best is None:
        # nearer than the top of a ladder, which is half of the image, is hardly any other set; yet smaller ones flip with less
        sizes = np.array([tree.sets.size(node) for node in range(len(tree.sets))])
        grown = tree.sets[int(np.where(sizes <= constants.roomy * len(tree.touched), tree.value, -np.inf).argmax())]
        if grown:
            yield from _exchange_from(tree, effects, rng, np.array(grown), tuning, added=constants.added)
    if tree.best is None:
        nearest = tree.sets[int(tree.value.argmax())]
        if nearest:
            yield from _exchange_from(tree, effects, rng, np.array(nearest), tuning)


def ranked(moves: MoveTable, worth: Floats, count: int | None = None) -> Indices:
    """The best allowed change of each pixel, the most worthy pixel first; the first so many of them, or all."""
    return _ranked(moves, np.where(moves.closed, -np.inf, worth).reshape(-1, moves.count).T, count)


def _ranked(moves: MoveTable, table: Floats, count: int | None) -> Indices:
    """The same for a table (J, P) of what each value is worth at each pixel, minus infinity where it is not allowed."""
    top = _highest(table.T)
    pixels = _first(-top, len(top) if count is None else count)
    pixels = pixels[np.isfinite(top[pixels])]
    return np.asarray(pixels * moves.count + table[:, pixels].argmax(axis=0))


def _ranked_by(moves: MoveTable, effects: Effects, place: int | None, count: int | None = None) -> Indices:
    """The same by what is believed of the changes, towards the class at a place in `Effects.classes`, or towards all."""
    if effects.cells is None:
        return ranked(moves, effects.mean.mean(axis=1) if place is None else effects.mean_of(place), count)
    table = effects.by_value(place)
    table.ravel()[moves.closed_by_value] = -np.inf
    return _ranked(moves, table, count)


def _ranked_at(moves: MoveTable, effects: Effects, gaps: Floats, count: int) -> Indices:
    """The same by what is believed of them towards the class that decides at these gaps."""
    return _ranked_by(moves, effects, None if effects.targeted else _deciding(effects, gaps), count)


def _ladders(moves: MoveTable, effects: Effects, towards: int | None = None) -> list[Indices]:
    """All pixels by the best change of each, towards each of the nearest classes, or towards all together with a target."""
    places = [None] if effects.targeted else range(len(effects.classes))[:towards]
    return [_ranked_by(moves, effects, place) for place in places]


def _highest(table: Floats) -> Floats:
    """(P,) the highest of each row, column by column: there are few of them, and a reduction over a short axis is slow."""
    top = table[:, 0].copy()
    for column in range(1, table.shape[1]):
        np.maximum(top, table[:, column], out=top)
    return np.asarray(top)


def _exchange_from(
    tree: Tree, effects: Effects, rng: np.random.Generator, state: Indices, tuning: Tuning, added: float = 0
) -> Search:
    """Batches of exchanges in a set that was asked about, until it is adversarial or several batches brought nothing.

    The set may grow: each exchange brings up to `added` times its size more than it takes.
    """
    constants = tuning.large_sets
    idle, rate = 0, constants.exchange_rate
    while _as_set(state) in tree.node_of and idle < constants.patience:
        here = tree.node_of[_as_set(state)]
        if tree.value[here] > 0:
            return
        most = max(1, int(rate * len(state)))
        more = (
            [0] * tuning.leaves
            if not added
            else rng.integers(int(np.ceil(added * len(state))) + 1, size=tuning.leaves).tolist()
        )
        if effects.cells is None:
            worth, spread = _worth(effects, tree.gaps[here])
            spread = constants.exchange_noise * spread
            tried = [_exchanged(tree.moves, state, worth, spread, rng, most, extra) for extra in more]
        else:
            pool = _pool(tree.moves, looked_at(effects, rng), state)
            worth, spread = _worth(effects, tree.gaps[here], pool)
            spread = constants.exchange_noise * spread
            # one draw for the batch, which each set takes from another place on: a draw takes longer than all else
            noise = np.tile(rng.standard_normal(len(pool), dtype=np.float32), 2)
            starts = rng.integers(len(pool), size=tuning.leaves).tolist()
            tried = [
                exchanged_within(pool, tree.moves, state, worth, spread * noise[start : start + len(pool)], rng, most, extra)
                for start, extra in zip(starts, more, strict=True)
            ]
        yield from tree.ask([one.result for one in tried], listed=False)
        known = [(one, tree.node_of[one.result]) for one in tried if one.result in tree.node_of]
        if not known:
            return
        for one, node in known:
            # both what went and what came did this; the belief in the new changes stands in for what the old ones did
            gain = (tree.gaps[node] - tree.gaps[here]) / max(1, len(one.gone) + len(one.new))
            expected = worth[one.new if effects.cells is None else np.searchsorted(pool, one.new)]
            believed = max(0.0, float(expected.mean())) if len(one.new) else 0.0
            effects.observe(one.new, np.repeat(gain[None] + believed, len(one.new), axis=0))
        best = max((node for _, node in known), key=lambda node: float(tree.value[node]))
        if tree.value[best] > tree.value[here]:
            state, idle = np.array(tree.sets[best]), 0
        else:
            idle, rate = idle + 1, max(constants.least_rate, rate * constants.exchange_decay)


def _exchanged(
    moves: MoveTable, state: Indices, worth: Floats, spread: Floats, rng: np.random.Generator, most: int, extra: int = 0
) -> Exchanged:
    """A set with 1 to `most` changes exchanged, the worst for the best under a draw from what is believed, and extra ones."""
    number = int(rng.integers(1, most + 1))
    drawn = rng.standard_normal(len(worth), dtype=np.float32)
    drawn *= spread
    drawn += worth
    gone = state[np.argsort(drawn[state], kind="stable")[:number]]
    kept = np.setdiff1d(state, gone, assume_unique=True)
    np.copyto(drawn, -np.inf, where=moves.closed)
    table = drawn.reshape(-1, moves.count)
    table[moves.pixels(kept)] = -np.inf  # one change per pixel
    table.ravel()[gone] = -np.inf  # what went must not come back, but its pixel may take another value
    top = _highest(table)
    pixels = _first(-top, number + extra)
    pixels = pixels[np.isfinite(top[pixels])]
    new = np.asarray(pixels * moves.count + table[pixels].argmax(axis=1))
    return Exchanged(gone, new, _as_set(np.concatenate([kept, new])))


def exchanged_within(
    pool: Indices,
    moves: MoveTable,
    state: Indices,
    worth: Floats,
    noise: Floats,
    rng: np.random.Generator,
    most: int,
    extra: int = 0,
) -> Exchanged:
    """The same for a pool of allowed changes, in ascending order, that holds those of the set: belief and noise are its own."""
    number = int(rng.integers(1, most + 1))
    drawn = worth + noise
    inside = np.searchsorted(pool, state)
    order = np.argsort(drawn[inside], kind="stable")[:number]
    gone, kept = state[order], np.delete(state, order)
    drawn[_at_pixels(pool, moves, kept)] = -np.inf
    drawn[inside[order]] = -np.inf
    # few pixels come up twice, and those that do are found again among as many more
    best = _first(-drawn, 2 * (number + extra) + moves.count)
    best = best[np.isfinite(drawn[best])]
    _, first = np.unique(moves.pixels(pool[best]), return_index=True)
    new = pool[best[np.sort(first)[: number + extra]]]
    return Exchanged(gone, new, _as_set(np.concatenate([kept, new])))


def _at_pixels(pool: Indices, moves: MoveTable, changes: Indices) -> Indices:
    """The places in a pool, in ascending order, of all changes at the pixels of some changes."""
    firsts = changes - changes % moves.count
    begins, ends = np.searchsorted(pool, firsts), np.searchsorted(pool, firsts + moves.count)
    places = begins[:, None] + np.arange(moves.count)
    return np.asarray(places[places < ends[:, None]])


def _pool(moves: MoveTable, changes: Indices, state: Indices) -> Indices:
    """Those of the changes that are allowed, and those of a set, in ascending order, each once."""
    pool = np.sort(np.concatenate([changes[~moves.closed[changes]], state]))  # np.union1d takes thirty times as long
    return np.asarray(pool[np.append(True, pool[1:] != pool[:-1])])


def _first(values: Floats, count: int) -> Indices:
    """The places of the smallest values, the smallest first and equal ones in their order; without sorting all."""
    if count >= len(values):
        return np.argsort(values, kind="stable")
    near = np.flatnonzero(values <= np.partition(values, count - 1)[count - 1])
    return np.asarray(near[np.argsort(values[near], kind="stable")[:count]])


def _worth(effects: Effects, gaps: Floats, changes: Indices | None = None) -> tuple[Floats, Floats]:
    """(n,) what changes, or all, are believed to do to the class that decides at these gaps, and how unsure that is."""
    column = _deciding(effects, gaps)
    scale = effects.scale.mean() if effects.targeted else effects.scale[column]
    if changes is not None:
        mean, deviation = effects.at(changes, None if effects.targeted else column)
        return mean.mean(axis=1) if effects.targeted else mean[:, 0], deviation * scale
    return effects.mean.mean(axis=1) if effects.targeted else effects.mean_of(column), effects.deviation * scale


def _deciding(effects: Effects, gaps: Floats) -> int:
    """The place in `Effects.classes` of the class that decides at these gaps, after estimates were made for them."""
    effects.refresh(gaps)
    return int(np.asarray(gaps)[effects.classes].argmax())


def _areas(moves: MoveTable, density: Floats, rng: np.random.Generator) -> list[Indices]:
    """Ladders that paint whole areas, the densest pixels first: one for each value, and one with a random value per pixel."""
    allowed = (moves.size > 0).reshape(-1, moves.count)
    order = np.argsort(-density, kind="stable")
    random = np.where(allowed, rng.random(allowed.shape), -1.0).argmax(axis=1)
    ladders = []
    for choice in [*range(moves.count), random]:
        value = np.broadcast_to(choice, len(order))[order]
        open_here = np.take_along_axis(allowed[order], value[:, None], axis=1)[:, 0]
        ladders.append((order * moves.count + value)[open_here])
    return ladders


def _climb_ladders(tree: Tree, ladders: list[Indices], factor: int, tuning: Tuning) -> Search:
    """Ask about the first changes of each ladder, more and more of them by `factor`, and refine the first size that flips."""
    ladders = [ladder for ladder in ladders if len(ladder)]
    if not ladders:
        return
    longest, low, size = max(map(len, ladders)), 0, tuning.large_sets.first
    if tree.best is not None:
        longest = min(longest, tree.best_size - 1)
        if longest < size:
            return
    while True:
        sizes = [min(size * factor**rung, longest) for rung in range(tuning.large_sets.rungs)]
        before = tree.best
        yield from tree.ask([_as_set(ladder[:size]) for size in dict.fromkeys(sizes) for ladder in ladders], listed=False)
        if tree.best != before and tree.best is not None:
            found = tree.sets[tree.best]
            ladder = next(ladder for ladder in ladders if _as_set(ladder[: len(found)]) == found)
            yield from _refine(tree, ladder, max([low, *(one for one in sizes if one < len(found))]), tuning)
            return
        if sizes[-1] == longest:
            return
        low, size = sizes[-1], sizes[-1] * factor


def _refine(tree: Tree, ladder: Indices, low: int, tuning: Tuning) -> Search:
    """Narrow down between a size of a ladder that does not flip and the size of the best set, several sizes per batch."""
    high = tree.best_size
    while high - low > max(1, high // tuning.large_sets.resolution):
        middles = np.unique((low + (high - low) * np.array(tuning.large_sets.middles)).astype(np.int64))
        middles = middles[(middles > low) & (middles < high)]
        if not len(middles):
            return
        sets = _prefixes(ladder, middles)
        yield from tree.ask(sets, listed=False)
        nodes = [tree.node_of.get(changes) for changes in sets]
        held = [size for size, node in zip(middles.tolist(), nodes, strict=True) if node is not None and tree.value[node] > 0]
        low = max([size for size in middles.tolist() if not held or size < min(held)], default=low)
        high = min(held, default=high)


def _prefixes(order: Indices, sizes: Indices) -> list[ChangeSet]:
    return [_as_set(order[:size]) for size in sizes.tolist()]


def _without(changes: Indices, gone: Indices) -> ChangeSet:
    return _as_set(np.setdiff1d(changes, gone, assume_unique=True))


def _as_set(changes: Indices) -> ChangeSet:
    return tuple(sorted(changes.tolist()))
