"""The work of an audit in a process of its own: chunks of images go in, and messages about them come out."""

from __future__ import annotations

import os
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.answers import look_up
from adversarial.audit.work.capping import CappedClassifier
from adversarial.audit.work.outcomes import failed_outcome, make_outcome
from adversarial.result import AttackInterrupted, AttackStopped
from saywhy_core.arrays import image_keys
from saywhy_core.classifiers import ClassifierError
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceilings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from adversarial.audit.records import ImageRecord
    from adversarial.audit.work.job import Aftermath, Job, Work
    from adversarial.audit.work.outcomes import Outcome
    from adversarial.result import AttackResult
    from saywhy_core.classifiers import Classifier

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]

PAUSE = 0.1  # seconds between two deliveries of answers: what a killed worker was answered since the last one is asked anew
QUIET = 1.0  # seconds after which a worker that has nothing to tell says so, which shows that it is alive


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a worker starts with.

    Attributes:
        job: what is done to each image.
        class_names: one name per class, or None.
        folder: where relative paths of the target start.
        limits: the ceilings in force, see `saywhy_core.reading.ceilings`.
        rationed: whether the worker may ask only as many queries as it was granted.
    """

    job: Job
    class_names: tuple[str, ...] | None
    folder: str
    limits: Mapping[str, int]
    rationed: bool


@dataclass(frozen=True, eq=False)
class Chunk:
    """Images to work on: their rows, their pixels, and what earlier runs were answered about them, by image key."""

    images: Sequence[tuple[ImageRecord, Work, Mapping[bytes, Floats]]]


@dataclass(frozen=True)
class Opened:
    """The classifier is open. Its identity, and the worker's release of saywhy."""

    identity: str | None
    release: str


@dataclass(frozen=True)
class Answered:
    """The classifier answered about the image with that `id`: scores (N, K) by image keys."""

    id: int
    keys: tuple[bytes, ...]
    scores: Floats


@dataclass(frozen=True)
class Forgotten:
    """What was answered about the image with that `id` is not true any more."""

    id: int


@dataclass(frozen=True)
class Done:
    """What became of an image."""

    outcome: Outcome


@dataclass(frozen=True)
class Wanted:
    """The worker waits for a grant of at least so many queries."""

    queries: int


@dataclass(frozen=True)
class Idle:
    """The chunk is done with, and so many of the queries that were granted for it are given back."""

    left: int = 0


@dataclass(frozen=True)
class Interrupted:
    """The classifier can't be asked any more, and why."""

    why: str


@dataclass(frozen=True)
class Unusable:
    """The worker can't work, and why."""

    why: str


@dataclass(frozen=True)
class Broken:
    """An error in the code: its traceback."""

    said: str


Message: TypeAlias = Opened | Answered | Forgotten | Done | Wanted | Idle | Interrupted | Unusable | Broken
ENDS = (Idle, Interrupted, Unusable, Broken)
_URGENT = (Opened, Done, Wanted, *ENDS)


