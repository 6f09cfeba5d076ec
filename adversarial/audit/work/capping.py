"""A classifier that may be asked so many queries in all, over all runs of an audit."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial.answer_file import count_answers
from adversarial.audit.records import FINISHED
from adversarial.audit.store import ANSWERS
from saywhy_core.classifiers import ask_some_again
from saywhy_core.disk.troubles import UnusableFileError
from saywhy_core.errors import BudgetExceeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from adversarial.audit.store import AuditStore
    from saywhy_core.classifiers import Classifier


TIMING = "timing_queries"
"""The name of what an audit notes of the queries that timed the classifier."""


class CeilingReachedError(BudgetExceeded):
    """An audit made as many queries as it may."""


@dataclass(frozen=True)
class Spent:
    """What an audit has asked so far.

    Attributes:
        done: queries for images that are finished.
        begun: images that are not finished and have some answers.
        answers: queries for these.
        timing: queries that timed the classifier.
    """

    done: int
    begun: int
    answers: int
    timing: int

    @property
    def queries(self) -> int:
        """All of them."""
        return self.done + self.answers + self.timing


def spent(store: AuditStore) -> Spent:
    """Count what an audit has asked so far, over all its runs."""
    counts = []
    for file in sorted((store.directory / ANSWERS).glob("*.bin")):
        with suppress(UnusableFileError, KeyError, ValueError):  # a file that is no answers counts for none
            if store.image(int(file.stem)).status not in FINISHED:
                counts.append(count_answers(file))
    timing = store.about.get(TIMING, 0)
    return Spent(store.queries(), sum(map(bool, counts)), sum(counts), timing if isinstance(timing, int) else 0)


class CappedClassifier:
    """A classifier with a ceiling on its queries; everything else is as it was.

    Args:
        classifier: the classifier.
        most: queries over all runs.
        spent: queries of earlier runs.
        per_image: the most queries of one image.

    Raises:
        CeilingReachedError: (when it is called) the call would pass the ceiling; the classifier was not asked.
    """

    def __init__(self, classifier: Classifier, most: int, spent: int, per_image: int) -> None:
        self._classifier, self._most, self._spent, self._per_image = classifier, most, spent, per_image
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        if name == "_classifier":  # a copy is being made, which has nothing yet
            raise AttributeError(name)
        return getattr(self._classifier, name)

    def __call__(self, images: ArrayLike) -> NDArray[np.float64]:
        """See `Classifier`."""
        self.take(len(np.asarray(images)))
        return self._classifier(images)

    def ask_again(self, images: ArrayLike) -> NDArray[np.float64]:
        """See `Classifier.ask_again`."""
        self.take(len(np.asarray(images)))
        return self._classifier.ask_again(images)

    def ask_some_again(self, images: ArrayLike, again: int) -> NDArray[np.float64]:
        """See `CallableClassifier.ask_some_again`."""
        self.take(len(np.asarray(images)))
        return ask_some_again(self._classifier, images, again)

    @property
    def left(self) -> int:
        """The queries that may still be made."""
        return self._most - self._spent

    def affords(self, made: Sequence[int]) -> bool:
        """Whether what is left is enough for another image beside those on their way, for which so many queries were made.

        One image alone is always begun: what is left over after the last whole image is spent on it, and kept.
        """
        return not made or sum(max(1, self._per_image - one) for one in made) + self._per_image <= self.left

    def give_back(self, count: int) -> None:
        """Take back queries that were counted by `take` and then not made."""
        with self._lock:
            self._spent -= count

    def take(self, count: int) -> None:
        """Count queries that are about to be made.

        Raises:
            CeilingReachedError: they would pass the ceiling.
        """
        with self._lock:
            if self._spent + count > self._most:
                raise CeilingReachedError(
                    f"the audit may make {self._most:,} queries in all: {self._spent:,} are made, {count:,} more were wanted"
                )
            self._spent += count
