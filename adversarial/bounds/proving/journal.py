"""A proof on the disk, so that it goes on after an interruption: what is proved, and which blocks wait."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from adversarial.bounds.proving.blocks import Block
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError
from saywhy_core.reading.numpy_files import load_arrays

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from adversarial.bounds.networks import Node
    from adversarial.bounds.proving.prover import Prover

VERSION = 2  # raised wherever an earlier release may have proved what is wrong, so that nothing goes on from it
_FINGERPRINTS: WeakKeyDictionary[Prover, str] = WeakKeyDictionary()  # reading all weights takes a moment


def fingerprint(prover: Prover) -> str:
    """A text that is another one for another network, image or label."""
    if prover in _FINGERPRINTS:
        return _FINGERPRINTS[prover]
    digest = hashlib.sha256()
    network = prover.deviations.network
    digest.update(f"{prover.label} {network.image_shape} {network.precision} {network.softmax}".encode())
    digest.update(prover.deviations.image.cpu().numpy().tobytes())
    for node in network.nodes:
        _told(digest, node)
    return _FINGERPRINTS.setdefault(prover, digest.hexdigest())


def digest_of(prover: Prover, pixels: int) -> str:
    """A text that is another one for another network, image, label or number of pixels that were proved."""
    return hashlib.sha256(f"{VERSION} {fingerprint(prover)} {pixels}".encode()).hexdigest()


def _told(digest: hashlib._Hash, node: Node) -> None:
    """Tell a digest everything about an operation: a weight that this image never uses counts for others."""
    digest.update(repr((type(node.op).__name__, node.inputs, node.shape)).encode())
    for field in fields(node.op):  # type: ignore[arg-type]
        value = getattr(node.op, field.name)
        if isinstance(value, torch.Tensor):
            digest.update(repr((field.name, tuple(value.shape))).encode())
            digest.update(value.cpu().contiguous().numpy().tobytes())
        else:
            digest.update(repr((field.name, value)).encode())


def save(prover: Prover, path: Path) -> None:
    """Write the proof as it stands, whole or not at all."""
    waiting = [*prover.underway, *(block for blocks in prover.waiting.values() for block in blocks)]
    if prover.pixels == prover.proved:  # interrupted while it laid out the blocks of one pixel more, which is done anew
        waiting = []
    slots = [slot for block in (*waiting, *prover.stuck) for slot in block.slots]
    head = {
        "version": VERSION, "fingerprint": fingerprint(prover), "proved": prover.proved, "pixels": prover.pixels,
        "digest": digest_of(prover, prover.proved),
        "blocks": prover.blocks, "seconds": prover.seconds, "share": prover.share, "allowance": prover.allowance,
        "fewest": None if prover.fewest == math.inf else int(prover.fewest),
    }  # fmt: skip
    first = prover.height * prover.width
    with atomic_open(path, "wb") as stream:
        np.savez_compressed(
            stream,
            head=np.frombuffer(json.dumps(head).encode(), dtype=np.uint8),
            pixel=prover.items.pixel[first:],
            low=prover.items.low[first:],
            high=prover.items.high[first:],
            slots=np.array([len(block.slots) for block in waiting], dtype=np.int64),
            stuck=np.array([len(block.slots) for block in prover.stuck], dtype=np.int64),
            lengths=np.array([len(slot) for slot in slots], dtype=np.int64),
            items=np.concatenate([np.zeros(0, dtype=np.int32), *slots]),
            shares=np.array([block.share for block in (*waiting, *prover.stuck)]),
            witness=np.zeros(0, dtype=np.float32) if prover.witness is None else prover.witness,
        )


def resume(prover: Prover, path: Path) -> None:
    """Go on from what was written.

    Raises:
        UsageError: the file can't be read, or it is about another network, image or label.
    """
    try:
        parts = load_arrays(path)
    except UsageError as error:
        raise UsageError(f"{path} is no journal of a proof ({error}); delete it or give another path") from None
    try:
        head: dict[str, Any] = json.loads(parts["head"].tobytes())
        if head["version"] != VERSION:
            raise UsageError(f"{path} was written by another release; delete it, and the proof begins anew")
        if head["fingerprint"] != fingerprint(prover):
            raise UsageError(f"{path} is the journal of a proof about another network, image or label; give another path")
        blocks = _blocks(parts, prover, head)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{path} can't be read as the journal of a proof ({error}); delete it, and the proof begins anew"
        ) from None
    prover.items.add(parts["pixel"], parts["low"], parts["high"])
    prover.restore(head, blocks[: len(parts["slots"])], blocks[len(parts["slots"]) :], parts["witness"])


def _blocks(parts: dict[str, Any], prover: Prover, head: dict[str, Any]) -> list[Block]:
    """The blocks of a journal; a ValueError where its parts don't fit together."""
    first, channels = prover.height * prover.width, prover.deviations.channels
    pixel, low, high, items, lengths = (parts[name] for name in ("pixel", "low", "high", "items", "lengths"))
    counts = np.concatenate([parts["slots"], parts["stuck"]])
    original = prover.deviations.image.cpu().numpy().astype(np.float32)
    fits = (
        pixel.ndim == 1
        and low.shape == high.shape == (len(pixel), channels)
        and bool(((pixel >= 0) & (pixel < first)).all())
        and bool(((low >= 0) & (low <= high) & (high <= 1)).all())
        and bool(((items >= 0) & (items < first + len(pixel))).all())
        and bool((lengths >= 1).all())
        and (lengths.sum(), counts.sum(), len(counts)) == (len(items), len(lengths), len(parts["shares"]))
        and head["pixels"] - head["proved"] in (0, 1)
        and 0 <= head["proved"] <= first
        and head.get("digest") in (None, digest_of(prover, head["proved"]))
        and bool((parts["slots"] == head["pixels"]).all())
        and (head["fewest"] is None or int(head["fewest"]) == _changed(parts["witness"], original) > 0)
    )
    if not fits or (head["fewest"] is not None and not prover.flips(parts["witness"][None])[0]):
        raise ValueError("its parts don't fit together")
    slots = np.split(items, np.cumsum(lengths)[:-1])
    starts = np.concatenate([[0], np.cumsum(counts)])
    return [Block(tuple(slots[starts[place] : starts[place + 1]]), float(share)) for place, share in enumerate(parts["shares"])]


def _changed(witness: NDArray[np.float32], original: NDArray[np.float32]) -> int:
    """How many pixels an example changes; -1 where it is none of this image."""
    fits = witness.shape == original.shape and bool(((witness >= 0) & (witness <= 1)).all())
    return int((witness != original).any(2).sum()) if fits else -1
