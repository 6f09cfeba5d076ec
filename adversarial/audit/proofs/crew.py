"""Proofs shared out among workers: each proves about one image at a time, and this process alone writes."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from adversarial.audit.proofs.worker import JournalKept, Proved, Ready
from adversarial.audit.workers.mailbox import Broken, Unusable
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from adversarial.audit.proofs.prover import ProofWork
    from adversarial.audit.proofs.worker import ProofMessage, ProofSetup

LOSSES = 2  # times that an image is lost with its worker before it counts as the reason
BARREN = 3  # workers in a row that end before they have read the network, before none is started any more
TICK = 1.0  # seconds: how often it is looked after, while no worker says anything
GRACE = 5.0  # seconds that workers have to hand over what they have proved when the audit stops


class Hand(Protocol):
    """One worker, elsewhere; calls may follow each other before they are answered."""

    def ask(self, work: ProofWork | None = None, journal: bytes | None = None, *, stop: bool = False) -> None:
        """Call `ProofWorker.exchange` there."""

    def answer(self) -> list[ProofMessage | Unusable | Broken] | None:
        """What the first call that is not answered brought; None where the worker is lost."""

    def end(self) -> None:
        """End it, at once."""


class Crew(Protocol):
    """Workers that can be had.

    Attributes:
        most: how many work at once.
    """

    most: int

    def hire(self) -> Hand:
        """Start one."""

    def wait(self, hands: Sequence[Hand], seconds: float) -> Sequence[Hand]:
        """Those of them that have an answer, or are lost; waits for one."""


class Crews(Protocol):
    """What an engine has for proofs, as its attribute `crews`: called with the engine's options.

    Attributes:
        most: how many proofs are made at once; None where that is not known before.
    """

    most: int | None

    def open(self, setup: ProofSetup) -> AbstractContextManager[Crew]:
        """The workers, for the time of the block.

        Raises:
            UsageError: there are none to be had.
        """


@dataclass(eq=False)
class _Worker:
    hand: Hand
    ready: bool = False
    work: ProofWork | None = None


class SharedProofs:
    """Has workers prove about images.

    Args:
        crew: the workers.
        most: how many may work at once.
        works: the images; each is taken when a worker is free for it.
        journal: what is kept of an earlier proof about an image; None where nothing is.
        keep: told what is to be kept of a proof that goes on.
        proved: told of each proof that has ended or was stopped.
        lost: told of each image about which nothing is proved, and why nothing more is tried.
        tell: called from time to time.
    """

    def __init__(
        self,
        crew: Crew,
        most: int,
        works: Iterator[ProofWork],
        *,
        journal: Callable[[int], bytes | None],
        keep: Callable[[int, bytes], None],
        proved: Callable[[ProofWork, Proved], None],
        lost: Callable[[ProofWork, str], None],
        tell: Callable[[], None],
    ) -> None:
        self._crew, self._most, self._works = crew, most, works
        self._journal, self._keep, self._proved, self._lost, self._tell = journal, keep, proved, lost, tell
        self._again: deque[ProofWork] = deque()
        self._at_hand: ProofWork | None = None
        self._workers: list[_Worker] = []
        self._losses: Counter[int] = Counter()
        self._barren = 0

    def run(self) -> None:
        """Prove about all images.

        Raises:
            KeyboardInterrupt: Ctrl-C, or a signal; what was proved was told.
            UsageError: the workers can't work.
        """
        try:
            while self._hire():
                self._tell()
                for worker in self._answered(TICK):
                    self._receive(worker)
        except KeyboardInterrupt:
            self._stop()
            raise
        finally:
            for worker in self._workers:
                worker.hand.end()

    def _more(self) -> bool:
        """Whether an image waits for a worker."""
        if self._at_hand is None:
            self._at_hand = self._again.popleft() if self._again else next(self._works, None)
        return self._at_hand is not None

    def _hire(self) -> bool:
        """Start the workers that are missing; whether there is something to wait for."""
        waits = self._more()
        while waits and len(self._workers) < self._most:
            self._workers.append(_Worker(self._crew.hire()))
            self._workers[-1].hand.ask()
        return waits or any(worker.work is not None for worker in self._workers)

    def _answered(self, seconds: float) -> list[_Worker]:
        hands = {id(worker.hand): worker for worker in self._workers}
        return [hands[id(hand)] for hand in self._crew.wait([worker.hand for worker in self._workers], seconds)]

    def _receive(self, worker: _Worker) -> None:
        messages = worker.hand.answer()
        if messages is None:
            self._gone(worker)
            return
        for message in messages:
            self._take(worker, message)
        if worker.ready and worker.work is None and self._more():
            worker.work, self._at_hand = self._at_hand, None
            assert worker.work is not None
            worker.hand.ask(worker.work, self._journal(worker.work.id))
        else:
            worker.hand.ask()

    def _take(self, worker: _Worker, message: ProofMessage | Unusable | Broken) -> None:
        match message:
            case Ready():
                worker.ready, self._barren = True, 0
            case JournalKept(number, journal):
                self._keep(number, journal)
            case Proved():
                work, worker.work = worker.work, None
                if work is not None and message.bound is not None:
                    self._proved(work, message)
                elif work is not None and message.ended:
                    self._lost(work, message.said)
            case Unusable(why):
                raise UsageError(f"a worker can't prove: {why}")
            case Broken(said):
                raise RuntimeError(f"a worker failed:\n{said}")

    def _gone(self, worker: _Worker) -> None:
        """A worker is lost: another one goes on with its image, from what was kept last."""
        self._workers.remove(worker)
        worker.hand.end()
        self._barren += not worker.ready
        if self._barren >= BARREN:
            raise UsageError(
                f"{self._barren} workers in a row ended before they had read the network; prove without workers to see why (a "
                'script must start them under `if __name__ == "__main__":`)'
            )
        if worker.work is not None:
            self._losses[worker.work.id] += 1
            if self._losses[worker.work.id] >= LOSSES:
                self._lost(worker.work, f"{LOSSES} workers ended while they proved about it")
            else:
                self._again.append(worker.work)

    def _stop(self) -> None:
        """Have the workers end what they are at, and take what they have proved."""
        end = time.monotonic() + GRACE
        for worker in self._workers:
            worker.hand.ask(stop=True)
        while (seconds := end - time.monotonic()) > 0 and any(worker.work is not None for worker in self._workers):
            for worker in self._answered(seconds):
                messages = worker.hand.answer()
                if messages is None:
                    self._workers.remove(worker)
                    worker.hand.end()
                    continue
                for message in messages:
                    if isinstance(message, JournalKept | Proved):
                        self._take(worker, message)
                if worker.work is not None:
                    worker.hand.ask(stop=True)
