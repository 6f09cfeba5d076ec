"""Images that the grid makes the same: none is asked twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from saywhy_core.arrays import image_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from numpy.typing import NDArray

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]
    # asks about images, and returns the gaps of as many of the first ones as the budget allowed
    Asking: TypeAlias = Generator[Images, Floats, Floats]

ROOM = 4_000_000  # numbers that are remembered, 32 MB: the oldest answers are forgotten first
IDLE = 5_000  # repeats in a row after which a search ends: it asks nothing new any more


class Repeats:
    """The gaps of the images that were asked before, so that a repeat costs no query.

    Args:
        spent: what is raised when a search asks nothing new any more, or when the budget has ended.
        room: numbers that may be remembered.
    """

    def __init__(self, spent: type[Exception], room: int = ROOM) -> None:
        self._spent, self._room = spent, room
        self._gaps: dict[bytes, Floats] = {}
        self._idle = 0

    def begin_anew(self) -> None:
        """Forget how many repeats there were in a row: another search begins."""
        self._idle = 0

    def ask(self, images: Images, asking: Callable[[Images], Asking], told_by: NDArray[np.generic] | None = None) -> Asking:
        """Ask about the images that were not asked before, by `asking`.

        Args:
            images: (N, H, W, C).
            asking: asks about some of them.
            told_by: (N, ...) what tells the images from one another; None for the images themselves.

        Returns:
            The gaps (n, A) of all the images, up to the first one that the budget had no query for.
        """
        keys = image_keys(images if told_by is None else told_by)
        new: dict[bytes, int] = {}
        known: dict[bytes, Floats] = {}
        for row, key in enumerate(keys):
            found = self._gaps.get(key)
            if found is None:
                new.setdefault(key, row)
            else:
                known[key] = found
        self._idle = 0 if new else self._idle + len(keys)
        if self._idle > IDLE:
            raise self._spent
        if new:
            rows = list(new.values())
            gaps = yield from asking(images if len(rows) == len(images) else images[rows])
            known.update(zip(new, gaps, strict=False))
            self._remember(new, gaps)
            if len(new) == len(keys):
                return gaps
        asked = [known[key] for key in keys[: next((row for row, key in enumerate(keys) if key not in known), None)]]
        if not asked:
            raise self._spent
        return np.stack(asked)

    def _remember(self, keys: dict[bytes, int], gaps: Floats) -> None:
        for key, row in zip(keys, gaps, strict=False):
            self._gaps[key] = row.copy()
        most = max(1, self._room // max(1, gaps.shape[1]))
        while len(self._gaps) > most:
            del self._gaps[next(iter(self._gaps))]
