"""Edits and evolution of prompt sets, many at once; a set is a boolean mask over G classes × M prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Masks = NDArray[np.bool_]
    Odds = NDArray[np.float64]

SIZED = 3
"""Operators whose edits have a size: add, delete, replace."""

MOMENTUM = 0.9
"""Share of the odds of an edit size that one child leaves: `weighted_momentum` of the released program."""

FEWEST_ODDS = 0.05
"""Least odds of a size, where a size that neither helps nor harms has 1."""


def pick(rng: np.random.Generator, eligible: Masks, weights: NDArray[np.float64], counts: NDArray[np.int64]) -> Masks:
    """Draw `counts[c]` of the eligible prompts of each mask c without replacement, in proportion to their weights.

    The greatest of log weight + Gumbel noise are such a sample (Efraimidis & Spirakis 2006).
    """
    flat = eligible.reshape(len(eligible), -1)
    keys = np.log(np.maximum(weights, 1e-12)).reshape(1, -1) + rng.gumbel(size=flat.shape)
    keys = np.where(flat, keys, -np.inf)
    ranks = np.argsort(np.argsort(-keys, axis=1, kind="stable"), axis=1, kind="stable")
    chosen: Masks = (ranks < counts[:, None]) & flat
    return chosen.reshape(eligible.shape)


def size_steps(most: int) -> int:
    """How many edit sizes there are: 1, 2, 4, … up to `most`."""
    return max(1, int(np.log2(max(most, 1))) + 1)


def edit_sizes(rng: np.random.Generator, count: int, odds: Odds) -> NDArray[np.int64]:
    """Draw the exponents of edit sizes: an edit changes 2 ** exponent prompts; `odds` are the sizes' relative chances."""
    return np.asarray(rng.choice(len(odds), size=count, p=odds / odds.sum()), dtype=np.int64)


def learned_odds(odds: Odds, operators: NDArray[np.int64], exponents: NDArray[np.int64], gains: NDArray[np.float64]) -> Odds:
    """The odds of operators × edit sizes after children of known gain (ProAPO's program, `weighted_momentum`).

    The program takes odds ← 0.9 · odds + 0.1 · (1 + gain) after each child. Children come in batches here, so that n children
    of one operator and size count with their mean gain: odds ← 0.9ⁿ · odds + (1 - 0.9ⁿ) · (1 + mean gain). No size falls below
    a twentieth, so that none is lost for good.

    Args:
        odds: O×S.
        operators: the operator of each child; those beyond the O that have sizes are passed over.
        exponents: its edit size, as an exponent of 2.
        gains: its fitness less that of the set it comes from; children that may not be taken (-inf) count as no gain.
    """
    sized = operators < len(odds)
    cells = operators[sized] * odds.shape[1] + exponents[sized]
    counts = np.bincount(cells, minlength=odds.size)
    sums = np.bincount(cells, weights=np.where(np.isfinite(gains[sized]), gains[sized], 0.0), minlength=odds.size)
    keep = MOMENTUM**counts
    found = keep * odds.reshape(-1) + (1 - keep) * (1.0 + sums / np.maximum(counts, 1))
    return np.maximum(found, FEWEST_ODDS).reshape(odds.shape)


def add(rng: np.random.Generator, masks: Masks, valid: Masks, weights: NDArray[np.float64], sizes: NDArray[np.int64]) -> Masks:
    """Add prompts that a set does not have yet."""
    return masks | pick(rng, valid & ~masks, weights, sizes)


def delete(rng: np.random.Generator, masks: Masks, weights: NDArray[np.float64], sizes: NDArray[np.int64]) -> Masks:
    """Remove prompts, those of small weight more often; every class keeps at least one."""
    chosen = pick(rng, masks, 1.0 / np.maximum(weights, 1e-12), sizes)
    return _keep_one(masks & ~chosen, masks)


def replace(
    rng: np.random.Generator, masks: Masks, valid: Masks, weights: NDArray[np.float64], sizes: NDArray[np.int64]
) -> Masks:
    """Remove prompts and add as many others."""
    fewer = masks & ~pick(rng, masks, 1.0 / np.maximum(weights, 1e-12), sizes)
    return _keep_one(fewer | pick(rng, valid & ~masks, weights, sizes), masks)


def crossover(rng: np.random.Generator, left: Masks, right: Masks) -> Masks:
    """Take each prompt from one of the two parents, with equal chance."""
    return _keep_one(np.where(rng.random(left.shape) < 0.5, left, right), left)


def mutate(rng: np.random.Generator, masks: Masks, valid: Masks, weights: NDArray[np.float64]) -> Masks:
    """Draw the prompts of one class anew, as many as it had; for templates, which are one row, the whole set."""
    count, classes, _ = masks.shape
    drawn = np.asarray(rng.integers(0, classes, size=count))
    which = np.arange(classes)[None, :] == drawn[:, None]
    eligible = np.broadcast_to(valid, masks.shape) & which[:, :, None]
    sizes = (masks & which[:, :, None]).sum(axis=(1, 2)).astype(np.int64)
    return _keep_one(np.where(which[:, :, None], pick(rng, eligible, weights, sizes), masks), masks)


def _keep_one(masks: Masks, parents: Masks) -> Masks:
    return np.where(masks.any(axis=2, keepdims=True), masks, parents)


@dataclass(frozen=True, eq=False)
class Brood:
    """Children C×G×M, each with its operator (0 add, 1 delete, 2 replace, 3 crossover, 4 mutate) and edit size's exponent."""

    masks: Masks
    operators: NDArray[np.int64]
    exponents: NDArray[np.int64]


def brood(rng: np.random.Generator, parents: Masks, valid: Masks, weights: NDArray[np.float64], each: int, odds: Odds) -> Brood:
    """The children of the parents P×G×M: every operator makes `each` of them from every parent; repetitions are dropped.

    `odds` are those of the sizes 1, 2, 4, … (columns) for add, delete and replace (rows).
    """
    again = np.repeat(parents, each, axis=0)
    count = len(again)
    left = parents[rng.integers(0, len(parents), size=count)]
    right = parents[rng.integers(0, len(parents), size=count)]
    exponents = np.stack([edit_sizes(rng, count, row) for row in odds])
    sizes = 2**exponents
    children = np.concatenate(
        [
            add(rng, again, valid, weights, sizes[0]),
            delete(rng, again, weights, sizes[1]),
            replace(rng, again, valid, weights, sizes[2]),
            crossover(rng, left, right),
            mutate(rng, again, valid, weights),
        ]
    )
    once = unique_rows(children)
    kinds = np.repeat(np.arange(5), count)
    exponents = np.concatenate([exponents.reshape(-1), np.zeros(2 * count, dtype=np.int64)])
    return Brood(children[once], kinds[once], exponents[once])


def unique_rows(masks: Masks) -> NDArray[np.int64]:
    """The positions of the masks that no earlier mask is equal to, in order."""
    packed = np.packbits(masks.reshape(len(masks), -1), axis=1)
    _, first = np.unique(packed, axis=0, return_index=True)
    return np.sort(first)
