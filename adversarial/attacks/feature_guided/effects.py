"""What earlier queries taught: how far each change of one pixel moves each class, and how uncertain that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse

from adversarial.attacks.large_pictures.cells import Cells, cell_side
from adversarial.attacks.tuning import STANDARD, EffectsTuning, Tuning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.feature_guided.experience import Experience

    Array: TypeAlias = NDArray[np.float32]

MANY = 64  # times as many effects as are the best ones, from which most are left out before the best are looked for
LONG_AXIS = 1024  # pixels; the kernel of a longer axis is kept without its zeros, which would fill gigabytes


class Effects:
    """Estimated effects of all changes: a mean and a standard deviation each, for the classes that matter just now.

    A change is a pixel and one of J values it may take, numbered pixel * J + value; its effect is how far it moves the gaps.
    Observed effects are shared with neighbouring pixels and similar colours by a separable kernel, since one pixel's effect
    says much about the next one's: kernel regression (Nadaraya 1964, Watson 1964), shrunk towards no effect. The effect of a
    change depends on the set it is added to; what was observed last counts most. On large pictures the kernel is wide, and is
    computed between cells of pixels (see `cells`); what a change itself was observed to do counts for this change alone.

    Args:
        shape: (H, W) of the image.
        codes: (J, C) the colours of the values, or (P, J, C) where they differ from pixel to pixel.
        columns: number of gaps.
        targeted: whether all gaps must be closed rather than one.
        tuning: the constants.

    Attributes:
        classes: (A,) columns of the gaps that are followed, the nearest class first.
        mean: (P J, A) estimated effect of each change.
        deviation: (P J,) its standard deviation as a share of `scale`: at most 1, for a change about which nothing is known.
        scale: (A,) root mean square of the observed effects.
        step: (A,) what one of the best changes does; the unit of `utility`.
        cells: the cells of a large picture; None where every pixel is estimated apart.
        experience: what earlier images taught, towards which unseen changes are shrunk in the place of no effect; or None.
    """

    def __init__(
        self, shape: tuple[int, int], codes: Array, columns: int, *, targeted: bool = False, tuning: Tuning = STANDARD
    ) -> None:
        height, width = shape
        self.shape, self.columns, self.targeted, self.tuning = shape, columns, targeted, tuning.effects
        self.values = codes.shape[-2]
        # where the values differ between pixels, likeness is that of the nearest colours of a palette that all share
        self._places: NDArray[np.int64] | None = None
        if codes.ndim == 3:
            codes, self._places = _palette(codes)
        near = kernel_width(shape, self.tuning)
        far = self.tuning.far * near / self.tuning.near
        side = cell_side(near, self.tuning.cell)
        self.cells = None if side == 1 else Cells(shape, side, self.values, self._places, codes.shape[0])
        down, across = self.cells.grid if self.cells else shape
        self._row_kernel, self._column_kernel = (_kernel(length, near / side, far / side) for length in (down, across))
        apart = np.abs(codes[:, None] - codes[None]).sum(axis=-1)
        contrast = 1 if codes.shape[1] > 1 else self.tuning.grey_factor
        self._colour_kernel = np.exp(-self.tuning.colour_distance * apart * contrast).astype(np.float32)
        # sums and weights are kept for observed changes only; a slot is the place of a change in them, -1 where unobserved
        self._slots = np.full(height * width * self.values, -1, dtype=np.int32)
        self._seen = np.zeros(0, dtype=np.int64)
        self._sums = np.zeros((256, columns), dtype=np.float32)
        self._weights = np.zeros(256, dtype=np.float32)
        self.classes = np.arange(min(self.tuning.classes, columns))
        # the changes of a class lie together; None where the cells are known alone
        self._mean: Array | None = np.zeros((len(self.classes), len(self._slots)), dtype=np.float32).T
        self._deviation: Array | None = np.ones(len(self._slots), dtype=np.float32)
        self._stale = False
        # what `sums` and `weights` say of each observed change, and the mean of the best towards each class, until more is seen
        self._observed = np.zeros((256, columns), dtype=np.float32)
        self._best: Array | None = None
        self._estimated: bytes | None = None  # the classes of the last estimate, while nothing was observed since
        # by cells: the means (A, places) and deviations (places,), and those of the changes seen by then, (S, A) and (S,)
        places = 0 if self.cells is None else self.cells.count * down * across
        self._cell_mean = np.zeros((len(self.classes), places), dtype=np.float32)
        self._cell_deviation = np.ones(places, dtype=np.float32)
        self._seen_mean = np.zeros((0, len(self.classes)), dtype=np.float32)
        self._seen_deviation = np.zeros(0, dtype=np.float32)
        # the places of these, and each place once with the number of it for each; None until it is asked for
        self._seen_places = np.zeros(0, dtype=np.int32)
        self._touched: tuple[NDArray[np.int32], NDArray[np.int64]] | None = None
        self.experience: Experience | None = None
        self.scale = np.ones(len(self.classes), dtype=np.float32)
        self.step = np.ones(len(self.classes), dtype=np.float32)

    @property
    def seen(self) -> NDArray[np.int64]:
        """The observed changes, in the order in which they were first observed."""
        return self._seen

    def was_seen(self, changes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) whether each of the changes was observed."""
        return np.asarray(self._slots[changes] >= 0)

    @property
    def mean(self) -> Array:
        """See the class; computed when it is asked for."""
        self._estimate()
        if self._mean is None:
            self._mean = np.stack([self._everywhere(place) for place in range(len(self.classes))]).T
        return self._mean

    @property
    def deviation(self) -> Array:
        """See the class."""
        self._estimate()
        if self._deviation is None:
            assert self.cells is not None
            self._deviation = self._cell_deviation[self.cells.of_changes]
            self._deviation[self._seen[: len(self._seen_deviation)]] = self._seen_deviation
        return self._deviation

    def mean_of(self, place: int) -> Array:
        """(P J,) estimated effect of each change on the class at a place in `classes`."""
        self._estimate()
        return self._everywhere(place) if self._mean is None else self._mean[:, place]

    def at(self, changes: NDArray[np.int64], place: int | None = None) -> tuple[Array, Array]:
        """The means (n, A) and deviations (n,) of these changes; (n, 1) where one class is wanted, at a place in `classes`."""
        self._estimate()
        columns = slice(None) if place is None else slice(place, place + 1)
        if self.cells is None or self._mean is not None:
            return self.mean[changes, columns], self.deviation[changes]
        places, slots = self.cells.place(changes), self._slots[changes]
        mean, deviation = self._cell_mean[columns][:, places].T, self._cell_deviation[places]
        seen = np.flatnonzero((slots >= 0) & (slots < len(self._seen_mean)))
        mean[seen], deviation[seen] = self._seen_mean[slots[seen], columns], self._seen_deviation[slots[seen]]
        return mean, deviation

    def observe(self, changes: NDArray[np.int64], effects: NDArray[np.floating], *, shared: bool = False) -> None:
        """Learn from (n,) changes that moved the gaps by (n, columns); a change may come up several times.

        Effects that are `shared`, the mean of what several changes did together, count for a part of an observation.
        """
        self._estimate()  # what was asked for by then is not changed by what comes
        fresh = np.unique(changes[self._slots[changes] < 0])
        if len(fresh):
            start = len(self._seen)
            self._slots[fresh] = np.arange(start, start + len(fresh))
            self._seen = np.concatenate([self._seen, fresh])
            if self.cells is not None:
                self._seen_places, self._touched = np.concatenate([self._seen_places, self.cells.place(fresh)]), None
            while len(self._sums) < len(self._seen):
                self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
                self._weights = np.concatenate([self._weights, np.zeros_like(self._weights)])
                self._observed = np.concatenate([self._observed, np.zeros_like(self._observed)])
        slots = self._slots[changes]
        # forget a part of what was seen of these changes before: the sets they were added to have moved on
        again = np.unique(slots)
        self._sums[again] *= self.tuning.kept
        self._weights[again] *= self.tuning.kept
        weight = np.float32(self.tuning.shared if shared else 1)
        np.add.at(self._sums, slots, weight * effects.astype(np.float32))
        np.add.at(self._weights, slots, weight)
        self._observed[again] = self._sums[again] / self._weights[again, None]
        self._best = self._estimated = None

    def observed(self, columns: NDArray[np.int64] | slice = slice(None)) -> Array:
        """(S, columns) mean observed effect of each change in `seen`."""
        return self._observed[: len(self._seen), columns].copy()

    def weights(self) -> Array:
        """(S,) how often each change in `seen` was observed; what is long ago counts less."""
        return self._weights[: len(self._seen)]

    def spread(self, changes: NDArray[np.int64], amounts: NDArray[np.floating]) -> Array:
        """Amounts (n, N) of changes (N,), shared with their neighbours: (n, places), of changes or of the cells' places."""
        if self.cells is None:
            own = np.stack([np.bincount(changes, one, minlength=len(self._slots)) for one in amounts], axis=1)
            return self._smooth(own.astype(np.float32)).T
        places = self.cells.place(changes)
        sums = np.stack([np.bincount(places, one, minlength=len(self._cell_deviation)) for one in amounts])
        down, across = (_dense(kernel) for kernel in (self._row_kernel, self._column_kernel))
        return self.cells.spread(sums.astype(np.float32), self._colour_kernel, down, across)

    def everywhere(self, spread: Array) -> Array:
        """(n, P J) of every change what `spread` tells, (n, places)."""
        return spread if self.cells is None else spread[:, self.cells.of_changes]

    def refresh(self, gaps: NDArray[np.floating], focus: int | None = None) -> None:
        """Choose the classes nearest from these gaps (columns,), or the one in focus, and estimate the effects on them.

        At least one change must have been observed.
        """
        effects = self._observed[: len(self._seen)]
        self._choose_classes(effects, np.asarray(gaps, dtype=np.float32), focus)
        self.scale = np.sqrt((effects[:, self.classes] ** 2).mean(axis=0))
        self._stale = True

    def utility(self, belief: Array, gaps: NDArray[np.floating]) -> Array:
        """(n,) how near the goal each change leads from these gaps (columns,), in steps, if the belief (n, A) is right."""
        ahead = gaps[self.classes] / self.step
        # class by class: there are few classes and many changes, and a reduction over a short axis is slow
        nearest = belief[:, 0] + ahead[0]
        for column in range(1, len(ahead)):
            (np.minimum if self.targeted else np.maximum)(nearest, belief[:, column] + ahead[column], out=nearest)
        return np.asarray(nearest, dtype=np.float32)

    def _choose_classes(self, effects: Array, ahead: Array, focus: int | None) -> None:
        """Set `classes` and `step`: untargeted, the classes that seem to need the fewest changes; targeted, the farthest."""
        if self._best is None:
            few = min(self.tuning.best, len(effects))
            # rounding may differ between the two, so that small pictures keep to one
            highest = _highest_of_many if self.cells is not None and len(effects) > MANY * few else _highest
            self._best = highest(effects, few).mean(axis=0)
        best = self._best
        floor = self.tuning.least_step * max(float(np.abs(ahead).max()), self.tuning.least_step)
        count = self.tuning.classes
        if self.targeted:
            # all gaps must close together, so they are measured in one unit: the step towards the hardest class
            self.classes = np.argsort(ahead, kind="stable")[:count]
            self.step = np.full(len(self.classes), max(float(best[self.classes[0]]), floor), dtype=np.float32)
        else:
            # a class that no change brings nearer comes after all others, ordered by its gap
            need = np.where(best > 0, -ahead / np.maximum(best, 1e-9), 1e6 - ahead)
            self.classes = np.argsort(need, kind="stable")[:count]
            self.step = np.maximum(best[self.classes], floor).astype(np.float32)
        if focus is not None:
            self.classes = np.array([focus])
            self.step = np.maximum(best[self.classes], floor).astype(np.float32)

    def _estimate(self) -> None:
        if not self._stale:
            return
        self._stale = False
        if self._estimated == self.classes.tobytes():
            return
        self._estimated = self.classes.tobytes()
        if self.cells is not None:
            self._estimate_cells(self.cells)
            return
        count, active = len(self._seen), len(self.classes)
        own = np.zeros((len(self._slots), active + 1), dtype=np.float32)
        own[self._seen, :active] = self._sums[:count][:, self.classes]
        own[self._seen, active] = self._weights[:count]
        shared = self._smooth(own)
        weight = shared[:, active].copy()
        certainty, nothing, expected = self._expected()
        believed = weight + nothing
        prior = self.tuning.neighbourhood
        seen_weight = self._weights[:count] + prior
        mean = np.empty((active, len(self._slots)), dtype=np.float32)
        for place, (row, column) in enumerate(zip(mean, self.classes.tolist(), strict=True)):
            if expected is not None:
                shared[:, place] += expected[place]
            np.divide(shared[:, place], believed, out=row)
            row *= prior
            seen = (self._sums[:count, column] + row[self._seen]) / seen_weight
            row /= prior  # where nothing was seen, the neighbourhood alone counts
            row[self._seen] = seen
        self._mean = mean.T
        weight *= self.tuning.crowding
        weight += 1
        self._deviation = np.sqrt(np.divide(1 - certainty, weight, out=weight), out=weight)
        self._deviation[self._seen] *= self.tuning.seen_deviation

    def _estimate_cells(self, cells: Cells) -> None:
        """The same for cells, and for each change that was seen."""
        count = len(self._seen)
        places = self._seen_places
        sums, weights = self._sums[:count][:, self.classes], self._weights[:count]
        own = np.zeros((len(self.classes) + 1, len(self._cell_deviation)), dtype=np.float32)
        if self._touched is None:
            self._touched = np.unique(places, return_inverse=True)
        touched, of_seen = self._touched
        for row, one in zip(own, (*sums.T, weights), strict=True):
            row[touched] = np.bincount(of_seen, one)
        down, across = (_dense(kernel) for kernel in (self._row_kernel, self._column_kernel))
        shared = cells.spread(own, self._colour_kernel, down, across)
        weight, prior = shared[-1], self.tuning.neighbourhood
        certainty, nothing, expected = self._expected()
        told = shared[:-1] if expected is None else shared[:-1] + expected
        self._cell_mean = told / (weight + nothing)
        self._cell_deviation = np.sqrt((1 - certainty) / (1 + self.tuning.crowding * weight))
        self._seen_mean = (sums + prior * self._cell_mean[:, places].T) / (weights + prior)[:, None]
        self._seen_deviation = self.tuning.seen_deviation * self._cell_deviation[places]
        self._mean = self._deviation = None

    def _expected(self) -> tuple[float, float, Array | None]:
        """The certainty of the experience, the observations that it counts for, and these times its means (A, places).

        What is left to be explained by this image alone has a smaller variance, so that the expectation counts for more than
        "no effect" does.
        """
        if self.experience is None or not self.experience.certainty:
            return 0.0, self.tuning.no_effect, None
        certainty = self.experience.certainty
        nothing = self.tuning.no_effect / (1 - certainty)
        unit = (nothing * self.experience.slope * self.scale)[:, None]
        return certainty, nothing, np.asarray(self.experience.expected(self.classes) * unit, dtype=np.float32)

    def _everywhere(self, place: int) -> Array:
        """(P J,) the mean of every change towards one class, from those of the cells."""
        assert self.cells is not None
        mean = self._cell_mean[place][self.cells.of_changes]
        mean[self._seen[: len(self._seen_mean)]] = self._seen_mean[:, place]
        return np.asarray(mean)

    def by_value(self, place: int | None) -> Array:
        """(J, P) estimated effect of each value at each pixel of a large picture; None for the mean of the classes."""
        self._estimate()
        assert self.cells is not None
        if self._mean is not None:
            mean = self._mean.mean(axis=1) if place is None else self._mean[:, place]
            return np.ascontiguousarray(mean.reshape(-1, self.values).T)
        cells, seen = (
            (self._cell_mean.mean(axis=0), self._seen_mean.mean(axis=1))
            if place is None
            else (self._cell_mean[place], self._seen_mean[:, place])
        )
        table = self.cells.by_value(cells)
        pixels, values = np.divmod(self._seen[: len(seen)], self.values)
        table[values, pixels] = seen
        return np.asarray(table)

    def _smooth(self, own: Array) -> Array:
        """Sums (P J, A + 1) weighted by the kernel, as three products: over rows, columns and colours."""
        (height, width), last = self.shape, own.shape[1]
        if self._places is not None:
            pixels = np.arange(height * width)[:, None]
            by_colour = np.zeros((height * width, len(self._colour_kernel), last), dtype=np.float32)
            np.add.at(by_colour, (pixels, self._places), own.reshape(height * width, -1, last))
            own = by_colour
        rows = (self._row_kernel @ own.reshape(height, -1)).reshape(height, width, -1)
        both = _along_columns(self._column_kernel, rows).reshape(height * width, -1, last)
        smooth = np.matmul(self._colour_kernel, both)
        if self._places is not None:
            smooth = smooth[pixels, self._places]
        return np.asarray(smooth.reshape(-1, last))


