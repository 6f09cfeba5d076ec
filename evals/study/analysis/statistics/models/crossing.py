"""Linear algebra of two crossed random intercepts, whose cost is set by the smaller of both factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Pair:
    """Two factors that cross, as codes per answer.

    Attributes:
        first: place of each answer's level in the first factor (participants).
        second: place of each answer's level in the second factor (items).
        sizes: numbers of levels.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    sizes: tuple[int, int]

    @classmethod
    def of(cls, first: NDArray[np.intp], second: NDArray[np.intp]) -> Pair:
        """From any codes, with unused levels left out."""
        (one, a), (other, b) = np.unique(first, return_inverse=True), np.unique(second, return_inverse=True)
        return cls(a, b, (len(one), len(other)))

    def totals(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums of one value per answer by level of each factor."""
        return (
            np.bincount(self.first, values, self.sizes[0]).astype(np.float64),
            np.bincount(self.second, values, self.sizes[1]).astype(np.float64),
        )

    def system(self, weights: NDArray[np.float64], scales: tuple[float, float]) -> System:
        """The matrix ΛZ'WZΛ + 1, factored; `weights` is the diagonal of W and `scales` of Λ."""
        (a, b), (s, t) = self.totals(weights), scales
        mixed = np.bincount(self.first * self.sizes[1] + self.second, weights, self.sizes[0] * self.sizes[1])
        cross = np.asarray(s * t * mixed.reshape(self.sizes), dtype=np.float64)
        return System.of(s * s * a + 1.0, t * t * b + 1.0, cross)


@dataclass(frozen=True, eq=False)
class System:
    """A symmetric matrix [[diag(a), C], [C', diag(b)]], factored by eliminating its larger diagonal block."""

    flipped: bool
    large: NDArray[np.float64]
    cross: NDArray[np.float64]
    lower: NDArray[np.float64]
    log_determinant: float

    @classmethod
    def of(cls, a: NDArray[np.float64], b: NDArray[np.float64], cross: NDArray[np.float64]) -> System:
        """Factors the matrix of these blocks."""
        flipped = len(a) < len(b)
        large, small, block = (b, a, cross.T) if flipped else (a, b, cross)
        inner = np.diag(small) - block.T @ (block / large[:, None])
        lower: NDArray[np.float64] = np.linalg.cholesky(inner).astype(np.float64)
        total = float(np.log(large).sum() + 2 * np.log(np.diag(lower)).sum())
        return cls(flipped, large, block, lower, total)

    def solve(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The solution for right-hand sides of both blocks, each of shape (levels,) or (levels, columns)."""
        from scipy.linalg import cho_solve

        one, other = (b, a) if self.flipped else (a, b)
        large = self.large if one.ndim == 1 else self.large[:, None]
        small = cho_solve((self.lower, True), other - self.cross.T @ (one / large), check_finite=False)
        rest = (one - self.cross @ small) / large
        return (small, rest) if self.flipped else (rest, small)
