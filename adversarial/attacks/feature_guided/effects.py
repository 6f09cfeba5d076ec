"""What earlier queries taught: how far each change of one pixel moves each class, with the uncertainty of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float32]

CLASSES = 4  # classes followed at a time: those that seem to need the fewest changes
FEW = 10  # the best effects seen, whose mean tells how much one change can do
KEPT = 0.7  # of the weight of what was seen of a change, each time it is seen again among other changes
NEAR = 1.2  # standard deviation in pixels over which effects are alike; grows with images above 40 pixels a side
FAR = 3  # neighbourhoods end here, in units of a pixel's neighbourhood scale
UNLIKE = 0.6  # e-foldings of likeness a channel in which two colours differ
PRIOR, OWN = 0.5, 0.1  # observations that no effect, and that the neighbourhood's effect, count for
SEEN_DEVIATION = 0.3  # standard deviation of a change that was itself seen, against 1 for one of which nothing is known


class Effects:
    """Estimated effects of all changes: a mean and a standard deviation each, for the classes that matter just now.

    A change is a pixel and one of J values it may take, numbered pixel * J + value. Observed effects are shared with
    neighbouring pixels and similar colours by a separable kernel (kernel regression, shrunk towards no effect), since one
    pixel's effect says much of the next one's. What was seen last of a change, among other changes, counts most.

    Attributes:
        classes: (A,) columns of the gaps that are followed.
        mean: (P J, A) estimated effect of each change.
        deviation: (P J,) standard deviation as a share of `scale`.
        scale: (A,) root mean square of the effects seen.
        step: (A,) what one of the best changes does.
    """

    def __init__(self, shape: tuple[int, int], codes: Array, columns: int, *, every: bool = False) -> None:
        height, width = shape
        self.shape, self.columns, self.every = shape, columns, every
        self.values = len(codes)
        near = NEAR * max(1.0, min(height, width) / 40)
        self._rows, self._cols = _band(height, near), _band(width, near)
        unlike = np.abs(codes[:, None] - codes[None]).sum(axis=-1)
        self._colours = np.exp(-UNLIKE * unlike * (1 if codes.shape[1] > 1 else 8)).astype(np.float32)
        self._slots = np.full(height * width * self.values, -1, dtype=np.int64)
        self._seen = np.zeros(0, dtype=np.int64)
        self._sums = np.zeros((256, columns), dtype=np.float32)
        self._weights = np.zeros(256, dtype=np.float32)
        self.classes = np.arange(min(CLASSES, columns))
        self.mean = np.zeros((len(self._slots), len(self.classes)), dtype=np.float32)
        self.deviation = np.ones(len(self._slots), dtype=np.float32)
        self.scale = np.ones(len(self.classes), dtype=np.float32)
        self.step = np.ones(len(self.classes), dtype=np.float32)

    @property
    def seen(self) -> NDArray[np.int64]:
        """The changes that were observed."""
        return self._seen

    def observe(self, changes: NDArray[np.int64], effects: NDArray[np.floating]) -> None:
        """Learn from (n,) changes that moved the gaps by (n, columns)."""
        fresh = np.unique(changes[self._slots[changes] < 0])
        if len(fresh):
            start = len(self._seen)
            self._slots[fresh] = np.arange(start, start + len(fresh))
            self._seen = np.concatenate([self._seen, fresh])
            while len(self._sums) < len(self._seen):
                self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
                self._weights = np.concatenate([self._weights, np.zeros_like(self._weights)])
        slots = self._slots[changes]
        again = np.unique(slots)
        self._sums[again] *= KEPT
        self._weights[again] *= KEPT
        np.add.at(self._sums, slots, effects.astype(np.float32))
        np.add.at(self._weights, slots, np.float32(1))

    def observed(self, columns: NDArray[np.int64] | slice = slice(None)) -> Array:
        """(S, columns) mean effect of each change in `seen`."""
        count = len(self._seen)
        return np.asarray(self._sums[:count, columns] / self._weights[:count, None])

    def refresh(self, gaps: NDArray[np.floating], focus: int | None = None) -> None:
        """Choose the classes nearest from these gaps (columns,), or the one in focus, and estimate effects on them."""
        effects = self.observed()
        few = min(FEW, len(effects))
        best = np.partition(effects, len(effects) - few, axis=0)[-few:].mean(axis=0)
        ahead = np.asarray(gaps, dtype=np.float32)
        floor = 1e-6 * max(float(np.abs(ahead).max()), 1e-6)
        if self.every:
            self.classes = np.argsort(ahead, kind="stable")[:CLASSES]
            self.step = np.full(len(self.classes), max(float(best[self.classes[0]]), floor), dtype=np.float32)
        else:
            need = np.where(best > 0, -ahead / np.maximum(best, 1e-9), 1e6 - ahead)
            self.classes = np.argsort(need, kind="stable")[:CLASSES]
            self.step = np.maximum(best[self.classes], floor).astype(np.float32)
        if focus is not None:
            self.classes = np.array([focus])
            self.step = np.maximum(best[self.classes], floor).astype(np.float32)
        self.scale = np.sqrt((effects[:, self.classes] ** 2).mean(axis=0))
        count, active = len(self._seen), len(self.classes)
        own = np.zeros((len(self._slots), active + 1), dtype=np.float32)
        own[self._seen, :active] = self._sums[:count][:, self.classes]
        own[self._seen, active] = self._weights[:count]
        shared = self._share(own)
        total, weight = shared[:, :active], shared[:, active]
        around = total / (weight + PRIOR)[:, None]
        self.mean = (own[:, :active] + OWN * around) / (own[:, active] + OWN)[:, None]
        self.deviation = np.sqrt(1 / (1 + 2 * weight))
        self.deviation[self._seen] *= SEEN_DEVIATION

    def utility(self, belief: Array, gaps: NDArray[np.floating]) -> Array:
        """(n,) how near each change is believed to lead from these gaps (columns,), in steps; `belief` is (n, A)."""
        after = belief + gaps[self.classes] / self.step
        return np.asarray(after.min(axis=1) if self.every else after.max(axis=1), dtype=np.float32)

    def _share(self, own: Array) -> Array:
        (height, width), last = self.shape, own.shape[1]
        rows = (self._rows @ own.reshape(height, -1)).reshape(height, width, -1)
        both = np.matmul(self._cols, rows).reshape(-1, self.values, last)
        return np.asarray(np.matmul(self._colours, both).reshape(-1, last))


def _band(length: int, near: float) -> Array:
    steps = np.arange(length)
    apart = np.abs(steps[:, None] - steps[None])
    return np.where(apart <= FAR * near / NEAR, np.exp(-(apart**2) / (2 * near**2)), 0).astype(np.float32)