def kernel_width(shape: tuple[int, int], tuning: EffectsTuning = STANDARD.effects) -> float:
    """The standard deviation of the kernel over an image of a shape (H, W), in pixels."""
    return tuning.near * max(1.0, min(shape) / tuning.near_side)


def _highest(effects: Array, few: int) -> Array:
    """(few, columns) the highest of effects (S, columns) in each column, in any order."""
    return np.asarray(np.partition(effects, len(effects) - few, axis=0)[-few:])


def _highest_of_many(effects: Array, few: int) -> Array:
    """The same where there are many: what is below the highest of enough blocks of rows is not looked at."""
    blocks = len(effects) // MANY
    tops = effects[: blocks * MANY].reshape(blocks, MANY, -1).max(axis=1)
    limit = np.partition(tops, blocks - few, axis=0)[blocks - few]
    places = np.flatnonzero(effects >= limit)
    columns, values = places % effects.shape[1], effects.ravel()[places]
    ordered = values[np.lexsort((values, columns))]
    ends = np.cumsum(np.bincount(columns))
    return np.asarray(ordered[ends - np.arange(few, 0, -1)[:, None]])


def _palette(codes: Array) -> tuple[Array, NDArray[np.int64]]:
    """A palette (K, C) for the colours (P, J, C) of all values, and the place (P, J) of each value in it."""
    channels = codes.shape[-1]
    steps = 8 if channels == 1 else 2 if channels <= 4 else 1  # at most 81 colours up to 4 channels: finer ones are alike
    rounded = np.round(codes * steps) / np.float32(steps)
    palette, places = np.unique(rounded.reshape(-1, channels), axis=0, return_inverse=True)
    return np.asarray(palette, dtype=np.float32), np.asarray(places.reshape(codes.shape[:2]), dtype=np.int64)


