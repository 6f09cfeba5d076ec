"""The spans of a token map with the greatest sum of scores, found exactly by dynamic programming."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from verbalize.parts.exact import best_tokens
from verbalize.parts.published import Snippet, convolution_search, span_search, total_order
from verbalize.parts.vector import finite_vector
from verbalize.saliency import SaliencyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from verbalize.saliency import Floats


__all__ = ["Snippet", "Span", "best_spans", "best_spans_holding", "convolution_search", "span_search", "total_order"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A run of tokens from `start` (inclusive) to `stop` (exclusive). `score` is the sum of their scores."""

    start: int
    stop: int
    score: float

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def part(self) -> tuple[int, ...]:
        """The indices of the tokens, which is how a `Claim` names a part."""
        return tuple(range(self.start, self.stop))


def best_spans(
    scores: ArrayLike,
    *,
    max_words: int,
    max_spans: int,
    bridge: float = 0.0,
    price: float = 0.0,
    breaks: Sequence[int] = (),
) -> tuple[Span, ...]:
    """Find the spans whose scores, less a price per token, have the greatest possible sum. The search is exact, not greedy.

    At most `max_spans` disjoint spans contain at most `max_words` tokens in all. No span contains a token with a score below
    `-bridge`. A span may contain tokens with scores from `-bridge` to `price` if they connect better ones; they count in the
    sum. No span reaches across a break. Among choices with equal sums, the one with the fewest tokens wins. Among those, the
    earliest wins: the one that contains the first token in which they differ. Adjacent spans are merged into one, unless there
    is a break between them. If no token is worth its price, there is no span.

    Sums are compared exactly, as integers, so that rounding never decides a tie. Finding the tokens that can matter takes
    O(n * max_words). Each of these tokens takes O(max_words * max_spans). Without ties, their number does not grow with n.

    Args:
        scores: (n,) finite numbers.
        max_words: the most tokens in all spans together, 0 or more.
        max_spans: the most spans, 0 or more.
        bridge: how far below 0 the score of a token in a span may be.
        price: what each token costs, in the unit of the scores, 0 or more. The higher it is, the shorter are the spans.
        breaks: indices of tokens before which a span ends, from 0 to n: the first token of each new paragraph, for example.

    Returns:
        The spans in the order of the text. Their scores are sums without the price.

    Raises:
        SaliencyError: the scores are not a finite vector, a limit is not a whole number from 0 up, `bridge` or `price` is
            negative, or a break lies outside the text.
    """
    values, words, spans, bridge, price = _arguments(scores, max_words, max_spans, bridge, price)
    return _search(values, values >= -bridge, words, spans, None, price, breaks)


def best_spans_holding(
    scores: ArrayLike,
    holding: int,
    *,
    max_words: int,
    max_spans: int,
    bridge: float = 0.0,
    price: float = 0.0,
    breaks: Sequence[int] = (),
) -> tuple[Span, ...]:
    """Find the best spans, as in `best_spans`, among those in which one span contains the token `holding`, whatever its score.

    Args:
        scores: (n,) finite numbers.
        holding: the index of the token.
        max_words: the most tokens in all spans together, 1 or more.
        max_spans: the most spans, 1 or more.
        bridge: how far below 0 the score of any other token in a span may be.
        price: what each token costs, as in `best_spans`.
        breaks: indices of tokens before which a span ends, as in `best_spans`.

    Raises:
        SaliencyError: as in `best_spans`; also if there is no such token, or a limit is 0.
    """
    values, words, spans, bridge, price = _arguments(scores, max_words, max_spans, bridge, price)
    index = _whole(holding, "holding")
    if index >= len(values):
        raise SaliencyError(f"there is no token {index} to hold; the map has {len(values)} tokens")
    if not (words and spans):
        raise SaliencyError("max_words and max_spans must be at least 1 if a span must contain a given token")
    allowed = values >= -bridge
    allowed[index] = True
    return _search(values, allowed, words, spans, index, price, breaks)


def _arguments(
    scores: ArrayLike, max_words: int, max_spans: int, bridge: float, price: float
) -> tuple[Floats, int, int, float, float]:
    values = finite_vector(scores)
    for name, value in (("bridge", bridge), ("price", price)):
        if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)) or not value >= 0:
            raise SaliencyError(f"{name} must be a number from 0 up, not {value!r}")
    if not math.isfinite(price):
        raise SaliencyError(f"price must be finite, not {price!r}")
    return values, _whole(max_words, "max_words"), _whole(max_spans, "max_spans"), float(bridge), float(price)


def _search(
    values: Floats,
    allowed: NDArray[np.bool_],
    words: int,
    spans: int,
    holding: int | None,
    price: float,
    breaks: Sequence[int],
) -> tuple[Span, ...]:
    cuts = sorted({_whole(place, "a break") for place in breaks})
    if cuts and cuts[-1] > len(values):
        raise SaliencyError(f"there is no token {cuts[-1]} for a break; the map has {len(values)} tokens")
    if not cuts:
        return _spans(values, np.array(best_tokens(values, allowed, words, spans, holding, price), dtype=np.intp))
    # a token that may stand in no span, put in at each break, keeps spans from reaching across
    places = np.array(cuts)
    origin = np.insert(np.arange(len(values)), places, -1)
    held = None if holding is None else holding + int(np.searchsorted(places, holding, side="right"))
    chosen = best_tokens(np.insert(values, places, 0.0), np.insert(allowed, places, False), words, spans, held, price)
    return _spans(values, np.array(chosen, dtype=np.intp), origin)


def _whole(value: int, name: str) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if number < 0 or isinstance(value, bool):
        raise SaliencyError(f"{name} must be a whole number from 0 up, not {value!r}")
    return number


def _spans(values: Floats, chosen: NDArray[np.intp], origin: NDArray[np.intp] | None = None) -> tuple[Span, ...]:
    if not len(chosen):
        return ()
    cuts = np.flatnonzero(np.diff(chosen) > 1) + 1
    tokens = chosen if origin is None else origin[chosen]
    return tuple(Span(int(run[0]), int(run[-1]) + 1, _sum(values[run[0] : run[-1] + 1])) for run in np.split(tokens, cuts))


def _sum(values: Floats) -> float:
    try:
        return math.fsum(values.tolist())
    except OverflowError:
        with np.errstate(over="ignore"):
            return float(values.sum())
