"""What a classifier answered, kept so that a search that was cut off goes on from there without asking again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

import numpy as np

from saywhy_core.arrays import former_image_key, image_keys
from saywhy_core.arrays import image_key as image_key
from saywhy_core.classifiers import ask, ask_some_again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from saywhy_core.classifiers import Classifier

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]


Kept = TypeVar("Kept")


def look_up(kept: Mapping[bytes, Kept], images: Images, *, former: bool) -> list[Kept | None]:
    """What is kept under the keys of images (N, H, W, C); with `former`, under those of earlier releases as well."""
    found = [kept.get(key) for key in image_keys(images)]
    if former:
        rows = zip(found, images, strict=True)
        found = [kept.get(former_image_key(image)) if one is None else one for one, image in rows]
    return found


class AnswerMemory(Protocol):
    """The answers about the images of one image's attack.

    A search is deterministic once its answers are given, so an attack that is fed what an earlier run was answered comes to
    where that run was cut off, without a question, and to the same result. `AnswerFile` keeps the answers in a file.
    """

    def recall(self, images: Images) -> Sequence[Floats | None]:
        """For each of the images (N, H, W, C) its scores (K,), or None where it was never asked about."""

    def keep(self, images: Images, scores: Floats) -> None:
        """Keep the scores (N, K) of images (N, H, W, C) that the classifier has just answered."""

    def forget(self) -> None:
        """Forget all answers: the result is written, or the classifier has changed."""


class CountedMemory:
    """A memory that says how many answers were taken from it.

    Where it doesn't know what is asked first, nothing of an earlier run is in it, and it is not looked into any more.

    Attributes:
        recalled: answers taken from it so far.
        add: keeps answers by the keys of their images, as `AnswerFile.add` does; None where the memory can't.
    """

    def __init__(self, memory: AnswerMemory) -> None:
        self.recalled = 0
        self._fresh: bool | None = None  # whether it holds nothing of an earlier run: the first question tells
        self._memory = memory
        self.keep, self.forget = memory.keep, memory.forget
        self.add: Callable[[Sequence[bytes], Floats], None] | None = getattr(memory, "add", None)

    def recall(self, images: Images) -> Sequence[Floats | None]:
        """See `AnswerMemory.recall`."""
        if self._fresh:
            return [None] * len(images)
        answers = self._memory.recall(images)
        if self._fresh is None:
            self._fresh = all(answer is None for answer in answers)
        self.recalled += sum(answer is not None for answer in answers)
        return answers


class RememberingClassifier:
    """A classifier that is asked only what a memory doesn't hold, and whose answers the memory keeps.

    It serves searches that ask the classifier themselves; for the others, the driver looks into the memory.

    Args:
        classifier: the classifier.
        memory: the answers.
    """

    def __init__(self, classifier: Classifier, memory: AnswerMemory) -> None:
        self.scores, self.image_shape, self.identity = classifier.scores, classifier.image_shape, classifier.identity
        self.class_names = classifier.class_names
        self._classifier, self._memory = classifier, memory

    @property
    def queries(self) -> int:
        """See `Classifier.queries`."""
        return self._classifier.queries

    def __call__(self, images: ArrayLike) -> Floats:
        """See `Classifier`."""
        batch = np.asarray(images, dtype=np.float32)
        answers = list(self._memory.recall(batch))
        unknown = [row for row, answer in enumerate(answers) if answer is None]
        if unknown:
            scores = ask(self._classifier, batch[unknown])
            self._memory.keep(batch[unknown], scores)
            for row, answer in zip(unknown, scores, strict=True):
                answers[row] = answer
        return np.stack([answer for answer in answers if answer is not None])

    def ask_again(self, images: ArrayLike) -> Floats:
        """See `Classifier.ask_again`."""
        return ask_some_again(self._classifier, images, len(np.asarray(images)))
