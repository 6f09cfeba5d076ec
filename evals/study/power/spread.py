"""How much answers differ between participants and items, and answers drawn with such differences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from evals.study.power.layout import Layout

DEVIATIONS = ("participants", "items", "participants_by_condition", "items_by_condition", "remainder")
Scale = Literal["binary", "rating"]
NODES = 61
"""Points of the Gauss-Hermite rule; 20 more change no probability by 1e-6."""


@dataclass(frozen=True, kw_only=True)
class AnswerSpread:
    """Standard deviations of what makes answers differ, besides the condition.

    For answers that are right or wrong they are in logits, for ratings in points of the scale.

    Attributes:
        participants: how much participants differ, whatever the condition.
        items: how much items differ, whatever the condition.
        participants_by_condition: how much participants differ in what a condition does for them.
        items_by_condition: how much items differ in what a condition does for them. Each explanation has its own text, so that
            this is rarely 0, and it limits what more participants can show.
        remainder: what is left for single answers; for ratings alone.
    """

    participants: float
    items: float
    participants_by_condition: float
    items_by_condition: float
    remainder: float = 1.0

    def __post_init__(self) -> None:
        for name in DEVIATIONS:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LARGEST:
                raise UsageError(f"the standard deviation {name} must be a number from 0 to {LARGEST:g}, not {value!r:.40}")


LARGEST = 10.0
"""Of a standard deviation: on a scale of seven points, and in logits, twice that of any study."""

BINARY = AnswerSpread(participants=0.5, items=2.5, participants_by_condition=0.15, items_by_condition=0.55)
"""As in the crowd study of Feldhus et al. 2023, in the mean of IMDb and AG News (`benchmarks/study/spread.py` prints both):
items differ much, and people differ little."""
RATING = AnswerSpread(participants=0.45, items=0.8, participants_by_condition=0.5, items_by_condition=0.55, remainder=1.3)
"""From the same crowd study, in the mean of both ratings and both sets of texts, in points of seven."""
PREFERENCE = AnswerSpread(participants=0.5, items=0.75, participants_by_condition=0.0, items_by_condition=0.0)
"""Not measured: people as in guessing, and items as their explanations do in ratings: 0.55 of 1.3 points, or 0.75 logits."""


def with_deviations(spread: AnswerSpread, given: str) -> AnswerSpread:
    """A spread with some standard deviations replaced.

    Args:
        spread: the others.
        given: such as "participants=0.5,items=1".

    Raises:
        UsageError: it is none.
    """
    found: dict[str, float] = {}
    for one in given.split(","):
        name, _, value = (part.strip() for part in one.partition("="))
        if name not in DEVIATIONS or name in found:
            raise UsageError(
                f"{one.strip()!r:.60} is no standard deviation; write each once, such as {DEVIATIONS[0]}=0.5, and of "
                f"{', '.join(DEVIATIONS)}"
            )
        try:
            found[name] = float(value)
        except ValueError:
            raise UsageError(f"the standard deviation {name} is {value!r:.40}, which is no number") from None
    return replace(spread, **found)


def mean_of(scale: Scale, spread: AnswerSpread, points: int) -> Callable[[float], float]:
    """The mean answer over all participants and items, by the condition's level on the scale that the effects are added on."""
    total = spread.participants**2 + spread.items**2 + spread.participants_by_condition**2 + spread.items_by_condition**2
    if scale == "binary":
        from scipy.special import expit

        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        weights = weights / weights.sum()
        return lambda level: float(weights @ expit(level + np.sqrt(total) * nodes))
    from scipy.special import ndtr

    spreads = max(float(np.sqrt(total + spread.remainder**2)), 1e-9)
    cuts = np.arange(1, points) + 0.5
    return lambda level: 1.0 + float(ndtr((level - cuts) / spreads).sum())


def level_of(mean: float, scale: Scale, spread: AnswerSpread, points: int) -> float:
    """The level at which the mean answer over all participants and items is `mean`.

    Raises:
        UsageError: there is none: the mean lies at an end of the scale, or outside.
    """
    from scipy.optimize import brentq

    low, high = (0.0, 1.0) if scale == "binary" else (1.0, float(points))
    if not low < mean < high:
        what = "share of right answers" if scale == "binary" else "mean rating"
        raise UsageError(
            f"a {what} of {mean:g} can't be simulated: it must lie between {low:g} and {high:g}; change base or effect"
        )
    found = mean_of(scale, spread, points)
    reach = 60.0
    return float(brentq(lambda level: found(level) - mean, -reach, reach + points, xtol=1e-10))


def draw_answers(
    layout: Layout,
    levels: NDArray[np.float64],
    scale: Scale,
    spread: AnswerSpread,
    points: int,
    studies: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Answers of whole studies.

    Args:
        layout: who answers what under which condition.
        levels: the level of each condition, shape (conditions,).
        scale: "binary" or "rating".
        spread: how much answers differ.
        points: of a rating.
        studies: how many to draw.
        rng: the generator.

    Returns:
        shape (studies, answers).
    """
    wide = len(levels)
    people, items, condition = layout.participant, layout.item, layout.condition
    level = levels[condition] + _effects(rng, studies, people, layout.participants, spread.participants)
    level += _effects(rng, studies, items, layout.items, spread.items)
    level += _effects(rng, studies, people * wide + condition, layout.participants * wide, spread.participants_by_condition)
    level += _effects(rng, studies, items * wide + condition, layout.items * wide, spread.items_by_condition)
    if scale == "binary":
        from scipy.special import expit

        return (rng.random(level.shape) < expit(level)).astype(np.float64)
    level += spread.remainder * rng.standard_normal(level.shape)
    return np.clip(np.round(level), 1.0, float(points))


def _effects(
    rng: np.random.Generator, studies: int, codes: NDArray[np.intp], size: int, deviation: float
) -> NDArray[np.float64]:
    """A normal effect of each unit, at each answer."""
    return deviation * rng.standard_normal((studies, size))[:, codes]
