"""Choices that learn from what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]


class Preferences:
    """One option of each of several kinds is drawn at a time; what served better than usual is drawn more often.

    This is the gradient bandit of Sutton and Barto (2018, section 2.8), one for each kind, all with the same reward.

    Args:
        options: how many options each kind has.
        rate: by how much a preference moves per unit of reward above the usual.
        average: by how much the usual reward moves towards the last one: rewards fall as a search gets on.
        chance: the probability that is shared evenly, so that no option is lost for good.
        most: the difference to the usual reward is cut off here: one draw that failed says little about its options.

    Attributes:
        drawn: the options drawn last, one of each kind, each with the odds that all options of its kind had.
    """

    def __init__(
        self, options: Sequence[int], *, rate: float, average: float, chance: float, most: float = float("inf")
    ) -> None:
        self._preferences = [np.zeros(count) for count in options]
        self._rate, self._average, self._chance, self._most = rate, average, chance, most
        self._usual: float | None = None
        self.drawn: list[tuple[int, Floats]] = []

    def prefer(self, kind: int, option: int, by: float) -> None:
        """Begin with a preference for an option of a kind, which rewards may take back."""
        self._preferences[kind][option] += by

    def draw(self, rng: np.random.Generator) -> list[int]:
        """The number of the option drawn of each kind."""
        self.drawn = []
        for preference in self._preferences:
            odds = np.exp(preference - preference.max())
            odds = (1 - self._chance) * odds / odds.sum() + self._chance / len(odds)
            self.drawn.append((int(rng.choice(len(odds), p=odds)), odds))
        return [option for option, _ in self.drawn]

    def reward(self, value: float) -> None:
        """Tell what came of the options drawn last; more is better."""
        above = 0.0 if self._usual is None else min(max(value - self._usual, -self._most), self._most)
        self._usual = value if self._usual is None else self._usual + self._average * above
        self.credit(self.drawn, above)

    def credit(self, drawn: Sequence[tuple[int, Floats]], above: float) -> None:
        """Make options that were `drawn` likelier by how much better than usual they served."""
        for preference, (option, odds) in zip(self._preferences, drawn, strict=True):
            preference -= self._rate * above * odds
            preference[option] += self._rate * above
