"""The fewest pixels that can flip a network's decision: a proof from below, an example from above."""

from __future__ import annotations

import math
import os
import pathlib
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adversarial.attack import FeatureGuidedAttack
from adversarial.bounds.computing import computing
from adversarial.bounds.earlier import OtherBoundError, take_up
from adversarial.bounds.pixel_bound import PixelBound, PixelProof
from adversarial.bounds.proving.journal import digest_of, resume, save
from adversarial.bounds.proving.prover import Prover
from adversarial.bounds.subject import Subject, open_subject
from adversarial.given import GivenImagesWarning
from adversarial.result import AttackInterrupted
from saywhy_core.arrays import to_numpy
from saywhy_core.classifiers import CallableClassifier
from saywhy_core.errors import UsageError, argument
from saywhy_core.images.decode import check_values, decode_pil, scaled_values

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch
    from numpy.typing import ArrayLike, NDArray
    from torch import nn

    Floats: TypeAlias = NDArray[np.float32]

QUERIES = 1000  # of the attack that looks for an example before: a second or two on networks that can be proved about
ATTACKED = 0.2  # of the time at most goes to that attack
KEPT_FIRST = 1.0  # seconds before the journal is written for the first time; each next wait is twice as long, up to KEPT_EVERY
KEPT_EVERY = 10.0
KEPT_SHARE = 0.05  # of the time at most goes to writing the journal


def fewest_pixels(
    network: str | Path | nn.Module | Subject,
    image: ArrayLike,
    label: int,
    *,
    at_most: int = 3,
    seconds: float = 60.0,
    adversarial: ArrayLike | None = None,
    journal: str | Path | None = None,
    earlier: PixelBound | None = None,
    progress: Callable[[PixelProof], None] | None = None,
    threads: int | None = None,
    device: str | torch.device | None = None,
    seed: int = 0,
) -> PixelBound:
    """Prove that no few pixels flip the class of an image, whatever their values in [0, 1], and look for few that do.

    For t = 1, 2, ... the image is cut into patches, and all ways to choose t patches, with at most one pixel of each changed,
    are bounded together: exactly up to the network's second nonlinear operation, by linear relaxations behind it (see
    `adversarial.bounds.proving`). What may flip the class is cut into smaller patches, then single pixels, then ranges of
    their values, and the network itself is asked about the worst of it. Before, `FeatureGuidedAttack` looks for an example.

    The idea of covering all sets of t pixels by larger sets that are proved at once is that of Shapira et al. (2023, Calzone;
    2024, CoVerD). Departure: they cover by designs, whose sets lie all over the image; here neighbouring pixels are taken
    together, which touch few activations, and of each patch one pixel alone counts, which makes the bounds tighter.

    Args:
        network: the path of an ONNX file (images N x H x W x C or N x C x H x W in [0, 1]), or a torch module (N x C x H x W):
            a chain or residual graph of convolutions, matrix products, ReLU, batch normalisation, pooling, sums, reshapes,
            transpositions and constant normalisation. For many images, `adversarial.bounds.subject.open_subject` reads it once,
            and what it returns is taken, too.
        image: (H, W, C) in [0, 1]; grey images may be (H, W). Whole numbers, such as pictures of 8 bits, are scaled to [0, 1],
            which a `GivenImagesWarning` tells; pictures of Pillow are taken too.
        label: the class that it shows.
        at_most: the largest number of pixels to prove.
        seconds: how long it may take, the look for an example included; reading the network is not. A batch that is begun is
            ended.
        adversarial: an example that is known, (H, W, C) in [0, 1]; then no attack looks for one.
        journal: a file that keeps the proof as it stands. If it is there already, the proof goes on from it, for so many
            seconds more.
        earlier: a bound that was proved before about the same network, image and label. The proof goes on from the number of
            pixels that it proved, and its example counts once the network confirms it.
        progress: called after each batch with how far the proof has come.
        threads: how many threads compute; None for torch's own choice.
        device: where the proof is computed, such as "cuda"; None for the processor, as most graphics cards are slow in the
            64-bit numbers that a proof needs. The network itself, which the attack and the proof ask, runs where it is.
        seed: of the attack.

    Returns:
        The bounds. `lower` counts what is proved for the network computed without rounding errors and for its inference in
        the precision of the file by sums of products in any order.

    Raises:
        UsageError: the network has an operation of another kind, an argument does not fit it, `adversarial` is none, or the
            journal or `earlier` is of another proof.
    """
    original = _image(image)
    known = None if adversarial is None else _image(adversarial, "the adversarial example")
    _check_numbers(at_most=at_most, seconds=seconds, threads=threads, seed=seed)
    if journal is not None and (not isinstance(journal, str | os.PathLike) or not os.fspath(journal)):
        raise UsageError(f"{argument('journal')} must be the path of a file, not {journal!r:.80}")
    if earlier is not None and not isinstance(earlier, PixelBound):
        raise UsageError(f"{argument('earlier')} must be a bound that {fewest_pixels.__name__} returned, not {earlier!r:.80}")
    if progress is not None and not callable(progress):
        raise UsageError(f"{argument('progress')} must be a function of one argument, not {progress!r:.80}")
    with computing(device, threads):
        return _bounded(
            open_subject(network, original.shape, threads),
            original,
            label,
            Effort(at_most, seconds, seed, journal, progress, "cpu" if device is None else str(device)),
            known,
            earlier,
        )


