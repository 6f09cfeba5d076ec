"""Selects images that a search has not seen; only on these can its prompts be judged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agents.encoders import unit_rows
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


def held_out(
    paths: Sequence[str | os.PathLike[str]],
    shots: Sequence[str | os.PathLike[str]],
    rows: NDArray[np.floating] | None = None,
    shot_rows: NDArray[np.floating] | None = None,
) -> list[int]:
    """The positions in `paths` of the files that are none of `shots`: neither the same bytes nor, where told, the same photo.

    Args:
        paths: N files; names do not matter.
        shots: M files.
        rows: N×D embeddings of the first. With them, a photo that was saved anew in another format, size or quality is found:
            where two embeddings are nearly equal, the pictures are compared.
        shot_rows: M×D embeddings of the second.
    """
    known = {_digest(path) for path in shots}
    fresh = [index for index, path in enumerate(paths) if _digest(path) not in known]
    if rows is None or shot_rows is None or not len(shots) or not fresh:
        return fresh
    near = unit_rows(np.asarray(rows, dtype=np.float32)[fresh]) @ unit_rows(np.asarray(shot_rows, dtype=np.float32)).T >= NEAR
    small: dict[str, NDArray[np.float32]] = {}

    def copied(place: int) -> bool:
        own = _small(paths[fresh[place]], small)
        others = (_small(shots[int(other)], small) for other in np.flatnonzero(near[place]))
        return any(bool(np.abs(np.subtract(own, other)).mean() < ALIKE) for other in others)

    return [index for place, index in enumerate(fresh) if not copied(place)]


def _small(path: str | os.PathLike[str], known: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    name = str(path)
    if name not in known:
        known[name] = np.asarray(resize_image(read_image(path, channels=3), (SIDE, SIDE)), dtype=np.float32)
    return known[name]


def _digest(path: str | os.PathLike[str]) -> bytes:
    return hashlib.sha256(Path(path).read_bytes()).digest()
