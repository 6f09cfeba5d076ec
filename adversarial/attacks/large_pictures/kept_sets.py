"""Sets of changes in little memory: small ones as they are, large ones as the steps between their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias, overload

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    # as in `adversarial.attacks.moves`: numbers of changes in ascending order
    ChangeSet: TypeAlias = tuple[int, ...]
    Steps: TypeAlias = NDArray[np.unsignedinteger]

SMALL = 64  # changes: so many numbers of Python take 2 kB, and a tuple of them is found faster than a digest is made


class KeptSets(Sequence["ChangeSet"]):
    """A list of sets that grows; one of more than `SMALL` changes takes a few bytes per change, where a tuple takes 40."""

    def __init__(self) -> None:
        self._sets: list[ChangeSet] = []  # the large ones' first numbers alone
        self._steps: dict[int, Steps] = {}  # from each number to the next one, of the large ones

    def append(self, changes: ChangeSet) -> None:
        """Add a set at the end."""
        if len(changes) > SMALL:
            self._steps[len(self._sets)] = _steps(changes)
            changes = changes[:1]
        self._sets.append(changes)

    def size(self, place: int) -> int:
        """How many changes the set at a place has."""
        return len(self._steps[place]) + 1 if place in self._steps else len(self._sets[place])

    @property
    def nbytes(self) -> int:
        """The memory of the large sets, in bytes."""
        return sum(steps.nbytes for steps in self._steps.values())

    def __len__(self) -> int:
        return len(self._sets)

    @overload
    def __getitem__(self, place: int) -> ChangeSet: ...
    @overload
    def __getitem__(self, place: slice) -> list[ChangeSet]: ...
    def __getitem__(self, place: int | slice) -> ChangeSet | list[ChangeSet]:
        """A set as it was added, or several."""
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        changes, steps = self._sets[place], self._steps.get(place % len(self._sets))
        if steps is None:
            return changes
        numbers = np.cumsum(steps, dtype=np.int64) + changes[0]
        return (changes[0], *numbers.tolist())


class NodesOfSets(MutableMapping["ChangeSet", int]):
    """A number for each set; the sets themselves are not held, but a digest of each large one."""

    def __init__(self) -> None:
        self._nodes: dict[ChangeSet | bytes, int] = {}

    def __getitem__(self, changes: ChangeSet) -> int:
        return self._nodes[_key(changes)]

    def __setitem__(self, changes: ChangeSet, node: int) -> None:
        self._nodes[_key(changes)] = node

    def __delitem__(self, changes: ChangeSet) -> None:
        del self._nodes[_key(changes)]

    def __contains__(self, changes: object) -> bool:
        return _key(changes) in self._nodes  # type: ignore[arg-type]  # whoever asks about anything else gets False or an error

    def __iter__(self) -> Iterator[ChangeSet]:
        raise TypeError("the large sets are not held, so that they can't be listed")

    def __len__(self) -> int:
        return len(self._nodes)

    def __eq__(self, other: object) -> bool:
        """Whether a mapping holds the same sets with the same numbers."""
        if not isinstance(other, Mapping):
            return NotImplemented
        return len(self) == len(other) and all(self.get(changes) == node for changes, node in other.items())

    __hash__ = None  # type: ignore[assignment]  # it changes


def _key(changes: ChangeSet) -> ChangeSet | bytes:
    if len(changes) <= SMALL:
        return changes
    return blake2b(np.array(changes, dtype=np.int64).tobytes(), digest_size=16).digest()


def _steps(changes: ChangeSet) -> Steps:
    steps = np.diff(np.array(changes, dtype=np.int64))
    most = int(steps.max())
    return steps.astype(np.uint8 if most < 2**8 else np.uint16 if most < 2**16 else np.uint32)
