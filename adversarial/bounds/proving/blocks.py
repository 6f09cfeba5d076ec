"""Blocks: sets of sets of pixels, as slots of which each holds items (a pixel and a box of values), one applied each.

The blocks of a proof for t pixels have t slots, and every set of t pixels has a place in one of the first blocks. When a slot
is split in two halves, a block becomes one block per half; where k slots hold the same items, k + 1 blocks, by how many of the
k pixels lie in the first half. Sets of fewer pixels need no place: a pixel may keep its value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Slot: TypeAlias = NDArray[np.int32]

SIDE = 7  # pixels along a patch at first: most blocks of such patches are proved at once, and few are needed
MOST_FIRST = 3000  # blocks to begin with; larger patches are taken where there would be more


@dataclass(frozen=True, eq=False)
class Block:
    """A set of sets of pixels.

    Attributes:
        slots: item numbers.
        share: of the whole proof.
        need: (S,) how far each margin must be above 0 for rounding; None where only what holds for all blocks is known.
    """

    slots: tuple[Slot, ...]
    share: float
    need: NDArray[np.float64] | None = None

    @property
    def size(self) -> int:
        """Items in the largest slot."""
        return max(len(slot) for slot in self.slots)


def first_blocks(items_of: Callable[[NDArray[np.int64]], Slot], height: int, width: int, pixels: int) -> list[Block]:
    """The blocks of a proof for so many pixels: all ways to choose as many patches of the image.

    Args:
        items_of: the items of pixels, given by their numbers row by row.
        height: of the image.
        width: of the image.
        pixels: t, which is the number of slots.
    """
    rows, columns = max(1, round(height / SIDE)), max(1, round(width / SIDE))
    while math.comb(rows * columns + pixels - 1, pixels) > MOST_FIRST and rows * columns > 1:
        rows, columns = (rows - 1, columns) if rows >= columns else (rows, columns - 1)
    number = np.arange(height * width).reshape(height, width)
    patches = [
        items_of(along_curve(part, width))
        for band in np.array_split(number, rows, axis=0)
        for part in np.array_split(band, columns, axis=1)
        if part.size
    ]
    blocks = [Block(slots, _sets(slots)) for slots in combinations_with_replacement(patches, pixels)]
    whole = sum(block.share for block in blocks)
    return [Block(block.slots, block.share / whole) for block in blocks]


def along_curve(patch: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """The pixels of a patch in Morton order, so that halves of the list lie together."""
    numbers = patch.ravel()
    rows, columns = numbers // width - numbers.min() // width, numbers % width - (numbers % width).min()
    key = np.zeros(len(numbers), dtype=np.int64)
    for bit in range(16):
        key |= ((rows >> bit) & 1) << (2 * bit + 1) | ((columns >> bit) & 1) << (2 * bit)
    return numbers[np.argsort(key, kind="stable")]


def split(block: Block, place: int, first: Slot, second: Slot) -> list[Block]:
    """The blocks that a block becomes when the slot at `place`, and all equal ones, are split in two."""
    slot = block.slots[place]
    same = [other for other in block.slots if other is slot or np.array_equal(other, slot)]
    rest = tuple(other for other in block.slots if not (other is slot or np.array_equal(other, slot)))
    number = len(same)
    made = [(*rest, *[first] * k, *[second] * (number - k)) for k in range(number + 1)]
    weights = [_sets(slots) for slots in made]
    whole = sum(weights)
    return [Block(slots, block.share * weight / whole, block.need) for slots, weight in zip(made, weights, strict=True)]


def possible(block: Block, pixel_of: NDArray[np.int64]) -> bool:
    """Whether a block holds a set of as many different pixels as it has slots.

    A block without one may go: it only holds sets of fewer pixels, which were proved before, since t counts up from 1.
    """
    if len(block.slots) == 1:
        return True
    single = [pixels[0] for slot in block.slots if len(pixels := np.unique(pixel_of[slot])) == 1]
    return len(set(single)) == len(single)


def _sets(slots: tuple[Slot, ...]) -> float:
    """How many sets of items a block holds: choices with repetition in equal slots."""
    counts: list[tuple[Slot, int]] = []
    for slot in slots:
        for place, (known, number) in enumerate(counts):
            if known is slot or np.array_equal(known, slot):
                counts[place] = (known, number + 1)
                break
        else:
            counts.append((slot, 1))
    return float(math.prod(math.comb(len(slot) + number - 1, number) for slot, number in counts))
