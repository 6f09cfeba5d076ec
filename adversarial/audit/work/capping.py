"""A classifier whose queries an audit counts, over all its runs, and that may be asked so many of them."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial.answer_file import count_answers
from adversarial.audit.records import FINISHED
from adversarial.audit.store import ANSWERS
from saywhy_core.classifiers import EndpointError, ask, ask_some_again
from saywhy_core.disk.troubles import UnusableFileError
from saywhy_core.errors import BudgetExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from adversarial.audit.store import AuditStore
    from saywhy_core.classifiers import Classifier


TIMING, LOST = "timing_queries", "lost_queries"
"""The names of what an audit notes of the queries that timed the classifier, and of those whose answers are not kept."""


CEILING = "max_queries"
"""The name of the ceiling that an audit keeps to until it is given another."""


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
        lost: queries whose answers are not kept: the classifier changed or failed, or a check was made in vain.
    """

    done: int
    begun: int
    answers: int
    timing: int
    lost: int

    @property
    def queries(self) -> int:
        """All of them."""
        return self.done + self.answers + self.timing + self.lost

    @property
    def kept(self) -> bool:
        """Whether there are any results or answers."""
        return bool(self.done or self.answers)


def spent(store: AuditStore) -> Spent:
    """Count what an audit has asked so far, over all its runs."""
    counts = []
    for file in sorted((store.directory / ANSWERS).glob("*.bin")):
        with suppress(UnusableFileError, KeyError, ValueError):  # a file that is no answers counts for none
            if store.image(int(file.stem)).status not in FINISHED:
                counts.append(count_answers(file))
    about = store.about
    timing, lost = (noted(about, name) for name in (TIMING, LOST))
    return Spent(store.queries(), sum(map(bool, counts)), sum(counts), timing, lost)


def noted(about: Mapping[str, Any], name: str) -> int:
    """A number of queries that an audit has noted of itself."""
    value = about.get(name, 0)
    return value if isinstance(value, int) else 0


def note_lost(store: AuditStore, asked: int, before: int) -> None:
    """Note what a run asked beyond the answers that it leaves behind, so that no query is forgotten with its answer.

    Args:
        store: the audit.
        asked: queries of the run.
        before: all queries before it, see `Spent.queries`.
    """
    lost = before + asked - spent(store).queries
    if lost > 0:
        store.tell(**{LOST: noted(store.about, LOST) + lost})


def ceiling(store: AuditStore, given: int | None) -> int | None:
    """The ceiling on an audit's queries: the one that is given, or else the last one that was; None where there is none."""
    noted = store.about.get(CEILING)
    return given if given is not None or not isinstance(noted, int) else noted


class CountedClassifier:
    """A classifier whose queries are counted; everything else is as it was.

    A call counts before it is made, and also where it fails; not where the endpoint is at fault, which may not have seen it.

    Attributes:
        asked: queries so far.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._lock = threading.Lock()
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        if name == "_classifier":  # a copy is being made, which has nothing yet
            raise AttributeError(name)
        return getattr(self._classifier, name)

    def __call__(self, images: ArrayLike) -> NDArray[np.float64]:
        """See `Classifier`."""
        with self.counting(len(np.asarray(images))):
            return ask(self._classifier, images)

    def ask_again(self, images: ArrayLike) -> NDArray[np.float64]:
        """See `Classifier.ask_again`."""
        with self.counting(len(np.asarray(images))):
            return self._classifier.ask_again(images)

    def ask_some_again(self, images: ArrayLike, again: int) -> NDArray[np.float64]:
        """See `CallableClassifier.ask_some_again`."""
        with self.counting(len(np.asarray(images))):
            return ask_some_again(self._classifier, images, again)

    @contextmanager
    def counting(self, count: int) -> Iterator[None]:
        """Count the queries of a call that is made inside the block."""
        self.count(count)
        try:
            yield
        except EndpointError:
            self.count(-count)
            raise

    def count(self, queries: int) -> None:
        """Count queries that were made elsewhere."""
        with self._lock:
            self.asked += queries


class CappedClassifier(CountedClassifier):
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
        super().__init__(classifier)
        self._most, self._spent, self._per_image = most, spent, per_image

    @contextmanager
    def counting(self, count: int) -> Iterator[None]:
        """See `CountedClassifier.counting`."""
        self.take(count)
        with super().counting(count):
            yield

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
                    f"the audit may make {self._most:,} queries in all, has made {self._spent:,}, "
                    f"and {count:,} more {'was' if count == 1 else 'were'} wanted"
                )
            self._spent += count
