"""Masks that metrics make themselves, kept in bits, each distinct one once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SEED = 20  # any: the numbers only have to differ
_ENTRY = 200  # bytes that a mask takes besides its bits: the array, the key, and their place in the dictionary


@dataclass(frozen=True, eq=False)
class Masked:
    """The masks of one map for one request: the M numbers of the sets that they hide, and how many parts each hides."""

    numbers: NDArray[np.uint64]
    hidden: NDArray[np.int64]


class OwnMasks:
    """Masks of maps with any number of parts, found again by the number of parts and the number of what they hide."""

    def __init__(self) -> None:
        self._bits: dict[tuple[int, int], NDArray[np.uint8]] = {}
        self.nbytes = 0
        """About how many bytes the masks take."""

    def add(self, kept: NDArray[np.bool_]) -> Masked:
        """Keep (M, P) masks of what stays."""
        parts = kept.shape[1]
        part_numbers = numbers_of_parts(parts)
        hidden = ~kept
        numbers = np.array([np.add.reduce(part_numbers[mask], dtype=np.uint64) for mask in hidden], dtype=np.uint64)
        for mask, number in zip(kept, numbers.tolist(), strict=True):
            if (parts, number) not in self._bits:
                bits = self._bits[parts, number] = np.packbits(mask)
                self.nbytes += bits.nbytes + _ENTRY
        return Masked(numbers, hidden.sum(axis=1))

    def mask(self, parts: int, number: int) -> NDArray[np.bool_]:
        """(P,) what stays where the set with this number is hidden."""
        return np.unpackbits(self._bits[parts, number], count=parts).astype(bool)

    def join(self, other: OwnMasks) -> None:
        """Take over the masks of another collection."""
        self._bits.update(other._bits)
        self.nbytes += other.nbytes


@lru_cache(maxsize=4)
def numbers_of_parts(parts: int) -> NDArray[np.uint64]:
    """A random 64-bit number for each part. The number of a set of parts is their sum, whatever the number of all parts.

    Of a million different sets, two have one number with a chance of 3e-8.
    """
    numbers = np.random.default_rng(_SEED).integers(0, 2**64, parts, dtype=np.uint64)
    numbers.flags.writeable = False
    return numbers
