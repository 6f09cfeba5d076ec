"""Edits and evolution of prompt sets, many at once; a set is a boolean mask over G classes × M prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Masks = NDArray[np.bool_]


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


def edit_sizes(rng: np.random.Generator, count: int, most: int) -> NDArray[np.int64]:
    """Draw how many prompts each edit changes: 1, 2, 4, … up to `most`, all equally likely."""
    steps = max(1, int(np.log2(max(most, 1))) + 1)
    return np.asarray(2 ** rng.integers(0, steps, size=count), dtype=np.int64)


def add(rng: np.random.Generator, masks: Masks, valid: Masks, weights: NDArray[np.float64], most: int) -> Masks:
    """Add prompts that a set does not have yet."""
    return masks | pick(rng, valid & ~masks, weights, edit_sizes(rng, len(masks), most))


def delete(rng: np.random.Generator, masks: Masks, weights: NDArray[np.float64], most: int) -> Masks:
    """Remove prompts, those of small weight more often; every class keeps at least one."""
    chosen = pick(rng, masks, 1.0 / np.maximum(weights, 1e-12), edit_sizes(rng, len(masks), most))
    return _keep_one(masks & ~chosen, masks)


def replace(rng: np.random.Generator, masks: Masks, valid: Masks, weights: NDArray[np.float64], most: int) -> Masks:
    """Remove prompts and add as many others."""
    sizes = edit_sizes(rng, len(masks), most)
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


def brood(rng: np.random.Generator, parents: Masks, valid: Masks, weights: NDArray[np.float64], each: int, most: int) -> Masks:
    """The children of the parents P×G×M: every operator makes `each` of them from every parent; repetitions are dropped."""
    again = np.repeat(parents, each, axis=0)
    left = parents[rng.integers(0, len(parents), size=len(again))]
    right = parents[rng.integers(0, len(parents), size=len(again))]
    children = np.concatenate(
        [
            add(rng, again, valid, weights, most),
            delete(rng, again, weights, most),
            replace(rng, again, valid, weights, most),
            crossover(rng, left, right),
            mutate(rng, again, valid, weights),
        ]
    )
    return children[unique_rows(children)]


def unique_rows(masks: Masks) -> NDArray[np.int64]:
    """The positions of the masks that no earlier mask is equal to, in order."""
    packed = np.packbits(masks.reshape(len(masks), -1), axis=1)
    _, first = np.unique(packed, axis=0, return_index=True)
    return np.sort(first)
