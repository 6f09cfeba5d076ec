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
        first = np.concatenate([np.ones((channels, 1)), np.eye(channels)[:, 1:]], axis=1)
        self._colours = np.linalg.qr(first)[0].T  # (C, C), orthonormal rows, the first one the same in all channels
        frequencies = np.add.outer(np.arange(height) / height, np.arange(width) / width).ravel()
        coarsest = 1 / max(height, width)
        later = [frequencies, *[colours_later * (frequencies + coarsest)] * (channels - 1)]
        count = max(8, min(height * width * channels, room // (height * width * channels)))
        self._order = np.argsort(np.concatenate(later), kind="stable")[:count]
        self._next = 0

    def take(self, count: int) -> Floats:
        """The next waves, (count, H, W, C), of length 1; masked ones are neither orthogonal nor of a known sign."""
        height, width, _ = self._shape
        numbers = self._order[(self._next + np.arange(count)) % len(self._order)]
        self._next = (self._next + count) % len(self._order)
        colours, places = np.divmod(numbers, height * width)
        rows, columns = np.divmod(places, width)
        down = np.cos(np.pi * (np.arange(height) + 0.5) * rows[:, None] / height)
        across = np.cos(np.pi * (np.arange(width) + 0.5) * columns[:, None] / width)
        waves = (down[:, :, None] * across[:, None, :] * self._allowed)[..., None] * self._colours[colours][:, None, None]
        return unit(waves)


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
    """

    def __init__(
        self, image: Floats, allowed: Floats, rng: np.random.Generator, boundary: BoundaryTuning, tuning: Tuning = STANDARD
    ) -> None:
        self._rng, self._tuning = rng, tuning.scored
        self._waves = BrightnessWaves(image.shape, allowed, tuning.scored.colours_later, tuning.waves.room)
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
        return self._waves.take(count) * signs[:, None, None, None]

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
