"""Proofs about the finished images of an audit, one after the other or several at once, each kept as soon as it is done."""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from adversarial.audit.proofs.crew import SharedProofs
from adversarial.audit.proofs.earlier import earlier_bound
from adversarial.audit.proofs.prover import NotProvableError, ProofStopped, ProofWork
from adversarial.audit.proofs.worker import ProofSetup
from adversarial.audit.records import ProofRecord
from saywhy_core.disk.destinations import check_own
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import Problem
from saywhy_core.reading.ceilings import in_force

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from adversarial.audit.proofs.crew import Crews
    from adversarial.audit.proofs.prover import Prover
    from adversarial.audit.proofs.worker import Proved
    from adversarial.audit.records import ImageArrays, ImageRecord, Status
    from adversarial.audit.store import AuditStore
    from adversarial.audit.work.job import Job
    from adversarial.bounds.pixel_bound import PixelBound
    from saywhy_core.classifiers import Classifier
    from saywhy_core.progress import OnProgress

FOLDER = "proofs"
"""The folder of an audit for what is not finished about its images."""
PROVABLE: tuple[Status, ...] = ("found", "held")
"""The statuses of images about which something can be proved."""
GONE = "its pictures are gone, so that nothing can be proved about it"


class Proving(Protocol):
    """An audit that is ready to start, as far as proofs need it."""

    @property
    def prover(self) -> Prover | None:
        """What proves; None where nothing is to be proved."""

    @property
    def classifier(self) -> Classifier:
        """The classifier."""

    @property
    def job(self) -> Job:
        """What is done to each image."""


def prove_images(
    store: AuditStore,
    prover: Prover,
    records: Sequence[ImageRecord],
    class_names: Sequence[str] | None,
    *,
    journal: Callable[[ImageRecord], Path],
    on_proof: Callable[[ImageRecord, ProofRecord, PixelBound, str], None],
    on_kept: Callable[[ImageRecord, ProofRecord], None] | None = None,
    written: Callable[[ImageRecord], ProofRecord | None] = lambda _: None,
    on_progress: OnProgress | None = None,
    elsewhere: tuple[Crews, ProofSetup] | None = None,
) -> list[tuple[ImageRecord, str]]:
    """Prove how many pixels each image needs; what is proved already, with as much time and as many pixels, is kept.

    Args:
        store: the audit.
        prover: see `Prover`.
        records: rows of finished images.
        class_names: one name per class, or None.
        journal: the file for what is not finished about an image; it is removed once nothing is left to do.
        on_proof: told of each proof, after its row is written, and what is to be said of how it went; "" for nothing.
        on_kept: told of each proof that was made before and is kept.
        written: what was proved about an image of which the database holds no proof, as far as that is written elsewhere.
        on_progress: told for how many of the images that need a proof it is made.
        elsewhere: workers that prove, several at once, and what they start with; None for this process, one after the other.

    Returns:
        The images about which nothing is proved, and why: their pictures were not kept, nothing can be proved about them, or
        workers are lost with them.

    Raises:
        KeyboardInterrupt: Ctrl-C, or a signal; what was proved is written.
        UsageError: the network has an operation that can't be bounded, or there are no workers to be had.
    """
    known = {proof.image: proof for proof in store.proofs()}
    left = {record.id: record for record in records if not _is_enough(known.get(record.id), prover)}
    if on_kept is not None:
        for record in records:
            if record.id not in left:
                on_kept(record, known[record.id])
    without: list[tuple[ImageRecord, str]] = []
    originals: dict[int, ImageArrays] = {}  # of the images that are being proved about
    done = 0

    def tell(*, more: int = 0) -> None:
        nonlocal done
        done += more
        if on_progress is not None:
            on_progress(done, len(left))

    def works() -> Iterator[ProofWork]:
        for record in left.values():
            arrays = store.arrays(record)
            if arrays is None or record.label is None:
                without.append((record, GONE))
                tell(more=1)
                continue
            originals[record.id] = arrays
            journal(record).parent.mkdir(exist_ok=True)
            before = earlier_bound(record, arrays, known.get(record.id) or written(record))
            yield ProofWork(record.id, arrays.original, record.label, _known(record, arrays), before)

    def write(work: ProofWork, bound: PixelBound, said: str, *, ended: bool) -> None:
        record, file = left[work.id], journal(left[work.id])
        made = proof_record(work.id, bound, originals.pop(work.id), class_names, prover=prover, ended=ended)
        store.write_proof(made)
        on_proof(record, made, bound, f"{file}: {said}" if said else "")
        if ended and bound.proof.finished:
            file.unlink(missing_ok=True)
        tell(more=int(ended))

    def lost(work: ProofWork, why: str) -> None:
        originals.pop(work.id)
        without.append((left[work.id], why))
        tell(more=1)

    if elsewhere is None:
        _one_by_one(prover, works(), lambda work: journal(left[work.id]), write, lost, tell)
    elif left:
        crews, setup = elsewhere
        with crews.open(setup) as crew:
            files = _Journals(lambda number: journal(left[number]))
            SharedProofs(
                crew, min(crew.most, len(left)), works(), journal=files.read, keep=files.write, lost=lost, tell=tell,
                proved=lambda work, said: files.put(work, said, write),
            ).run()  # fmt: skip
    return without


def _one_by_one(
    prover: Prover,
    works: Iterator[ProofWork],
    journal: Callable[[ProofWork], Path],
    write: Callable[..., None],
    lost: Callable[[ProofWork, str], None],
    tell: Callable[..., None],
) -> None:
    """Prove in this process."""
    tell()
    for work in works:
        try:
            bound, said = prover.prove(work, journal(work), lambda _: tell())
        except ProofStopped as stopped:
            write(work, stopped.bound, "", ended=False)
            raise stopped.__cause__ or stopped from None
        except NotProvableError as error:
            lost(work, str(error))
            continue
        write(work, bound, said, ended=True)


