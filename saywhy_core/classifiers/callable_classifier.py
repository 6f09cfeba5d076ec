"""A Python function from images to scores as a classifier, with exact query counts, a budget and a memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.arrays import image_keys
from saywhy_core.bounded.watched import OverTimeError
from saywhy_core.classifiers.answers.kinds import KINDS
from saywhy_core.classifiers.answers.reading import read_answer
from saywhy_core.classifiers.classifier import ANY_SHAPE, ClassifierError, WidthError, as_probabilities
from saywhy_core.errors import BudgetExceeded, UsageError, argument
from saywhy_core.reading.ceilings import CeilingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from saywhy_core.classifiers.classifier import ImageShape, Scores
    from saywhy_core.classifiers.inside.score_networks import ScoreNetwork

    Predict: TypeAlias = Callable[[NDArray[np.float32]], Any]

MEMORY = 64_000_000  # bytes of what is remembered: 160,000 images of eight classes; the oldest are dropped first
ENTRY = (
    330  # bytes that one remembered image takes beside its scores: the key, the row's header and the place in the dictionary
)


class CallableClassifier:
    """A function as a classifier that counts its queries, checks its answers and remembers them.

    Several threads may call it at the same time if `predict` allows that. An image that two of them ask about at the same
    moment may be asked twice, and then counts twice.

    Args:
        predict: the function. It receives a C-contiguous float32 array (N, H, W, C) with values in [0, 1], which it may
            change, and returns an array or tensor (N, K), or what else `scores` says.
        scores: what `predict` returns: "logits" (any numbers, higher for the likelier class; -inf for a masked class),
            "probabilities" (numbers in [0, 1]; each row sums to 1, or nearly so where they are rounded), "sigmoid" ((N,) or
            (N, 1) probabilities of the second of two classes, or one per class), "top-k" ((N, K) with NaN or 0 for the classes
            left out, or lists of (class, score) pairs) or "label" (class numbers or names (N,), or one-hot rows). See
            `saywhy_core.classifiers.answers.reading.read_answer`.
        class_names: one name per class, in the order of the scores.
        classes: how many classes there are, where they have no names and the answers don't show it.
        budget: the largest number of images that `predict` may ever receive. None for no limit.
        batch_size: the largest number of images per call of `predict`. None for no limit.
        image_shape: (height, width, channels) of the images that `predict` takes; None for each number that is unknown or
            free. Images of another shape are refused before they are counted.
        identity: a text that changes whenever the answers may change. Caches need it; None for no caching.

    Attributes:
        queries: how many images `predict` has received. Images that were answered from memory do not count.
        concurrency: how many calls at the same time keep the classifier busy; 1 by default.
        keeps_images: whether the images that it is called with stay as they are, as they do: `predict` gets a copy.
        levels: how many values a channel of an image has where images travel as pictures, such as 256; None where images
            arrive as they are.
        remote: whether it asks a server, so that a query may cost money.
        memory: bytes that the answers which it remembers may take.
        differentiable: the same model as a torch module, (N, C, H, W) in [0, 1] -> (N, K) scores, for those who need its
            gradients; None where there is none. It counts no queries.
        network: what computes the scores, for those who look into it (`score_network`); None where that is not known.

    Raises:
        UsageError: an argument is wrong, or images are not floats in [0, 1] with four axes.
        BudgetExceeded: the call would pass the budget; `predict` was not called.
        ClassifierError: `predict` raised an error or returned something else than `scores` says, and the sentence tells what
            would fit; or the images have a shape that the classifier does not take.
    """

    concurrency: int = 1
    keeps_images: bool = True
    levels: int | None = None
    remote: bool = False
    differentiable: Any = None
    network: ScoreNetwork | None = None

    def __init__(
        self,
        predict: Predict,
        scores: Scores = "logits",
        class_names: Sequence[str] | None = None,
        *,
        classes: int | None = None,
        budget: int | None = None,
        batch_size: int | None = None,
        image_shape: Sequence[int | None] = ANY_SHAPE,
        identity: str | None = None,
    ) -> None:
        if not callable(predict):
            raise UsageError(f"a classifier needs a function from images to scores, not {type(predict).__name__}")
        if scores not in KINDS:
            raise UsageError(f"{argument('scores')} must be one of {', '.join(map(repr, KINDS))}, not {scores!r:.80}")
        if classes is not None and (not _is_whole(classes) or classes < 2):
            raise UsageError(f"{argument('classes')} must be a whole number of at least two classes, not {classes!r:.40}")
        if classes is not None and class_names is not None:
            raise UsageError(
                f"the {len(class_names)} class names say how many classes there are; leave out their number, 'classes'"
            )
        if budget is not None and budget < 0:
            raise UsageError(f"a budget must be 0 queries or more, not {budget}")
        if batch_size is not None and (not _is_whole(batch_size) or batch_size < 1):
            raise UsageError(f"{argument('batch_size')} must be a whole number of at least one image, not {batch_size!r}")
        self.predict = predict
        self.scores: Scores = scores
        self.class_names = None if class_names is None else tuple(str(name) for name in class_names)
        self.budget = budget
        self.batch_size = batch_size
        self.image_shape = _image_shape(image_shape)
        self.identity = identity
        self._queries = self._ahead = 0
        self._answered = False
        self._lock = threading.Lock()
        self._classes = classes if self.class_names is None else len(self.class_names)
        self.memory = MEMORY
        self._memory: OrderedDict[bytes, NDArray[np.float64]] = OrderedDict()

    @property
    def queries(self) -> int:
        """How many images `predict` has received so far."""
        return self._queries

    @property
    def classes(self) -> int | None:
        """How many classes there are, by the names, `classes=` or the answers so far; None where nothing has said it yet."""
        return self._classes

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}  # which can't be pickled

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = threading.Lock()

    def count(self, queries: int) -> None:
        """Count images that the model evaluated in another way, such as one that was asked about to learn its classes."""
        with self._lock:
            self._queries += queries

    def __call__(self, images: ArrayLike) -> NDArray[np.float64]:
        """(N, K) scores of (N, H, W, C) images in [0, 1]. `predict` receives each distinct image once.

        Where a part of the images could not be answered, the answers about the others are remembered all the same.
        """
        return self._remembering(self._checked(images), 0)

    def ask_some_again(self, images: ArrayLike, again: int) -> NDArray[np.float64]:
        """(N, K) scores, asked together: of the first `again` images as by `ask_again`, and of the others as by a call."""
        return self._remembering(self._checked(images), again)

    def _remembering(self, batch: NDArray[np.float32], again: int) -> NDArray[np.float64]:
        keys: list[bytes | int] = [*range(again), *image_keys(batch[again:])]  # numbers are not remembered
        with self._lock:
            known: dict[bytes | int, NDArray[np.float64]] = {
                key: self._memory[key] for key in keys if isinstance(key, bytes) and key in self._memory
            }
        fresh: dict[bytes | int, int] = {}
        for row, key in enumerate(keys):
            if key not in known:
                fresh.setdefault(key, row)
        if fresh:
            rows = list(fresh.values())
            new = list(fresh)
            for places, scores in self._parts(batch if len(rows) == len(batch) else batch[rows]):
                answers = {new[place]: row for place, row in zip(places, scores, strict=True)}
                known.update(answers)
                self._remember({key: row for key, row in answers.items() if isinstance(key, bytes)})
        return np.stack([known[key] for key in keys])

    def remembered(self, images: ArrayLike) -> list[NDArray[np.float64] | None]:
        """The (K,) scores of each image that was evaluated before and is still remembered; None for the others.

        After a call that failed it tells which of its images were answered.
        """
        keys = image_keys(self._checked(images))
        with self._lock:
            return [self._memory.get(key) for key in keys]

    def ask_again(self, images: ArrayLike) -> NDArray[np.float64]:
        """(N, K) scores of (N, H, W, C) images in [0, 1]. `predict` receives every image, remembered or not."""
        return np.concatenate([scores for _, scores in self._parts(self._checked(images))])

    def probabilities(self, images: ArrayLike) -> NDArray[np.float64]:
        """(N, K) probabilities of (N, H, W, C) images in [0, 1]; see `as_probabilities`."""
        return as_probabilities(self(images), self.scores)

    def label(self, index: int) -> str:
        """The name of a class, or "class 7" where the classifier has no names."""
        return self.class_names[index] if self.class_names is not None else f"class {index}"

    def _checked(self, images: ArrayLike) -> NDArray[np.float32]:
        batch = _in_range(images)
        if any(want is not None and have != want for have, want in zip(batch.shape[1:], self.image_shape, strict=True)):
            wanted = " by ".join("any" if size is None else str(size) for size in self.image_shape)
            raise ClassifierError(
                f"the classifier takes images of {wanted} (height, width, channels), not of shape {batch.shape[1:]}"
            )
        return batch

    def _parts(self, batch: NDArray[np.float32]) -> Iterator[tuple[Sequence[int], NDArray[np.float64]]]:
        """Ask about the images in parts of the batch size; the rows of each part, and their scores."""
        left = len(batch)
        with self._lock:
            if self.budget is not None and self._queries + self._ahead + left > self.budget:
                raise BudgetExceeded(
                    f"the classifier's budget is {self.budget} queries: {self._queries + self._ahead} are spent, "
                    f"{left} more were wanted"
                )
            self._ahead += left
        size = self.batch_size or left
        try:
            for start in range(0, len(batch), size):
                part = batch[start : start + size]
                with self._lock:  # a query that fails has been made all the same
                    self._ahead, self._queries = self._ahead - len(part), self._queries + len(part)
                left -= len(part)
                try:
                    scores = self._ask_batch(part)
                except ClassifierError as error:
                    if error.answered:
                        places = [start + row for row in error.answered]
                        yield places, self._checked_scores(list(error.answered.values()), len(places))
                    raise
                yield range(start, start + len(part)), scores
        finally:
            with self._lock:
                self._ahead -= left

    def _remember(self, answers: dict[bytes, NDArray[np.float64]]) -> None:
        if not answers:
            return
        with self._lock:
            self._memory.update(answers)
            size = 8 * len(next(iter(answers.values()))) + ENTRY
            while len(self._memory) * size > self.memory and len(self._memory) > 1:
                self._memory.popitem(last=False)

    def _ask_batch(self, batch: NDArray[np.float32]) -> NDArray[np.float64]:
        try:
            # a copy: a function that normalises in place must not change its caller's images
            answer = self.predict(np.array(batch, order="C"))
        except ClassifierError:
            raise
        except OverTimeError as error:  # however many images there were
            raise ClassifierError(str(error)) from error
        except CeilingError as error:
            raise ClassifierError(f"the classifier failed on a batch of shape {batch.shape}: {error}") from error
        except (Exception, SystemExit) as error:  # a function that ends the process would end it in silence
            raise ClassifierError(f"the classifier failed on a batch of shape {batch.shape}: {_words(error)}") from error
        return self._checked_scores(answer, len(batch))

    def _checked_scores(self, answer: Any, images: int) -> NDArray[np.float64]:
        try:
            scores = read_answer(answer, self.scores, images, names=self.class_names, classes=self._classes)
        except UsageError as error:
            raise ClassifierError(str(error)) from error
        if self._classes is not None and scores.shape[1] != self._classes:
            what = "names" if self.class_names is not None else "classes in its first answer" if self._answered else "classes"
            raise WidthError(f"the classifier returned {scores.shape[1]} scores per image but has {self._classes} {what}")
        self._classes, self._answered = scores.shape[1], True
        return scores


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)  # true and false are whole numbers to Python only


def _image_shape(given: Sequence[int | None]) -> ImageShape:
    try:
        height, width, channels = given
        if all(size is None or (_is_whole(size) and size > 0) for size in (height, width, channels)):
            return height, width, channels
    except (TypeError, ValueError):
        pass
    raise UsageError(
        f"{argument('image_shape')} must be (height, width, channels), such as 48,48,3, or None where it is free, not {given!r}"
    )


NOT_FINITE = "images must be finite, and a value is NaN or infinite; look for what made it, such as a division by zero"


def _in_range(images: ArrayLike) -> NDArray[np.float32]:
    batch = np.asarray(images)
    if not batch.ndim:
        raise UsageError(f"images must be an array (N, H, W, C) with at least one image, not {type(images).__name__}")
    if batch.ndim != 4 or not batch.size:
        raise UsageError(f"images must be an array (N, H, W, C) with at least one image, not of shape {batch.shape}")
    if batch.dtype.kind not in "fiub" or (batch.dtype.kind in "iu" and batch.max() > 1):
        raise UsageError(f"images must be floats in [0, 1], not {batch.dtype}; divide by the largest possible value")
    batch = np.ascontiguousarray(batch, dtype=np.float32)
    if not (batch.min() >= 0 and batch.max() <= 1):  # NaN fails this comparison as well
        if not np.isfinite(batch).all():
            raise UsageError(NOT_FINITE)
        raise UsageError("images must lie in [0, 1]; divide by the largest possible value")
    return batch


def _words(error: BaseException) -> str:
    if isinstance(error, UsageError):  # a sentence of ours
        return str(error)
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
