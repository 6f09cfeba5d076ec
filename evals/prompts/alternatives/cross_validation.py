"""What each method decides on shots that it has not seen: the search for prompts runs anew in every fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agents.few_shot import METHODS, stratified_folds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Which of the shots the methods get right when they have not seen them.

    Attributes:
        right: method -> the share of repeats in which each judged image is right.
        judged: positions of the shots that were held out: those whose class has another image.
        folds: how many folds.
        first: method -> whether each judged image is right in the first repeat.
    """

    right: Mapping[str, NDArray[np.float64]]
    judged: NDArray[np.int64]
    folds: int
    first: Mapping[str, NDArray[np.bool_]]


def cross_validate(
    rows: NDArray[np.float32],
    labels: NDArray[np.int64],
    vectors: Mapping[str, NDArray[np.float32]],
    search: Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.float32]],
    methods: Sequence[str],
    *,
    folds: int,
    repeats: int,
    seed: int,
) -> HeldOut | None:
    """Let every method decide on shots that neither it nor its search has seen.

    Args:
        rows: n×D embeddings of the shots.
        labels: n class indices.
        vectors: K×D class vectors by the kind of texts.
        search: searches prompts with some of the shots, and returns their K×D class vectors.
        methods: names of methods.
        folds: the most folds.
        repeats: how often the folds are drawn anew.
        seed: seed of the folds.

    Returns:
        The decisions, or None where every class has one image.
    """
    # which images are held out does not depend on the seed: those with another one of their class
    judged = np.flatnonzero(stratified_folds(labels, folds, rows=rows, seed=seed) >= 0)
    if not judged.size:
        return None
    right = {name: np.zeros(len(labels)) for name in methods}
    first = {name: np.zeros(len(labels), dtype=bool) for name in methods}
    count = 0
    for repeat in range(repeats):
        fold = stratified_folds(labels, folds, rows=rows, seed=seed + repeat)
        count = int(fold.max()) + 1
        for number in range(count):
            out = fold == number
            known = dict(vectors)
            if any(METHODS[name].texts == "prompts" for name in methods):
                known["prompts"] = search(rows[~out], labels[~out])
            for name in methods:
                method = METHODS[name]
                found = method(rows[~out], labels[~out], known[method.texts]).predict(rows[out])
                right[name][out] += found == labels[out]
                if repeat == 0:
                    first[name][out] = found == labels[out]
    return HeldOut(
        {name: values[judged] / repeats for name, values in right.items()},
        judged,
        count,
        {name: values[judged] for name, values in first.items()},
    )
