"""A classifier under class names that the user gives, which must be as many as its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.classifiers import ask, ask_some_again
from saywhy_core.classifiers.classifier import WidthError
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from saywhy_core.classifiers import Classifier


class NamedClassifier:
    """A classifier under other class names; everything else is as it was.

    Args:
        classifier: the classifier.
        class_names: one name per class.

    Raises:
        UsageError: the names are more or fewer than the classifier's own.
        ClassifierError: (when it is called) they are more or fewer than the scores.
    """

    def __init__(self, classifier: Classifier, class_names: Sequence[str]) -> None:
        own = classifier.class_names
        if own is not None and len(own) != len(class_names):
            raise UsageError(f"{len(class_names)} class names were given, but the classifier has {len(own)} classes; name each")
        self.class_names: tuple[str, ...] | None = tuple(class_names)
        self.scores, self.image_shape, self.identity = classifier.scores, classifier.image_shape, classifier.identity
        self.remote: bool = getattr(classifier, "remote", False)
        self._classifier = classifier

    def __getattr__(self, name: str) -> Any:
        if name == "_classifier":  # a copy is being made, which has nothing yet
            raise AttributeError(name)
        return getattr(self._classifier, name)

    @property
    def queries(self) -> int:
        """See `Classifier.queries`."""
        return self._classifier.queries

    def __call__(self, images: ArrayLike) -> NDArray[np.float64]:
        """See `Classifier`."""
        return self._checked(ask(self._classifier, images))

    def ask_again(self, images: ArrayLike) -> NDArray[np.float64]:
        """See `Classifier.ask_again`."""
        return self._checked(ask_some_again(self._classifier, images, len(np.asarray(images))))

    def ask_some_again(self, images: ArrayLike, again: int) -> NDArray[np.float64]:
        """See `CallableClassifier.ask_some_again`."""
        return self._checked(ask_some_again(self._classifier, images, again))

    def remembered(self, images: ArrayLike) -> list[NDArray[np.float64] | None]:
        """See `CallableClassifier.remembered`; answers that have another number of scores are none."""
        inner = getattr(self._classifier, "remembered", None)
        if inner is None:
            return [None] * len(np.asarray(images))
        return [row if row is not None and len(row) == len(self.class_names or ()) else None for row in inner(images)]

    def _checked(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        names = len(self.class_names or ())
        if scores.shape[1] != names:
            raise WidthError(f"the classifier returned {scores.shape[1]} scores per image but has {names} names")
        return scores
