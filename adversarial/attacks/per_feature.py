"""The competitive game: an attack on the image as a whole, and then within each of its features alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from adversarial.query_log import BudgetSpent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from adversarial.attacks.registry import Attack, ImageSearch, Task
    from adversarial.query_log import QueryLog, Search

WHOLE = 0.7  # of the budget goes to the image as a whole: its finding bounds the answer from below
ENOUGH = 60  # queries per feature: with fewer, hardly any feature flips; the features of the smallest weight go without


@dataclass(frozen=True)
class FeatureRobustness:
    """What the competitive game found out about one feature.

    Attributes:
        centre: (y, x) of the feature in pixels.
        weight: its probability in the mixture.
        distance: the smallest change inside the feature that flips the class; infinite where none was found.
        queries: the queries spent on the feature.
    """

    centre: tuple[float, float]
    weight: float
    distance: float
    queries: int


class PerFeature:
    """One image's competitive game by any attack that keeps to a mask.

    Player I picks the feature that it holds to be the most robust, and player II flips the class inside it; the value of the
    game is the largest of the smallest changes found, over the image as a whole and its features (Wu et al. 2020, section
    4). Every pixel belongs to the feature that takes the greatest responsibility for it. Features are searched in the order
    of their weight, with equal budgets.
    """

    def __init__(self, attack: Attack, task: Task) -> None:
        if task.mixture is None:
            raise ValueError("the competitive game needs the features of a mixture")
        mixture, log = task.mixture, task.log
        self.attack, self.task = attack, task
        usable = log.limit
        whole = max(1, int(WHOLE * usable)) if log.budget > 1 else usable
        self.whole = attack.start(replace(task, log=log.part(budget=log.budget, limit=whole)))
        self.parts: list[tuple[int, NDArray[np.bool_], QueryLog]] = []
        if log.budget > 1:
            owner = mixture.owners()
            present = [m for m in np.argsort(-mixture.weights, kind="stable").tolist() if (owner == m).any()]
            searched = min(len(present), (usable - whole) // ENOUGH)
            share = (usable - whole) // max(1, searched)
            for place, feature in enumerate(present):
                limit = share if place < searched else 0
                self.parts.append((feature, owner == feature, log.part(budget=max(1, limit), limit=limit)))

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        yield from _to_its_end(self.whole)
        if self.task.log.outcome().distance > 0:
            for _, mask, log in self.parts:
                if log.limit:
                    yield from _to_its_end(self.attack.start(replace(self.task, log=log, mask=mask)))

    def evidence(self) -> NDArray[np.float64]:
        """(H, W) what the search on the image as a whole found."""
        return self.whole.evidence()

    def features(self) -> tuple[FeatureRobustness, ...]:
        """What was found in each feature so far, in the order of their weight."""
        mixture = self.task.mixture
        return () if mixture is None else tuple(
            FeatureRobustness(
                (float(mixture.means[m, 0]), float(mixture.means[m, 1])), float(mixture.weights[m]), log.distance, log.queries
            )
            for m, _, log in self.parts
        )  # fmt: skip

    def note(self) -> str:
        """What a reader must know about features that were left out, or ""."""
        skipped = sum(log.limit == 0 for *_, log in self.parts)
        if not skipped:
            return ""
        return f"{skipped} of {len(self.parts)} features were left out: the budget has fewer than {ENOUGH} queries for each"


def _to_its_end(search: ImageSearch) -> Search:
    try:
        yield from search.steps()
    except BudgetSpent:
        return
