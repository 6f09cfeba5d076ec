"""The engine that works on a Ray cluster: workers have the job done on chunks of images, and this process alone writes."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, Any

from adversarial.audit.engines.chunk_worker import (
    Answered,
    Chunk,
    ChunkWorker,
    Done,
    Forgotten,
    Idle,
    Interrupted,
    Opened,
    Setup,
    Wanted,
)  # fmt: skip
from adversarial.audit.engines.ray_crew import RayCrews
from adversarial.audit.engines.ray_session import check_reachable, ray_session
from adversarial.audit.work.capping import CappedClassifier
from adversarial.audit.work.outcomes import failed_outcome
from adversarial.audit.workers.mailbox import Broken, Unusable
from adversarial.result import AttackInterrupted, AttackStopped
from saywhy_core.classifiers import ClassifierError
from saywhy_core.errors import BudgetExceeded, UsageError
from saywhy_core.reading.ceilings import in_force

if TYPE_CHECKING:
    from adversarial.audit.engines.chunk_worker import Message
    from adversarial.audit.engines.engine import Tasks
    from adversarial.audit.records import ImageRecord
    from adversarial.audit.work.job import Work

CHUNK = 16  # images: enough to keep the batches full up to the last few, and a small share of any audit
LARGEST = 64  # images, for a target that answers several calls at once, each of them a batch
LOSSES = 3  # times that an image is lost with its worker before it counts as the reason
BARREN = 3  # workers in a row that end before they have opened the classifier, before none is started any more
RATION = 512  # queries that a worker is granted at once, where the audit has a ceiling
PATIENCE = 600.0  # seconds for the cluster to make room for a first worker
GRACE = 5.0  # seconds that workers have to hand over what they were answered when the audit stops
TICK = 1.0  # seconds: how often it is looked after, while no worker says anything


def run(tasks: Tasks, *, address: str | None = None, workers: int | None = None) -> None:
    """Do the work on a Ray cluster; see `Engine`.

    Each worker is an actor with one processor. It opens the classifier by its text, takes chunks of images with their pixels,
    and hands back each finding at once and each answer within a tenth of a second, so that a worker that is lost costs the
    answers of that time alone; its images are given to another one. An image with which workers are lost three times, the
    last time alone, has failed. The results are those of the engine `local`.

    Args:
        tasks: see `Engine`.
        address: of the cluster, such as "10.0.0.1:6379"; None starts one on this machine for the time of the audit.
        workers: how many work at once; None for one per processor of the cluster.

    Raises:
        UsageError: Ray is missing or can't be reached; the target is an object of this program, or a worker can't open it, or
            has another release of saywhy or another model under that text; workers end again and again; or see `Engine`.
    """
    with ray_session(address, workers) as ray:
        _Cluster(ray, tasks, workers or max(1, int(ray.cluster_resources().get("CPU", 1)))).run()


def check(travels: bool, *, address: str | None = None, workers: int | None = None) -> None:
    """See whether the work can be done on a Ray cluster, before anything is asked; see `Engine`."""
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise UsageError(f"workers must be a whole number of at least 1, not {workers!r}")
    if not travels:
        raise UsageError(
            "the engine ray opens the classifier in each of its workers; give it as a text, such as onnx:model.onnx, or "
            "python:module:function for one of your own"
        )
    if address is not None:
        check_reachable(address)


run.check = check  # type: ignore[attr-defined]  # an engine may have both
run.crews = RayCrews  # type: ignore[attr-defined]


@dataclass(eq=False)
class _Worker:
    """A worker as this process sees it."""

    actor: Any
    call: Any  # its exchange on the way; None once that was taken
    opened: bool = False
    images: dict[int, tuple[ImageRecord, Work]] = field(default_factory=dict)  # given to it and not done
    idle: bool = True
    granted: int = 0  # queries to be granted with the next exchange
    at_hand: int = 0  # queries that it was granted and has not made, as far as it has told
    made: Counter[int] = field(default_factory=Counter)  # queries for each of its images

    def owes(self, per_image: int) -> int:
        """The most queries that its images still need beyond those at hand."""
        return max(0, sum(max(1, per_image - self.made[number]) for number in self.images) - self.at_hand)


class _Cluster:
    def __init__(self, ray: Any, tasks: Tasks, most: int) -> None:
        self.ray, self.tasks, self.most = ray, tasks, most
        self.waiting = iter(tasks.waiting)
        self.buffer: deque[tuple[ImageRecord, Work]] = deque()
        self.suspects: deque[tuple[ImageRecord, Work]] = deque()  # each is given to a worker alone
        self.losses: Counter[int] = Counter()
        self.workers: list[_Worker] = []
        self.barren = 0
        calls = int(getattr(tasks.classifier, "concurrency", 1) or 1)
        self.chunk = min(CHUNK * max(1, calls), LARGEST)
        self.actor = ray.remote(ChunkWorker)
        self.ceiling = tasks.classifier if isinstance(tasks.classifier, CappedClassifier) else None
        self.per_image = tasks.job.queries
        self.setup = ray.put(
            Setup(
                job=tasks.job, class_names=tasks.class_names, folder=os.getcwd(), limits=in_force(),  # noqa: PTH109
                rationed=self.ceiling is not None,
            )
        )  # fmt: skip
        self.begun = time.monotonic()

    def run(self) -> None:
        try:
            while self._fill():
                self._start()
                calls = {worker.call: worker for worker in self.workers}
                ready, _ = self.ray.wait(list(calls), num_returns=1, timeout=TICK)
                for call in ready:
                    self._receive(calls[call])
                self._look_after()
        except (ClassifierError, BudgetExceeded) as error:
            self._stop()
            raise AttackInterrupted(str(error), []) from error
        except KeyboardInterrupt as stop:
            self._stop()
            raise AttackStopped([]) from stop
        finally:
            for worker in self.workers:
                self._kill(worker)

    def _fill(self) -> bool:
        """Have images at hand for all workers; whether anything is left to do."""
        room = self.most * self.chunk - len(self.buffer)
        self.buffer.extend(islice(self.waiting, max(0, room)))
        return bool(self.buffer or self.suspects) or any(worker.images for worker in self.workers)

    def _start(self) -> None:
        """Start as many workers as there are images for, at most those allowed."""
        busy = sum(bool(worker.images) for worker in self.workers)
        wanted = min(self.most, busy + len(self.buffer) + len(self.suspects))
        while len(self.workers) < wanted:
            actor = self.actor.options(num_cpus=1, max_restarts=0, max_task_retries=0).remote(self.setup)
            self.workers.append(_Worker(actor, actor.exchange.remote()))

    def _next(self) -> list[tuple[ImageRecord, Work]]:
        """The images of the next chunk: an equal share of those at hand, or one that workers were lost with."""
        if self.suspects and self._affordable():
            return [self.suspects.popleft()]
        share = min(self.chunk, -(-len(self.buffer) // self.most), self._affordable())
        return [self.buffer.popleft() for _ in range(share)]

    def _affordable(self) -> int:
        """How many images may be given to a worker, so that the ceiling is enough for all that workers have; one at least."""
        if self.ceiling is None:
            return self.chunk
        left = self.ceiling.left - sum(worker.owes(self.per_image) for worker in self.workers)
        alone = not any(worker.images for worker in self.workers)
        return max(int(alone), left // self.per_image)

    def _receive(self, worker: _Worker) -> None:
        messages = self._taken(worker)
        if messages is None:
            self._lost(worker)
            return
        wanted = 0
        for message in messages:
            self._take(worker, message)
            if isinstance(message, Wanted):
                wanted += message.queries
        if wanted:
            granted = self._grant(worker, wanted)
            worker.granted += granted
            worker.at_hand += granted
        self._fill()
        images = self._next() if worker.opened and worker.idle else []
        chunk = None
        if images:
            worker.images, worker.idle = {record.id: (record, work) for record, work in images}, False
            chunk = Chunk([(record, work, self.tasks.memory(work.id).answers()) for record, work in images])
            worker.made.update({record.id: len(known) for record, _, known in chunk.images})
        granted, worker.granted = worker.granted, 0
        worker.call = worker.actor.exchange.remote(chunk, granted=granted)

    def _taken(self, worker: _Worker) -> list[Message | Unusable | Broken] | None:
        """What a worker says; None where it is lost."""
        try:
            messages: list[Message | Unusable | Broken] = self.ray.get(worker.call)
        except self.ray.exceptions.RayTaskError:
            raise
        except self.ray.exceptions.RayError:
            return None
        worker.call = None
        return messages

    def _take(self, worker: _Worker, message: Message | Unusable | Broken) -> None:
        match message:
            case Opened():
                worker.opened, self.barren = True, 0
                self._check(message)
            case Answered(number, keys, scores):
                worker.at_hand -= len(keys)
                self.tasks.asked(len(keys))
                if number in worker.images:
                    worker.made[number] += len(keys)
                    self.tasks.memory(number).add(keys, scores)
            case Forgotten(number):
                if number in worker.images:
                    self.tasks.memory(number).forget()
            case Done(outcome):
                made = worker.made.pop(outcome.record.id)
                del worker.images[outcome.record.id]
                worker.at_hand -= 1  # the check at the end, which is no answer to keep
                self.tasks.asked(int(outcome.record.queries > made))
                self.tasks.finished(outcome)
            case Idle(left):
                worker.idle, worker.at_hand = True, 0
                if self.ceiling is not None:
                    self.ceiling.give_back(left)
            case Interrupted(why):
                raise ClassifierError(why)
            case Unusable(why):
                raise UsageError(f"a Ray worker can't do the work: {why}")
            case Broken(said):
                raise RuntimeError(f"a Ray worker failed:\n{said}")

    def _check(self, opened: Opened) -> None:
        here = version("saywhy")
        if opened.release != here:
            raise UsageError(
                f"a Ray worker has saywhy {opened.release}, and this machine has {here}; install one release on all machines"
            )
        identity = self.tasks.classifier.identity
        if opened.identity != identity:
            raise UsageError(
                "a Ray worker finds another model under the target's text than this machine; put the same file in the same "
                "place on all machines"
            )

    def _grant(self, worker: _Worker, wanted: int) -> int:
        """Take queries from the audit's ceiling for a worker: some more than it wants now, if its images may need them."""
        assert self.ceiling is not None
        granted = max(wanted, min(RATION, worker.owes(self.per_image), self.ceiling.left))
        self.ceiling.take(granted)
        return granted

    def _lost(self, worker: _Worker) -> None:
        """A worker is gone: its images wait again, behind those at hand; one that it was lost with too often has failed."""
        self.workers.remove(worker)
        self.barren += not worker.opened
        if self.barren >= BARREN:
            raise UsageError(
                f"{self.barren} Ray workers in a row ended before they had opened the classifier; Ray's logs say why"
            )
        alone = len(worker.images) == 1
        for number, (record, work) in worker.images.items():
            self.losses[number] += 1
            if self.losses[number] >= LOSSES and alone:
                self.tasks.finished(
                    failed_outcome(record, f"{self.losses[number]} Ray workers ended while they worked on this image")
                )
            elif self.losses[number] >= LOSSES - 1:
                self.suspects.append((record, work))
            else:
                self.buffer.append((record, work))

    def _look_after(self) -> None:
        if not any(worker.opened for worker in self.workers) and time.monotonic() - self.begun > PATIENCE:
            have = int(self.ray.cluster_resources().get("CPU", 0))
            raise UsageError(f"the Ray cluster, which has {have} processors, has made no room for a worker in 10 minutes")

    def _stop(self) -> None:
        """Have the workers ask nothing more, and keep what they were answered until then."""
        end = time.monotonic() + GRACE
        told = {worker for worker in self.workers if worker.call is None}
        for worker in told:
            worker.call = worker.actor.exchange.remote(stop=True)
        left = {worker.call: worker for worker in self.workers if worker.opened}
        while left and (seconds := end - time.monotonic()) > 0:
            ready, _ = self.ray.wait(list(left), num_returns=1, timeout=seconds)
            for call in ready:
                worker = left.pop(call)
                messages = self._taken(worker)
                if messages is None:
                    continue
                for message in messages:
                    if isinstance(message, (Answered, Forgotten, Done)):
                        self._take(worker, message)
                if worker in told and any(isinstance(message, Idle) for message in messages):
                    continue
                told.add(worker)
                worker.call = worker.actor.exchange.remote(stop=True)
                left[worker.call] = worker

    def _kill(self, worker: _Worker) -> None:
        self.ray.kill(worker.actor)
