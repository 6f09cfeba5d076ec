"""How often somebody may ask: token buckets, in bounded memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Rates:
    """A bucket per key: `burst` requests at once, and `per_second` after that.

    Args:
        per_second: requests.
        burst: requests.
        keys: buckets that are remembered; the one that was used longest ago is forgotten first.
        clock: seconds that only grow.
    """

    def __init__(
        self, per_second: float, burst: int, *, keys: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_second, self.burst, self.keys, self.clock = per_second, burst, keys, clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, key: Hashable = None) -> float:
        """Take one request of this key: 0 where it may go on, or the seconds until it may."""
        now = self.clock()
        left, before = self._buckets.pop(key, (float(self.burst), now))
        left = min(self.burst, left + (now - before) * self.per_second)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        while len(self._buckets) > self.keys:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self.per_second
