"""Search for the smallest change in L-infinity where the classifier answers with nothing but its decision: by signs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.label_only.drawn_starts import DrawnStarts
from adversarial.attacks.label_only.probes import band, contrast
from adversarial.attacks.random_pixels import change_map
from adversarial.attacks.registry import Attack, Task

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from numpy.typing import NDArray

    from adversarial.query_log import QueryLog, Search

    Floats: TypeAlias = NDArray[np.float64]
    Images: TypeAlias = NDArray[np.float32]
    Block: TypeAlias = tuple[slice, slice, slice]
    Answer: TypeAlias = Generator[Images, Floats, bool]

TINY = 1e-6  # a radius below it is none


@dataclass(frozen=True)
class RaysTuning:
    """The constants of `LabelRays`, chosen on images at odd places in their files. Frozen, as all constants of searches."""

    starts: int = 8  # signs of noise that are tried beside brighter and darker everywhere
    bands: tuple[int, ...] = (3, 5, 8, 12)  # half-waves per side of that noise: flips of coarse patterns need fewer signs
    first_radius: float = 0.1  # at which starts are tried first
    longer: float = 2.0  # times the radius where no start flipped
    redrawn: int = 20  # times that starts are drawn anew before the search gives up
    nearer: float = 0.95  # of the radius so far at which a further start must flip: it costs the bisection anew
    gain: float = 0.002  # of the radius that turned signs must gain at least: less is not worth the queries to find it out
    shorter: float = 0.02  # of the radius is tried first after a flip, and twice as much each time that it flips again
    series: int = 8  # blocks of one division in a row, before it is chosen anew
    evenly: float = 0.15  # of the choices between divisions are made evenly: what gained nothing may gain later
    rate: float = 0.3  # by which what a division gained lately replaces what it gained before
    again: int = 2  # the level from which the division begins anew when single pixels were tried


STANDARD = RaysTuning()


class LabelRays:
    """One image's search, from nothing but decisions, for a near adversarial image in L-infinity.

    Every value of the image moves equally far, up or down. Block by block the signs are turned, and stay so where the image is
    still adversarial a little nearer than before; blocks are halved when all were tried (Chen and Gu 2020, "RayS: A Ray
    Searching Method for Hard-label Adversarial Attack", algorithms 2 and 3). Departures: blocks are rectangles of the image,
    where the paper cuts a row of all values; they hold all channels or one, whichever gains more; those with the most
    contrast come first; the radius is shortened by growing steps, not bisected after each success, since the next success
    shortens it anyway; several starts are tried.

    Args:
        log: the image, its budget and the answers.
        rng: all chance comes from here: the same seed, the same search.
        mask: (H, W) the pixels that may change, or None for all.
        tuning: its constants.
    """

    def __init__(
        self, log: QueryLog, rng: np.random.Generator, mask: NDArray[np.bool_] | None = None, tuning: RaysTuning = STANDARD
    ) -> None:
        self.log, self.rng, self.tuning = log, rng, tuning
        self.image = log.image.astype(np.float64)
        self.allowed = np.ones(self.image.shape[:2]) if mask is None else mask.astype(np.float64)
        self.contrast = contrast(self.image) * self.allowed
        self.signs = np.zeros(self.image.shape)
        self.radius = math.inf
        self._matter = np.zeros(self.image.shape[:2])
        self._divisions: list[Iterator[Block]] = []
        self._gains: list[float] = []
        self._drawn = DrawnStarts(log, rng, mask)

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        yield from self.log.ask(self.log.image[None])
        if self.log.found() or not self.allowed.any():
            return
        yield from self._start()
        while TINY < self.radius < math.inf:
            yield from self.series()

    def series(self) -> Search:
        """Turn signs in some blocks of the division of the image that gained most lately; `signs` must flip at `radius`."""
        if not self._divisions:
            self._divide()
        chosen = self._choose()
        before, asked = self.radius, self.log.queries
        for _ in range(self.tuning.series):
            yield from self._turn(next(self._divisions[chosen]))
        gain = math.log(before / max(self.radius, TINY)) / max(1, self.log.queries - asked)
        last = self._gains[chosen]
        self._gains[chosen] = gain if math.isinf(last) else last + self.tuning.rate * (gain - last)

    def _divide(self) -> None:
        self._divisions = [self._blocks(apart=False)]
        if self.image.shape[2] > 1:
            self._divisions.append(self._blocks(apart=True))
        self._gains = [math.inf] * len(self._divisions)  # what was not tried yet comes first

    def _choose(self) -> int:
        """The number of a division: mostly the one that gained most lately."""
        even = self.rng.random() < self.tuning.evenly
        return int(self.rng.integers(len(self._gains))) if even else self._gains.index(max(self._gains))

    def evidence(self) -> Floats:
        """(H, W): how much turning the signs around each pixel gained; where nothing did, how far each was changed."""
        return self._matter if self._matter.any() else change_map(self.log.image, self.log.best)

    def _flips(self, signs: Floats, radius: float) -> Answer:
        image = np.clip(self.image + radius * signs, 0, 1).astype(np.float32)
        gaps = yield from self.log.ask(image[None])
        return bool(self.log.value(gaps)[0] > 0)

    def _start(self) -> Search:
        """The best of several patterns of signs, each tried at the best radius so far."""
        tuning, shape = self.tuning, self.image.shape
        patterns = [np.ones(shape), -np.ones(shape)]
        for _ in range(tuning.redrawn):
            patterns += [
                np.where(band(shape, self.rng, tuning.bands[number % len(tuning.bands)]) > 0, 1.0, -1.0)
                for number in range(tuning.starts)
            ]
            patterns = [pattern * self.allowed[..., None] for pattern in patterns]
            radius = tuning.first_radius
            while math.isinf(self.radius) and radius < tuning.longer:
                for pattern in patterns:
                    length = min(radius, tuning.nearer * self.radius)
                    if (yield from self._flips(pattern, length)):
                        yield from self._shorten(pattern, length)
                radius *= tuning.longer
            if not math.isinf(self.radius):
                return
            patterns = []
        yield from self._begin_anywhere()

    def _begin_anywhere(self) -> Search:
        """Begin with a drawn image, where no pattern of signs flips at any radius."""
        yield from self._drawn.until_found()
        yield from self._drawn.shortened()
        yield from self._drawn.nearer()
        if self.log.best is not None:
            signs = np.sign(self.log.best - self.image)
            if (yield from self._flips(signs, self.log.distance)):
                yield from self._shorten(signs, self.log.distance)

    def _turn(self, block: Block) -> Search:
        """Turn the signs in a block, and leave them so if the image is then adversarial a little nearer."""
        signs, radius = self.signs.copy(), self.radius * (1 - self.tuning.gain)
        signs[block] *= -1
        if not signs[block].any():  # nothing there may change
            return
        before = self.radius
        if (yield from self._flips(signs, radius)):
            yield from self._shorten(signs, radius)
            area = max(1, signs[block].size)
            self._matter[block[:2]] += math.log(before / max(self.radius, TINY)) / area

    def _shorten(self, signs: Floats, radius: float) -> Search:
        """Take over signs that flip at a radius, and shorten it by growing steps as long as they do."""
        self.signs, self.radius = signs, radius
        share = self.tuning.shorter
        while self.radius > TINY:
            tried = self.radius * (1 - min(share, 0.5))
            if not (yield from self._flips(signs, tried)):
                return
            self.radius = tried
            share *= 2

    def _blocks(self, *, apart: bool) -> Iterator[Block]:
        """The blocks of the image without end, the whole of it first, then halves; `apart` takes each channel alone."""
        height, width, channels = self.image.shape
        parts = [slice(channel, channel + 1) for channel in range(channels)] if apart else [slice(None)]
        level = 0
        while True:
            rows, columns = _division(height, width, level)
            down = np.linspace(0, height, rows + 1).round().astype(int)
            across = np.linspace(0, width, columns + 1).round().astype(int)
            sums = np.add.reduceat(np.add.reduceat(self.contrast, down[:-1], axis=0), across[:-1], axis=1)
            areas = np.outer(np.diff(down), np.diff(across))
            for place in np.argsort(-(sums / areas).ravel(), kind="stable").tolist():
                row, column = divmod(place, columns)
                inside = slice(int(down[row]), int(down[row + 1])), slice(int(across[column]), int(across[column + 1]))
                for part in parts:
                    yield (*inside, part)
            level = level + 1 if rows * columns < height * width else self.tuning.again


def _division(height: int, width: int, level: int) -> tuple[int, int]:
    """Into how many rows and columns an image is cut when its longer side was halved so often."""
    rows = columns = 1
    for _ in range(level):
        if columns >= width or (rows < height and height / rows >= width / columns):
            rows = min(2 * rows, height)
        else:
            columns = min(2 * columns, width)
    return rows, columns


def start(task: Task) -> LabelRays:
    """The search for one image; see `LabelRays`."""
    return LabelRays(task.log, np.random.default_rng(task.seed), task.mask)


LABEL_RAYS = Attack(
    name="label_rays", start=start, uses_mixture=False, uses_manipulation=False, needs_geometry=True, labels_suffice=True
)
