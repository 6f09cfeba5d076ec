"""Images that a search or a classifier has seen, recognised again: by their bytes, and as the same photo in another format."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.vectors import unit_rows
from saywhy_core.images import read_image, resize_image

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

NEAR = 0.97
"""Cosine of the embeddings from which two files are looked at as pictures: a copy in another format or quality is above it."""

SIDE = 16
"""Pixels of the small pictures that are compared: so many that two photos differ, so few that compression leaves no trace."""

ALIKE = 0.015
"""Mean difference of the small pictures, of 1, below which they are one photo. JPEG of quality 50 stays below 0.01."""


@dataclass(frozen=True, eq=False)
class SeenImages:
    """What recognises M images again.

    Attributes:
        digests: the SHA-256 of each file, in hexadecimal digits.
        small: M×16×16×3 uint8, each image made small; None where only the same bytes are to be recognised.
        rows: M×D embeddings of length 1, which say what pictures are worth comparing; None as `small`.
    """

    digests: tuple[str, ...]
    small: NDArray[np.uint8] | None = None
    rows: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, paths: Sequence[str | os.PathLike[str]], rows: NDArray[np.floating] | None = None) -> SeenImages:
        """Those of M image files.

        Args:
            paths: the files.
            rows: M×D embeddings; without them only the same bytes are recognised.
        """
        digests = tuple(_digest(path) for path in paths)
        if rows is None or not len(paths):
            return cls(digests)
        small = np.stack([_small(path) for path in paths])
        return cls(digests, small, unit_rows(np.asarray(rows, dtype=np.float32)))

    def among(self, paths: Sequence[str | os.PathLike[str]], rows: NDArray[np.floating] | None = None) -> NDArray[np.bool_]:
        """Whether each of N files is one of these: the same bytes or, with embeddings, the same photo saved anew.

        A photo in another format, size or quality has nearly the same embedding; where two are nearly equal, the pictures are
        compared. Names do not matter.

        Args:
            paths: the N files.
            rows: N×D embeddings of the same encoder.
        """
        known = frozenset(self.digests)
        found = np.array([bool(known) and _digest(path) in known for path in paths], dtype=bool)
        if rows is None or self.rows is None or self.small is None or not len(self.rows):
            return found
        left = np.flatnonzero(~found)
        near = (
            unit_rows(np.asarray(rows, dtype=np.float32)[left]) @ self.rows.T >= NEAR if left.size else np.zeros((0, 0), bool)
        )
        for place, others in zip(left.tolist(), near, strict=True):
            if others.any():
                apart = np.abs(_small(paths[place]).astype(np.int16) - self.small[others]).mean(axis=(1, 2, 3))
                found[place] = bool((apart < ALIKE * 255).any())
        return found


def _small(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    picture = np.asarray(resize_image(read_image(path, channels=3), (SIDE, SIDE)), dtype=np.float32)
    found: NDArray[np.uint8] = np.rint(np.clip(picture, 0.0, 1.0) * 255).astype(np.uint8)
    return found


def _digest(path: str | os.PathLike[str]) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