@dataclass(frozen=True)
class Effort:
    """How much is done, and where it is kept; see `fewest_pixels`."""

    at_most: int
    seconds: float
    seed: int
    journal: str | Path | None
    progress: Callable[[PixelProof], None] | None
    device: str = "cpu"


def _bounded(
    subject: Subject, original: Floats, label: int, effort: Effort, known: Floats | None, earlier: PixelBound | None
) -> PixelBound:
    began = time.monotonic()
    classes = subject.network.classes
    if isinstance(label, bool) or not isinstance(label, int | np.integer) or not 0 <= label < classes:
        raise UsageError(f"{argument('label')} must be a class from 0 to {classes - 1}, not {label!r}")
    label = int(label)
    scores = np.asarray(subject.predict(original[None]))[0]
    if np.isnan(scores).any():
        raise UsageError(f"{subject.words} gives the image scores that are NaN; look at its weights, and at what it divides by")
    seen = int(scores.argmax())
    if seen != label:
        proof = PixelProof(
            pixels=0, asked=effort.at_most, finished=True, share=0.0, blocks=0, seconds=time.monotonic() - began,
            rounding=0.0, network=subject.words, image_pixels=original[..., 0].size,
        )  # fmt: skip
        return PixelBound(lower=0, upper=0, label=label, witness=original, witness_label=seen, proof=proof)
    prover = Prover(
        subject.network if effort.device.startswith("cpu") else subject.network.to(effort.device),
        original.astype(np.float64), label, flips=lambda images: subject.labels(images) != label, device=effort.device,
    )  # fmt: skip
    path = None if effort.journal is None else pathlib.Path(effort.journal)
    if path is not None and path.exists():
        resume(prover, path)
    if earlier is not None:
        take_up(prover, earlier)
    if known is not None:
        _take(prover, known, original, label, subject)
    elif prover.witness is None:  # also where the proof goes on, and the time before did not suffice for one
        found = _attacked(subject, original, label, effort)
        if found is not None and int(subject.labels(found[None])[0]) != label:  # for one image as in a batch
            _take(prover, found, original, label, subject)
    if earlier is not None and prover.fewest <= earlier.proof.pixels:
        raise OtherBoundError(f"{argument('earlier')} can't be: {int(prover.fewest)} pixels flip the class; leave it out")
    try:
        _run(prover, subject, effort, began, path)
    finally:
        if path is not None:
            save(prover, path)
    return _bound(prover, subject, effort, label)


def _run(prover: Prover, subject: Subject, effort: Effort, began: float, path: Path | None) -> None:
    """Run the proof, and write the journal from time to time."""
    prover.seconds += time.monotonic() - began
    kept, wait = time.monotonic(), min(KEPT_FIRST, KEPT_EVERY)

    def told() -> None:
        nonlocal kept, wait
        if path is not None and (now := time.monotonic()) - kept > wait:
            save(prover, path)
            kept = time.monotonic()
            wait = max(min(2 * wait, KEPT_EVERY), (kept - now) / KEPT_SHARE)
        if effort.progress is not None:
            effort.progress(_proof(prover, subject, effort))

    prover.run(effort.at_most, effort.seconds - (time.monotonic() - began), told)


