"""Signs turned block by block, for L-infinity, where scores say how far the radius can be shortened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.label_only.rays import TINY, LabelRays

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.query_log import Search

    Floats: TypeAlias = NDArray[np.float64]
    Images: TypeAlias = NDArray[np.float32]

STEPS = 3  # queries for a radius at most: the secant comes near enough in two
ABOVE = 1.002  # times the radius at which the gap would be closed, were it linear
BETWEEN = 1.05  # the same between a radius that flips and one that doesn't: the next turn needs one that flips


class ScoredRays(LabelRays):
    """`LabelRays`, but for the radius: it is found by the secant of the gaps, where decisions need growing steps."""

    _value = _climbed = 0.0
    _climbed_at = -1.0

    def begin(self, signs: Floats, radius: float) -> Search:
        """Begin with signs that flip at a radius, and shorten it as far as the gaps say."""
        self.go_on(signs, radius)
        if (yield from self._flips(signs, radius)):
            yield from self._shorten(signs, radius)

    def go_on(self, signs: Floats, radius: float) -> None:
        """Go on from other signs."""
        self.signs, self.radius, self._climbed_at = signs, radius, -1.0

    def climb(self) -> Search:
        """On a grid: turn signs one level nearer, where the image holds, and keep what closes the gap, until it flips there.

        Between two levels there are no images, so that a turn seldom gains a whole one: turns add up at one radius.
        """
        assert self.log.levels is not None
        steps = self.log.levels - 1
        radius = (round(self.radius * steps) - 1) / steps
        if not self._divisions:
            self._divide()
        if radius != self._climbed_at:
            self._climbed_at = radius
            yield from self._flips(self.signs, radius)
            self._climbed = self._value
        chosen = self._choose()
        before = self._climbed
        for _ in range(self.tuning.series):
            if self._climbed > 0:
                break
            signs = self.signs.copy()
            signs[next(self._divisions[chosen])] *= -1
            yield from self._flips(signs, radius)
            if self._value > self._climbed:
                self.signs, self._climbed = signs, self._value
        gain, last = self._climbed - before, self._gains[chosen]
        self._gains[chosen] = gain if math.isinf(last) else last + self.tuning.rate * (gain - last)
        if self._climbed > 0:
            self.radius = radius

    def _flips(self, signs: Floats, radius: float) -> Generator[Images, Floats, bool]:
        image = np.clip(self.image + radius * signs, 0, 1).astype(np.float32)
        gaps = yield from self.log.ask(image[None])
        self._value = float(self.log.value(gaps)[0])
        return self._value > 0

    def _shorten(self, signs: Floats, radius: float) -> Search:
        """Take over signs that flip at a radius, the last that was asked, and shorten it as far as the gaps say."""
        self.signs, self.radius = signs, radius
        assert self.log.clean is not None
        failed, beyond = 0.0, float(self.log.value(self.log.gaps(self.log.clean[None]))[0])
        for _ in range(STEPS):
            value, spare = self._value, BETWEEN if failed else ABOVE
            closed = failed - beyond / (value - beyond) * (self.radius - failed)
            tried = max(failed + spare * (closed - failed), self.radius / 2)
            if self.radius - tried < self.tuning.gain * self.radius or self.radius < TINY:
                return
            if (yield from self._flips(signs, tried)):
                self.radius = tried
            else:
                failed, beyond, self._value = tried, self._value, value
