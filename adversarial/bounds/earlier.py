"""What was proved about an image before: a proof goes on from it, if it was about the same network, image and label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adversarial.bounds.proving.journal import digest_of
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from adversarial.bounds.pixel_bound import PixelBound
    from adversarial.bounds.proving.prover import Prover


class OtherBoundError(UsageError):
    """A bound that was to be gone on from is about another network, image or label, or was changed by hand."""


def take_up(prover: Prover, earlier: PixelBound) -> None:
    """Go on from a bound that was proved before; its example counts once the network confirms it.

    Args:
        prover: of the network, the image and the label.
        earlier: the bound. What it says of fewer pixels than the prover has proved already changes nothing.

    Raises:
        OtherBoundError: it is about another network, image or label, or was changed.
    """
    proof, witness = earlier.proof, earlier.witness
    if proof.digest != digest_of(prover, proof.pixels):
        raise OtherBoundError(
            f"{argument('earlier')} is a bound on another network, image or label, or was changed; leave it out, and the proof "
            "begins anew"
        )
    original = prover.deviations.image.cpu().numpy().astype(np.float32)
    if witness is not None and witness.shape == original.shape and bool(((witness >= 0) & (witness <= 1)).all()):
        changed = int((witness != original).any(axis=2).sum())
        if changed and prover.flips(witness[None])[0]:
            prover.know(witness, changed)
    prover.go_on_from(proof.pixels, proof.blocks, proof.seconds, proof.rounding)
