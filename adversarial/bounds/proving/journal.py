"""A proof on the disk, so that it goes on after an interruption: what is proved, and which blocks wait."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial.bounds.networks import evaluate
from adversarial.bounds.proving.blocks import Block
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from adversarial.bounds.proving.prover import Prover

VERSION = 1
MOST_BYTES = 2_000_000_000  # of a journal that is read


def fingerprint(prover: Prover) -> str:
    """A text that is another one for another network, image or label."""
    digest = hashlib.sha256()
    deviations = prover.deviations
    digest.update(f"{prover.label} {deviations.network.image_shape} {deviations.network.precision}".encode())
    for place in sorted(deviations.base):
        node = None if place < 0 else deviations.network.nodes[place]
        digest.update(repr((place, type(node.op).__name__, node.inputs) if node is not None else place).encode())
        # parameters are seen by what they make of the image and of a picture of noise
        digest.update(deviations.base[place].cpu().numpy().tobytes())
    noise = np.random.default_rng(0).random((8, *deviations.network.image_shape))
    digest.update(evaluate(deviations.network, noise).cpu().numpy().tobytes())
    return digest.hexdigest()


def save(prover: Prover, path: Path) -> None:
    """Write the proof as it stands, whole or not at all."""
    waiting = [block for blocks in prover.waiting.values() for block in blocks]
    slots = [slot for block in (*waiting, *prover.stuck) for slot in block.slots]
    head = {
        "version": VERSION, "fingerprint": fingerprint(prover), "proved": prover.proved, "pixels": prover.pixels,
        "blocks": prover.blocks, "seconds": prover.seconds, "share": prover.share,
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
    if path.stat().st_size > MOST_BYTES:
        raise UsageError(f"{path} is too large for the journal of a proof")
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
        head: dict[str, Any] = json.loads(parts["head"].tobytes())
        if head["version"] != VERSION:
            raise UsageError(f"{path} was written by another release; delete it, and the proof begins anew")
        if head["fingerprint"] != fingerprint(prover):
            raise UsageError(f"{path} is the journal of a proof about another network, image or label; give another path")
        blocks = _blocks(parts)
    except (OSError, ValueError, KeyError, EOFError, TypeError) as error:
        raise UsageError(
            f"{path} can't be read as the journal of a proof ({error}); delete it, and the proof begins anew"
        ) from None
    prover.items.add(parts["pixel"], parts["low"], parts["high"])
    prover.restore(head, blocks[: len(parts["slots"])], blocks[len(parts["slots"]) :], parts["witness"])


def _blocks(parts: dict[str, Any]) -> list[Block]:
    slots = np.split(parts["items"], np.cumsum(parts["lengths"])[:-1])
    counts = np.concatenate([parts["slots"], parts["stuck"]])
    starts = np.concatenate([[0], np.cumsum(counts)])
    return [Block(tuple(slots[starts[place] : starts[place + 1]]), float(share)) for place, share in enumerate(parts["shares"])]
