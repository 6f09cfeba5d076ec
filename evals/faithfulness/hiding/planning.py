"""Maps in blocks that fit in memory, with the masks that metrics make of them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from evals.faithfulness.hiding.asks import Hide
from evals.faithfulness.hiding.inputs import input_key
from evals.faithfulness.hiding.own_masks import OwnMasks
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from evals.faithfulness.hiding.asks import Ask, Keep
    from evals.faithfulness.hiding.own_masks import Masked
    from verbalize.saliency import Saliency

_PART = 32  # bytes per part of a map: its importance, its place in the order, the sums over it, and what sorting takes
_JOB = 120  # bytes per masked input: its numbers, and the 16 bytes that compare texts
_LOGIT = 32  # bytes per class and masked input: the answers, distinct, spread, and in a second scale


class Part:
    """Some of the maps, with the masks that metrics made of them.

    Attributes:
        rows: which maps.
        masked: for each map its masks, by their request.
        own: the masks themselves.
        more: whether maps of the same input follow.
    """

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.masked: list[dict[Keep, Masked]] = []
        self.own = OwnMasks()
        self.more = False
        self._size = 0.0

    @property
    def size(self) -> float:
        """About how many bytes the maps and their masks take."""
        return self._size + self.own.nbytes

    def add(self, row: int, masks: dict[Keep, NDArray[np.bool_]], size: float) -> None:
        """Add a map."""
        self.rows.append(row)
        self.masked.append({ask: self.own.add(kept) for ask, kept in masks.items()})
        self._size += size

    def join(self, other: Part) -> None:
        """Add all maps of another part."""
        self.rows += other.rows
        self.masked += other.masked
        self.own.join(other.own)
        self._size += other._size


def parts_of(maps: Sequence[Saliency], asks: Sequence[Ask], classes: int, room: float) -> Iterator[Part]:
    """The maps in parts of at most `room` bytes, or of one map.

    Maps of one input stay together where that fits, because they share masked inputs; otherwise all parts of this input
    but the last say that there are `more`. Images of different shapes are in different parts.
    """
    inputs: dict[tuple[Hashable, ...], list[int]] = {}
    for row, one in enumerate(maps):
        inputs.setdefault(input_key(one), []).append(row)
    shapes: dict[Hashable, list[list[int]]] = {}
    for key, members in inputs.items():
        shapes.setdefault(key[0], []).append(members)
    for groups in shapes.values():
        part = Part()
        for members in groups:
            pieces = _pieces(maps, members, asks, classes, room)
            first = next(pieces)
            if not first.more and (not part.rows or part.size + first.size <= room):
                part.join(first)
                continue
            if part.rows:
                yield part
            part = Part()
            if first.more:
                yield from chain([first], pieces)
            else:
                part = first
        if part.rows:
            yield part


def _pieces(maps: Sequence[Saliency], members: list[int], asks: Sequence[Ask], classes: int, room: float) -> Iterator[Part]:
    """The maps of one input, in parts."""
    own = [ask for ask in asks if not isinstance(ask, Hide)]
    shares = sum(len(ask.shares) for ask in asks if isinstance(ask, Hide))
    fills = len({ask.by for ask in asks})
    piece = Part()
    for row in members:
        one = maps[row]
        masks: dict[Keep, NDArray[np.bool_]] = {ask: ask.masks(one) for ask in own}
        jobs = shares + sum(map(len, masks.values()))
        size = float(_PART * one.scores.size + jobs * (_JOB + _LOGIT * classes))
        if piece.rows and piece.size + size > room:
            piece.more = True
            yield piece
            piece = Part()
        if not piece.rows and isinstance(one, PixelSaliency) and one.image is not None:
            size += (2 + fills) * one.image.nbytes
        piece.add(row, masks, size)
    yield piece
