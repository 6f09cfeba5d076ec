"""Search for the smallest change where the classifier answers with nothing but its decision: along the boundary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.label_only.boundary_tuning import STANDARD, BoundaryTuning
from adversarial.attacks.label_only.drawn_starts import DrawnStarts
from adversarial.attacks.label_only.preferences import Preferences
from adversarial.attacks.label_only.probes import FOLLOWING, Probes, band, slope, unit
from adversarial.attacks.registry import Attack, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from numpy.typing import NDArray

    from adversarial.distances.distance import Distance
    from adversarial.query_log import QueryLog, Search

    Floats: TypeAlias = NDArray[np.float64]
    Images: TypeAlias = NDArray[np.float32]
    # the answers to a batch: whether each image is adversarial
    Flips: TypeAlias = Generator[Images, Floats, NDArray[np.bool_]]
    # a part of the search that asks, and returns the point it ends at
    Pointing: TypeAlias = Generator[Images, Floats, "Point"]

TINY = 1e-6  # a move of this Euclidean length is none


class Point:
    """A direction that was bisected: adversarial at `above`, and not, as far as is known, at `below`.

    Attributes:
        direction: (H, W, C) of length 1.
        below, above: Euclidean lengths, before the move is cut off at the colour cube.
    """

    def __init__(self, direction: Floats, below: float, above: float) -> None:
        self.direction, self.below, self.above = direction, below, above

    @property
    def middle(self) -> float:
        """The length at which either answer is as likely."""
        return (self.below + self.above) / 2


class LabelBoundary:
    """One image's search, from nothing but decisions, for a near adversarial image.

    A first flip is looked for in several directions at once. Then, step by step, probes around a point of the boundary tell
    its normal, and the next point is looked for on the semicircle over the line to the original, in the plane of that line
    and the normal: where the boundary is flat, the nearest adversarial image of the plane lies there (Reza et al. 2023,
    "CGBA: Curvature-aware Geometric Black-box Attack", algorithm 1). Departures: which kind of noise the probes are is learned
    on the way, from how far each step could turn; the normal is what a ridge regression of the answers on the probes says;
    probes lie where either answer is as likely, which need not be exactly at the point of the boundary (see `lean`); what of
    the normal points out of the colour cube is left out before a step turns towards it; the angle is looked for from the last
    step's; starts share one bound. The paper is about L2. In another p-norm, images lie where the direction is bent towards
    the norm's own way to a plane: all values equally far in L-infinity, the steepest values more in L1. That they lie on the
    semicircle is then true on average only.

    Args:
        log: the image, its budget and the answers.
        distance: what is to be made small.
        rng: all chance comes from here: the same seed, the same search.
        mask: (H, W) the pixels that may change, or None for all.
        tuning: its constants.

    Attributes:
        normal: (H, W, C) the last estimate of the boundary's normal.
        lean: by how much of the distance probes lie farther out than the point of the boundary. The boundary is curved, and
            the colour cube cuts off moves of one sign, so that probes around the point itself mostly answer the same, and
            tell less; on a network for digits, where most values are 0, only 15 of 100 flipped.
    """

    def __init__(
        self, log: QueryLog, distance: Distance, rng: np.random.Generator, mask: NDArray[np.bool_] | None = None,
        tuning: BoundaryTuning = STANDARD,
    ) -> None:  # fmt: skip
        self.log, self.distance, self.rng, self.tuning = log, distance, rng, tuning
        self.image = log.image.astype(np.float64)
        self.allowed = np.ones(self.image.shape[:2]) if mask is None else mask.astype(np.float64)
        self.probes = Probes(self.image, self.allowed, tuning)
        self.kinds = Preferences(
            self.probes.options, rate=tuning.rate, average=tuning.average, chance=tuning.chance, most=tuning.most_reward
        )
        self.kinds.prefer(*FOLLOWING, tuning.following)
        power = 2.0 if distance.power is None else distance.power
        # of the slopes, in the norm's own nearest flip: 1 in L2, 0 in L-infinity
        self.bend = tuning.steepest if power <= 1 else min(tuning.steepest, 1 / (power - 1))
        self.normal = np.zeros(self.image.shape)
        self.lean = 0.0
        self._drawn = DrawnStarts(log, rng, mask)

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        yield from self.log.ask(self.log.image[None])
        if self.log.found() or not self.allowed.any():
            return
        point = yield from self._first_flip()
        if point is None:
            yield from self._drawn.until_found()
            yield from self._drawn.shortened()
            point = self._found()
        angle, step = self.tuning.first_angle, 0
        while point is not None and point.above > TINY:
            step += 1
            count = yield from self._estimate(point, step)
            point, turned = yield from self._turn(point, angle)
            self.kinds.reward(math.log(turned / math.sqrt(count)))
            angle = max(turned, self.tuning.least_angle)

    def evidence(self) -> Floats:
        """(H, W): the steepness of the boundary's normal at each pixel."""
        return np.asarray(np.abs(self.normal).max(axis=-1))

    def _ask(self, moves: Floats) -> Flips:
        gaps = yield from self.log.ask(np.clip(self.image + moves, 0, 1).astype(np.float32))
        return np.asarray(self.log.value(gaps) > 0)

    def _move(self, directions: Floats, length: float) -> Floats:
        """The moves of a length in directions (..., H, W, C), bent as the norm has it, cut off at the colour cube."""
        bent = directions if self.bend == 1 else unit(np.sign(directions) * np.abs(directions) ** self.bend)
        return np.asarray(np.clip(self.image + length * bent, 0, 1) - self.image)

    def _first_flip(self) -> Generator[Images, Floats, Point | None]:
        """A point of the boundary along the best of several directions; None where nothing flips."""
        tuning, longest = self.tuning, 2 * math.sqrt(self.image.size)
        for number in range(tuning.redrawn):
            directions, length = self._directions(), tuning.first_length * math.sqrt(self.image.size)
            while length < longest:
                flips = yield from self._ask(self._move(directions, length))
                if flips.any():
                    return (yield from self._shortened(directions[: len(flips)][flips], length))
                length *= tuning.longer
            if number and self.log.every and self._drawn.few:
                yield from self._drawn.some()
                if self.log.found():
                    return None
        return None

    def _found(self) -> Point | None:
        """The nearest image so far as a point of the boundary; None where there is none."""
        if self.log.best is None:
            return None
        move = self.log.best - self.image
        direction = unit(np.sign(move) * np.abs(move) ** (1 / self.bend) if self.bend else np.sign(move))
        length = float(np.linalg.norm(move))
        return Point(direction, (1 - self.tuning.radial**2) * length, length)

    def _directions(self) -> Floats:
        """Directions of length 1: noise of several bands, half of it where the contrast is, white noise, and even colours."""
        tuning, shape = self.tuning, self.image.shape
        noises = []
        for number in range(tuning.starts):
            noise = band(shape, self.rng, tuning.bands[number % len(tuning.bands)])
            follows = number // len(tuning.bands) % 2 == 0
            noises.append(noise * (self.probes.contrast + tuning.even if follows else self.allowed)[..., None])
        noises += [
            self.rng.random(shape) - self.image,
            self.image.mean(axis=(0, 1)) - self.image,
            np.ones(shape),
            -np.ones(shape),
        ]
        return unit(np.stack(noises) * self.allowed[..., None])

    def _shortened(self, directions: Floats, length: float) -> Pointing:
        """Shorten the directions that flip at a length together, and drop those that flip no more."""
        above, below, tried = length, 0.0, length / self.tuning.shorter
        while True:
            flips = yield from self._ask(self._move(directions, tried))
            last = below > 0
            if flips.any():
                above, directions = tried, directions[: len(flips)][flips]
            else:
                below = tried
            if last or above < TINY:
                return self._settled(directions[0], below, above)
            tried = (above + below) / 2 if below else above / self.tuning.shorter

    def _settled(self, direction: Floats, below: float, above: float) -> Point:
        """The point, in L2 without what the colour cube cuts off: it would lengthen the direction and change nothing."""
        if self.bend != 1:
            return Point(direction, below, above)
        move = self._move(direction, above)
        length = float(np.linalg.norm(move))
        return Point(unit(move), length * below / above, length)

    def _probe_count(self, step: int) -> int:
        """How many probes a step asks about: more the later it is."""
        tuning = self.tuning
        return min(tuning.most_probes, int(tuning.first_probes * step**tuning.growth), max(2, tuning.room // self.image.size))

    def _around(self, point: Point, probes: Floats, reach: float) -> tuple[Floats, Floats]:
        """A point of the boundary that leans to one side, (H, W, C), and images (n, H, W, C) across its direction."""
        centre = self._move(point.direction, (1 + self.lean) * point.middle)
        along = point.direction.astype(probes.dtype)
        probes = unit(probes - (probes * along).sum(axis=(1, 2, 3), keepdims=True) * along)
        here = self.image + centre
        moved = here.astype(probes.dtype) + probes.dtype.type(reach * float(np.linalg.norm(centre))) * probes
        return here.astype(probes.dtype), np.clip(moved, 0, 1, out=moved)

    def _lean(self, flips: NDArray[np.bool_]) -> None:
        """Let the next probes lie where about half of them flip."""
        tuning = self.tuning
        lean = self.lean + tuning.leaning * tuning.reach * (1 - 2 * float(flips.mean()))
        self.lean = min(max(lean, -tuning.reach), tuning.reach)

    def _estimate(self, point: Point, step: int) -> Generator[Images, Floats, int]:
        """Ask about probes around a point of the boundary, and make `normal` of the answers; returns how many they were."""
        tuning, count = self.tuning, self._probe_count(step)
        probes = self.probes.draw(self.rng, count, self.kinds.draw(self.rng), point.direction)
        here, moved = self._around(point, probes, tuning.reach)
        flips = yield from self._ask(moved - self.image)
        # of the moves without what the colour cube cuts off
        self.normal = slope((moved - here)[: len(flips)], flips, tuning.ridge) * self.allowed[..., None]
        self._lean(flips)
        return count

    def _inside(self, point: Point) -> Floats:
        """The normal without what points out of the colour cube at a point: it would be cut off and only shorten the step."""
        here = self.image + self._move(point.direction, point.middle)
        return np.asarray(np.clip(here + self.tuning.reach * point.middle * unit(self.normal), 0, 1) - here)

    def _semicircle(self, point: Point) -> Callable[[float], Floats]:
        """The direction by angle along the semicircle from a point towards the normal."""
        along, inside = point.direction, self._inside(point)
        across = unit(inside - (inside * along).sum() * along)
        return lambda by: np.asarray(math.cos(by) * along + math.sin(by) * across)

    def _turn(self, point: Point, angle: float) -> Generator[Images, Floats, tuple[Point, float]]:
        """Turn towards the normal along the semicircle, as far as images stay adversarial; the new point, and how far."""
        tuning, length, turned = self.tuning, point.middle, self._semicircle(point)
        low, high = 0.0, math.pi / 2
        for _ in range(tuning.turns):
            move = self._move(turned(angle), length * math.cos(angle))
            if (yield from self._ask(move[None]))[0]:
                low = angle
                angle = min(angle * tuning.wider, (angle + high) / 2) if high == math.pi / 2 else (low + high) / 2
            else:
                high = angle
                angle = (low + high) / 2 if low else angle / tuning.narrower
            if (low and high < math.pi / 2 and high - low < tuning.exact * high) or high < tuning.least_angle / 3:
                break
        if low and length * math.cos(low) < point.above:
            below = length * math.cos((low + high) / 2)
            return self._settled(turned(low), min(below, 2 * below - length * math.cos(low)), length * math.cos(low)), low
        # nothing gained: the step began too far from the boundary, or the normal is wrong. Know the boundary better next time
        above, below, tried = point.above, (1 - tuning.radial) * point.below, point.below
        for _ in range(tuning.halvings):
            if (yield from self._ask(self._move(point.direction, tried)[None]))[0]:
                above = tried
            else:
                below = tried
            tried = (above + below) / 2
        return self._settled(point.direction, below, above), max(low, high / 3)


def start(task: Task) -> LabelBoundary:
    """The search for one image; see `LabelBoundary`."""
    return LabelBoundary(task.log, task.distance, np.random.default_rng(task.seed), task.mask)


LABEL_BOUNDARY = Attack(
    name="label_boundary", start=start, uses_mixture=False, uses_manipulation=False, needs_geometry=True, labels_suffice=True
)