class _Journals:
    """The files of proofs that are made elsewhere."""

    def __init__(self, place: Callable[[int], Path]) -> None:
        self._place = place

    def read(self, number: int) -> bytes | None:
        file = self._place(number)
        return file.read_bytes() if file.is_file() else None

    def write(self, number: int, journal: bytes) -> None:
        with atomic_open(self._place(number), "wb") as stream:
            stream.write(journal)

    def put(self, work: ProofWork, said: Proved, write: Callable[..., None]) -> None:
        """Keep what is left of a proof, then its row."""
        if said.journal is not None:
            self.write(work.id, said.journal)
        if said.bound is not None:
            write(work, said.bound, said.said, ended=said.ended)


def proofs_left(store: AuditStore | None, prover: Prover | None, waiting: int) -> int:
    """How many images may get a proof: those attacked whose proof is not enough, and those that wait to be attacked.

    Args:
        store: the audit; None for a new one.
        prover: what proves; None where nothing is to be proved.
        waiting: how many images wait.
    """
    if prover is None:
        return 0
    if store is None:
        return waiting
    known = {proof.image: proof for proof in store.proofs()}
    return waiting + sum(not _is_enough(known.get(record.id), prover) for record in store.images(*PROVABLE))


def prove_rows(
    store: AuditStore,
    prepared: Proving,
    on_proof: Callable[[str, str], None] | None,
    on_progress: OnProgress | None,
    crews: Crews | None = None,
) -> tuple[list[Problem], list[Problem]]:
    """Prove how many pixels each attacked image of an audit needs, where that was asked for.

    Args:
        store: the audit.
        prepared: the audit, ready to start.
        on_proof: told the name of each image and both bounds in words.
        on_progress: see `prove_images`.
        crews: where proofs are made; None for this process.

    Returns:
        The images without a proof, and why; and what is to be said of how other proofs went.

    Raises:
        KeyboardInterrupt: Ctrl-C, or a signal; what was proved is written.
        UsageError: the network has an operation that can't be bounded, or there are no workers to be had.
    """
    prover = prepared.prover
    if prover is None:
        return [], []
    remarks: list[Problem] = []

    def journal(record: ImageRecord) -> Path:
        file = store.directory / FOLDER / f"{record.id:06d}.journal"
        check_own(file, store.directory)
        return file

    def proved(record: ImageRecord, made: ProofRecord, _: PixelBound, said: str) -> None:
        if said:
            remarks.append(Problem(record.name, said))
        if on_proof is not None:
            on_proof(record.name, with_remark(made, said))

    setup = ProofSetup(
        job=prepared.job, seconds=prover.seconds, pixels=prover.pixels, seed=prover.seed,
        identity=prepared.classifier.identity, folder=os.getcwd(), limits=in_force(),  # noqa: PTH109
    )  # fmt: skip
    without = prove_images(
        store, prover, list(store.images(*PROVABLE)), prepared.classifier.class_names, journal=journal,
        on_proof=proved, on_progress=on_progress, elsewhere=None if crews is None else (crews, setup),
    )  # fmt: skip
    with suppress(OSError):  # there is none, or it holds what is to be gone on from
        (store.directory / FOLDER).rmdir()
    return [Problem(record.name, why) for record, why in without], remarks


def with_remark(proof: ProofRecord, said: str) -> str:
    """Both bounds in words, with what is to be said of how the proof went."""
    return f"{proof.sentence} ({said})" if said else proof.sentence


def proof_record(
    image: int, bound: PixelBound, arrays: ImageArrays, class_names: Sequence[str] | None, *, prover: Prover, ended: bool
) -> ProofRecord:
    """The row of a proof.

    Args:
        image: the `id` of the image.
        bound: what was proved.
        arrays: the pictures of the image.
        class_names: one name per class, or None.
        prover: what was asked.
        ended: whether the proof was not interrupted.
    """
    proof = bound.proof
    said: dict[str, Any] = bound.to_json(class_names)
    reached = said["adversarial_label"] or {}
    return ProofRecord(
        image=image, lower=said["lower"], upper=said["upper"], sentence=said["statement"], condition=said["condition"],
        network=proof.network, asked=prover.pixels, allowed=prover.seconds, ended=ended, finished=bool(proof.finished),
        share=float(proof.share), blocks=int(proof.blocks), seconds=round(float(proof.seconds), 3),
        rounding=float(proof.rounding), adversarial_label=reached.get("index"), adversarial_name=reached.get("name"),
        changed=_changed(bound, arrays), digest=proof.digest,
    )  # fmt: skip


def _known(record: ImageRecord, arrays: ImageArrays) -> tuple[Any, int] | None:
    if arrays.adversarial is None or record.adversarial_label is None:
        return None
    return arrays.adversarial, record.adversarial_label


def _changed(bound: PixelBound, arrays: ImageArrays) -> str | None:
    """The example as [y, x, values] lists, where it is another one than that of the attack."""
    witness = bound.witness
    if witness is None or bound.upper in (0, math.inf):
        return None
    if arrays.adversarial is not None and np.array_equal(witness, arrays.adversarial):
        return None
    places = np.argwhere((witness != arrays.original).any(axis=2))
    return json.dumps([[int(y), int(x), witness[y, x].tolist()] for y, x in places])


def _is_enough(proof: ProofRecord | None, prover: Prover) -> bool:
    if proof is None or not proof.ended:
        return False
    if proof.exact or proof.lower > prover.pixels:
        return True
    return proof.asked >= prover.pixels and (proof.finished or proof.allowed >= prover.seconds)
