"""Finds where the maps of several methods agree."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.comparing.agreed_words import input_words, words_told_apart
from evals.faithfulness.comparing.agreement import Agreement, InputAgreement
from evals.faithfulness.comparing.comparison import input_names
from evals.faithfulness.comparing.joint_regions import (
    directions_of_regions,
    joint_map,
    named_regions,
    region_sums,
    regions_of,
)
from evals.faithfulness.comparing.overlaps import (
    directions_of_words,
    is_flat,
    rank_correlations,
    shares_in_common,
    shares_of_one_sign,
    top,
    weights,
)
from evals.faithfulness.comparing.ranks import mean_of_known, over_inputs
from evals.faithfulness.intervals import mean_interval
from evals.tables import Table
from saywhy_core.errors import UsageError
from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.saliency import Floats, Saliency

_MEASURES = (("rank correlation", -1), ("overlap", 0), ("same sign", 0))


def agree(maps: Mapping[str, Sequence[Saliency]], *, k: int = 3, level: float = 0.95) -> Agreement:
    """Compare the maps of several methods of the same inputs.

    A method names the `k` most important words of a text: those with the highest scores or, where no score is positive or the
    map has no signs, with the highest magnitudes; words that tie for the last place are named, too. Of a picture, the regions
    of the mean of the magnitudes of all maps are compared, or the masks that all maps share. A method names a region if the
    share of its 5 % strongest pixels that lie in it is at least twice the region's share of the picture.

    Maps contradict each other on a part that stands out in both: for the label in one, against it in the other, and with a
    tenth of the largest magnitude of the map or more. Maps of equal scores name nothing and do not count. Rows of equal inputs
    count as one input.

    Args:
        maps: for each method its maps, in the same order of inputs.
        k: how many words count as named, 1 or more.
        level: how often the intervals should cover the mean over all inputs.

    Raises:
        UsageError: there are no maps, the numbers of maps differ, or maps in the same place are of different inputs or answer
            different questions.
    """
    names, columns = _columns(maps)
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise UsageError(f"k must be 1 or more, a whole number, not {k!r}")
    measured = [_input(names, [column[row] for column in columns], int(k), row) for row in range(len(columns[0]))]
    inputs = input_names(columns[0])
    found = [over_inputs(np.stack(values, axis=-1), inputs) for values in zip(*(one for _, *one in measured), strict=True)]
    rows = []
    for a, b in combinations(range(len(names)), 2):
        row: dict[str, Any] = {"method": names[a], "other": names[b], "inputs": int((~np.isnan(found[1][a, b])).sum())}
        for (title, least), values in zip(_MEASURES, found, strict=True):
            ends = mean_interval(values[a, b], range(values.shape[-1]), level, (least, 1))
            row |= {f"{title}{end}": _number(value) for end, value in zip(("", " low", " high"), ends, strict=True)}
        rows.append(row)
    different = ~np.eye(len(names), dtype=bool)[:, :, None]
    compared = int((~np.isnan(found[1]) & different).any(axis=(0, 1)).sum())
    means = [mean_of_known(one, axis=-1) for one in found]
    pairs = Table(tuple(rows[0]) if rows else ("method", "other"), tuple(rows))
    return Agreement(names, int(k), tuple(one[0] for one in measured), means[0], means[1], means[2], compared, pairs)


def _columns(maps: Mapping[str, Sequence[Saliency]]) -> tuple[tuple[str, ...], list[list[Saliency]]]:
    if not isinstance(maps, Mapping):
        raise UsageError(f"maps is a dictionary of lists of maps by the name of their method, not a {type(maps).__name__}")
    names = tuple(maps)
    for name in names:
        if isinstance(maps[name], TokenSaliency | PixelSaliency):
            raise UsageError(f"{name} has a map in the place of a list of maps; put it in square brackets")
    columns = [list(maps[name]) for name in names]
    if not names or not columns[0]:
        raise UsageError("there are no maps to compare; give the maps of one method or more")
    wrong = next((name for name, one in zip(names, columns, strict=True) if len(one) != len(columns[0])), None)
    if wrong is not None:
        raise UsageError(f"{names[0]} has {len(columns[0])} maps and {wrong} {len(maps[wrong])}; give one per input and method")
    for name, column in zip(names, columns, strict=True):
        for row, one in enumerate(column, 1):
            if not isinstance(one, TokenSaliency | PixelSaliency):
                raise UsageError(f"map {row} of {name} is a {type(one).__name__}; give a TokenSaliency or a PixelSaliency")
    return names, columns


def _input(names: tuple[str, ...], maps: list[Saliency], k: int, row: int) -> tuple[InputAgreement, Floats, Floats, Floats]:
    _check(names, maps, row)
    flat = np.array([is_flat(one) for one in maps])
    signed = np.array([one.signed for one in maps])
    joint = None
    if isinstance(maps[0], TokenSaliency):
        parts: tuple[str, ...] = maps[0].tokens
        labels, noun = words_told_apart(parts), "word"
        sums = np.stack([one.scores for one in maps])
        named = np.stack([top(weights(one), k) & ~is_flat(one) for one in maps])
        directions = np.stack([directions_of_words(one, k) for one in maps])
    else:
        pictures = [one for one in maps if isinstance(one, PixelSaliency)]
        joint = joint_map(pictures)
        regions = regions_of(joint)
        parts = tuple(region.name for region in regions)
        labels, noun = [f"the {part}" for part in parts], "region"
        sums = np.stack([region_sums(one, regions) for one in pictures])
        named = np.stack([named_regions(one, regions) & ~is_flat(one) for one in pictures])
        directions = np.stack([directions_of_regions(one, regions) for one in pictures])
    directions = directions * (signed & ~flat)[:, None]
    kept = np.flatnonzero(named.any(axis=0) | directions.any(axis=0))
    text = input_words(
        names, flat, [labels[one] for one in kept], named[:, kept], directions[:, kept], maps[0].query, noun
    )  # fmt: skip
    found = InputAgreement(
        maps[0].saliency_id, tuple(parts[one] for one in kept), tuple(int(one) + 1 for one in kept), named[:, kept],
        directions[:, kept], flat, text, joint,
    )  # fmt: skip
    correlations = rank_correlations(np.stack([one.scores.reshape(-1) for one in maps]))
    correlations[flat] = correlations[:, flat] = np.nan
    return found, correlations, shares_in_common(named, ~flat), shares_of_one_sign(np.sign(sums), named, signed & ~flat)


def _check(names: tuple[str, ...], maps: list[Saliency], row: int) -> None:
    first = maps[0]
    for name, one in zip(names, maps, strict=True):
        if not _of_one_input(first, one):
            raise UsageError(f"map {row + 1} of {name} is of another input than that of {names[0]}; give them in one order")
        if one.query != first.query:
            raise UsageError(
                f"map {row + 1} of {name} answers another question than that of {names[0]}; compare answers to one question"
            )


def _of_one_input(first: Saliency, other: Saliency) -> bool:
    if isinstance(first, TokenSaliency) or isinstance(other, TokenSaliency):
        return isinstance(first, TokenSaliency) and isinstance(other, TokenSaliency) and first.tokens == other.tokens
    same = first.scores.shape == other.scores.shape
    return same and (first.image is None or other.image is None or np.array_equal(first.image, other.image))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
