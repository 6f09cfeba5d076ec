"""Batches of images as requests to a server: split, sent at the same time, and put together again."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.classifiers.classifier import ClassifierError, EndpointError
from saywhy_core.classifiers.remote.client import SMALLER, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Images: TypeAlias = NDArray[np.float32]
    Rows: TypeAlias = NDArray[np.floating]


@dataclass(eq=False)
class Requests:
    """A function from images to scores that asks a server, in requests of at most `size` images, several at a time.

    A request that is too large for the server (413) is halved, and so are those after it. Where a part of the images can't be
    answered, the error holds the answers to the others (`ClassifierError.answered`).

    Attributes:
        ask: one request: (N, H, W, C) images -> one row of scores, or one class number, per image.
        concurrency: how many requests are on their way at a time.
        size: the most images per request; None for no limit.
        alive: whether the server says that it is well. It is asked after an error of the server itself (500), to tell whether
            the images are to blame; without it, the server is.
    """

    ask: Callable[[Images], Rows]
    concurrency: int
    size: int | None = None
    alive: Callable[[], bool] | None = None
    _pool: ThreadPoolExecutor | None = field(default=None, repr=False)
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def __call__(self, images: Images) -> Rows:
        """The rows of all images.

        Raises:
            EndpointError: the server is down, refuses us or does not speak the protocol.
            ClassifierError: it turned away some of these images, or answered them with what is no answer.
        """
        size = self.size or len(images)
        starts = range(0, len(images), size)
        if len(starts) == 1:
            return self._part(images)
        parts = {self._submit(images[start : start + size]): start for start in starts}
        waiting, failure = set(parts), None
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                failure = _worse(failure, done)
                if isinstance(failure, EndpointError):  # what has not begun would fail as well
                    waiting = {one for one in waiting if not one.cancel()}
        finally:
            for one in parts:
                one.cancel()
        if failure is not None:
            answered: dict[int, Any] = {}
            for one, start in parts.items():
                if not one.cancelled():
                    rows = _rows_of(one)
                    answered.update({start + place: row for place, row in rows.items()})
            failure.answered = answered
            raise failure
        return _joined([one.result() for one in parts])

    def _submit(self, images: Images) -> Future[Rows]:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="saywhy-requests")
        return self._pool.submit(copy_context().run, self._part, images)  # with the ceilings in force here

    def _part(self, images: Images) -> Rows:
        try:
            rows = self.ask(images)
        except RefusedError as error:
            if error.status == 413 and len(images) < 2:
                alone = str(error).removesuffix(f"; {SMALLER}")
                raise RefusedError(f"{alone}; it takes no request as large as a single image of this size", 413) from None
            if error.status != 413:
                raise
            half = -(-len(images) // 2)
            self.size = min(self.size or half, half)
            first = self._part(images[:half])
            try:
                return _joined([first, self._part(images[half:])])
            except ClassifierError as failed:
                rest = {half + place: row for place, row in failed.answered.items()}
                failed.answered = {**dict(enumerate(first)), **rest}
                raise
        except EndpointError as error:
            if error.status == 500 and self.alive is not None and self.alive():
                raise RefusedError(str(error), 500) from None
            raise
        if len(rows) != len(images):
            raise ClassifierError(f"the endpoint answered {len(images)} images with {len(rows)} rows of scores")
        return rows


def _worse(failure: ClassifierError | None, done: set[Future[Rows]]) -> ClassifierError | None:
    """The failure to tell of: one of the endpoint before one of some images."""
    for one in done:
        error = None if one.cancelled() else one.exception()
        if error is not None and not isinstance(error, ClassifierError):
            raise error
        if error is not None and (failure is None or (isinstance(error, EndpointError) > isinstance(failure, EndpointError))):
            failure = error
    return failure


def _rows_of(part: Future[Rows]) -> dict[int, Any]:
    error = part.exception()
    if error is None:
        return dict(enumerate(part.result()))
    return dict(error.answered) if isinstance(error, ClassifierError) else {}


def _joined(parts: list[Rows]) -> Rows:
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) > 1:
        counts = " and ".join(str(shape[0] if shape else 1) for shape in sorted(shapes))
        raise ClassifierError(f"the endpoint answered with {counts} scores per image in one go; it must have one per class")
    return np.concatenate(parts)
