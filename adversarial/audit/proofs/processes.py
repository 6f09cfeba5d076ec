"""Workers for proofs that are processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from adversarial.audit.proofs.worker import ProofWorker
from saywhy_core.stopping import signals_wait

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from adversarial.audit.proofs.crew import Hand
    from adversarial.audit.proofs.prover import ProofWork
    from adversarial.audit.proofs.worker import ProofMessage, ProofSetup
    from adversarial.audit.workers.mailbox import Broken, Unusable

PATIENCE = 5.0  # seconds for a process that was killed to be gone


class ProcessCrews:
    """So many processes of this machine, each of which proves about one image at a time; see `Crews`.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self.most: int | None = most

    @contextmanager
    def open(self, setup: ProofSetup) -> Iterator[_Processes]:
        """The workers; see `Crews`."""
        with tempfile.TemporaryDirectory(prefix="saywhy-proofs-", ignore_cleanup_errors=True) as scratch:
            yield _Processes(setup, self.most or 1, scratch)


class _Processes:
    def __init__(self, setup: ProofSetup, most: int, scratch: str) -> None:
        self._setup, self.most, self._scratch = setup, most, scratch
        self._context = multiprocessing.get_context("spawn")  # a fork would copy the threads of torch by half
        self._heard: SimpleQueue[_Process] = SimpleQueue()

    def hire(self) -> _Process:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs, self._setup, self._scratch), daemon=True)
        with signals_wait():  # Ctrl-C goes to all processes of a terminal; it is this one that tells the workers
            process.start()
        theirs.close()
        return _Process(process, ours, self._heard)

    def wait(self, hands: Sequence[Hand], seconds: float) -> list[Hand]:
        with suppress(Empty):
            hand = self._heard.get(timeout=seconds)
            return [hand] if hand in hands else []
        return []


class _Process:
    """A process with a thread that reads what it says: no signal, which would come in between, is raised there."""

    def __init__(self, process: SpawnProcess, line: Connection, heard: SimpleQueue[_Process]) -> None:
        self._process, self._line, self._heard = process, line, heard
        self._answers: SimpleQueue[list[ProofMessage | Unusable | Broken] | None] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, work: ProofWork | None = None, journal: bytes | None = None, *, stop: bool = False) -> None:
        with suppress(OSError):  # it is lost, which `answer` tells
            self._line.send((work, journal, stop))

    def answer(self) -> list[ProofMessage | Unusable | Broken] | None:
        return self._answers.get()

    def end(self) -> None:
        self._process.kill()
        self._process.join(PATIENCE)

    def _listen(self) -> None:
        messages: list[ProofMessage | Unusable | Broken] | None = []
        while messages is not None:
            try:
                messages = self._line.recv()
            except (EOFError, OSError):
                messages = None
            self._answers.put(messages)
            self._heard.put(self)


def serve(line: Connection, setup: ProofSetup, scratch: str) -> None:
    """Be a worker, at the other end of a line, until that is closed; its temporary files are in the folder `scratch`."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    tempfile.tempdir = scratch  # which is removed by who started it: a process that is killed removes nothing
    os.environ["OMP_NUM_THREADS"] = "1"  # one thread for each proof, in whatever library
    worker = ProofWorker(setup)
    with suppress(EOFError, OSError):
        while True:
            work, journal, stop = line.recv()
            line.send(worker.exchange(work, journal, stop=stop))
