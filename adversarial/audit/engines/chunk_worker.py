"""The work of an audit in a process of its own: chunks of images go in, and messages about them come out."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.answers import look_up
from adversarial.audit.work.capping import CappedClassifier
from adversarial.audit.work.outcomes import failed_outcome, make_outcome
from adversarial.audit.workers.mailbox import Mailbox
from adversarial.audit.workers.worker_setup import WorkerSetup
from adversarial.result import AttackStopped
from saywhy_core.arrays import image_keys
from saywhy_core.classifiers import ClassifierError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from adversarial.audit.records import ImageRecord
    from adversarial.audit.work.job import Aftermath, Work
    from adversarial.audit.work.outcomes import Outcome
    from adversarial.audit.workers.mailbox import Broken, Unusable
    from adversarial.result import AttackResult
    from saywhy_core.classifiers import Classifier
    from saywhy_core.errors import UsageError

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Setup(WorkerSetup):
    """What a worker starts with; see also `WorkerSetup`.

    Attributes:
        class_names: one name per class, or None.
        rationed: whether the worker may ask only as many queries as it was granted.
    """

    class_names: tuple[str, ...] | None
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


Message: TypeAlias = Opened | Answered | Forgotten | Done | Wanted | Idle | Interrupted


class ChunkWorker:
    """Opens the classifier once, and does the work on one chunk after another.

    Args:
        setup: what it starts with.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._mailbox: Mailbox[Chunk, Message] = Mailbox(gathered=(Answered, Forgotten), last=Idle())
        self._granted = 0
        self._mailbox.start(self._work, "audit")

    def exchange(
        self, chunk: Chunk | None = None, *, granted: int = 0, stop: bool = False
    ) -> list[Message | Unusable | Broken]:
        """Hand over a chunk, a grant of queries, or the word to stop, and take the messages; see `Mailbox`.

        A worker that is told to stop ends with `Idle`, after answers that were on their way.
        """
        with self._mailbox.changed:
            self._granted += granted
        return self._mailbox.exchange(chunk, stop=stop)

    def take(self, count: int) -> None:
        """Wait until so many queries may be made.

        Raises:
            KeyboardInterrupt: the worker is told to stop.
        """
        with self._mailbox.changed:
            self._mailbox.check()
            if not self._setup.rationed:
                return
            if self._granted < count:
                self._mailbox.tell(Wanted(count - self._granted))
                self._mailbox.wait(lambda: self._granted >= count)
                self._mailbox.check()
            self._granted -= count

    def _work(self) -> None:
        try:
            with self._setup.opened() as opened:
                self._mailbox.tell(Opened(opened.identity, version("saywhy")))
                classifier = _Classifier(opened, self.take)
                while (chunk := self._mailbox.next()) is not None:
                    self._mailbox.check()
                    self._run(classifier, chunk)
                    with self._mailbox.changed:
                        left, self._granted = self._granted, 0
                    self._mailbox.tell(Idle(left))
        except (AttackStopped, KeyboardInterrupt):
            pass
        except ClassifierError as error:  # while it is opened too: the endpoint is down
            self._mailbox.tell(Interrupted(str(error)))

    def _run(self, classifier: Classifier, chunk: Chunk) -> None:
        job = self._setup.job
        records = {record.id: record for record, _, _ in chunk.images}
        memories = {work.id: _Memory(work.id, known, self._mailbox.tell) for _, work, known in chunk.images}

        def images() -> Iterator[Work]:
            for _, work, _ in chunk.images:
                yield work

        def finished(number: int, result: AttackResult, after: Aftermath) -> None:
            del memories[number]
            made = make_outcome(records[number], result, after, self._setup.class_names, budget=int(job.attack.budget))
            self._mailbox.tell(Done(made))

        def failed(number: int, error: UsageError) -> None:
            del memories[number]
            self._mailbox.tell(Done(failed_outcome(records[number], str(error))))

        job.run(classifier, images(), finished, failed, memories.__getitem__)


class _Classifier(CappedClassifier):
    """The classifier of a worker, which asks nothing after the word to stop, nor beyond what was granted."""

    def __init__(self, classifier: Classifier, take: Callable[[int], None]) -> None:
        super().__init__(classifier, 0, 0, 0)
        self._wait_for_grant = take

    def take(self, count: int) -> None:
        """Wait until so many queries may be made."""
        self._wait_for_grant(count)

    def affords(self, made: Sequence[int]) -> bool:
        """Always: a chunk has no more images than the audit's ceiling is enough for."""
        del made
        return True


class _Memory:
    """An `AnswerMemory` in the worker; what is kept in it is told."""

    def __init__(self, number: int, known: Mapping[bytes, Floats], tell: Callable[[Answered | Forgotten], None]) -> None:
        self._number, self._known, self._tell = number, dict(known), tell
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
        self._tell(Answered(self._number, tuple(keys), rows))

    def forget(self) -> None:
        self._known.clear()
        self._tell(Forgotten(self._number))
