"""The kinds of prompts that one search offers, from the template alone to weighted prompts; folds choose among them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from agents.prompting.descriptions.captions import vectors_of
from agents.prompting.fitness import MARGIN, margins
from agents.prompting.selection.mixture import counts_of, learned_mixtures, mixed_vectors, padded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from agents.prompting.search import Outcome, Task

STRENGTHS = (1.0, 0.1, 0.03, 0.01, 0.001)
"""Pulls of weighted prompts to the weights before learning, from one that hardly lets them go to one that hardly holds them."""

TEMPLATE, TEMPLATES, DESCRIPTIONS, PROMPTS = "template", "templates", "descriptions", "prompts"

BOTH = "templates and prompts"

USUAL_STRENGTH = 0.01
"""The strength that is taken unless folds show that another is better. Over ten draws of Pets (19 breeds) and CIFAR-10, at 1
to 16 images per class, it is the best of those tried or within a point of it."""

CHOSEN = 0.5
"""Share of the weights that the search's prompts have before learning; all prompts have the rest in equal parts."""
SHARES = (1.0, 0.75, 0.5, 0.25)
"""How much of the learned weights is kept, tried in this order, until every pinned image stays right."""


def weighted(pool: str, strength: float) -> str:
    """The name of weighted prompts: of which pool, and how strongly they are held to what the search chose."""
    return f"weighted {pool}, strength {strength:g}"


def kind_names(strengths: Sequence[float]) -> list[str]:
    """The names of all kinds that a search may offer; which it does depends on the descriptions and on pinned images."""
    pools = (TEMPLATES, PROMPTS, BOTH)
    return [TEMPLATE, TEMPLATES, DESCRIPTIONS, *(weighted(pool, strength) for pool in pools for strength in strengths)]


def default_kind(kinds: Collection[str], strengths: Sequence[float]) -> str:
    """The kind that is taken unless folds show that another is better."""
    if strengths:
        nearest = min(strengths, key=lambda strength: abs(math.log(strength / USUAL_STRENGTH)))
        for pool in (BOTH, PROMPTS, TEMPLATES):
            if (name := weighted(pool, nearest)) in kinds:
                return name
    return DESCRIPTIONS if DESCRIPTIONS in kinds else TEMPLATES


def candidates(
    task: Task,
    outcome: Outcome,
    rows: NDArray[np.float32],
    truth: NDArray[np.int64],
    strengths: Sequence[float],
) -> dict[str, list[list[str]]]:
    """The prompts of each class by kind of prompts; a prompt may stand in a list several times, and counts as often.

    Args:
        task: what the search worked on.
        outcome: what it found.
        rows: n×D embeddings of the images that it saw.
        truth: their n class indices.
        strengths: those of the weighted prompts; empty for ProAPO's prompts alone.
    """
    found = {TEMPLATE: [[task.templates[0].format(name)] for name in task.names], TEMPLATES: outcome.templates}
    if any(outcome.pool):
        found[DESCRIPTIONS] = outcome.prompts
    every = [[text.format(name) for text in task.templates] for name in task.names]
    pools = {TEMPLATES: (every, outcome.templates)}
    if any(outcome.pool):
        both = [list(dict.fromkeys([*own, *texts])) for own, texts in zip(every, outcome.pool, strict=True)]
        pools[PROMPTS] = (both, outcome.prompts)
    for pool, (texts, chosen) in pools.items():
        if not strengths or max(map(len, texts)) < 2:
            continue
        embedded, valid = padded([task.texts.rows(group) for group in texts])
        safe = _equal_weights(texts, chosen, valid.shape)
        prior = CHOSEN * safe + (1 - CHOSEN) * valid / valid.sum(axis=1, keepdims=True)
        learned = learned_mixtures(embedded, prior, rows, truth, scale=task.scale, strengths=strengths)
        for strength, weights in zip(strengths, learned, strict=True):
            if (counts := _kept(embedded, weights, safe, task.pinned)) is not None:
                found[weighted(pool, strength)] = [
                    [text for text, times in zip(group, row, strict=False) for _ in range(times)]
                    for group, row in zip(texts, counts, strict=True)
                ]
    for strength in strengths:
        halves = [found.get(weighted(pool, strength)) for pool in (TEMPLATES, PROMPTS)]
        if halves[0] is not None and halves[1] is not None:
            joined = [[*left, *right] for left, right in zip(*halves, strict=True)]
            if task.pinned is None or _holds(vectors_of(task.texts.rows, joined), task.pinned):
                found[weighted(BOTH, strength)] = joined
    return found


def _holds(vectors: NDArray[np.floating], pinned: tuple[NDArray[np.float32], NDArray[np.int64]]) -> bool:
    """Whether every pinned image is right under class vectors K×D."""
    cosines = pinned[0] @ vectors.T.astype(np.float32)
    return bool((margins(cosines[None], pinned[1]) > MARGIN).all())


def _equal_weights(texts: list[list[str]], chosen: list[list[str]], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Equal weights of the chosen prompts of each class."""
    found = np.zeros(shape)
    for row, (group, some) in enumerate(zip(texts, chosen, strict=True)):
        inside = set(some)
        found[row, : len(group)] = [text in inside for text in group]
    result: NDArray[np.float64] = found / found.sum(axis=1, keepdims=True)
    return result


def _kept(
    embedded: NDArray[np.float32],
    weights: NDArray[np.float64],
    safe: NDArray[np.float64],
    pinned: tuple[NDArray[np.float32], NDArray[np.int64]] | None,
) -> NDArray[np.int64] | None:
    """The counts of the weights, drawn towards the safe ones until no pinned image is wrong; None where that fails."""
    for share in SHARES if pinned is not None else SHARES[:1]:
        counts = counts_of(share * weights + (1 - share) * safe)
        if pinned is None or _holds(mixed_vectors(embedded, counts), pinned):
            return counts
    return None
