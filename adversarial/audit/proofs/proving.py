"""Proofs about the finished images of an audit, one after the other, each kept as soon as it is done."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from adversarial.audit.proofs.prover import ProofStopped
from adversarial.audit.records import ProofRecord
from saywhy_core.disk.destinations import check_own
from saywhy_core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from adversarial.audit.proofs.prover import Prover
    from adversarial.audit.records import ImageArrays, ImageRecord
    from adversarial.audit.store import AuditStore
    from adversarial.bounds.pixel_bound import PixelBound
    from saywhy_core.classifiers import Classifier
    from saywhy_core.progress import OnProgress

FOLDER = "proofs"
"""The folder of an audit for what is not finished about its images."""
GONE = "its pictures are gone, so that nothing can be proved about it"


class Proving(Protocol):
    """An audit that is ready to start, as far as proofs need it."""

    @property
    def prover(self) -> Prover | None:
        """What proves; None where nothing is to be proved."""

    @property
    def classifier(self) -> Classifier:
        """The classifier."""


def prove_images(
    store: AuditStore,
    prover: Prover,
    records: Sequence[ImageRecord],
    class_names: Sequence[str] | None,
    *,
    journal: Callable[[ImageRecord], Path],
    on_proof: Callable[[ImageRecord, ProofRecord, PixelBound, str], None],
    on_kept: Callable[[ImageRecord, ProofRecord], None] | None = None,
    on_progress: OnProgress | None = None,
) -> list[ImageRecord]:
    """Prove how many pixels each image needs; what is proved already, with as much time and as many pixels, is kept.

    Args:
        store: the audit.
        prover: see `Prover`.
        records: rows of finished images.
        class_names: one name per class, or None.
        journal: the file for what is not finished about an image; it is removed once nothing is left to do.
        on_proof: told of each proof, after its row is written, and what is to be said of it.
        on_kept: told of each proof that was made before and is kept.
        on_progress: told for how many of the images that need a proof it is made.

    Returns:
        The images whose pictures were not kept, about which nothing can be proved.

    Raises:
        KeyboardInterrupt: Ctrl-C, or a signal; what was proved is written.
        UsageError: the network has an operation that can't be bounded.
    """
    known = {proof.image: proof for proof in store.proofs()}
    left = [record for record in records if not _is_enough(known.get(record.id), prover)]
    if on_kept is not None:
        for record in records:
            if record not in left:
                on_kept(record, known[record.id])
    without: list[ImageRecord] = []

    done = 0

    def tell(_: object = None) -> None:
        if on_progress is not None:
            on_progress(done, len(left))

    for record in left:
        tell()
        arrays = store.arrays(record)
        if arrays is None or record.label is None:
            without.append(record)
        else:
            file = journal(record)
            file.parent.mkdir(exist_ok=True)
            stop: BaseException | None = None
            notes: list[str] = []
            try:
                bound = prover.prove(
                    arrays.original, record.label, adversarial=_known(record, arrays), journal=file,
                    on_state=tell, on_note=notes.append,
                )  # fmt: skip
            except ProofStopped as stopped:
                bound, stop = stopped.bound, stopped.__cause__ or stopped
            made = proof_record(record.id, bound, arrays, class_names, prover=prover, ended=stop is None)
            store.write_proof(made)
            on_proof(record, made, bound, made.sentence + "".join(f" ({note})" for note in notes))
            if stop is not None:
                raise stop
            if bound.proof.finished:
                file.unlink(missing_ok=True)
        done += 1
        tell()
    return without


def prove_rows(
    store: AuditStore,
    prepared: Proving,
    on_proof: Callable[[str, str], None] | None,
    on_progress: OnProgress | None,
) -> list[Problem]:
    """Prove how many pixels each attacked image of an audit needs, where that was asked for; the images without pictures.

    Args:
        store: the audit.
        prepared: the audit, ready to start.
        on_proof: told the name of each image and both bounds in words.
        on_progress: see `prove_images`.

    Raises:
        KeyboardInterrupt: Ctrl-C, or a signal; what was proved is written.
        UsageError: the network has an operation that can't be bounded.
    """
    if prepared.prover is None:
        return []

    def journal(record: ImageRecord) -> Path:
        file = store.directory / FOLDER / f"{record.id:06d}.journal"
        check_own(file, store.directory)
        return file

    def proved(record: ImageRecord, _: ProofRecord, __: PixelBound, said: str) -> None:
        if on_proof is not None:
            on_proof(record.name, said)

    without = prove_images(
        store, prepared.prover, list(store.images("found", "held")), prepared.classifier.class_names, journal=journal,
        on_proof=proved, on_progress=on_progress,
    )  # fmt: skip
    with suppress(OSError):  # there is none, or it holds what is to be gone on from
        (store.directory / FOLDER).rmdir()
    return [Problem(record.name, GONE) for record in without]


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
        changed=_changed(bound, arrays),
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
    if proof.exact:
        return True
    return proof.asked >= prover.pixels and (proof.finished or proof.allowed >= prover.seconds)
