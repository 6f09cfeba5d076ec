"""Generalized linear mixed models by Laplace's approximation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evals.study.analysis.statistics.models.crossing import Pair
    from evals.study.analysis.statistics.models.likelihoods import Likelihood

START = 0.7  # a usual standard deviation of participants and items in log odds
INNER = 60  # steps to the mode of the random effects; fewer than 10 are usual
POLISH = 15  # Newton steps after the search; two are usually enough
FLAT = 1e-5  # a Newton step that would lower the deviance by less ends the search
SMALL = 0.1  # below, it is tried whether a standard deviation may be zero
ZERO = 1e-3  # a standard deviation below counts as zero: it moves no probability by more than 0.03 %


@dataclass(frozen=True, eq=False)
class Fit:
    """Estimates of a generalized linear mixed model.

    Attributes:
        effects: fixed effects, shape (columns,).
        extra: own parameters of the likelihood.
        covariance: of fixed effects and own parameters, from the Hessian of the deviance in all parameters.
        deviations: standard deviations of participants and items.
        criterion: the deviance.
        converged: whether the search ended in a minimum.
    """

    effects: NDArray[np.float64]
    extra: NDArray[np.float64]
    covariance: NDArray[np.float64]
    deviations: tuple[float, float]
    criterion: float
    converged: bool


class Laplace:
    """The deviance of fixed effects, own parameters and standard deviations, with the random effects integrated out.

    −2 log L ≈ −2 l(û) + |û|² + log |ΛZ'WZΛ + 1| at the mode û of the spherical random effects: what `glmer` minimizes with
    `nAGQ = 1` (Bates 2010, "Computational methods for mixed models", section 6) and `clmm` by default.
    """

    def __init__(self, likelihood: Likelihood, design: NDArray[np.float64], pair: Pair) -> None:
        self.likelihood, self.design, self.pair = likelihood, design, pair
        self.columns = design.shape[1]
        self.mode = (np.zeros(pair.sizes[0]), np.zeros(pair.sizes[1]))

    def __call__(self, parameters: NDArray[np.float64]) -> float:
        """The deviance; the mode is kept as the start of the next call."""
        fixed = self.design @ parameters[: self.columns]
        extra = parameters[self.columns : -2]
        s, t = abs(float(parameters[-2])), abs(float(parameters[-1]))
        pair, (u, v) = self.pair, self.mode

        def penalized(u: NDArray[np.float64], v: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
            likelihood, slope, curvature = self.likelihood.at(fixed + s * u[pair.first] + t * v[pair.second], extra)
            return -2 * likelihood + float(u @ u + v @ v), slope, curvature

        value, slope, curvature = penalized(u, v)
        if not np.isfinite(value):
            u, v = np.zeros_like(u), np.zeros_like(v)
            value, slope, curvature = penalized(u, v)
        for _ in range(INNER):
            a, b = pair.totals(slope)
            system = pair.system(curvature, (s, t))
            right = (s * a - u, t * b - v)
            du, dv = system.solve(*right)
            gain = float(right[0] @ du + right[1] @ dv)
            size = 1.0
            while size > 1e-6:
                found = penalized(u + size * du, v + size * dv)
                if found[0] <= value + 1e-12 * abs(value):
                    break
                size /= 2
            u, v = u + size * du, v + size * dv
            value, slope, curvature = found
            if gain < 1e-13 * max(1.0, abs(value)):
                break
        self.mode = (u, v)
        return value + pair.system(curvature, (s, t)).log_determinant

    def fit(self, effects: NDArray[np.float64]) -> Fit:
        """The minimum of the deviance.

        Args:
            effects: fixed effects to begin with.
        """
        from scipy.optimize import minimize

        start = np.concatenate([effects, self.likelihood.start(), [START, START]])
        bounds = [(None, None)] * (len(start) - 2) + [(0.0, None)] * 2
        found = minimize(self, start, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-11, "gtol": 1e-4, "maxiter": 500})
        best = np.asarray(found.x, dtype=np.float64)
        converged = False
        for _ in range(POLISH):
            best[-2:] = np.abs(best[-2:])
            best = self.without(best)
            free = np.flatnonzero(np.concatenate([np.ones(len(best) - 2, bool), best[-2:] > 0]))
            value, gradient, hessian = self.local(best, free)
            bends, axes = np.linalg.eigh(hessian)
            move = -axes @ ((axes.T @ gradient) / np.maximum(np.abs(bends), 1e-6))  # leaves a saddle, where there is one
            if bends[0] > 0 and -float(gradient @ move) < FLAT:
                converged = True
                break
            size = 1.0
            while size > 1e-3:
                tried = best.copy()
                tried[free] += size * move
                if self(tried) < value:
                    best = tried
                    break
                size /= 2
            else:
                break
        count = len(best) - 2
        covariance = np.full((count, count), np.nan)
        if converged:
            covariance = 2 * np.linalg.inv(hessian)[:count, :count]
        s, t = (float(one) for one in best[-2:])
        return Fit(best[: self.columns], best[self.columns : -2], covariance, (s, t), self(best), converged)

    def without(self, best: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same parameters, with small standard deviations at zero where the deviance does not rise by it.

        The deviance is flat around zero, so that the search ends somewhere near it.
        """
        for place in (-2, -1):
            if 0 < best[place] < SMALL:
                tried = best.copy()
                tried[place] = 0.0
                if best[place] < ZERO or self(tried) <= self(best) + 1e-6:
                    best = tried
        return best

    def local(
        self, centre: NDArray[np.float64], free: NDArray[np.intp]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """The deviance, its gradient and Hessian in the free parameters, by central differences."""
        size, step = len(free), 2e-3  # the deviance is exact to about 1e-10, so that its second differences are to about 1e-4
        value = self(centre)

        def at(*moves: tuple[int, float]) -> float:
            moved = centre.copy()
            for n, sign in moves:
                moved[free[n]] += sign * step
            return self(moved)

        up, down = (np.array([at((n, sign)) for n in range(size)]) for sign in (1.0, -1.0))
        hessian = np.diag((up - 2 * value + down) / step**2)
        for n in range(size):
            for m in range(n):
                both, none = at((n, 1.0), (m, 1.0)), at((n, -1.0), (m, -1.0))
                mixed = (both + none + 2 * value - up[n] - down[n] - up[m] - down[m]) / (2 * step**2)
                hessian[n, m] = hessian[m, n] = mixed
        return value, (up - down) / (2 * step), hessian
