"""The variance of a mean, or of a difference of means, over participants and items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evals.study.analysis.statistics.crossed import Crossed

Average = Literal["participants", "answers"]
AVERAGES: tuple[Average, ...] = ("participants", "answers")

# Where more than half of the squared weights of a participant (or item) cancel, its main effect is removed before.
CANCELS = 0.5

TINY = 1e-300  # keeps a division by zero, in a layout without any spread, from being one


@dataclass(frozen=True, eq=False)
class Spread:
    """A weighted sum of answers and how uncertain it is; each field has one entry per study.

    Attributes:
        value: the weighted sum.
        error: its standard error over participants and items; NaN where it can't be estimated.
        freedom: degrees of freedom of the standard error (Satterthwaite 1946).
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]
    freedom: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contrast:
    """A weighted sum of answers in a fixed layout: everything about its variance that does not depend on the values.

    The model: a value is the mean of its condition, plus an effect of its participant and of its item, which may both differ
    between conditions, plus a remainder. The sums of squared weighted residuals by participant, by item and by answer have
    expectations that are linear in the three variances, in any layout; the three equations are solved, and the variance of the
    weighted sum follows. In complete balanced layouts this is the classical analysis of variance, and its ratio is Clark's
    quasi-F (Clark 1973); with many participants and items it is the two-way cluster-robust variance of Cameron, Gelbach and
    Miller 2011 (equation 2.11). Main effects of participants (items) that cancel in a difference are removed before.

    Attributes:
        rows: places of the answers that have a weight, shape (rows,).
        weights: shape (rows,).
    """

    rows: NDArray[np.intp]
    weights: NDArray[np.float64]
    _fixed: Any
    _inverse: NDArray[np.float64]
    _sums: tuple[Any, ...]
    _factors: NDArray[np.float64]
    _least: float
    _freedoms: NDArray[np.float64]
    _leftovers: tuple[tuple[slice, float, float], ...]

    def spread(self, values: NDArray[np.float64]) -> Spread:
        """The weighted sum, its standard error and degrees of freedom.

        Args:
            values: one value per answer of the layout (all, not only `rows`), shape (answers,) or (studies, answers).
        """
        y = np.atleast_2d(values)[:, self.rows]
        effects = (self._fixed.T @ y.T).T @ self._inverse
        residual = y - (self._fixed @ effects.T).T
        squares = np.stack([((one @ residual.T) ** 2).sum(axis=0) for one in self._sums], axis=1)  # (studies, 3)
        parts = squares * self._factors
        variance, least = parts.sum(axis=1), squares[:, 2] * self._least
        with np.errstate(invalid="ignore", divide="ignore"):
            freedom = variance**2 / (parts**2 / self._freedoms).sum(axis=1)
        floored = variance < least
        variance, freedom = np.where(floored, least, variance), np.where(floored, self._freedoms[2], freedom)
        for columns, weight, noise in self._leftovers:
            if columns.stop - columns.start > 1:
                own = effects[:, columns].var(axis=1, ddof=1) - noise * squares[:, 2]
                variance += weight * np.maximum(own, 0.0)
            else:  # of one participant (item), nobody knows how others would differ
                variance = np.full(len(variance), np.nan)
        value = y @ self.weights
        rounding = variance > -1e-18 * np.maximum(1.0, value**2)
        variance = np.where(variance < 0, np.where(rounding, 0.0, np.nan), variance)  # less than none is no estimate
        unknown = np.isnan(freedom) & (variance > 0)  # all of it is of main effects that did not cancel
        freedom = np.where(unknown, self._freedoms.min(), freedom)
        return Spread(value, np.sqrt(variance), freedom)


def mean_weights(crossed: Crossed, condition: int, average: Average) -> NDArray[np.float64]:
    """The weights that make a condition's mean, one per answer: of all answers, or first within each participant.

    Raises:
        UsageError: the average has no such name.
    """
    if average not in AVERAGES:
        raise UsageError(f"there is no average over {average!r}: name one of {', '.join(AVERAGES)}")
    inside = (crossed.condition == condition).astype(np.float64)
    if average == "answers":
        return np.asarray(inside / max(inside.sum(), 1.0), dtype=np.float64)
    counts = np.bincount(crossed.participant, inside, minlength=len(crossed.participants))
    own = inside / np.maximum(counts, 1.0)[crossed.participant]
    return np.asarray(own / max((counts > 0).sum(), 1), dtype=np.float64)


