"""Coarse steps for images that are hard to flip: large sets that are, and how to make them small in few queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.shrink import LARGE

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.effects import Effects
    from adversarial.attacks.feature_guided.tree import Tree
    from adversarial.attacks.moves import MoveTable

    Floats: TypeAlias = NDArray[np.floating]
    Indices: TypeAlias = NDArray[np.int64]
    Steps: TypeAlias = Generator[NDArray[np.float32], NDArray[np.float64], None]

FIRST = 8  # changes on the lowest rung
GLANCED = np.array([4, 8, 16, 32])  # changes in the sets asked about early
MIDDLES = np.array([1 / 8, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8])  # asked about between two rungs
REBUILT = np.array([0.4, 0.6, 0.75, 0.85, 0.95])  # sizes of the sets made anew, as shares of the best one's
GROUPS, MOST_GROUPS = 12, 48
PATIENCE = 6  # batches without progress
SHARES = np.array([0.4, 0.6, 0.8, 1.0, 1.2, 1.5])  # of the groups that the margin seems to pay for


def glance(tree: Tree, effects: Effects) -> Steps:
    """Ask early about a few sets of the changes that did most so far: most often one flips, and the search may be stopped."""
    if len(effects.seen):
        effects.refresh(tree.gaps[0])
        columns = [effects.mean.mean(axis=1)] if effects.every else list(effects.mean.T[:2])
        orders = [ranked(tree.palette, column) for column in columns]
        yield from tree.ask([key for order in orders for key in _prefixes(order, GLANCED)], listed=False)


def climb(tree: Tree, effects: Effects, density: Floats, rng: np.random.Generator) -> Steps:
    """Ask about ever larger sets until one is adversarial, and then about sizes between it and the one below.

    First the changes that are believed to do most towards each of the nearest classes, the best of each pixel, in order;
    where no number of them flips the image, whole areas in one colour and in random ones, the densest pixels first.
    """
    palette = tree.palette
    effects.refresh(tree.gaps[0])
    columns = [effects.mean.mean(axis=1)] if effects.every else list(effects.mean.T)
    yield from _rungs(tree, [ranked(palette, column) for column in columns], 2)
    if tree.best is None:
        yield from _rungs(tree, _areas(palette, density, rng), 4)


def shed(tree: Tree, effects: Effects, rng: np.random.Generator) -> Steps:
    """Shrink the smallest adversarial set while it is large, by what its parts turn out to be worth.

    The set is cut into groups; each is left out once, which tells what it is worth; then as many of the cheapest groups as
    the margin pays for are left out together (some fewer, some more), and sets of the same sizes are made anew from the
    changes that do most, as far as is known by now. Where nothing gives, the groups are halved.
    """
    parts = GROUPS
    while tree.best is not None and (size := tree.size_found()) > LARGE and parts <= MOST_GROUPS:
        best, parts = tree.best, min(parts, size)
        key, margin = np.array(tree.keys[best]), float(tree.value[best])
        worth = _worth(effects, tree.gaps[best])[0][key]
        noise = rng.standard_normal(size) * worth.std()
        groups = np.array_split(key[np.argsort(worth + 0.5 * noise, kind="stable")], parts)
        left = [_without(key, group) for group in groups]
        yield from tree.ask(left, listed=False)
        if any(smaller not in tree.index for smaller in left):
            return  # the budget is spent
        nodes = np.array([tree.index[smaller] for smaller in left])
        lengths = np.array([len(group) for group in groups])
        changed = (tree.gaps[best] - tree.gaps[nodes]) / lengths[:, None]
        effects.observe(np.concatenate(groups), np.repeat(changed, lengths, axis=0))
        loss = margin - tree.value[nodes]
        order = np.argsort(loss / lengths, kind="stable")
        paid = int(np.searchsorted(np.cumsum(np.maximum(loss[order], 0)), margin))
        counts = np.unique(np.clip((paid * SHARES).astype(np.int64), 2, max(2, parts - 1)))
        together = [_without(key, np.concatenate([groups[g] for g in order[:count]])) for count in counts.tolist()]
        anew = ranked(tree.palette, _worth(effects, tree.gaps[best])[0])
        sizes = np.unique(np.maximum(1, (size * REBUILT).astype(np.int64)))
        yield from tree.ask(together + _prefixes(anew, sizes), listed=False)
        if tree.size_found() == size:
            if parts == size:
                return
            parts *= 2
        else:
            parts = max(GROUPS, parts // 2)


def exchange(tree: Tree, effects: Effects, rng: np.random.Generator, leaves: int) -> Steps:
    """Look for a clearly smaller adversarial set by exchanging changes, while the smallest one is large.

    A set of nine tenths of the size is kept that is nearest to flipping; each batch exchanges some of its changes for others,
    drawn by what is believed of them, fewer as time goes on (Croce et al. 2022, Sparse-RS, with estimates for chance).
    """
    goal = max(LARGE, int(0.9 * tree.size_found()))
    if tree.best is None or goal >= tree.size_found():
        return
    key = np.array(tree.keys[tree.best])
    worth, _ = _worth(effects, tree.gaps[tree.best])
    state = np.sort(key[np.argsort(-worth[key], kind="stable")[:goal]])
    yield from tree.ask([_key(state)], listed=False)
    yield from _exchanges(tree, effects, rng, state, leaves)


def approach(tree: Tree, effects: Effects, rng: np.random.Generator, leaves: int) -> Steps:
    """Exchange changes of the set that is nearest to flipping, where no set was adversarial yet."""
    if tree.best is None:
        nearest = tree.keys[int(tree.value.argmax())]
        if nearest:
            yield from _exchanges(tree, effects, rng, np.array(nearest), leaves)


def _exchanges(tree: Tree, effects: Effects, rng: np.random.Generator, state: Indices, leaves: int) -> Steps:
    """Batches of exchanges in a set that was asked about, until it is adversarial or `PATIENCE` batches brought nothing."""
    idle, rate = 0, 0.25
    while _key(state) in tree.index and idle < PATIENCE:
        here = tree.index[_key(state)]
        if tree.value[here] > 0:
            return
        worth, spread = _worth(effects, tree.gaps[here])
        moves = [_exchanged(tree.palette, state, worth, spread, rng, max(1, int(rate * len(state)))) for _ in range(leaves)]
        yield from tree.ask([move[2] for move in moves], listed=False)
        known = [(gone, new, tree.index[k]) for gone, new, k in moves if k in tree.index]
        if not known:
            return
        for gone, new, node in known:
            change = (tree.gaps[node] - tree.gaps[here]) / max(1, len(gone) + len(new))
            believed = max(0.0, float(worth[new].mean())) if len(new) else 0.0
            effects.observe(new, np.repeat(change[None] + believed, len(new), axis=0))
        best = max(known, key=lambda move: float(tree.value[move[2]]))
        if tree.value[best[2]] > tree.value[here]:
            state, idle = np.array(tree.keys[best[2]]), 0
        else:
            idle, rate = idle + 1, max(0.02, rate * 0.7)


Move: TypeAlias = "tuple[Indices, Indices, tuple[int, ...]]"


def _exchanged(palette: MoveTable, state: Indices, worth: Floats, spread: Floats, rng: np.random.Generator, most: int) -> Move:
    """Some changes of a set that go, those that come for them, and the set that results."""
    number = int(rng.integers(1, most + 1))
    drawn = worth + 0.5 * spread * rng.standard_normal(len(worth), dtype=np.float32)
    gone = state[np.argsort(drawn[state], kind="stable")[:number]]
    kept = np.setdiff1d(state, gone, assume_unique=True)
    table = np.where(palette.size > 0, drawn, -np.inf).reshape(-1, palette.count)
    table[palette.pixels(kept)] = -np.inf
    table.ravel()[gone] = -np.inf
    top = table.max(axis=1)
    pixels = np.argsort(-top, kind="stable")[:number]
    pixels = pixels[np.isfinite(top[pixels])]
    new = np.asarray(pixels * palette.count + table[pixels].argmax(axis=1))
    return gone, new, _key(np.concatenate([kept, new]))


def _worth(effects: Effects, gaps: Floats) -> tuple[Floats, Floats]:
    """(P J,) what each change is believed to do towards the class that decides at these gaps, and how unsure that is."""
    effects.refresh(gaps)
    if effects.every:
        return effects.mean.mean(axis=1), effects.deviation * effects.scale.mean()
    column = int(np.asarray(gaps)[effects.classes].argmax())
    return effects.mean[:, column], effects.deviation * effects.scale[column]


def _without(key: Indices, gone: Indices) -> tuple[int, ...]:
    return _key(np.setdiff1d(key, gone, assume_unique=True))


def ranked(palette: MoveTable, worth: Floats) -> Indices:
    """The best allowed change of each pixel, the most worthy pixel first."""
    table = np.where(palette.size > 0, worth, -np.inf).reshape(-1, palette.count)
    value = table.argmax(axis=1)
    top = table.max(axis=1)
    pixels = np.argsort(-top, kind="stable")
    pixels = pixels[np.isfinite(top[pixels])]
    return np.asarray(pixels * palette.count + value[pixels])


def _areas(palette: MoveTable, density: Floats, rng: np.random.Generator) -> list[Indices]:
    allowed = (palette.size > 0).reshape(-1, palette.count)
    order = np.argsort(-density, kind="stable")
    drawn = np.where(allowed, rng.random(allowed.shape), -1.0).argmax(axis=1)
    choices = [*range(palette.count), drawn]
    return [
        (order * palette.count + np.broadcast_to(c, len(order))[order])[
            np.take_along_axis(allowed[order], np.broadcast_to(c, len(order))[order][:, None], axis=1)[:, 0]
        ]
        for c in choices
    ]


def _rungs(tree: Tree, ladders: list[Indices], factor: int) -> Steps:
    ladders = [ladder for ladder in ladders if len(ladder)]
    if not ladders:
        return
    longest = max(map(len, ladders))
    sizes = [longest]
    while sizes[-1] // factor >= FIRST:
        sizes.append(sizes[-1] // factor)
    sizes = sizes[::-1]
    low = 0
    found = None
    for size in sizes:
        before = tree.best
        yield from tree.ask([_key(ladder[:size]) for ladder in ladders], listed=False)
        if tree.best != before and tree.best is not None:
            found = next(ladder for ladder in ladders if _key(ladder[:size]) == tree.keys[tree.best])
            break
        low = size
    high = tree.size_found()
    while found is not None and high - low > max(1, high // 16):
        middles = np.unique((low + (high - low) * MIDDLES).astype(np.int64))
        middles = middles[(middles > low) & (middles < high)]
        if not len(middles):
            return
        yield from tree.ask(_prefixes(found, middles), listed=False)
        nodes = [tree.index.get(_key(found[:m])) for m in middles]
        held = [int(m) for m, node in zip(middles, nodes, strict=True) if node is not None and tree.value[node] > 0]
        low = max([int(m) for m in middles if not held or m < min(held)], default=low)
        high = min(held, default=high)


def _prefixes(order: Indices, sizes: Indices) -> list[tuple[int, ...]]:
    return [_key(order[:size]) for size in sizes.tolist()]


def _key(changes: Indices) -> tuple[int, ...]:
    return tuple(sorted(changes.tolist()))