def _kernel(length: int, near: float, far: float) -> Array | sparse.csr_array:
    """(length, length): Gaussian likeness of places along one axis, 0 beyond `far`; a band of it alone for a long axis."""
    if length > LONG_AXIS:
        offsets = np.arange(-int(far), int(far) + 1)
        likeness = np.exp(-(offsets**2) / (2 * near**2)).astype(np.float32)
        band = np.broadcast_to(likeness[:, None], (len(offsets), length))
        return sparse.csr_array(sparse.dia_array((band, offsets), shape=(length, length)))
    steps = np.arange(length)
    apart = np.abs(steps[:, None] - steps[None])
    return np.where(apart <= far, np.exp(-(apart**2) / (2 * near**2)), 0).astype(np.float32)


def _dense(kernel: Array | sparse.csr_array) -> Array:
    return kernel if isinstance(kernel, np.ndarray) else np.asarray(kernel.toarray())


def _along_columns(kernel: Array | sparse.csr_array, rows: Array) -> Array:
    """(H, W, K) sums over the columns of (H, W, K), weighted by the kernel (W, W)."""
    if isinstance(kernel, np.ndarray):
        return np.asarray(np.matmul(kernel, rows))
    height, width, last = rows.shape
    sums = kernel @ rows.transpose(1, 0, 2).reshape(width, -1)
    return np.asarray(sums.reshape(width, height, last).transpose(1, 0, 2))
