"""Where the maps of several methods agree, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.faithfulness.intervals import mean_interval
from evals.tables import Table
from saywhy_core.errors import UsageError
from verbalize.parts import find_regions
from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from verbalize.saliency import Floats, Query, Saliency

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TIED = 1e-9
_FILLED = 2.0  # a region is among the most important of a map if its share of the top pixels is this often its share of all
_TOP_PIXELS = 0.05  # of a picture: about a region of a fifth of both sides
_MOST_SAID = 3  # parts of an input that a sentence lists


@dataclass(frozen=True, eq=False)
class InputAgreement:
    """One input under M methods.

    Args:
        id: the id of the first method's map.
        parts: the P words or regions that at least one method names.
        named: (M, P) whether a method names a part: whether it is among the `k` most important ones of its map.
        directions: (M, P) 1 where a method's map says that the part speaks for the label, -1 against it, 0 where the map has
            no signs or the part no score.
        text: the agreement in words.
    """

    id: str
    parts: tuple[str, ...]
    named: NDArray[np.bool_]
    directions: NDArray[np.int8]
    text: str


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far M methods agree over N inputs.

    Args:
        methods: M names.
        k: how many parts of an input count as named by a method.
        inputs: what was found for each input.
        correlation: (M, M) mean over inputs of Spearman's rank correlation of two maps.
        overlap: (M, M) mean over inputs of the share of named parts that two methods have in common (Jaccard index).
        signs: (M, M) mean over inputs of the share of parts, named by either, to which two signed maps give the same sign; NaN
            where a map has no signs.
        pairs: for each pair of methods, its means with intervals over inputs.
    """

    methods: tuple[str, ...]
    k: int
    inputs: tuple[InputAgreement, ...]
    correlation: Floats
    overlap: Floats
    signs: Floats
    pairs: Table

    def sentences(self) -> list[str]:
        """The agreement of the methods over all inputs, in words."""
        if len(self.methods) < 2:
            return ["There is one method, which has nothing to agree with."]
        pairs = [(self.overlap[a, b], a, b) for a, b in combinations(range(len(self.methods)), 2)]
        closest, farthest = max(pairs), min(pairs)
        inputs = f"{len(self.inputs)} input{'' if len(self.inputs) == 1 else 's'}"
        shared = np.mean([share for share, _, _ in pairs])
        index = f"Jaccard index of the {self.k} most important parts, {inputs}"
        said = [f"Two methods name on average {shared:.0%} of their parts in common ({index})."]
        if closest[0] > farthest[0]:
            said.append(
                f"{self.methods[closest[1]]} and {self.methods[closest[2]]} agree most ({closest[0]:.0%}), "
                f"{self.methods[farthest[1]]} and {self.methods[farthest[2]]} least ({farthest[0]:.0%})."
            )
        return said

    def table(self) -> Table:
        """One row per input: its agreement in words, and how many methods name each part."""
        rows = [
            {
                "id": one.id,
                "text": one.text,
                **{
                    name: " ".join(part for part, yes in zip(one.parts, row, strict=True) if yes)
                    for name, row in zip(self.methods, one.named, strict=True)
                },
            }
            for one in self.inputs
        ]
        return Table(("id", "text", *self.methods), tuple(rows))


