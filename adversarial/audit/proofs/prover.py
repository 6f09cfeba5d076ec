"""What proves the fewest pixels of one image after another: the network of a classifier, and how long it may take."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.classifiers import score_network
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from adversarial.bounds.pixel_bound import PixelBound, PixelProof
    from saywhy_core.classifiers import Classifier

    Images = NDArray[np.float32]

PIXELS = 3
"""The most pixels that are asked for if nobody says otherwise: of more, networks of usual size leave little to prove."""
ENDPOINTS = ("oip", "tfserving", "http")
"""The kinds of targets that are servers."""
SHAPE = 3  # numbers in the shape of an image
ANEW = "what was kept of an earlier proof was damaged, or of another proof, so that the proof began anew"
FROM_ROW = "what was kept of an earlier proof was damaged, or of another proof; it went on from the bounds that were written"
OTHER = "what was proved before is about another network, image or label, or was changed, so that the proof began anew"
ABLE = "a proof says how many pixels are needed for any other class"


class ProofStopped(KeyboardInterrupt):
    """A proof was stopped by Ctrl-C or a signal, its cause; `bound` is what it had proved by then."""

    def __init__(self, bound: PixelBound) -> None:
        super().__init__("proof stopped")
        self.bound = bound


class NotProvableError(UsageError):
    """Nothing can be proved about one image, such as one to which the network gives scores that are NaN."""


@dataclass(frozen=True, eq=False)
class ProofWork:
    """One image to prove something about.

    Attributes:
        id: of its row.
        image: (H, W, C) in [0, 1].
        label: its class.
        adversarial: the example that an attack found, and its class; None where there is none.
        earlier: what was proved about it before; None where nothing was.
    """

    id: int
    image: Images
    label: int
    adversarial: tuple[Images, int] | None = None
    earlier: PixelBound | None = None


@dataclass(frozen=True, kw_only=True)
class Prover:
    """Proves how many pixels an image of a classifier needs at least. The network is read once for all images of one shape.

    Attributes:
        network: the path of an ONNX file, or a torch module.
        seconds: for each image.
        pixels: the most pixels that are proved.
        seed: of what is random.
        threads: that one proof takes; None for torch's own choice.
    """

    network: Any
    seconds: float
    pixels: int = PIXELS
    seed: int = 0
    threads: int | None = None
    _read: dict[tuple[int, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    def prove(self, work: ProofWork, journal: Path, on_state: Callable[[PixelProof], None]) -> tuple[PixelBound, str]:
        """Both bounds on the fewest pixels, and what is to be said of how it went; "" for nothing.

        Args:
            work: the image.
            journal: the file from which an interrupted proof goes on. One that is damaged, or of another proof, is removed, and
                the proof goes on from `work.earlier`, or begins anew where there is none, or one about something else.
            on_state: told how far the proof is.

        Raises:
            ProofStopped: Ctrl-C or a signal, after something was proved.
            NotProvableError: nothing can be proved about this image.
            UsageError: the network has an operation that can't be bounded.
        """
        from adversarial.bounds.earlier import OtherBoundError

        self._subject(work.image.shape)  # what is wrong with the network is no matter of this image
        known, said = os.path.lexists(journal), ""
        while True:
            try:
                return self._bounded(work, journal, on_state), said
            except OtherBoundError:
                work, said = replace(work, earlier=None), OTHER
            except UsageError as error:
                if not known or not str(error).startswith(str(journal)):  # it is about the image
                    raise NotProvableError(str(error)) from error
                journal.unlink(missing_ok=True)
                known, said = False, said or (FROM_ROW if work.earlier is not None else ANEW)

    def read(self, shape: tuple[int | None, ...] | None) -> None:
        """Read the network, so that one about which nothing can be proved is told before anything is asked.

        Args:
            shape: (H, W, C) of an image; None where that is not known, and then nothing is read.

        Raises:
            UsageError: it can't be read, or has an operation that can't be bounded.
        """
        if shape is None or len(shape) != SHAPE:
            return
        try:
            self._subject(tuple(int(size) for size in shape if size is not None))
        except UsageError as error:
            raise UsageError(f"{argument('prove', self.seconds)}: {error}") from error

    def _subject(self, shape: tuple[int, ...]) -> Any:
        """The network, read and opened for images of a shape."""
        from adversarial.bounds.subject import open_subject

        if shape not in self._read:
            height, width, channels = shape
            self._read[shape] = open_subject(self.network, (height, width, channels), self.threads)
        return self._read[shape]

    def _bounded(self, work: ProofWork, journal: Path, on_state: Callable[[PixelProof], None]) -> PixelBound:
        from adversarial.bounds.pixel_bound import PixelBound
        from adversarial.bounds.pixels import fewest_pixels

        last: list[PixelProof] = []

        def heard(state: PixelProof) -> None:
            last[:] = [state]
            on_state(state)

        example, reached = work.adversarial or (None, None)
        earlier = work.earlier
        try:
            return fewest_pixels(
                self._subject(work.image.shape), work.image, work.label, at_most=self.pixels, seconds=self.seconds,
                adversarial=example, journal=journal, earlier=earlier, progress=heard, threads=self.threads, seed=self.seed,
            )  # fmt: skip
        except KeyboardInterrupt as stop:
            if not last:
                raise
            upper = math.inf if example is None else int((example != work.image).any(axis=2).sum())
            if earlier is not None and earlier.upper < upper and earlier.witness is not None:
                example, reached, upper = earlier.witness, earlier.witness_label, int(earlier.upper)
            raise ProofStopped(
                PixelBound(
                    lower=int(min(last[0].pixels + 1, upper)), upper=upper, label=work.label, witness=example,
                    witness_label=reached, proof=last[0],
                )
            ) from stop  # fmt: skip


def prover_of(
    classifier: Classifier,
    *,
    distance: str,
    goal: int | None,
    seconds: float,
    pixels: int | None,
    seed: int = 0,
    shape: tuple[int, ...] | None = None,
    threads: int | None = None,
) -> Prover:
    """The prover of a classifier.

    Args:
        classifier: the classifier.
        distance: of the attack.
        goal: the class that the attack is to reach, or None.
        seconds: for each image.
        pixels: the most pixels that are proved; None for 3.
        seed: of what is random.
        shape: (H, W, C) of an image; None for the one that the classifier takes. Where neither is known, the network is not
            read before the first proof.
        threads: that one proof takes; None for torch's own choice.

    Raises:
        UsageError: nothing can be proved about such an attack or such a classifier, as its network holds an operation that
            can't be bounded, or a number is out of range.
    """
    if distance != "l0":
        raise UsageError(f"{argument('prove', seconds)} goes with {argument('distance', 'l0')}, not {distance}: {ABLE}")
    if goal is not None:
        raise UsageError(f"{argument('prove', seconds)} does not go with {argument('goal')}: {ABLE}")
    check_proving(seconds, pixels)
    try:
        network = score_network(classifier)
    except UsageError as error:
        raise UsageError(f"{argument('prove', seconds)}: {error}") from error
    prover = Prover(
        network=network, seconds=float(seconds), pixels=PIXELS if pixels is None else pixels, seed=seed, threads=threads
    )
    wanted = classifier.image_shape
    size = shape if None in wanted else wanted
    sides = [side for side in (size or ())[:2] if side is not None]
    if pixels is not None and len(sides) == 2 and pixels > math.prod(sides):
        raise UsageError(
            f"{argument('prove_pixels', pixels)}: the images have {math.prod(sides):,} pixels; give no more than these"
        )
    prover.read(size)
    return prover


def check_endpoint(seconds: float | None, target: Any) -> None:
    """See whether the text of a target names an endpoint, about which nothing can be proved, before it is called.

    Args:
        seconds: for each image; None for no proofs.
        target: the text, or a classifier, which is not looked at.

    Raises:
        UsageError: it does.
    """
    kind = target.partition(":")[0] if isinstance(target, str) else ""
    if seconds is not None and kind in ENDPOINTS:
        raise UsageError(
            f"{argument('prove', seconds)}: a proof looks into the network, and a server tells its scores alone; give the "
            "network itself, such as onnx:FILE or torch:FILE"
        )


def check_proving(seconds: Any, pixels: Any) -> None:
    """See whether the numbers that were given for proofs can be.

    Args:
        seconds: for each image; None for no proofs.
        pixels: the most pixels that are proved; None if not given.

    Raises:
        UsageError: one is out of range, or `pixels` is given without `seconds`.
    """
    if seconds is None:
        if pixels is not None:
            raise UsageError(f"{argument('prove_pixels', pixels)} has no effect without {argument('prove')}; give the seconds")
        return
    number = isinstance(seconds, (int, float, np.integer, np.floating)) and not isinstance(seconds, bool)
    if not number or not 0 < seconds < math.inf:
        raise UsageError(f"{argument('prove')} must be a number of seconds above 0, not {seconds!r}")
    if pixels is not None and (not isinstance(pixels, (int, np.integer)) or isinstance(pixels, bool) or pixels < 1):
        raise UsageError(f"{argument('prove_pixels')} must be a whole number of at least 1, not {pixels!r}")
