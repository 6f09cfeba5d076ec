"""What the rows and records of audits say of earlier proofs, as the bounds from which new proofs go on."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from adversarial.audit.records import ProofRecord, wrong_field

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from adversarial.audit.records import ImageArrays, ImageRecord
    from adversarial.bounds.pixel_bound import PixelBound


def earlier_bound(record: ImageRecord, arrays: ImageArrays, row: ProofRecord | None) -> PixelBound | None:
    """The bound that a row holds; None where it holds none that can be gone on from.

    Nothing here is trusted: `fewest_pixels` compares the digest, and asks the network about the example.

    Args:
        record: the image.
        arrays: its pictures.
        row: what was proved about it; None where nothing was.
    """
    from adversarial.bounds.pixel_bound import PixelBound, PixelProof

    if row is None or not row.digest or record.label is None:
        return None
    witness = _example(arrays, row)
    upper = math.inf if witness is None else int((witness != arrays.original).any(axis=2).sum())
    proof = PixelProof(
        pixels=max(row.lower - 1, 0), asked=row.asked, finished=row.finished, share=row.share, blocks=row.blocks,
        seconds=row.seconds, rounding=row.rounding, network=row.network, digest=row.digest,
    )  # fmt: skip
    return PixelBound(
        lower=row.lower, upper=upper, label=record.label, witness=witness,
        witness_label=None if witness is None else row.adversarial_label, proof=proof,
    )  # fmt: skip


def row_of_json(image: int, said: Any) -> ProofRecord | None:
    """The row of what `result.json` holds as `proof`, for a database that was lost; None where that can't be.

    Args:
        image: the `id` of the image.
        said: what the file holds.
    """
    try:
        proof, reached, changed = said["proof"], said["adversarial_label"] or {}, said["changed"]
        row = ProofRecord(
            image=image, lower=said["lower"], upper=said["upper"], sentence=said["statement"], condition=said["condition"],
            network=proof["network"], asked=proof["asked"], allowed=0.0, ended=False, finished=proof["finished"],
            share=proof["share"], blocks=proof["blocks"], seconds=proof["seconds"], rounding=proof["rounding"],
            adversarial_label=reached.get("index"), adversarial_name=reached.get("name"),
            changed=None if changed is None else json.dumps(changed), digest=proof["digest"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return None if wrong_field(row) else row


def _example(arrays: ImageArrays, row: ProofRecord) -> NDArray[np.float32] | None:
    """The example of a row: that of the attack, or another one."""
    if row.changed is None:
        return arrays.adversarial
    witness = arrays.original.copy()
    try:
        for y, x, values in json.loads(row.changed):
            witness[y, x] = values
    except (ValueError, TypeError, IndexError):
        return arrays.adversarial
    return witness
