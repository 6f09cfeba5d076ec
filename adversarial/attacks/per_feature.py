"""The competitive game: an attack within each feature of an image alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from adversarial.query_log import BudgetSpent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from adversarial.attacks.registry import Attack, ImageSearch, Task
    from adversarial.query_log import QueryLog, Search

ENOUGH = 60  # queries per feature: with fewer, hardly any feature flips; the features of the smallest weight go without


@dataclass(frozen=True)
class FeatureRobustness:
    """What the competitive game found out about one feature.

    Attributes:
        centre: (y, x) of the feature in pixels.
        weight: its probability in the mixture.
        distance: the smallest change found inside the feature that flips the class: the smallest there is may be smaller.
            Infinite where none was found, which does not prove that there is none.
        queries: the queries spent on the feature.
        measured: whether the search inside the feature came to its end; otherwise its distance says nothing about the game.
    """

    centre: tuple[float, float]
    weight: float
    distance: float
    queries: int
    measured: bool = True


class PerFeature:
    """One image's competitive game by any attack that keeps to a mask.

    Player I picks the feature that it holds to be the most robust, and player II makes the smallest change inside it that flips
    the class; the value of the game is the largest, over the features, of the smallest changes (Wu et al. 2020, section 4). A
    feature inside which nothing flips the class has no finite value, and then the game has none. Every pixel belongs to the
    feature that takes the greatest responsibility for it; features without pixels do not take part. A search within a feature
    finds an upper bound of its smallest change, so that the largest of them bounds the value from above once every feature was
    measured. Nothing is searched beyond the features: no smaller change of the whole image enters the result.

    One query looks at the original, for all features. The others are shared out in the order of the weights: when a feature's
    turn comes, what is left is divided equally among it and those after it, or, where that would be fewer than 60 queries for
    each, among as many of them as it is enough for. So what one search leaves goes to those after it, and the features of the
    smallest weight are left out where the budget is too small.
    """

    def __init__(self, attack: Attack, task: Task) -> None:
        if task.mixture is None:
            raise ValueError("the competitive game needs the features of a mixture")
        mixture = task.mixture
        self.attack, self.task = attack, task
        owner = mixture.responsibilities.argmax(axis=0)
        present = [m for m in np.argsort(-mixture.weights, kind="stable").tolist() if (owner == m).any()]
        self.order: list[tuple[int, NDArray[np.bool_]]] = [(feature, owner == feature) for feature in present]
        self.searches: list[tuple[ImageSearch, QueryLog]] = []

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        log = self.task.log
        yield from log.ask(log.image[None])
        if log.found():
            return
        for place, (_, mask) in enumerate(self.order):
            if log.left < (ENOUGH if place else 1):
                return
            share = log.left // min(len(self.order) - place, max(1, log.left // ENOUGH))
            part = log.part(budget=share, limit=share)
            search = self.attack.start(replace(self.task, log=part, mask=mask))
            self.searches.append((search, part))
            with suppress(BudgetSpent):
                yield from search.steps()
            part.over = True

    def evidence(self) -> NDArray[np.float64]:
        """(H, W) what the searches found, each inside its feature."""
        found = np.zeros(self.task.log.image.shape[:2])
        for (_, mask), (search, _) in zip(self.order, self.searches, strict=False):
            found[mask] = np.asarray(search.evidence(), dtype=np.float64)[mask]
        return found

    def features(self) -> tuple[FeatureRobustness, ...]:
        """What was found in each feature so far, in the order of their weight."""
        mixture = self.task.mixture
        if mixture is None:
            return ()
        logs = [log for _, log in self.searches]
        told = [(log.distance, log.queries, log.over) for log in logs] + [(np.inf, 0, False)] * (len(self.order) - len(logs))
        return tuple(
            FeatureRobustness((float(mixture.means[m, 0]), float(mixture.means[m, 1])), float(mixture.weights[m]), *one)
            for (m, _), one in zip(self.order, told, strict=True)
        )

    def note(self) -> str:
        """What a reader must know about features that were not measured, or ""."""
        features = self.features()
        partly = partly_in_words(features)
        cut = self.task.log.left >= ENOUGH
        why = "the search was cut off" if cut else f"fewer than {ENOUGH} queries were left for each other one"
        return partly and f"{partly}: {why}"


def partly_in_words(features: Sequence[FeatureRobustness]) -> str:
    """How far a game has come that did not measure all features, such as "the largest found so far is 3, for 2 of 7 features".

    What was found in a feature bounds its smallest change from above, so that this bounds the value of the game from neither
    side. It is "" where all features were measured.
    """
    measured = [one.distance for one in features if one.measured]
    if len(measured) == len(features):
        return ""
    flipped = bool(measured) and bool(np.isfinite(measured).all())
    largest = f"the largest found so far is {max(measured):.6g}, " if flipped else ""
    return f"{largest}for {len(measured)} of {len(features)} features"
