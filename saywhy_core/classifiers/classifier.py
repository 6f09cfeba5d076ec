"""The black box: any function from images to scores, with its queries counted, its answers checked and remembered."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np

from saywhy_core.errors import BudgetExceeded, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Predict: TypeAlias = Callable[[NDArray[np.float32]], ArrayLike]

Scores: TypeAlias = Literal["logits", "probabilities"]

REMEMBERED = 64_000_000  # bytes of scores that the memo keeps; the oldest are forgotten first
FLOOR = 1e-12  # probabilities are never held to be smaller: their logarithms stay finite
TOLERANCE = 1e-3  # of the scores' range: answers to one image that differ by less are one answer


class ClassifierError(UsageError):
    """A classifier that raised, or whose answer can't be what it must be."""


class Classifier(Protocol):
    """What an attack needs: called with (N, H, W, C) float32 images in [0, 1], it returns (N, K) scores."""

    scores: Scores
    class_names: tuple[str, ...] | None

    @property
    def queries(self) -> int:
        """Images that the classifier was truly asked about."""

    def __call__(self, images: ArrayLike) -> NDArray[np.float64]:
        """(N, K) scores of (N, H, W, C) images, from memory where an image was asked about before."""

    def ask_again(self, images: ArrayLike) -> NDArray[np.float64]:
        """The same, but always from the classifier itself."""


