"""What the searches of earlier images taught about a classifier: which colours moved which class, and where in the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.tuning import STANDARD, Tuning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from adversarial.attacks.moves import MoveTable

    Array: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.floating]
    Indices: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What one finished search observed, in a form that fits images of other sizes and with other values.

    Attributes:
        label: the class that its image showed.
        classes: (K,) the classes of the columns of `effects`.
        places: (S, 2) row and column of each change, as shares of height and width.
        colours: (S, C) the colour that the pixel took.
        effects: (S, K) how far each change moved each class towards the label, in root mean squares of the image's effects.
        weights: (S,) how often each was observed.
        agreement: what was expected of these changes beside what they did: the sums of products and of squares (xy, xx, yy),
            each a mean over the changes.
    """

    label: int
    classes: Indices
    places: Array
    colours: Array
    effects: Array
    weights: Array
    agreement: tuple[float, float, float]


class Experience:
    """What is expected of every change of one image, before it is asked about.

    The mean of what changes near by to a like colour did in earlier images, where those of the same label count most. How much
    of that is believed follows from how well it was right before: each image is a test of what the ones before it taught, and
    a line through the origin is fitted to all these tests (with some made up, in which the expectation was of no use). Its
    slope scales the expectation; the share of the variance that it explains is the certainty.

    Args:
        lessons: those of the earlier images, in their order.
        label: the class of this image.
        moves: what may be done to it.
        tuning: the constants.

    Attributes:
        slope: of the line.
        certainty: from 0 to below 1; 0 where nothing is expected.
        untested: whether no image was a test yet.
    """

    def __init__(self, lessons: Sequence[Lesson], label: int, moves: MoveTable, tuning: Tuning = STANDARD) -> None:
        self.label, self.moves, self.tuning = label, moves, tuning.experience
        channels = moves.image.shape[-1]
        self.lessons = [one for one in lessons if one.colours.shape[1] == channels][-self.tuning.lessons :]
        made_up = (0.0, self.tuning.doubt * self.tuning.doubt_square, self.tuning.doubt)
        both, told, seen = np.array([made_up, *(one.agreement for one in self.lessons)]).sum(axis=0)
        self.slope = max(0.0, float(both / told))
        self.certainty = min(self.tuning.most_certain, self.slope * max(0.0, float(both)) / float(seen))
        self.untested = not any(one.agreement[2] for one in self.lessons)
        self._classes: Indices = np.zeros(0, dtype=np.int64)
        self._spread: Callable[[Indices, Floats], Array] | None = None
        self._known: dict[int, Array] = {}
        self._numbers: Indices | None = None

    @property
    def may_flip(self) -> bool:
        """Whether what is expected to do most is worth asking about before anything was observed."""
        return bool(self.lessons) and (self.untested or self.certainty > self.tuning.looked_at)

    def begin(self, classes: Indices, spread: Callable[[Indices, Floats], Array]) -> None:
        """Say which classes the columns of the gaps are, and how sums over changes are shared with their neighbours."""
        self._classes, self._spread = classes, spread

    def expected(self, columns: Indices) -> Array:
        """(A, places) what is expected of the change at each place that `spread` knows, in the units of `Lesson.effects`."""
        return np.stack([self._column(column) for column in columns.tolist()])

    def learned(self, changes: Indices, effects: Floats, weights: Floats, told: Floats, columns: Indices) -> Lesson | None:
        """The lesson of this image.

        Args:
            changes: (S,) those observed.
            effects: (S, K) what they did.
            weights: (S,) how often each was observed.
            told: (S, A) what was expected of them in some columns.
            columns: (A,) these columns.
        """
        if not len(changes) or not effects.any():
            return None
        kept = np.argsort(-weights, kind="stable")[: self.tuning.changes]
        changes, effects, weights, told = changes[kept], effects[kept], weights[kept], told[kept]
        pixels, values = np.divmod(changes, self.moves.count)
        height, width = self.moves.image.shape[:2]
        places = np.stack([(pixels // width + 0.5) / height, (pixels % width + 0.5) / width], axis=1)
        followed = effects[:, columns]
        own = followed / np.maximum(np.sqrt(np.average(followed**2, axis=0, weights=weights)), 1e-12)
        share = weights[:, None] * (told != 0)  # where nothing is expected, nothing is put to the test
        share = share / max(float(share.sum()), 1e-12)
        agreement = tuple(float((share * product).sum()) for product in (told * own, told**2, own**2))
        unit = np.sqrt(np.average(effects**2, axis=0, weights=weights).mean())
        return Lesson(
            self.label, self._classes, places.astype(np.float32), self.moves.values[pixels, values],
            (effects / unit).astype(np.float32), weights.astype(np.float32), (agreement[0], agreement[1], agreement[2]),
        )  # fmt: skip

    def _column(self, column: int) -> Array:
        if column not in self._known:
            assert self._spread is not None
            if self._numbers is None:
                self._numbers = np.concatenate([self._changes(one) for one in self.lessons])
            sums, weights = [], []
            for one in self.lessons:
                place = np.flatnonzero(one.classes == self._classes[column])
                counts = (1.0 if one.label == self.label else self.tuning.other) * len(place)
                weights.append(counts * one.weights)
                sums.append(weights[-1] * one.effects[:, place[0]] if len(place) else weights[-1])
            shared = self._spread(self._numbers, np.stack([np.concatenate(sums), np.concatenate(weights)]))
            self._known[column] = shared[0] / (shared[1] + self.tuning.no_effect)
        return self._known[column]

    def _changes(self, lesson: Lesson) -> Indices:
        """(S,) the changes of this image at the same places to the nearest colours."""
        height, width = self.moves.image.shape[:2]
        rows, columns = (lesson.places * np.array([height, width], dtype=np.float32)).astype(np.int64).T
        pixels = np.minimum(rows, height - 1) * width + np.minimum(columns, width - 1)
        apart = np.abs(self.moves.values[pixels] - lesson.colours[:, None]).sum(axis=-1)
        return np.asarray(pixels * self.moves.count + apart.argmin(axis=1))
