"""Moves of an image whose scores tell most: waves of brightness first, and noise of the kinds that the scores react to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.label_only.preferences import Preferences
from adversarial.attacks.label_only.probes import Probes, unit
from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.label_only.boundary_tuning import BoundaryTuning
    from adversarial.attacks.tuning import ScoredTuning

    Floats: TypeAlias = NDArray[np.float64]

TINY = 1e-12  # in the place of a logarithm's argument of 0


class BrightnessWaves:
    """The functions of the two-dimensional discrete cosine transform (DCT-II), in the brightness before they are in colours.

    The brightness is the sum of the channels; the other colours are orthogonal to it. Low frequencies come first, those of
    the other colours as late as brightness of twice the frequency: what networks tell classes by is mostly brightness.

    Args:
        shape: (H, W, C) of the image.
        allowed: (H, W) factors, 0 where nothing may change.
        colours_later: times the frequency at which the other colours come.
        room: numbers that all the waves together may have; after the last one, the first comes again.
    """

    def __init__(self, shape: tuple[int, ...], allowed: Floats, colours_later: float, room: int) -> None:
        height, width, channels = self._shape = shape
        self._allowed = allowed
        self._colours = _colours(channels)
        frequencies = np.add.outer(np.arange(height) / height, np.arange(width) / width).ravel()
        coarsest = 1 / max(height, width)
        later = [frequencies, *[colours_later * (frequencies + coarsest)] * (channels - 1)]
        count = max(8, min(height * width * channels, room // (height * width * channels)))
        self._order = np.argsort(np.concatenate(later), kind="stable")[:count]
        self._next = 0

    def take(self, count: int) -> tuple[Floats, NDArray[np.int64]]:
        """The next waves, (count, H, W, C), of length 1, and their numbers; masked ones are not orthogonal."""
        numbers = self._order[(self._next + np.arange(count)) % len(self._order)]
        self._next = (self._next + count) % len(self._order)
        return _cosines(self._shape, numbers, self._colours, self._allowed), numbers


def _colours(channels: int) -> Floats:
    """(C, C), orthonormal rows, the first one the same in all channels."""
    first = np.concatenate([np.ones((channels, 1)), np.eye(channels)[:, 1:]], axis=1)
    return np.asarray(np.linalg.qr(first)[0].T)


def _cosines(shape: tuple[int, ...], numbers: NDArray[np.int64], colours: Floats, allowed: Floats) -> Floats:
    """(n, H, W, C) waves of length 1 by their numbers: colour by colour, row by row."""
    height, width, _ = shape
    kinds, places = np.divmod(numbers, height * width)
    rows, columns = np.divmod(places, width)
    down = np.cos(np.pi * (np.arange(height) + 0.5) * rows[:, None] / height)
    across = np.cos(np.pi * (np.arange(width) + 0.5) * columns[:, None] / width)
    return unit((down[:, :, None] * across[:, None, :] * allowed)[..., None] * colours[kinds][:, None, None])


class LearnedWaves:
    """The functions of the two-dimensional discrete cosine transform (DCT-II), of brightness and the other colours.

    The brightness is the sum of the channels; the other colours are orthogonal to it. Networks differ in the frequencies that
    they react to: one for photographs reacts to the finest brightness and to coarse colours, one for digits to the middle. So
    the frequencies are cut into cells, and the next waves come from cells where waves have told much, or where little is known
    (Thompson 1933): what a cell will tell is the mean square of the slopes along the waves asked about there and in cells near
    it, and along some imagined ones, which fall with the frequency. In a cell, low frequencies come first.

    Args:
        shape: (H, W, C) of the image.
        allowed: (H, W) factors, 0 where nothing may change.
        tuning: the constants.

    Attributes:
        cells: (C H W,) the cell of each wave, by its number.
    """

    def __init__(self, shape: tuple[int, ...], allowed: Floats, tuning: ScoredTuning = STANDARD.scored) -> None:
        height, width, channels = self._shape = shape
        self._allowed, self._tuning = allowed, tuning
        self._colours = _colours(channels)
        rows, columns = min(height, tuning.cells), min(width, tuning.cells)
        places = np.add.outer(np.arange(height) * rows // height * columns, np.arange(width) * columns // width)
        self.cells = cells = np.add.outer(np.arange(channels) * rows * columns, places).ravel()
        frequencies = np.tile(np.add.outer(np.arange(height) / height, np.arange(width) / width).ravel(), channels)
        self._order = np.lexsort((frequencies, cells))  # the waves, cell by cell, each from its lowest frequency on
        self._ends = np.cumsum(np.bincount(cells))
        self._begins = np.append(0, self._ends[:-1])
        self._nexts = self._begins.copy()
        colour, row, column = np.unravel_index(np.arange(len(self._ends)), (channels, rows, columns))
        apart = np.square(np.subtract.outer(row, row)) + np.square(np.subtract.outer(column, column))
        self._near = np.exp(-apart / (2 * tuning.near_cells**2)) * np.equal.outer(colour, colour)
        far = np.hypot((row + 0.5) / rows, (column + 0.5) / columns)
        self._expected = np.where(colour == 0, 1.0, tuning.other_colours) / (1 + far) ** 2
        self._asked, self._squares = np.zeros(len(far)), np.zeros(len(far))

    def _means(self) -> Floats:
        """What waves of each cell are expected to tell."""
        seen = float(self._asked @ self._expected)
        usual = float(self._squares.sum()) / seen if seen else 1.0
        imagined = self._tuning.imagined
        told = self._near @ self._squares + imagined * usual * self._expected
        return np.asarray(np.maximum(told, TINY) / (self._near @ self._asked + imagined))

    def take(self, rng: np.random.Generator, count: int) -> tuple[Floats, NDArray[np.int64]]:
        """The next waves, (count, H, W, C), of length 1, and the cell of each; masked ones are not orthogonal."""
        means = np.log(self._means())
        spread = self._tuning.wave_noise / np.sqrt(self._near @ self._asked + self._tuning.imagined)
        cells = np.zeros(count, dtype=np.int64)
        numbers = np.zeros(count, dtype=np.int64)
        for place in range(count):
            left = self._nexts < self._ends
            if not left.any():
                self._nexts = self._begins.copy()
                left[:] = True
            cell = int(np.where(left, means + spread * rng.standard_normal(len(means)), -np.inf).argmax())
            cells[place], numbers[place] = cell, self._order[self._nexts[cell]]
            self._nexts[cell] += 1
        return _cosines(self._shape, numbers, self._colours, self._allowed), cells

    def finest(self, rng: np.random.Generator, count: int) -> tuple[Floats, NDArray[np.int64]]:
        """Waves of the finest brightness, at random, and the cell of each."""
        height, width, _ = self._shape
        rows, columns = (rng.integers(size // 2, size, count) for size in (height, width))
        numbers = rows * width + columns
        return _cosines(self._shape, numbers, self._colours, self._allowed), self.cells[numbers]

    def told(self, cells: NDArray[np.int64], slopes: Floats) -> None:
        """Say what waves of these cells have told: the square of the slope along each, (n,)."""
        np.add.at(self._asked, cells, 1.0)
        np.add.at(self._squares, cells, slopes)


class ScoredProbes:
    """Probes of the kinds that have told most: each group of a batch draws a kind of its own.

    Beside the spectra of `Probes`, waves of the cosine transform are a kind: those that were not asked about yet. What a group
    tells is the mean square of the slopes along its probes that the model did not know; groups that tell more than the others
    of their batch make their options likelier (see `Preferences`).

    Args:
        image: (H, W, C).
        allowed: (H, W) factors, 0 where nothing may change.
        rng: where chance comes from.
        boundary: the constants of the probes.
        tuning: the constants of the searches.

    Attributes:
        fine: whether the scores react to fine waves far more than to coarse ones, so that the waves' frequencies are learned;
            None until the first waves tell.
    """

    def __init__(
        self, image: Floats, allowed: Floats, rng: np.random.Generator, boundary: BoundaryTuning, tuning: Tuning = STANDARD
    ) -> None:
        self._rng, self._tuning = rng, tuning.scored
        self._waves = BrightnessWaves(image.shape, allowed, tuning.scored.colours_later, tuning.waves.room)
        self._learned = LearnedWaves(image.shape, allowed, tuning.scored)
        self._cells = np.zeros(0, dtype=np.int64)
        self.fine: bool | None = None
        self._noise = Probes(image, allowed, boundary)
        self.contrast = self._noise.contrast
        spectra, *others = self._noise.options
        self._spectra = spectra
        self._kinds = Preferences((spectra + 1, *others), rate=tuning.scored.rate, average=0.0, chance=boundary.chance)
        self._groups: list[tuple[int, list[tuple[int, Floats]]]] = []

    def waves(self, count: int) -> Floats:
        """(count, H, W, C): the next waves, of length 1, up or down at random."""
        # up or down, so that what bends the scores does not bias all answers in the same direction
        signs = np.where(self._rng.random(count) < 0.5, -1.0, 1.0)
        if self.fine:
            waves, self._cells = self._learned.take(self._rng, count)
        elif self.fine is None and count > self._tuning.fine_waves:
            waves, numbers = self._waves.take(count - self._tuning.fine_waves)
            finest, cells = self._learned.finest(self._rng, self._tuning.fine_waves)
            waves, self._cells = np.concatenate([waves, finest]), np.concatenate([self._learned.cells[numbers], cells])
        else:
            waves, numbers = self._waves.take(count)
            self._cells = self._learned.cells[numbers]
        return waves * signs[:, None, None, None]

    def told_by_waves(self, moves: Floats, unknown: Floats) -> None:
        """Say what came of the waves drawn last: the moves (n, S) that they became, and what the model erred by, (n, A)."""
        lengths = (moves**2).sum(axis=1)
        kept = lengths > TINY
        slopes = (unknown[kept] ** 2).mean(axis=1) / lengths[kept]
        self._learned.told(self._cells[: len(moves)][kept], slopes)
        fine = self._tuning.fine_waves
        if self.fine is None:
            enough = len(moves) > fine and len(moves) == len(self._cells) and bool(kept.all())
            self.fine = enough and bool(slopes[-fine:].mean() > self._tuning.fine_steeper * slopes[:-fine].mean())

    def draw(self, count: int, perturbation: Floats) -> Floats:
        """(count, H, W, C) probes of length 1; see `Probes.draw` for the perturbation."""
        probes, self._groups = [], []
        for part in np.array_split(np.arange(count), min(count, self._tuning.groups)):
            kind = self._kinds.draw(self._rng)
            self._groups.append((len(part), self._kinds.drawn))
            if kind[0] == self._spectra:
                probes.append(self.waves(len(part)))
            else:
                probes.append(unit(self._noise.draw(self._rng, len(part), kind, perturbation)))
        return np.concatenate(probes)

    def told(self, moves: Floats, unknown: Floats) -> None:
        """Say what came of the probes drawn last: the moves (n, S) that they became, and what the model erred by, (n,)."""
        slopes = unknown**2 / np.maximum((moves**2).sum(axis=1), TINY)
        ends = np.cumsum([0, *(length for length, _ in self._groups)])
        news = [
            math.log(max(float(slopes[start:end].mean()), TINY)) / 2 if start < min(end, len(slopes)) else None
            for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        ]
        known = [new for new in news if new is not None]
        if len(known) < 2:
            return
        usual, most = sum(known) / len(known), self._tuning.most_news
        for new, (_, drawn) in zip(news, self._groups, strict=True):
            if new is not None:
                self._kinds.credit(drawn, min(max(new - usual, -most), most))
