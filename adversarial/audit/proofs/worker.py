"""Proofs in a process of its own: images go in, and messages about them come out."""

from __future__ import annotations

import os
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from adversarial.audit.proofs.prover import NotProvableError, ProofStopped, Prover
from saywhy_core.classifiers import ClassifierError, score_network
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceilings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adversarial.audit.proofs.prover import ProofWork
    from adversarial.audit.work.job import Job
    from adversarial.bounds.pixel_bound import PixelBound, PixelProof

KEPT_EVERY = 1.0  # seconds between two looks at the journal, which is handed over where it was written since
QUIET = 1.0  # seconds after which a worker that has nothing to tell says so, which shows that it is alive


@dataclass(frozen=True, kw_only=True)
class ProofSetup:
    """What a worker starts with. It can be pickled.

    Attributes:
        job: opens the classifier.
        seconds: for each image.
        pixels: the most pixels that are proved.
        seed: of what is random.
        identity: of the model that is proved about; None where it has none.
        folder: where relative paths of the target start.
        limits: the ceilings in force, see `saywhy_core.reading.ceilings`.
    """

    job: Job
    seconds: float
    pixels: int
    seed: int
    identity: str | None
    folder: str
    limits: Mapping[str, int]


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


@dataclass(frozen=True)
class CanNot:
    """The worker can't work, and why."""

    why: str


@dataclass(frozen=True)
class Failed:
    """An error in the code: its traceback."""

    said: str


ProofMessage: TypeAlias = Ready | JournalKept | Proved | CanNot | Failed


class ProofWorker:
    """Opens the classifier's network once, and proves about one image after another in a thread of its own.

    Each proof computes in one thread. Everything goes through `exchange`, so that whoever holds the worker needs one call on
    its way, whatever carries the calls.

    Args:
        setup: what it starts with.
    """

    def __init__(self, setup: ProofSetup) -> None:
        self._setup = setup
        self._told = threading.Condition()
        self._messages: list[ProofMessage] = []
        self._works: list[tuple[ProofWork, bytes | None]] = []
        self._stopped = False
        threading.Thread(target=self._work, name="proofs", daemon=True).start()

    def exchange(
        self, work: ProofWork | None = None, journal: bytes | None = None, *, stop: bool = False
    ) -> list[ProofMessage]:
        """Hand over an image and what is kept of a proof about it, or the word to stop, and take the messages; waits for some.

        A worker that is told to stop ends the proof on its way with `Proved`, after the batch that was begun.
        """
        with self._told:
            if work is not None:
                self._works.append((work, journal))
            self._stopped = self._stopped or stop
            self._told.notify_all()
            self._told.wait_for(lambda: bool(self._messages), QUIET)
            messages, self._messages = self._messages, []
            return messages

    def _tell(self, message: ProofMessage) -> None:
        with self._told:
            self._messages.append(message)
            self._told.notify_all()

    def _work(self) -> None:
        try:
            with ceilings(**dict(self._setup.limits)), tempfile.TemporaryDirectory(prefix="saywhy-proofs-") as folder:
                prover = self._open()
                self._tell(Ready())
                while True:
                    with self._told:
                        self._told.wait_for(lambda: bool(self._works) or self._stopped)
                        if not self._works:
                            return
                        work, journal = self._works.pop(0)
                    self._tell(self._prove(prover, work, Path(folder, f"{work.id}.journal"), journal))
        except (UsageError, ClassifierError) as error:
            self._tell(CanNot(str(error)))
        except BaseException:  # noqa: BLE001 - it is raised where the messages are read
            self._tell(Failed(traceback.format_exc()))

    def _open(self) -> Prover:
        setup = self._setup
        with suppress(OSError):  # another machine need not have the folder, where the target needs none
            os.chdir(setup.folder)
        classifier = setup.job.open()
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
            if self._stopped:
                raise KeyboardInterrupt
            if time.monotonic() - looked > KEPT_EVERY:
                looked, before, known = time.monotonic(), known, _written(file)
                if known != before:
                    self._tell(JournalKept(work.id, file.read_bytes()))

        bound: PixelBound | None = None
        said, ended = "", True
        try:
            if self._stopped:
                raise KeyboardInterrupt
            bound, said = prover.prove(work, file, heard)
        except ProofStopped as stopped:
            bound, ended = stopped.bound, False
        except KeyboardInterrupt:
            ended = False
        except NotProvableError as error:
            said = str(error)
        left = file.read_bytes() if file.exists() else None
        file.unlink(missing_ok=True)
        done = ended and bound is not None and bound.proof.finished
        return Proved(work.id, bound, ended, said, None if done else left)


def here() -> str:
    """The release of saywhy of this process, which workers on other machines must have as well."""
    return version("saywhy")


def _written(file: Path) -> int:
    return file.stat().st_mtime_ns if file.exists() else 0