class ChunkWorker:
    """Opens the classifier once, and does the work on one chunk after another in a thread of its own.

    Everything goes through `exchange`, so that whoever holds the worker needs one call on its way, whatever carries the calls.

    Args:
        setup: what it starts with.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._told = threading.Condition()
        self._messages: list[Message] = []
        self._chunks: list[Chunk] = []
        self._granted = 0
        self._stopped = False
        threading.Thread(target=self._work, name="audit", daemon=True).start()

    def process(self) -> int:
        """The number of the process."""
        return os.getpid()

    def exchange(self, chunk: Chunk | None = None, *, granted: int = 0, stop: bool = False) -> list[Message]:
        """Hand over a chunk, a grant of queries, or the word to stop, and take the messages; waits for some.

        A worker that is told to stop ends with `Idle`, after answers that were on their way.
        """
        with self._told:
            if chunk is not None:
                self._chunks.append(chunk)
            self._granted += granted
            self._stopped = self._stopped or stop
            self._told.notify_all()
            self._told.wait_for(self._urgent, PAUSE)
            if not self._messages:
                self._told.wait_for(lambda: bool(self._messages), QUIET)
            messages, self._messages = self._messages, []
            return messages

    def tell(self, message: Message) -> None:
        """Put a message in line."""
        with self._told:
            self._messages.append(message)
            self._told.notify_all()

    def take(self, count: int) -> None:
        """Wait until so many queries may be made."""
        with self._told:
            self._check()
            if not self._setup.rationed:
                return
            if self._granted < count:
                self._messages.append(Wanted(count - self._granted))
                self._told.notify_all()
                self._told.wait_for(lambda: self._granted >= count or self._stopped)
                self._check()
            self._granted -= count

    def _check(self) -> None:
        if self._stopped:
            raise KeyboardInterrupt("the audit is stopped")

    def _urgent(self) -> bool:
        return any(isinstance(message, _URGENT) for message in self._messages)

    def _work(self) -> None:
        with ceilings(**dict(self._setup.limits)):
            try:
                classifier = self._open()
                while True:
                    with self._told:
                        self._told.wait_for(lambda: bool(self._chunks) or self._stopped)
                        if self._stopped:
                            break
                        chunk = self._chunks.pop(0)
                    self._run(classifier, chunk)
                    with self._told:
                        left, self._granted = self._granted, 0
                    self.tell(Idle(left))
            except (AttackStopped, KeyboardInterrupt):
                pass
            except AttackInterrupted as error:
                self.tell(Interrupted(str(error)))
            except ClassifierError as error:  # while it was opened: the endpoint is down
                self.tell(Interrupted(str(error)))
            except UsageError as error:
                self.tell(Unusable(str(error)))
            except BaseException:  # noqa: BLE001 - it is raised where the messages are read
                self.tell(Broken(traceback.format_exc()))
            self.tell(Idle())

    def _open(self) -> Classifier:
        with suppress(OSError):  # another machine need not have the folder, where the target needs none
            os.chdir(self._setup.folder)
        classifier = self._setup.job.open()
        self.tell(Opened(classifier.identity, version("saywhy")))
        return _Classifier(classifier, self)

    def _run(self, classifier: Classifier, chunk: Chunk) -> None:
        job = self._setup.job
        records = {record.id: record for record, _, _ in chunk.images}
        memories = {work.id: _Memory(work.id, known, self) for _, work, known in chunk.images}

        def images() -> Iterator[Work]:
            for _, work, _ in chunk.images:
                yield work

        def finished(number: int, result: AttackResult, after: Aftermath) -> None:
            del memories[number]
            made = make_outcome(records[number], result, after, self._setup.class_names, budget=int(job.attack.budget))
            self.tell(Done(made))

        def failed(number: int, error: UsageError) -> None:
            del memories[number]
            self.tell(Done(failed_outcome(records[number], str(error))))

        job.run(classifier, images(), finished, failed, memories.__getitem__)


class _Classifier(CappedClassifier):
    """The classifier of a worker, which asks nothing after the word to stop, nor beyond what was granted."""

    def __init__(self, classifier: Classifier, worker: ChunkWorker) -> None:
        super().__init__(classifier, 0, 0, 0)
        self.take = worker.take  # type: ignore[method-assign]

    def affords(self, made: Sequence[int]) -> bool:
        """Always: a chunk has no more images than the audit's ceiling is enough for."""
        del made
        return True


class _Memory:
    """An `AnswerMemory` in the worker; what is kept in it is told."""

    def __init__(self, number: int, known: Mapping[bytes, Floats], worker: ChunkWorker) -> None:
        self._number, self._known, self._worker = number, dict(known), worker
        self._resumed = bool(known)  # and then perhaps from a file of an earlier release

    def recall(self, images: Images) -> list[Floats | None]:
        if not self._known:
            return [None] * len(images)
        return look_up(self._known, images, former=self._resumed)

    def keep(self, images: Images, scores: Floats) -> None:
        self.add(image_keys(images), scores)

    def add(self, keys: Sequence[bytes], scores: Floats) -> None:
        rows = np.array(scores, dtype=np.float64)
        self._known.update(zip(keys, rows, strict=True))
        self._worker.tell(Answered(self._number, tuple(keys), rows))

    def forget(self) -> None:
        self._known.clear()
        self._worker.tell(Forgotten(self._number))
