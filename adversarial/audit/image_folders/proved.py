"""What is proved about images beside their findings, in the folder of each and in the rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from adversarial.audit.image_folders.folders import JOURNAL, read_record
from adversarial.audit.proofs.earlier import row_of_json
from adversarial.audit.proofs.proving import prove_images, with_remark
from adversarial.audit.records import FINISHED
from adversarial.findings.record import RECORD, record_text
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from adversarial.audit.image_folders.entries import Entry
    from adversarial.audit.proofs.prover import Prover
    from adversarial.audit.records import ImageRecord, ProofRecord
    from adversarial.audit.store import AuditStore
    from adversarial.bounds.pixel_bound import PixelBound
    from saywhy_core.progress import OnProgress


def prove_folders(
    store: AuditStore,
    prover: Prover,
    entries: Sequence[Entry],
    class_names: Sequence[str] | None,
    *,
    on_proof: Callable[[str, str], None] | None,
    on_progress: OnProgress | None,
) -> tuple[int, list[Problem]]:
    """Prove how many pixels each finished image needs, and write that into its row and its `result.json`, as `proof`.

    Args:
        store: the database of the folders.
        prover: see `Prover`.
        entries: the images.
        class_names: one name per class, or None.
        on_proof: told the name of each image and what was proved about it, now or before, in words.
        on_progress: see `prove_images`.

    Returns:
        How many proofs were made, and the images about which nothing is proved.
    """
    by_number = {entry.record.id: entry for entry in entries}
    known = {record.id: record for record in store.images(*FINISHED)}
    records = [known[number] for number in by_number if number in known]

    made = 0

    def proved(record: ImageRecord, proof: ProofRecord, bound: PixelBound, said: str) -> None:
        nonlocal made
        made += 1
        entry = by_number[record.id]
        add_proof(entry.folder.path, {**bound.to_json(class_names), "changed": _changed(proof)})
        if on_proof is not None:
            on_proof(entry.name, with_remark(proof, said))

    def kept(record: ImageRecord, proof: ProofRecord) -> None:
        if on_proof is not None:
            on_proof(by_number[record.id].name, proof.sentence)

    def written(record: ImageRecord) -> ProofRecord | None:
        said = read_record(by_number[record.id].folder.path / RECORD) or {}
        return row_of_json(record.id, said.get("proof"))

    without = prove_images(
        store, prover, records, class_names, journal=lambda record: by_number[record.id].folder.path / JOURNAL,
        on_proof=proved, on_kept=kept, written=written, on_progress=on_progress,
    )  # fmt: skip
    return made, [Problem(by_number[record.id].name, why) for record, why in without]


def add_proof(folder: Path, proof: dict[str, Any]) -> None:
    """Put a proof into the record of a finding, which is otherwise as it was; a folder without one is left alone."""
    file = folder / RECORD
    record = read_record(file)
    if record is not None:
        with atomic_open(file, "wb") as stream:
            stream.write(record_text({**record, "proof": proof}).encode("utf-8", "backslashreplace"))


def _changed(proof: ProofRecord) -> Any:
    return None if proof.changed is None else json.loads(proof.changed)
