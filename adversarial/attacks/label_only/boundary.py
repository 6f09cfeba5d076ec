"""Search for the smallest change in L2 where the classifier answers with nothing but its decision: along the boundary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.label_only.boundary_tuning import STANDARD, BoundaryTuning
from adversarial.attacks.label_only.probes import Probes, band, contrast, unit
from adversarial.attacks.registry import Attack, Task

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.query_log import QueryLog, Search

    Floats: TypeAlias = NDArray[np.float64]
    Images: TypeAlias = NDArray[np.float32]
    # the answers to a batch: whether each image is adversarial
    Flips: TypeAlias = Generator[Images, Floats, NDArray[np.bool_]]
    # a part of the search that returns two moves, one that is adversarial and one as near to the boundary as is known, and
    # the angle by which the step turned
    Step: TypeAlias = Generator[Images, Floats, tuple[Floats, Floats, float]]

TINY = 1e-6  # a move of this Euclidean length is none


class LabelBoundary:
    """One image's search, from nothing but decisions, for a near adversarial image in L2.

    A first flip is looked for in several directions at once. Then, step by step, probes around a point of the boundary tell
    its normal, and the next point is looked for on the semicircle over the line to the original, in the plane of that line
    and the normal: where the boundary is flat, the nearest adversarial image of the plane lies there (Reza et al. 2023,
    "CGBA: Curvature-aware Geometric Black-box Attack", algorithm 1). Departures: probes are stronger where the image has
    contrast, and fall with the frequency instead of ending at one; they lie around the middle of the last bisection, where
    either answer is as likely, and so it need not be exact; the angle is looked for from the last step's; starts share one
    bound.

    Args:
        log: the image, its budget and the answers.
        rng: all chance comes from here: the same seed, the same search.
        mask: (H, W) the pixels that may change, or None for all.
        tuning: its constants.

    Attributes:
        normal: (H, W, C) the last estimate of the boundary's normal.
    """

    def __init__(
        self, log: QueryLog, rng: np.random.Generator, mask: NDArray[np.bool_] | None = None,
        tuning: BoundaryTuning = STANDARD,
    ) -> None:  # fmt: skip
        self.log, self.rng, self.tuning = log, rng, tuning
        self.image = log.image.astype(np.float64)
        self.allowed = np.ones(self.image.shape[:2]) if mask is None else mask.astype(np.float64)
        self.contrast = contrast(self.image) * self.allowed
        self.probes = Probes(
            self.image.shape, self.contrast + tuning.floor * self.allowed, coarse=tuning.coarse, falling=tuning.falling,
            highest=tuning.highest,
        )  # fmt: skip
        self.normal = np.zeros(self.image.shape)

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        yield from self.log.ask(self.log.image[None])
        if self.log.found() or not self.allowed.any():
            return
        pair = yield from self._first_flip()
        if pair is None:
            return
        found, middle = pair
        angle, step = self.tuning.first_angle, 0
        while float(np.linalg.norm(middle)) > TINY:
            step += 1
            yield from self._estimate(middle, step)
            found, middle, angle = yield from self._turn(found, middle, angle)

    def evidence(self) -> Floats:
        """(H, W): the steepness of the boundary's normal at each pixel."""
        return np.asarray(np.abs(self.normal).max(axis=-1))

    def _ask(self, moves: Floats) -> Flips:
        gaps = yield from self.log.ask(np.clip(self.image + moves, 0, 1).astype(np.float32))
        return np.asarray(self.log.value(gaps) > 0)

    def _inside(self, move: Floats) -> Floats:
        """The move, cut off at the colour cube."""
        return np.asarray(np.clip(self.image + move, 0, 1) - self.image)

    def _first_flip(self) -> Generator[Images, Floats, tuple[Floats, Floats] | None]:
        """An adversarial move and one near the boundary, along the best of several directions; None where nothing flips."""
        tuning, longest = self.tuning, 2 * math.sqrt(self.image.size)
        for _ in range(tuning.redrawn):
            directions, length = self._directions(), tuning.first_length * math.sqrt(self.image.size)
            while length < longest:
                flips = yield from self._ask(length * directions)
                if flips.any():
                    return (yield from self._shortened(directions[: len(flips)][flips], length))
                length *= tuning.longer
        return None

    def _directions(self) -> Floats:
        """Directions of length 1: noise of several bands, half of it where the contrast is, white noise, and an even colour."""
        tuning, shape = self.tuning, self.image.shape
        noises = []
        for number in range(tuning.starts):
            noise = band(shape, self.rng, tuning.bands[number % len(tuning.bands)])
            where = self.contrast + 0.1 * self.allowed if number // len(tuning.bands) % 2 == 0 else self.allowed
            noises.append(noise * where[..., None])
        noises.append((self.rng.random(shape) - self.image) * self.allowed[..., None])
        noises.append((self.image.mean(axis=(0, 1)) - self.image) * self.allowed[..., None])
        return unit(np.stack(noises))

    def _shortened(self, directions: Floats, length: float) -> Generator[Images, Floats, tuple[Floats, Floats]]:
        """Shorten the directions that flip at a length together, and drop those that flip no more."""
        above, below = length, 0.0
        while below == 0:
            length = above / self.tuning.shorter
            flips = yield from self._ask(length * directions)
            if flips.any():
                above, directions = length, directions[: len(flips)][flips]
            else:
                below = length
        length = (above + below) / 2
        flips = yield from self._ask(length * directions)
        if flips.any():
            above, directions = length, directions[: len(flips)][flips]
        else:
            below = length
        return self._inside(above * directions[0]), self._inside((above + below) / 2 * directions[0])

    def _estimate(self, middle: Floats, step: int) -> Search:
        """Ask about probes around a point near the boundary, and make `normal` of the answers."""
        tuning = self.tuning
        count = min(tuning.most_probes, int(tuning.first_probes * step**tuning.growth), max(2, tuning.room // middle.size))
        length = float(np.linalg.norm(middle))
        along = middle / length
        probes = self.probes.draw(self.rng, count)
        probes = unit(probes - (probes * along).sum(axis=(1, 2, 3), keepdims=True) * along)
        flips = yield from self._ask(middle + tuning.reach * length * probes)
        signs = np.where(flips, 1.0, -1.0)
        if flips.any() and not flips.all():  # the variance is less without the mean (Chen et al. 2020, HopSkipJump)
            signs -= signs.mean()
        self.normal = np.tensordot(signs, probes[: len(signs)], axes=1)

    def _turn(self, found: Floats, middle: Floats, angle: float) -> Step:
        """Turn towards the normal along the semicircle, as far as images stay adversarial."""
        tuning, length = self.tuning, float(np.linalg.norm(middle))
        along = middle / length
        across = self.normal - (self.normal * along).sum() * along
        across /= max(float(np.linalg.norm(across)), TINY)

        def at(turned: float) -> Floats:
            return self._inside(length * math.cos(turned) * (math.cos(turned) * along + math.sin(turned) * across))

        low, high, best = 0.0, math.pi / 2, found
        for _ in range(tuning.turns):
            move = at(angle)
            if (yield from self._ask(move[None]))[0]:
                low, best = angle, move
                angle = min(angle * tuning.wider, (angle + high) / 2) if high == math.pi / 2 else (low + high) / 2
            else:
                high = angle
                angle = (low + high) / 2 if low else angle / tuning.narrower
            if (low and high < math.pi / 2 and high - low < tuning.exact * high) or high < tuning.least_angle / 3:
                break
        if low and float(np.linalg.norm(best)) < float(np.linalg.norm(found)):
            return best, (best + at(high)) / 2, max(low, tuning.least_angle)
        above, below = 1.0, 1 - tuning.radial
        for _ in range(tuning.halvings):
            share = (above + below) / 2
            if (yield from self._ask(share * found[None]))[0]:
                above = share
            else:
                below = share
        return above * found, (above + below) / 2 * found, max(angle / 2, tuning.least_angle)


def start(task: Task) -> LabelBoundary:
    """The search for one image; see `LabelBoundary`."""
    return LabelBoundary(task.log, np.random.default_rng(task.seed), task.mask)


LABEL_BOUNDARY = Attack(
    name="label_boundary", start=start, uses_mixture=False, uses_manipulation=False, needs_geometry=True, labels_suffice=True
)
