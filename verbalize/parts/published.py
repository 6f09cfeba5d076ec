"""The searches of Feldhus et al. 2023, "Saliency Map Verbalization", under their published names and with faults corrected.

Each function says where it departs from the code that was published with the paper (`DFKI-NLP/SMV`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from verbalize.parts.vector import finite_vector
from verbalize.saliency import SaliencyError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from verbalize.saliency import Floats

Sign: TypeAlias = Literal["+", "-"]
_LONGEST_FILTER = 12  # each further place doubles the number of masks


@dataclass(frozen=True, slots=True)
class Snippet:
    """Tokens that a search found, which need not be adjacent, and their mean score."""

    indices: tuple[int, ...]
    score: float


def convolution_search(
    scores: ArrayLike, filter_length: int = 5, *, share: float = 0.4, sgn: Sign = "+"
) -> tuple[Snippet, ...]:
    """Find tokens that are near each other and have a high mean score, by sliding every binary mask over the map.

    The masks have `filter_length` places, of which 2 to `filter_length - 2` are ones. A snippet is kept if its mean is above
    the mean of the top `share` of all scores (the published "mean" metric). Source: section 3.1, `convolution_search`.

    Departures from the published code:

    - The last window is searched. The published code skips it and so misses the last token.
    - Every token of a snippet has the sign `sgn`. The published code filters only on request, and keeps the other sign, too.
    - The threshold never has the opposite sign.
    - If no snippet contains the token with the highest score, that token is a snippet of its own. The published code omits it.
    - Equal snippets are returned once.
    - A map without scores of the sign gives no snippet. The published code ignores an error there.
    - Snippets are sorted by their mean, not by their first index.

    Args:
        scores: (n,) finite numbers.
        filter_length: the number of tokens under a mask, 4 to 12.
        share: the threshold is the mean of this share of the scores, taken from the top; above 0 and at most 1.
        sgn: "+" for tokens that speak for the label, "-" for tokens that speak against it.

    Raises:
        SaliencyError: an argument is out of its range.
    """
    values = _toward(scores, sgn)
    length = _length(filter_length, 4, _LONGEST_FILTER)
    if len(values) < length:
        return _with_top([], values, sgn)
    least = _threshold(values, share)
    masks = _masks(length)
    windows = np.lib.stride_tricks.sliding_window_view(values, length)
    means = windows @ (masks / masks.sum(axis=1, keepdims=True)).T
    wrong = (windows <= 0).astype(np.float64) @ masks.T
    starts, kinds = np.nonzero((means > least) & (wrong == 0))
    found = {
        tuple(int(start + place) for place in np.flatnonzero(masks[kind])): float(means[start, kind])
        for start, kind in zip(starts, kinds, strict=True)
    }
    return _with_top(list(found.items()), values, sgn)


def span_search(scores: ArrayLike, filter_length: int = 5, *, share: float = 0.4, sgn: Sign = "+") -> tuple[Snippet, ...]:
    """Find runs of up to `filter_length` tokens with a high mean score, by prefix sums, in O(n * filter_length).

    Source: section 3.1, `span_search`. The arguments are those of `convolution_search`, but `filter_length` is 1 or more.

    Departures from the published code:

    - Runs of every length from 1 are tried at every place. The published code tries odd lengths from 3, centred in a window,
      and so misses single words, pairs, and short runs at either end of the text.
    - The last token of the text is searched. The published code skips it, and leaves the last token of each span out of the
      span's coverage.
    - Sign, threshold, top token, order and the empty result are as in `convolution_search`.

    Raises:
        SaliencyError: an argument is out of its range.
    """
    values = _toward(scores, sgn)
    length = _length(filter_length, 1, None)
    least = _threshold(values, share)
    sums = np.concatenate(([0.0], np.cumsum(values)))
    wrong = np.concatenate(([0], np.cumsum(values <= 0)))
    found: list[tuple[tuple[int, ...], float]] = []
    for size in range(1, min(length, len(values)) + 1):
        means = (sums[size:] - sums[:-size]) / size
        starts = np.flatnonzero((means > least) & (wrong[size:] == wrong[:-size]))
        found += [(tuple(range(start, start + size)), float(means[start])) for start in starts.tolist()]
    return _with_top(found, values, sgn)


def total_order(scores: ArrayLike, *, sgn: Sign = "+") -> tuple[int, ...]:
    """The indices of the tokens whose scores have the sign, strongest first. Source: section 3.1, `total_order`.

    Departures from the published code:

    - Tokens with a score of 0 or of the other sign are omitted. The published code ranks them, with negative percentages.
    - Tied tokens come in the order of the text. The published code reverses it.

    Raises:
        SaliencyError: the scores are not a finite vector, or the sign is neither "+" nor "-".
    """
    values = _toward(scores, sgn)
    order = np.argsort(-values, kind="stable")
    return tuple(order[values[order] > 0].tolist())


def _toward(scores: ArrayLike, sgn: Sign) -> Floats:
    if sgn not in ("+", "-"):
        raise SaliencyError(f"sgn must be '+' or '-', not {sgn!r}")
    values = finite_vector(scores)
    return values if sgn == "+" else -values


def _length(value: int, least: int, most: int | None) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least or (most and value > most):
        bounds = f"from {least} to {most}" if most else f"from {least} up"
        raise SaliencyError(f"filter_length must be a whole number {bounds}, not {value!r}")
    return int(value)


def _threshold(values: Floats, share: float) -> float:
    if not 0 < share <= 1:
        raise SaliencyError(f"share must lie above 0 and be at most 1, not {share!r}")
    top = max(1, int(len(values) * share))
    return max(float(np.sort(values)[::-1][:top].mean()), 0.0) if len(values) else 0.0


def _masks(length: int) -> NDArray[np.float64]:
    rows = [chosen for ones in range(2, length - 1) for chosen in combinations(range(length), ones)]
    masks = np.zeros((len(rows), length))
    for row, chosen in enumerate(rows):
        masks[row, list(chosen)] = 1.0
    return masks


def _with_top(found: list[tuple[tuple[int, ...], float]], values: Floats, sgn: Sign) -> tuple[Snippet, ...]:
    top = int(np.argmax(values)) if len(values) else 0
    if len(values) and values[top] > 0 and not any(top in indices for indices, _ in found):
        found = [((top,), float(values[top])), *found]
    turn = 1.0 if sgn == "+" else -1.0
    return tuple(Snippet(indices, turn * mean) for indices, mean in sorted(found, key=lambda item: (-item[1], item[0])))
