"""Selects images that a search has not seen; only on these can its prompts be judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.seen import SeenImages
from saywhy_core.errors import Problem, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agents.encoders import EncodedImages


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
    return [int(place) for place in np.flatnonzero(~SeenImages.of(shots, shot_rows).among(paths, rows))]


def without_shots(found: EncodedImages, shots: Sequence[str], file: str | os.PathLike[str]) -> EncodedImages:
    """The images with which a prompt file was not searched; one problem says how many were left out.

    Only the same bytes are recognised, because a prompt file holds no pictures.

    Args:
        found: labelled images.
        shots: the SHA-256 of the files that the search saw; empty where nothing is known.
        file: the prompt file.

    Raises:
        UsageError: the search saw all of them.
    """
    if not shots:
        return found
    known = SeenImages(tuple(shots)).among(found.images.paths)
    if not known.any():
        return found
    first = found.images.paths[int(np.flatnonzero(known)[0])]
    if known.all():
        raise UsageError(f"all of these images are shots with which {file} was made; give images that its search did not see")
    kept = np.flatnonzero(~known)
    labels = found.images.labels
    images = replace(
        found.images,
        paths=tuple(found.images.paths[place] for place in kept),
        labels=None if labels is None else tuple(labels[place] for place in kept),
    )
    many = int(known.sum())
    told = "it is a shot" if many == 1 else f"this and {many - 1} more are shots"
    return replace(
        found,
        images=images,
        rows=found.rows[kept],
        problems=(*found.problems, Problem(str(first), f"{told} with which {file} was made")),
    )
