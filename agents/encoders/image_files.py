"""Image files put into an encoder's space, with the files that could not be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.images import ImageSet, list_images, readable

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from saywhy_core.errors import Problem
    from saywhy_core.progress import OnProgress

CHUNK = 256  # images between two calls of `on_progress`: some batches, so that a chunk fills the device


@dataclass(frozen=True)
class EncodedImages:
    """Images as vectors.

    Attributes:
        images: the files that could be read, in the order of the rows.
        rows: N×D, the embedding of each.
        problems: records of the source, and files, that could not be used.
    """

    images: ImageSet
    rows: NDArray[np.float32]
    problems: tuple[Problem, ...]


def encode_image_files(
    encoder: ImageTextEncoder, source: str | os.PathLike[str], *, on_progress: OnProgress | None = None
) -> EncodedImages:
    """List and encode the images of a folder, a CSV or a list of paths; files that are no images are left out.

    Args:
        encoder: puts images into a space.
        source: what `list_images` takes.
        on_progress: called with (images encoded, images in all).

    Raises:
        UsageError: the source does not exist, or none of its files is an image that can be read.
    """
    listed = list_images(source)
    good, unreadable = readable(listed.paths)
    if not good:
        raise UsageError(f"none of the {len(listed)} files of {source} is an image that can be read: {unreadable[0]}")
    paths = tuple(listed.paths[index] for index in good)
    labels = None if listed.labels is None else tuple(listed.labels[index] for index in good)
    parts: list[NDArray[np.float32]] = []
    for start in range(0, len(paths), CHUNK):
        if on_progress is not None:
            on_progress(start, len(paths))
        parts.append(encoder.encode_images(paths[start : start + CHUNK]))
    if on_progress is not None:
        on_progress(len(paths), len(paths))
    return EncodedImages(ImageSet(paths, labels), np.concatenate(parts), (*listed.problems, *unreadable))
