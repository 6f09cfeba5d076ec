"""Random sets of parts that are hidden, and what hiding them does: shared by the metrics of correlation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.hiding.asks import Keep
from evals.faithfulness.hiding.parts import unit_masks, unit_places, unit_sums
from evals.faithfulness.settings import checked_number, checked_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evals.faithfulness.answers import Answers
    from verbalize.saliency import Floats, Saliency

SUBSETS: dict[str, Any] = {"samples": 50, "subset": 0.2, "cells": 8, "seed": 0}
"""`samples` sets, each of the share `subset` of the words, or of the cells of a grid of `cells` by `cells` over an image."""
UNITS: dict[str, Any] = {"cells": 8}
_ROUNDING = 1e-12  # of the greatest magnitude: what sums of the same numbers in another order differ by


def subset_masks(saliency: Saliency, samples: int, subset: float, cells: int, seed: int) -> NDArray[np.bool_]:
    """(samples, P) what stays where random sets of words, or of cells of a grid, are hidden: one unit or more."""
    places = unit_places(saliency, cells)
    kept: NDArray[np.bool_] = ~_hidden_units(int(places.max(initial=-1)) + 1, samples, subset, seed)[:, places]
    return kept


def _hidden_units(units: int, samples: int, subset: float, seed: int) -> NDArray[np.bool_]:
    """(samples, units) which words or cells each set holds."""
    turns = np.random.default_rng(seed).random((samples, units)).argsort(axis=1)[:, : max(1, round(subset * units))]
    hidden = np.zeros((samples, units), dtype=bool)
    np.put_along_axis(hidden, turns, values=True, axis=1)
    return hidden


def subset_asks(settings: Mapping[str, Any]) -> tuple[Keep]:
    """The request for inputs of which random sets are hidden.

    Raises:
        UsageError: a setting is out of range.
    """
    samples, cells = checked_whole("samples", settings["samples"], 2), checked_whole("cells", settings["cells"], 1)
    subset, seed = checked_number("subset", settings["subset"], 0, 1), checked_whole("seed", settings["seed"], 0)
    return (Keep(subset_masks, (samples, subset, cells, seed)),)


def falls_and_sums(answers: Answers, settings: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """How much the score falls where each set is hidden, and the sum of the map in this set: both (N, samples)."""
    (ask,) = subset_asks(settings)
    falls = answers.original()[:, None] - answers.scores(ask)
    if ask not in answers.kept:  # the sums are those of the maps, whatever the scale and the fill
        samples, subset, cells, seed = ask.arguments
        sums = [unit_sums(one, cells) for one in answers.maps]
        answers.kept[ask] = np.stack([_hidden_units(len(own), samples, subset, seed) @ own for own in sums])
    return falls, answers.kept[ask]


def unit_asks(settings: Mapping[str, Any]) -> tuple[Keep]:
    """The request for inputs of which one word, or one cell of a grid, after the other is hidden.

    Raises:
        UsageError: `cells` is out of range.
    """
    return (Keep(unit_masks, (checked_whole("cells", settings["cells"], 1),)),)


def unit_falls(answers: Answers, settings: Mapping[str, Any]) -> list[tuple[Floats, Floats]]:
    """For each map, how much the score falls without each unit, and the sum of the map in this unit."""
    (ask,) = unit_asks(settings)
    falls = answers.original()[:, None] - answers.scores(ask)
    sums = [unit_sums(one, settings["cells"]) for one in answers.maps]
    return [(fall[: len(own)], own) for fall, own in zip(falls, sums, strict=True)]


def row_correlations(first: Floats, second: Floats) -> Floats:
    """(N,) Pearson's correlation of each row with the same row of another array; NaN where one of them does not vary.

    A row varies where its spread is more than rounding, relative to its greatest magnitude: the unit of a map must not matter.
    """
    first, second = _centred(first), _centred(second)
    found: Floats = (first * second).sum(axis=1)
    return found


def _centred(rows: Floats) -> Floats:
    """Each row less its mean, with length 1; NaN where it does not vary."""
    size = np.abs(rows).max(axis=1, keepdims=True)
    scaled = rows / np.where(size > 0, size, 1.0)
    scaled = scaled - scaled.mean(axis=1, keepdims=True)
    length = np.sqrt((scaled**2).sum(axis=1, keepdims=True))
    found: Floats = scaled / np.where(length > _ROUNDING, length, np.nan)
    return found


def varies(values: Floats) -> bool:
    """Whether there are two different values, without which nothing can correlate."""
    return len(values) > 1 and bool(np.ptp(values) > _ROUNDING * np.abs(values).max())
