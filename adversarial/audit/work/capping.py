"""A classifier that may be asked so many queries in all, over all runs of an audit."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.classifiers import ask_some_again
from saywhy_core.errors import BudgetExceeded

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from saywhy_core.classifiers import Classifier


class CappedClassifier:
    """A classifier with a ceiling on its queries; everything else is as it was.

    Args:
        classifier: the classifier.
        most: queries over all runs.
        spent: queries of earlier runs.

    Raises:
        BudgetExceeded: (when it is called) the call would pass the ceiling; the classifier was not asked.
    """

    def __init__(self, classifier: Classifier, most: int, spent: int) -> None:
        self._classifier, self._most, self._spent = classifier, most, spent
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

    def take(self, count: int) -> None:
        """Count queries that are about to be made.

        Raises:
            BudgetExceeded: they would pass the ceiling.
        """
        with self._lock:
            if self._spent + count > self._most:
                raise BudgetExceeded(
                    f"the audit may make {self._most:,} queries in all: {self._spent:,} are made, {count:,} more were wanted"
                )
            self._spent += count
