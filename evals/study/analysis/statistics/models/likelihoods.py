"""Log likelihoods of single answers by their linear predictor, with two derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEEP = 12.0  # logarithm of a step between thresholds beyond which no data lead; it keeps the search from infinities


class Likelihood(Protocol):
    """How likely answers are by their linear predictor and by parameters of their own."""

    def start(self) -> NDArray[np.float64]:
        """Own parameters to begin with."""

    def at(
        self, predictor: NDArray[np.float64], extra: NDArray[np.float64]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """The log likelihood of all answers, and per answer its slope and its curvature (positive) in the predictor."""


@dataclass(frozen=True, eq=False)
class Binomial:
    """Answers that are 0 or 1, with a logit link."""

    y: NDArray[np.float64]

    def start(self) -> NDArray[np.float64]:
        """Nothing: there are no own parameters."""
        return np.zeros(0)

    def at(
        self, predictor: NDArray[np.float64], extra: NDArray[np.float64]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """The log likelihood, slopes and curvatures."""
        from scipy.special import expit

        del extra  # there are none
        share = expit(predictor)
        likelihood = float((self.y * predictor - np.logaddexp(0.0, predictor)).sum())
        return likelihood, self.y - share, share * (1 - share)


@dataclass(frozen=True, eq=False)
class Cumulative:
    """Ordered answers 0, 1, ... : logit P(y ≤ j) = threshold j − predictor (McCullagh 1980; proportional odds).

    The own parameters are the first threshold and the logarithms of the steps between thresholds, so that they stay in order.
    """

    y: NDArray[np.intp]
    levels: int

    def start(self) -> NDArray[np.float64]:
        """The thresholds without any effects."""
        shares = np.cumsum(np.bincount(self.y, minlength=self.levels))[:-1] / len(self.y)
        thresholds = np.log(shares / (1 - shares))
        return np.concatenate([thresholds[:1], np.log(np.diff(thresholds))])

    @staticmethod
    def thresholds(extra: NDArray[np.float64]) -> NDArray[np.float64]:
        """The thresholds that the own parameters stand for."""
        return np.cumsum(np.concatenate([extra[:1], np.exp(np.clip(extra[1:], -STEEP, STEEP))]))

    def at(
        self, predictor: NDArray[np.float64], extra: NDArray[np.float64]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """The log likelihood, slopes and curvatures."""
        from scipy.special import expit, log_expit

        ends = np.concatenate([[-np.inf], self.thresholds(extra), [np.inf]])
        upper, lower = ends[self.y + 1] - predictor, ends[self.y] - predictor
        # log of expit(upper) − expit(lower), without cancellation
        wide = upper - lower
        with np.errstate(divide="ignore", over="ignore"):
            likelihood = log_expit(upper) + log_expit(-lower) + np.log(-np.expm1(-wide))
        up, down = expit(upper), expit(lower)
        return float(likelihood.sum()), up + down - 1, up * (1 - up) + down * (1 - down)
