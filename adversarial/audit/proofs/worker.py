"""Proofs in a process of its own: images go in, and messages about them come out."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from adversarial.audit.proofs.prover import NotProvableError, ProofStopped, Prover
from adversarial.audit.workers.mailbox import Mailbox
from adversarial.audit.workers.worker_setup import WorkerSetup
from saywhy_core.classifiers import score_network
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from adversarial.audit.proofs.prover import ProofWork
    from adversarial.audit.workers.mailbox import Broken, Unusable
    from adversarial.bounds.pixel_bound import PixelBound, PixelProof
    from saywhy_core.classifiers import Classifier

KEPT_EVERY = 1.0  # seconds between two looks at the journal, which is handed over where it was written since


@dataclass(frozen=True, kw_only=True)
class ProofSetup(WorkerSetup):
    """What a worker starts with; see also `WorkerSetup`.

    Attributes:
        seconds: for each image.
        pixels: the most pixels that are proved.
        seed: of what is random.
        identity: of the model that is proved about; None where it has none.
    """

    seconds: float
    pixels: int
    seed: int
    identity: str | None


@dataclass(frozen=True)
class Ready:
    """The network can be read."""


@dataclass(frozen=True)
class JournalKept:
    """How far the proof about the image with that `id` is, so that another worker can go on from there."""

    id: int
    journal: bytes


@dataclass(frozen=True, eq=False)
class Proved:
    """A proof has ended, or was stopped.

    Attributes:
        id: of the image.
        bound: what is proved; None where it was stopped before anything was, or nothing can be proved about the image.
        ended: whether it was not stopped.
        said: what is to be said of how it went; "" for nothing.
        journal: the file from which it goes on; None where nothing is left to do, or nothing was begun.
    """

    id: int
    bound: PixelBound | None
    ended: bool
    said: str
    journal: bytes | None


ProofMessage: TypeAlias = Ready | JournalKept | Proved


class ProofWorker:
    """Opens the classifier's network once, and proves about one image after another, each in one thread.

    Args:
        setup: what it starts with.
    """

    def __init__(self, setup: ProofSetup) -> None:
        self._setup = setup
        self._mailbox: Mailbox[tuple[ProofWork, bytes | None], ProofMessage] = Mailbox()
        self._mailbox.start(self._work, "proofs")

    def exchange(
        self, work: ProofWork | None = None, journal: bytes | None = None, *, stop: bool = False
    ) -> list[ProofMessage | Unusable | Broken]:
        """Hand over an image and what is kept of a proof about it, or the word to stop, and take the messages; see `Mailbox`.

        A worker that is told to stop ends the proof on its way with `Proved`, after the batch that was begun.
        """
        return self._mailbox.exchange(None if work is None else (work, journal), stop=stop)

    def _work(self) -> None:
        with self._setup.opened() as classifier:
            prover = self._prover(classifier)
            self._mailbox.tell(Ready())
            while (given := self._mailbox.next()) is not None:
                with tempfile.TemporaryDirectory(prefix="saywhy-proofs-") as folder:  # for one proof: idle workers are killed
                    proved = self._prove(prover, given[0], Path(folder, f"{given[0].id}.journal"), given[1])
                self._mailbox.tell(proved)

    def _prover(self, classifier: Classifier) -> Prover:
        setup = self._setup
        if classifier.identity != setup.identity:
            raise UsageError(
                "it finds another model under the target's text; put the same file in the same place on all machines"
            )
        network = score_network(classifier)
        return Prover(network=network, seconds=setup.seconds, pixels=setup.pixels, seed=setup.seed, threads=1)

    def _prove(self, prover: Prover, work: ProofWork, file: Path, journal: bytes | None) -> Proved:
        if journal is not None:
            file.write_bytes(journal)
        looked, known = time.monotonic(), _written(file)

        def heard(_: PixelProof) -> None:
            nonlocal looked, known
            self._mailbox.check()
            if time.monotonic() - looked > KEPT_EVERY:
                looked, before, known = time.monotonic(), known, _written(file)
                if known != before:
                    self._mailbox.tell(JournalKept(work.id, file.read_bytes()))

        bound: PixelBound | None = None
        said, ended = "", True
        try:
            self._mailbox.check()
            bound, said = prover.prove(work, file, heard)
        except ProofStopped as stopped:
            bound, ended = stopped.bound, False
        except KeyboardInterrupt:
            ended = False
        except NotProvableError as error:
            said = str(error)
        left = file.read_bytes() if file.exists() else None
        done = ended and bound is not None and bound.proof.finished
        return Proved(work.id, bound, ended, said, None if done else left)


def _written(file: Path) -> int:
    return file.stat().st_mtime_ns if file.exists() else 0
