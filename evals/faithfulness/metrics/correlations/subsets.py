"""Random sets of parts that are hidden, and what hiding them does: shared by the metrics of correlation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.hiding.asks import Keep
from evals.faithfulness.hiding.parts import unit_masks, unit_places, unit_sums
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats, Saliency

SUBSETS: dict[str, Any] = {"samples": 50, "subset": 0.2, "cells": 8, "seed": 0}
"""`samples` sets, each of the share `subset` of the words, or of the cells of a grid of `cells` by `cells` over an image."""
UNITS: dict[str, Any] = {"cells": 8}


def subset_masks(saliency: Saliency, samples: int, subset: float, cells: int, seed: int) -> NDArray[np.bool_]:
    """(samples, P) what stays where random sets of words, or of cells of a grid, are hidden: one unit or more.

    Raises:
        UsageError: a setting is out of range.
    """
    if samples < 2 or cells < 1 or not 0 < subset < 1:
        raise UsageError(
            f"samples must be 2 or more, cells 1 or more, subset between 0 and 1; not {samples}, {cells} and {subset}"
        )
    places = unit_places(saliency, cells)
    units = int(places.max(initial=-1)) + 1
    turns = np.random.default_rng(seed).random((samples, units)).argsort(axis=1)[:, : max(1, round(subset * units))]
    hidden = np.zeros((samples, units), dtype=bool)
    np.put_along_axis(hidden, turns, values=True, axis=1)
    kept: NDArray[np.bool_] = ~hidden[:, places]
    return kept


def subset_asks(settings: Mapping[str, Any]) -> tuple[Keep]:
    """The request for inputs of which random sets are hidden."""
    return (Keep(subset_masks, tuple(settings[name] for name in SUBSETS)),)


def falls_and_sums(answers: Answers, settings: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """How much the score falls where each set is hidden, and the sum of the map in this set: both (N, samples)."""
    (ask,) = subset_asks(settings)
    falls = answers.original()[:, None] - answers.scores(ask)
    if ask not in answers.kept:  # the sums are those of the maps, whatever the scale and the fill
        answers.kept[ask] = np.stack([~ask.masks(one) @ one.scores.reshape(-1) for one in answers.maps])
    return falls, answers.kept[ask]


def unit_asks(settings: Mapping[str, Any]) -> tuple[Keep]:
    """The request for inputs of which one word, or one cell of a grid, after the other is hidden."""
    if settings["cells"] < 1:
        raise UsageError(f"cells must be 1 or more, not {settings['cells']}")
    return (Keep(unit_masks, (settings["cells"],)),)


def unit_falls(answers: Answers, settings: Mapping[str, Any]) -> list[tuple[Floats, Floats]]:
    """For each map, how much the score falls without each unit, and the sum of the map in this unit."""
    (ask,) = unit_asks(settings)
    falls = answers.original()[:, None] - answers.scores(ask)
    sums = [unit_sums(one, settings["cells"]) for one in answers.maps]
    return [(fall[: len(own)], own) for fall, own in zip(falls, sums, strict=True)]


def row_correlations(first: Floats, second: Floats) -> Floats:
    """(N,) Pearson's correlation of each row with the same row of another array; NaN where one of them does not vary."""
    first, second = first - first.mean(axis=1, keepdims=True), second - second.mean(axis=1, keepdims=True)
    spread = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    found: Floats = np.where(spread > 1e-12, (first * second).sum(axis=1) / np.where(spread > 0, spread, 1.0), np.nan)
    return found


def varies(values: Floats) -> bool:
    """Whether there are two different values, without which nothing can correlate."""
    return len(values) > 1 and bool(np.ptp(values) > 0)