def contrast(crossed: Crossed, signs: Sequence[tuple[int, float]], average: Average = "participants") -> Contrast:
    """The weighted sum of means of conditions.

    Args:
        crossed: the layout; its values play no part.
        signs: the places of conditions with their factors: ((0, 1.0),) for a mean, ((1, 1.0), (0, -1.0)) for a difference.
        average: what each condition's mean is a mean of.
    """
    from scipy import sparse

    weights = sum((sign * mean_weights(crossed, place, average) for place, sign in signs), np.zeros(len(crossed)))
    rows = np.flatnonzero(weights)
    w, people, items, conditions = weights[rows], crossed.participant[rows], crossed.item[rows], crossed.condition[rows]
    n, wide = len(rows), len(crossed.conditions)

    def indicator(codes: NDArray[np.intp]) -> Any:
        _, place = np.unique(codes, return_inverse=True)
        return sparse.csr_array((np.ones(n), (np.arange(n), place)), shape=(n, int(place.max(initial=-1)) + 1))

    cells = [indicator(people * wide + conditions), indicator(items * wide + conditions)]
    mains = [indicator(people), indicator(items)]
    fixed, leftovers, width = [indicator(conditions)], [], 0
    width = fixed[0].shape[1]
    for cell, main in zip(cells, mains, strict=True):
        kept = float(((main.T @ w) ** 2).sum())
        if len(signs) > 1 and kept < CANCELS * float(((cell.T @ w) ** 2).sum()):
            fixed.append(main)
            leftovers.append((slice(width, width + main.shape[1]), kept))
            width += main.shape[1]
    frame = sparse.hstack(fixed, format="csr")
    inverse = np.linalg.pinv((frame.T @ frame).toarray(), hermitian=True)
    scaled = sparse.diags_array(w).tocsr()
    pairs = indicator(people * len(crossed.items) + items)
    sums = [(one.T @ scaled).tocsr() for one in (mains[0], mains[1], pairs)]
    expected = _expectations(sums, cells, frame, inverse)
    wanted = np.array([*(float(((cell.T @ w) ** 2).sum()) for cell in cells), float(w @ w)])
    factors = _solve(expected, wanted)
    least = wanted[2] / expected[2, 2] if expected[2, 2] > TINY else np.nan
    freedoms = np.array(
        [
            *(_freedom(sums[k], cells[k], frame, inverse) for k in (0, 1)),
            max(n - float(np.trace(inverse @ (frame.T @ frame))), 1.0),
        ]
    )
    noisy = [(part, kept, _noise(inverse[part, part]) / max(expected[2, 2], TINY)) for part, kept in leftovers]
    return Contrast(rows, w, frame, inverse, tuple(sums), factors, least, freedoms, tuple(noisy))


def _noise(inverse: NDArray[np.float64]) -> float:
    """The expected variance of estimated effects that don't differ, per unit of the remainder's variance."""
    size = len(inverse)
    return float(np.trace(inverse) - inverse.sum() / size) / max(size - 1, 1)


def _expectations(sums: Sequence[Any], cells: Sequence[Any], frame: Any, inverse: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected sums of squares (rows: by participant, item, answer) per unit of each variance (columns)."""
    found = np.zeros((3, 3))
    reduced = [inverse @ (frame.T @ cell).toarray() for cell in cells]
    for r, one in enumerate(sums):
        head = one @ frame
        gram = (head.T @ head).toarray()
        for s, (cell, inner) in enumerate(zip(cells, reduced, strict=True)):
            through = one @ cell
            found[r, s] = (through.power(2)).sum() - 2 * ((head.T @ through).toarray() * inner).sum()
            found[r, s] += (gram * (inner @ inner.T)).sum()
        found[r, 2] = one.power(2).sum() - (gram * inverse).sum()
    return found


def _solve(expected: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factors of the sums of squares in the variance of the weighted sum; NaN where they don't determine it.

    Where sums say the same, as with one answer per participant, some are left out, since the degrees of freedom take them to be
    independent.
    """
    scale = max(float(np.abs(expected).max()), TINY)
    for used in ((0, 1, 2), (0, 1), (0, 2), (1, 2), (0,), (1,), (2,)):
        part = expected[list(used)].T / scale
        found, _, rank, _ = np.linalg.lstsq(part, wanted / scale, rcond=1e-9)
        if rank == len(used) and np.allclose(part @ found, wanted / scale, rtol=1e-6, atol=1e-9 * float(wanted.max()) / scale):
            factors = np.zeros(3)
            factors[list(used)] = found
            return factors
    return np.full(3, np.nan)


def _freedom(one: Any, cell: Any, frame: Any, inverse: NDArray[np.float64]) -> float:
    """Degrees of freedom of a sum of squares over clusters, where effects of cells alone vary: trace² / trace of squares."""
    through = (one @ cell).toarray() - (one @ frame) @ (inverse @ (frame.T @ cell).toarray())
    matrix = through @ through.T
    return max(float(np.trace(matrix)) ** 2 / max(float((matrix**2).sum()), TINY), 1.0)