class CallableClassifier:
    """A function `(N, H, W, C) float32 in [0, 1] -> (N, K)` as a classifier that counts, checks and remembers.

    Args:
        predict: the function. It gets C-contiguous arrays, at most `batch_size` images at once where that is given.
        scores: whether it returns "logits" (any finite numbers, higher for the likelier class) or "probabilities"
            (numbers in [0, 1] with rows that sum to 1).
        class_names: one name a class, in the order of the scores.
        budget: the most images it may ever be asked about; beyond it `BudgetExceeded` is raised and nothing is asked.
        batch_size: the most images it takes at once.

    Attributes:
        queries: images that it was truly asked about; an image of which the answer is remembered costs nothing.

    Raises:
        ClassifierError: `predict` raised, or returned something other than one row of finite scores an image.
    """

    def __init__(
        self,
        predict: Predict,
        scores: Scores = "logits",
        class_names: Sequence[str] | None = None,
        *,
        budget: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        if not callable(predict):
            raise UsageError(f"a classifier needs a function from images to scores, not {type(predict).__name__}")
        if scores not in ("logits", "probabilities"):
            raise UsageError(f"scores must be 'logits' or 'probabilities', not {scores!r}")
        if budget is not None and budget < 0:
            raise UsageError(f"a budget must be 0 queries or more, not {budget}")
        if batch_size is not None and batch_size < 1:
            raise UsageError(f"a batch needs at least one image, not {batch_size}")
        self.predict = predict
        self.scores: Scores = scores
        self.class_names = None if class_names is None else tuple(str(name) for name in class_names)
        self.budget = budget
        self.batch_size = batch_size
        self._queries = 0
        self._classes = None if self.class_names is None else len(self.class_names)
        self._memo: OrderedDict[bytes, NDArray[np.float64]] = OrderedDict()

    @property
    def queries(self) -> int:
        """Images that the classifier was truly asked about."""
        return self._queries

    def __call__(self, images: ArrayLike) -> NDArray[np.float64]:
        """(N, K) scores of (N, H, W, C) images in [0, 1], each distinct image asked about once."""
        batch = _checked(images)
        keys = [blake2b(image, digest_size=16, key=_shape_key(batch)).digest() for image in batch]
        fresh: dict[bytes, int] = {}
        for row, key in enumerate(keys):
            if key not in self._memo:
                fresh.setdefault(key, row)
        rows = list(fresh.values())
        answers = dict(zip(fresh, self._ask(batch if len(rows) == len(batch) else batch[rows]), strict=True)) if rows else {}
        self._memo.update(answers)
        scores = np.stack([answers[key] if key in answers else self._memo[key] for key in keys])
        while len(self._memo) * scores.shape[1] * 8 > REMEMBERED and len(self._memo) > 1:
            self._memo.popitem(last=False)
        return scores

    def ask_again(self, images: ArrayLike) -> NDArray[np.float64]:
        """(N, K) scores asked for anew, remembered or not; each image is a query."""
        return self._ask(_checked(images))

    def label(self, index: int) -> str:
        """The name of a class, or "class 7" where the classifier has no names."""
        return self.class_names[index] if self.class_names is not None else f"class {index}"

    def _ask(self, batch: NDArray[np.float32]) -> NDArray[np.float64]:
        if self.budget is not None and self._queries + len(batch) > self.budget:
            raise BudgetExceeded(
                f"the classifier's budget is {self.budget} queries: {self._queries} are spent, {len(batch)} more were wanted"
            )
        size = self.batch_size or len(batch)
        return np.concatenate([self._ask_batch(batch[start : start + size]) for start in range(0, len(batch), size)])

    def _ask_batch(self, batch: NDArray[np.float32]) -> NDArray[np.float64]:
        self._queries += len(batch)  # asked is paid for, whatever comes back
        try:
            answer = self.predict(np.ascontiguousarray(batch))
        except Exception as error:
            raise ClassifierError(f"the classifier failed on a batch of shape {batch.shape}: {_words(error)}") from error
        try:
            scores = np.array(answer, dtype=np.float64)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ClassifierError(f"the classifier's answer is no array of numbers: {_words(error)}") from error
        if scores.ndim != 2 or len(scores) != len(batch) or scores.shape[1] < 2:
            raise ClassifierError(
                f"the classifier answered {len(batch)} images with an array of shape {scores.shape}; "
                "it must return one row an image and at least two columns, one a class"
            )
        if self._classes is not None and scores.shape[1] != self._classes:
            what = "names" if self.class_names is not None else "classes in its first answer"
            raise ClassifierError(f"the classifier returned {scores.shape[1]} scores an image but has {self._classes} {what}")
        if not np.isfinite(scores).all():
            bad = int(np.flatnonzero(~np.isfinite(scores).all(axis=1))[0])
            raise ClassifierError(f"the classifier returned scores that are not finite (row {bad} of {len(batch)})")
        if self.scores == "probabilities" and (
            scores.min() < -1e-4 or scores.max() > 1 + 1e-4 or np.abs(scores.sum(axis=1) - 1).max() > 1e-2
        ):
            raise ClassifierError("the classifier's scores are no probabilities; say scores='logits' if that is what they are")
        self._classes = scores.shape[1]
        return scores


def comparable(scores: NDArray[np.float64], kind: Scores) -> NDArray[np.float64]:
    """Scores whose differences mean the same everywhere: logits as they are, probabilities as logarithms."""
    return scores if kind == "logits" else np.log(np.maximum(scores, FLOOR))


def same_answer(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Whether two answers to one image agree, up to the rounding that batches of other sizes bring."""
    scale = max(float(np.ptp(first)), float(np.abs(first).max()) * 1e-2, 1e-6)
    return bool(np.abs(first - second).max() <= TOLERANCE * scale)


def _checked(images: ArrayLike) -> NDArray[np.float32]:
    batch = np.asarray(images)
    if batch.ndim != 4 or not batch.size:
        raise UsageError(f"images must be an array (N, H, W, C) with at least one image, not of shape {batch.shape}")
    if batch.dtype.kind not in "fiub" or (batch.dtype.kind in "iu" and batch.max() > 1):
        raise UsageError(f"images must be floats in [0, 1], not {batch.dtype}; divide by the largest possible value")
    batch = np.ascontiguousarray(batch, dtype=np.float32)
    if not (batch.min() >= 0 and batch.max() <= 1):  # false for NaN as well
        raise UsageError("images must be finite and lie in [0, 1]; divide by the largest possible value")
    return batch


def _shape_key(batch: NDArray[np.float32]) -> bytes:
    return repr(batch.shape[1:]).encode()[:64]


def _words(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