def _bound(prover: Prover, subject: Subject, effort: Effort, label: int) -> PixelBound:
    witness = prover.witness
    return PixelBound(
        lower=0 if prover.undecided and prover.fewest > 1 else prover.proved + 1,
        upper=prover.fewest,
        label=label,
        witness=witness,
        witness_label=None if witness is None else int(subject.labels(witness[None])[0]),
        proof=_proof(prover, subject, effort),
    )


def _proof(prover: Prover, subject: Subject, effort: Effort) -> PixelProof:
    """How far the proof is."""
    done = prover.proved >= min(effort.at_most, prover.height * prover.width)
    return PixelProof(
        pixels=prover.proved, asked=effort.at_most, finished=done or prover.fewest <= prover.proved + 1,
        share=min(1.0, prover.share) if prover.pixels == prover.proved + 1 else 0.0,
        blocks=prover.blocks, seconds=prover.seconds, rounding=prover.allowance, network=subject.words,
        image_pixels=prover.height * prover.width, digest=digest_of(prover, prover.proved),
    )  # fmt: skip


def _attacked(subject: Subject, original: Floats, label: int, effort: Effort) -> Floats | None:
    """An example that an attack finds in a part of the time."""
    until = time.monotonic() + ATTACKED * effort.seconds

    def predict(images: Floats) -> NDArray[np.floating]:
        if time.monotonic() > until:
            raise _TimeIsUpError
        return subject.predict(images)

    classifier = CallableClassifier(predict, image_shape=original.shape)
    attack = FeatureGuidedAttack(budget=QUERIES, seed=effort.seed, levels=None)
    try:
        return attack.run(classifier, original[None], [label])[0].adversarial
    except (UsageError, AttackInterrupted) as error:
        if _within(error, KeyboardInterrupt):
            raise
        if not _within(error, _TimeIsUpError):  # the proof needs no example
            told = f"the search for an example ended early ({error!s:.200}); the proof goes on"
            warnings.warn(told, RuntimeWarning, stacklevel=4)
        results = error.results if isinstance(error, AttackInterrupted) else []
        return results[0].adversarial if results else None


class _TimeIsUpError(Exception):
    """The part of the time that an attack may take is over."""


def _within(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error was raised because of one of a kind."""
    cause = error.__cause__ or error.__context__
    return cause is not None and (isinstance(cause, kind) or _within(cause, kind))


def _take(prover: Prover, example: Floats, original: Floats, label: int, subject: Subject) -> None:
    if example.shape != original.shape:
        raise UsageError(f"the adversarial example has shape {example.shape}, the image {original.shape}")
    if int(subject.labels(example[None])[0]) == label:
        raise UsageError(f"the adversarial example given is none: the network sees class {label} in it, as in the image")
    prover.know(example, int((example != original).any(axis=2).sum()))


def _image(image: Any, what: str = "the image") -> Floats:
    if type(image).__module__.partition(".")[0] == "PIL":
        return decode_pil(image)
    try:
        array = to_numpy(image)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{what} must be numbers of shape (height, width, channels): {error!s:.160}") from None
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or not array.size or array.dtype.kind not in "fuib":
        raise UsageError(f"{what} must be numbers of shape (height, width, channels), not {array.dtype} of shape {array.shape}")
    if array.dtype.kind != "f":
        check_values(array)
        told = f"is {array.dtype}, so that its values were scaled to [0, 1]"
        warnings.warn(f"{what} {told}", GivenImagesWarning, stacklevel=3)
        array = scaled_values(array)
    given = np.ascontiguousarray(array, dtype=np.float32)
    if np.isnan(given).any():
        raise UsageError(f"{what} holds NaN in {int(np.isnan(given).sum()):,} places; give values in [0, 1]")
    if not (given.min() >= 0 and given.max() <= 1):
        raise UsageError(f"{what} must have values in [0, 1]; it has some from {given.min():g} to {given.max():g}")
    return given


def _check_numbers(*, at_most: int, seconds: float, threads: int | None, seed: int) -> None:
    for name, value, least in (("at_most", at_most, 1), ("threads", threads, 1), ("seed", seed, 0)):
        if value is None and name == "threads":
            continue
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise UsageError(f"{argument(name)} must be a whole number of at least {least}, not {value!r}")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | np.number) or not 0 < seconds < math.inf:
        raise UsageError(f"{argument('seconds')} must be a number above 0, not {seconds!r}")