def agree(maps: Mapping[str, Sequence[Saliency]], *, k: int = 3, level: float = 0.95) -> Agreement:
    """Compare the maps of several methods of the same inputs.

    A method names the `k` most important words of a text: those with the highest scores or, where no score is positive or the
    map has no signs, with the highest magnitudes; words that tie for the last place are named, too. Of a picture, the regions
    of the mean of all maps are compared, and a method names a region if the share of its 5 % strongest pixels that lie in it
    is at least twice the region's share of the picture.

    Args:
        maps: for each method its maps, in the same order of inputs.
        k: how many words count as named, 1 or more.
        level: how often the intervals should cover the mean over all inputs.

    Raises:
        UsageError: there are no maps, the numbers of maps differ, or maps in the same place are of different inputs or answer
            different questions.
    """
    names = tuple(maps)
    columns = [list(maps[name]) for name in names]
    if not names or not columns[0]:
        raise UsageError("there are no maps to compare; give the maps of one method or more")
    if k < 1:
        raise UsageError(f"k must be 1 or more, not {k}")
    wrong = next((name for name, one in zip(names, columns, strict=True) if len(one) != len(columns[0])), None)
    if wrong is not None:
        raise UsageError(f"{names[0]} has {len(columns[0])} maps and {wrong} {len(maps[wrong])}; give one per input and method")
    measured = [_input(names, [column[row] for column in columns], k, row) for row in range(len(columns[0]))]
    correlations = np.stack([one for _, one, _, _ in measured])
    overlaps = np.stack([one for _, _, one, _ in measured])
    signs = np.stack([one for _, _, _, one in measured])
    rows = []
    for a, b in combinations(range(len(names)), 2):
        row: dict[str, Any] = {"method": names[a], "other": names[b]}
        measures = (("rank correlation", correlations, -1), ("overlap", overlaps, 0), ("same sign", signs, 0))
        for title, found, least in measures:
            ends = mean_interval(found[:, a, b], range(len(found)), level, (least, 1))
            row |= dict(zip((title, f"{title} low", f"{title} high"), (_number(end) for end in ends), strict=True))
        rows.append(row)
    columns_of_pairs = tuple(rows[0]) if rows else ("method", "other")
    return Agreement(
        names, k, tuple(one[0] for one in measured), _mean(correlations), _mean(overlaps), _mean(signs),
        Table(columns_of_pairs, tuple(rows)),
    )  # fmt: skip


def _input(names: tuple[str, ...], maps: list[Saliency], k: int, row: int) -> tuple[InputAgreement, Floats, Floats, Floats]:
    _check(names, maps, row)
    if isinstance(maps[0], TokenSaliency):
        parts, scores = maps[0].tokens, np.stack([one.scores for one in maps])
        named = np.stack([_top(one, k) for one in maps])
        all_scores = scores
    else:
        parts, scores, named = _regions([one for one in maps if isinstance(one, PixelSaliency)])
        all_scores = np.stack([one.scores.reshape(-1) for one in maps])
    signed = np.array([one.signed for one in maps])
    directions = np.where(signed[:, None], np.sign(scores), 0).astype(np.int8)
    kept = named.sum(axis=0) > 0
    labels = _told_apart(parts)
    agreed = InputAgreement(
        maps[0].saliency_id,
        tuple(label for label, keep in zip(labels, kept, strict=True) if keep),
        named[:, kept],
        directions[:, kept],
        "",
    )
    agreed = replace(agreed, text=_words(agreed, maps[0].query, pixels=isinstance(maps[0], PixelSaliency)))
    both = named[:, None] & named[None]
    either = named[:, None] | named[None]
    overlap = np.where(either.any(axis=2), both.sum(axis=2) / np.maximum(either.sum(axis=2), 1), np.nan)
    same = (directions[:, None] == directions[None]) & either
    signs = np.where(
        signed[:, None] & signed[None] & either.any(axis=2), same.sum(axis=2) / np.maximum(either.sum(axis=2), 1), np.nan
    )
    return agreed, _rank_correlations(all_scores), overlap, signs


def _check(names: tuple[str, ...], maps: list[Saliency], row: int) -> None:
    first = maps[0]
    for name, one in zip(names, maps, strict=True):
        alike = type(one) is type(first) and (
            one.tokens == first.tokens if isinstance(one, TokenSaliency) and isinstance(first, TokenSaliency)
            else one.scores.shape == first.scores.shape
        )  # fmt: skip
        if not alike:
            raise UsageError(f"map {row + 1} of {name} is of another input than that of {names[0]}; give them in one order")
        if one.query != first.query:
            raise UsageError(
                f"map {row + 1} of {name} answers another question than that of {names[0]}; compare answers to one question"
            )


def _top(saliency: Saliency, k: int) -> NDArray[np.bool_]:
    """Which parts are among the k most important; none of a flat map."""
    scores = saliency.scores
    if not scores.size or np.ptp(scores) == 0:
        return np.zeros(scores.size, dtype=bool)
    weight = scores if saliency.signed and scores.max() > 0 else np.abs(scores)
    weight = np.maximum(weight, 0.0)
    last = np.sort(weight)[::-1][min(k, len(weight)) - 1]
    named: NDArray[np.bool_] = (weight > 0) & (weight >= last * (1 - _TIED))
    return named


