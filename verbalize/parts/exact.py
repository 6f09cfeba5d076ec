"""Find the tokens of the best spans exactly, by dynamic programming over the tokens that can be in them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.saliency import Floats

    Plane: TypeAlias = NDArray[Any]  # int64, or Python integers where 63 bits can't hold the sums

_SLACK = 2.0**-40  # as a share of the largest score: far above the rounding error of a sum, far below any score that matters
_EXACT_BITS = 60  # sums stay below 2 ** 60, so that adding one to -(2 ** 62), the unreachable state, can't overflow


def best_tokens(
    values: Floats, allowed: NDArray[np.bool_], max_words: int, max_spans: int, holding: int | None, price: float = 0.0
) -> list[int]:
    """The indices of the tokens in the best spans, in order. `verbalize.parts.spans.best_spans` defines "best".

    Args:
        values: (n,) finite scores.
        allowed: (n,) whether a token may stand in a span.
        max_words: the most tokens in all spans together, 0 or more.
        max_spans: the most spans, 0 or more.
        holding: the index of a token that one of the spans must contain, if any.
        price: what each token costs, 0 or more; it is taken off its score.
    """
    words = min(max_words, int(allowed.sum()))
    spans = min(max_spans, words)
    worth = allowed & (values > price)
    if not words or not spans or (holding is None and not worth.any()):
        return []
    positive = np.flatnonzero(worth)
    room = len(positive) <= words and np.count_nonzero(np.diff(positive) > 1) < spans
    if room and (holding is None or worth[holding]):
        return [int(index) for index in positive]
    units = _integers(np.where(allowed, values, 0.0), price)
    rough = _scaled(values, price) if units is None else units
    tokens = np.flatnonzero(_worth_a_look(rough, allowed, words, spans, holding))
    gains = _integers(values[tokens], price) if units is None else units[tokens]
    if gains is None:
        gains = _long_integers(values[tokens], price)
    apart = np.diff(tokens, prepend=-2) > 1
    held = -1 if holding is None else int(np.searchsorted(tokens, holding))
    picks = _choose(gains, apart, words, spans, held)
    return [int(tokens[pick]) for pick in picks]


def _worth_a_look(values: Plane, allowed: NDArray[np.bool_], words: int, spans: int, holding: int | None) -> NDArray[np.bool_]:
    """(n,) whether a token can be in the best spans.

    Take a span of L tokens in the best choice. The other spans, at most spans - 1 of them, share at most words - L tokens, so
    they overlap at most m = (words - L) + (spans - 1) * (L - 1) of the windows of length L. If more than m windows ranked
    above the span, one of them would be free and could replace it, for a larger sum or for the same sum earlier in the text.
    So the span is one of the m + 1 best windows of its length. Its sum is above 0, too, unless it holds the given token:
    without it, the choice would be worth as much with fewer tokens, or more.
    """
    n = len(values)
    levels = np.where(allowed, values, 0)
    exact = values.dtype == np.int64
    if not exact:
        levels = levels / (np.abs(levels).max() or 1.0)
    useful = np.zeros(n + 1, dtype=np.int64)
    sums, whole = np.zeros(n + 1, dtype=levels.dtype), np.ones(n + 1, dtype=bool)
    for length in range(1, words + 1):
        stop = n - length + 1
        sums = sums[:stop] + levels[length - 1 :]
        whole = whole[:stop] & allowed[length - 1 :]
        starts = np.flatnonzero(whole)
        if not len(starts):
            break
        others = min(spans - 1, words - length)
        rivals = (words - length) + others * (length - 1) + 1
        kept = starts[sums[starts] > (0 if exact else -_SLACK)]
        kept = kept if rivals >= len(kept) else kept[_foremost(sums[kept], rivals, exact=exact)]
        if holding is not None:
            kept = np.union1d(kept, starts[(starts <= holding) & (holding < starts + length)])
        np.add.at(useful, kept, 1)
        np.subtract.at(useful, kept + length, 1)
    return np.cumsum(useful)[:n] > 0


def _foremost(sums: Plane, count: int, *, exact: bool) -> NDArray[np.intp]:
    """Indices of the `count` greatest sums, earlier ones first among equals; all candidates if the sums are rounded."""
    least = np.partition(sums, len(sums) - count)[len(sums) - count]
    if not exact:
        return np.flatnonzero(sums >= least - _SLACK)
    above = np.flatnonzero(sums > least)
    return np.concatenate((above, np.flatnonzero(sums == least)[: count - len(above)]))


def _scaled(values: Floats, price: float) -> Floats:
    """The scores less the price, in units of the largest magnitude, so that no difference of huge numbers overflows."""
    largest = max(float(np.abs(values).max()), price)
    return values / largest - price / largest


def _integers(values: Floats, price: float) -> NDArray[np.int64] | None:
    """The scores less the price as 64-bit integers, small enough for every sum of them; `None` if a number would be rounded."""
    numbers = np.append(values, price)
    exponent = math.frexp(float(np.abs(numbers).max()))[1] + (2 * len(numbers)).bit_length()
    whole = np.ldexp(numbers, _EXACT_BITS - exponent)
    exact = np.array_equal(whole, np.floor(whole)) and not ((whole == 0) & (numbers != 0)).any()
    return whole[:-1].astype(np.int64) - np.int64(whole[-1]) if exact else None


def _long_integers(values: Floats, price: float) -> Plane:
    ratios = [value.as_integer_ratio() for value in [*values.tolist(), price]]
    unit = max(denominator for _, denominator in ratios)
    *gains, cost = [numerator * (unit // denominator) for numerator, denominator in ratios]
    return np.array([gain - cost for gain in gains], dtype=object)


def _choose(gains: Plane, apart: NDArray[np.bool_], words: int, spans: int, held: int) -> list[int]:
    """The best choice of tokens. It is computed from the last token to the first and then read off from the first to the last.

    `shut[k, w]` is the greatest sum of exactly w tokens from token i on, in at most k new spans, if token i - 1 is not chosen.
    `opened[k, w]` is the same if token i - 1 is chosen, so that token i may continue its span. For these two cases, `takes[0]`
    and `takes[1]` say whether the best choice contains token i. In a tie it does, so the choice is the earliest possible.
    """
    n = len(gains)
    unreachable = -(1 << 62) if gains.dtype == np.int64 else -4 * (int(np.abs(gains).sum()) + 1)
    shut = np.full((spans + 1, words + 1), unreachable, dtype=gains.dtype)
    shut[:, 0] = 0
    opened = shut.copy()
    takes = np.zeros((2, n, spans + 1, words + 1), dtype=bool)
    for i in range(n - 1, -1, -1):
        joined = opened[:, :-1] + gains[i]
        skipped = np.full_like(shut, unreachable) if i == held else shut
        shut, opened = skipped.copy(), skipped.copy()
        takes[0, i, 1:, 1:] = joined[:-1] >= skipped[1:, 1:]
        np.maximum(shut[1:, 1:], joined[:-1], out=shut[1:, 1:])
        if apart[i]:
            opened, takes[1, i] = shut, takes[0, i]
        else:
            takes[1, i, :, 1:] = joined >= skipped[:, 1:]
            np.maximum(opened[:, 1:], joined, out=opened[:, 1:])
    totals = shut[spans].tolist()
    left = totals.index(max(totals))
    picks: list[int] = []
    free, inside = spans, False
    for i in range(n):
        if not left:
            break
        inside = inside and not apart[i]
        if takes[int(inside), i, free, left]:
            picks.append(i)
            free, left, inside = free - (not inside), left - 1, True
        else:
            inside = False
    return picks
