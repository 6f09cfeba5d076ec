"""The linear mixed model by restricted maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evals.study.analysis.statistics.models.crossing import Pair

# Ratios of standard deviations (participants, items) to the remainder from which the search begins: usual ones of ratings, and
# those of studies in which people or items differ more than answers, since the criterion may have two minima.
STARTS = ((0.7, 0.7), (3.0, 0.2), (0.2, 3.0))

LARGE = 1e5  # a ratio of standard deviations that shrinks effects by one in 10¹⁰


@dataclass(frozen=True, eq=False)
class Fit:
    """Estimates of a linear mixed model.

    Attributes:
        effects: fixed effects, shape (columns,).
        covariance: of the fixed effects.
        freedoms: Satterthwaite's degrees of freedom per fixed effect.
        deviations: standard deviations of participants, items and the remainder.
        criterion: the restricted deviance.
        converged: whether the search ended in a minimum.
    """

    effects: NDArray[np.float64]
    covariance: NDArray[np.float64]
    freedoms: NDArray[np.float64]
    deviations: tuple[float, float, float]
    criterion: float
    converged: bool


class Linear:
    """y = Xβ + participant + item + remainder, where the first column of X is 1.

    The criterion is that of Bates et al. 2015 (lme4), equations 41 and 42. The data enter by their cross-products alone, so
    that the cost of a step does not depend on the number of answers.
    """

    def __init__(self, y: NDArray[np.float64], design: NDArray[np.float64], pair: Pair) -> None:
        self.pair, self.number, self.columns = pair, len(y), design.shape[1]
        self.middle = float(y.mean())  # taken out before, since cross-products of large numbers lose digits
        joint = np.column_stack([design, y - self.middle])
        self.cross = joint.T @ joint
        self.totals = [np.column_stack(part) for part in zip(*(pair.totals(column) for column in joint.T), strict=True)]
        self.ones = np.ones(len(y))

    def solved(self, ratios: tuple[float, float]) -> tuple[NDArray[np.float64], float]:
        """Cross-products of X and y after the random effects are taken out, and the log determinant of their matrix."""
        system = self.pair.system(self.ones, ratios)
        a, b = (scale * part for scale, part in zip(ratios, self.totals, strict=True))
        x, z = system.solve(a, b)
        return self.cross - a.T @ x - b.T @ z, system.log_determinant

    def profiled(self, ratios: NDArray[np.float64]) -> float:
        """The restricted deviance as a function of the standard deviations by that of the remainder."""
        left, log_determinant = self.solved((float(ratios[0]), float(ratios[1])))
        inner = left[:-1, :-1]
        free = self.number - self.columns
        squares = float(left[-1, -1] - left[:-1, -1] @ np.linalg.solve(inner, left[:-1, -1]))
        squares = max(squares, 1e-12 * float(self.cross[-1, -1]))
        of_inner = float(np.linalg.slogdet(inner)[1])
        return float(log_determinant + of_inner + free * (1 + np.log(2 * np.pi * squares / free)))

    def unsigned(self, ratios: NDArray[np.float64]) -> float:
        """The same, where the search may step across zero."""
        return self.profiled(np.abs(ratios))

    def deviance(self, deviations: NDArray[np.float64]) -> float:
        """The restricted deviance as a function of all three standard deviations."""
        s = float(deviations[2])
        left, log_determinant = self.solved((float(deviations[0]) / s, float(deviations[1]) / s))
        inner = left[:-1, :-1]
        squares = float(left[-1, -1] - left[:-1, -1] @ np.linalg.solve(inner, left[:-1, -1]))
        of_inner = float(np.linalg.slogdet(inner)[1])
        free = self.number - self.columns
        return float(log_determinant + of_inner + free * np.log(2 * np.pi * s * s) + squares / s**2)

    def covariance(self, deviations: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the fixed effects."""
        s = float(deviations[2])
        left, _ = self.solved((float(deviations[0]) / s, float(deviations[1]) / s))
        return np.asarray(s * s * np.linalg.inv(left[:-1, :-1]), dtype=np.float64)

    def perfect(self) -> bool:
        """Whether participants, items and X explain y without a remainder."""
        left, _ = self.solved((LARGE, LARGE))  # nearly unpenalized, as if the effects were fixed
        squares = left[-1, -1] - left[:-1, -1] @ np.linalg.lstsq(left[:-1, :-1], left[:-1, -1], rcond=None)[0]
        return bool(squares <= 1e-8 * self.cross[-1, -1])

    def fit(self) -> Fit:
        """The minimum of the restricted deviance."""
        from scipy.optimize import minimize

        if self.perfect():
            none = np.full((self.columns, self.columns), np.nan)
            return Fit(none[0], none, none[0], (float("nan"), float("nan"), 0.0), float("nan"), False)
        found = [
            minimize(
                self.profiled, start, method="L-BFGS-B", bounds=((0, 1e4), (0, 1e4)), options={"ftol": 1e-14, "gtol": 1e-7}
            )
            for start in STARTS
        ]
        best = min(found, key=lambda one: float(one.fun))
        polished = minimize(self.unsigned, np.asarray(best.x), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
        ratios = np.abs(polished.x) if polished.fun <= best.fun else best.x
        ratios = np.where(ratios < 1e-5, 0.0, ratios)
        left, _ = self.solved((float(ratios[0]), float(ratios[1])))
        effects = np.linalg.solve(left[:-1, :-1], left[:-1, -1]).astype(np.float64)
        squares = float(left[-1, -1] - left[:-1, -1] @ effects)
        effects[0] += self.middle
        remainder = float(np.sqrt(max(squares, 0.0) / (self.number - self.columns)))
        deviations = np.array([*(ratios * remainder), remainder])
        freedoms = self.satterthwaite(deviations)
        converged = bool(polished.success)
        return Fit(effects, self.covariance(deviations), freedoms, tuple(deviations.tolist()), self.profiled(ratios), converged)

    def satterthwaite(self, deviations: NDArray[np.float64]) -> NDArray[np.float64]:
        """Degrees of freedom 2 V² / g'Ag per fixed effect (Kuznetsova et al. 2017, equation 7).

        V is the effect's variance, g its gradient in the variance parameters, and A their covariance, the inverse of half the
        Hessian of the deviance. Deviations that are zero lie on the border and are held there.
        """
        free = np.flatnonzero(deviations > 0)
        step = 1e-3 * deviations[free]

        def at(*moves: tuple[int, float]) -> NDArray[np.float64]:
            moved = deviations.copy()
            for n, sign in moves:
                moved[free[n]] += sign * step[n]
            return moved

        size = len(free)
        hessian = np.zeros((size, size))
        centre = self.deviance(deviations)
        for n in range(size):
            hessian[n, n] = (self.deviance(at((n, 1))) - 2 * centre + self.deviance(at((n, -1)))) / step[n] ** 2
            for m in range(n):
                corners = [self.deviance(at((n, a), (m, b))) * a * b for a in (1, -1) for b in (1, -1)]
                hessian[n, m] = hessian[m, n] = sum(corners) / (4 * step[n] * step[m])
        slopes = np.stack(
            [
                (np.diag(self.covariance(at((n, 1)))) - np.diag(self.covariance(at((n, -1))))) / (2 * step[n])
                for n in range(size)
            ]
        )
        spread = np.linalg.pinv(hessian / 2, hermitian=True)
        variance = np.diag(self.covariance(deviations))
        freedoms = 2 * variance**2 / np.einsum("nc,nm,mc->c", slopes, spread, slopes)
        return np.asarray(np.clip(freedoms, 1.0, self.number - self.columns), dtype=np.float64)