def _regions(maps: list[PixelSaliency]) -> tuple[tuple[str, ...], Floats, NDArray[np.bool_]]:
    """The regions of the mean of all maps, their scores under each, and which method names which."""
    scaled = [one.scores / (np.abs(one.scores).max() or 1.0) for one in maps]
    mean = np.mean(scaled, axis=0)
    first = maps[0]
    joint = PixelSaliency(
        mean if all(one.signed for one in maps) else np.abs(mean), first.query, image=first.image,
        signed=all(one.signed for one in maps), masks=first.masks, mask_names=first.mask_names,
    )  # fmt: skip
    regions = find_regions(joint)
    scores = np.array([[float(one[region.mask].sum()) for region in regions] for one in scaled]).reshape(len(maps), -1)
    named = np.zeros(scores.shape, dtype=bool)
    for index, one in enumerate(scaled):
        weight = np.maximum(one, 0.0) if maps[index].signed and one.max() > 0 else np.abs(one)
        if np.ptp(weight) == 0:
            continue
        count = max(1, round(_TOP_PIXELS * weight.size))
        top = weight >= max(np.partition(weight.reshape(-1), -count)[-count], np.finfo(float).tiny)
        for place, region in enumerate(regions):
            share = float(top[region.mask].sum()) / max(int(top.sum()), 1)
            named[index, place] = share >= min(_FILLED * float(region.mask.mean()), 1.0) and share > 0
    return tuple(f"the {region.name}" for region in regions), scores, named


def _told_apart(parts: Sequence[str]) -> list[str]:
    """The parts in quotes, with their place where a word occurs more than once."""
    return [
        part
        if part.startswith("the ") and parts.count(part) == 1 and " " in part
        else f"'{part}'" if parts.count(part) == 1 else f"'{part}' (word {index + 1})"
        for index, part in enumerate(parts)
    ]  # fmt: skip


def _words(found: InputAgreement, query: Query, *, pixels: bool) -> str:
    """The agreement in words, such as: Four of five methods name 'rude'; they disagree on 'still'."""
    total = len(found.named)
    if total == 1 or not found.parts:
        noun = "region" if pixels else "word"
        return f"No method names a {noun}: no part of its map stands out." if not found.parts else "There is one method."
    counts = found.named.sum(axis=0)
    order = np.argsort(-counts, kind="stable")
    shared = [int(one) for one in order if counts[one] > total / 2][:_MOST_SAID]
    split = [int(one) for one in order if counts[one] <= total / 2 and counts[one] > 0]
    opposed = [
        index
        for index in range(len(found.parts))
        if (found.directions[:, index] > 0).any() and (found.directions[:, index] < 0).any()
    ]
    said = []
    for count in dict.fromkeys(int(counts[one]) for one in shared):
        parts = [found.parts[one] for one in shared if counts[one] == count]
        said.append(f"{_of(count, total)} name {_listed(parts)}")
    if not shared:
        said.append(f"no part is named by most of the {_word(total)} methods")
    left = [one for one in split if one not in opposed][:_MOST_SAID]
    if left:
        said.append(f"they disagree on {_listed([found.parts[one] for one in left])}")
    if opposed:
        speaks = f"'{query.label}'" if not query.versus else "the label rather than the other"
        names = _listed([found.parts[one] for one in opposed[:_MOST_SAID]])
        does = "it speaks" if len(opposed) == 1 else "these speak"
        said.append(f"they contradict each other on {names}: some maps say that {does} for {speaks}, some against")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def _of(count: int, total: int) -> str:
    if count == total:
        return f"{'both' if total == 2 else f'all {_word(total)}'} methods"
    return f"{_word(count)} of {_word(total)} methods"


def _word(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _rank_correlations(scores: Floats) -> Floats:
    """(M, M) Spearman's rank correlations of M maps; NaN where a map is flat."""
    from scipy.stats import rankdata

    ranks = rankdata(scores, axis=1)
    ranks = ranks - ranks.mean(axis=1, keepdims=True)
    norms = np.sqrt((ranks**2).sum(axis=1))
    products = np.outer(norms, norms)
    found: Floats = np.where(products > 0, ranks @ ranks.T / np.where(products > 0, products, 1.0), np.nan)
    return found


def _mean(values: Floats) -> Floats:
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    found: Floats = np.where(count > 0, np.where(there, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return found


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
