"""The parts of maps in order, and what is hidden of them, without a mask for each.

A stable sort puts the highest score first. Parts with equal scores stay in the order of the text, or of the pixels row by row;
the order from the lowest score on is the same order backwards, so that hiding the bottom share is keeping the top share alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from evals.faithfulness.hiding.own_masks import numbers_of_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verbalize.saliency import Floats, Saliency

Order: TypeAlias = Literal["scores", "magnitude"]


class Ordering:
    """The ranks of the parts of N maps, and a number for each set of hidden parts.

    The number of a set is the sum of the numbers of its parts (`numbers_of_parts`), so that equal sets have equal numbers, and
    the numbers of all top shares come from one cumulative sum.

    Args:
        importance: for each map (P,) scores; P may differ.
    """

    def __init__(self, importance: Sequence[Floats]) -> None:
        self.parts = np.array([len(one) for one in importance], dtype=np.int64)
        widest = int(self.parts.max(initial=0))
        numbers = numbers_of_parts(widest)
        self._ranks = np.full((len(importance), widest), widest, dtype=np.int32)
        self._sums = np.zeros((len(importance), widest + 1), dtype=np.uint64)
        for row, scores in enumerate(importance):
            order = np.argsort(-scores, kind="stable")
            self._ranks[row, order] = np.arange(len(order), dtype=np.int32)
            np.cumsum(numbers[order], out=self._sums[row, 1 : len(order) + 1])

    def numbers(self, rows: NDArray[np.intp], what: Literal["top", "bottom"], counts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """(M,) the numbers of the `counts` (M,) top or bottom parts of the maps `rows` (M,)."""
        if what == "top":
            found: NDArray[np.uint64] = self._sums[rows, counts]
            return found
        parts = self.parts[rows]
        left: NDArray[np.uint64] = self._sums[rows, parts] - self._sums[rows, parts - counts]
        return left

    def kept(self, rows: NDArray[np.intp], bottom: NDArray[np.bool_], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(M, P) masks of what stays where the `counts` top parts are hidden, or the bottom ones where `bottom` is true."""
        ranks = self._ranks[rows]
        edges = np.where(bottom, self.parts[rows] - counts, counts)[:, None]
        found: NDArray[np.bool_] = (ranks >= edges) ^ bottom[:, None]
        return found


def importance_of(saliency: Saliency, order: Order) -> Floats:
    """(P,) what puts the parts of a map in order: their scores, pixels row by row, or the magnitudes of these."""
    scores = saliency.scores.reshape(-1)
    return np.abs(scores) if order == "magnitude" else scores
