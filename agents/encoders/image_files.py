"""Image files put into an encoder's space, with the files that could not be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import Problem, UsageError
from saywhy_core.images import ImageSet, list_images, readable
from saywhy_core.images.sets import advice_on

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from saywhy_core.progress import OnProgress

CHUNK = 256  # images between two calls of `on_progress`: some batches, so that a chunk fills the device


@dataclass(frozen=True)
class EncodedImages:
    """Images as vectors.

    Attributes:
        images: the files that could be read, in the order of the rows, and how many files were passed over.
        rows: N×D, the embedding of each.
        problems: records of the source, and files, that could not be used.
    """

    images: ImageSet
    rows: NDArray[np.float32]
    problems: tuple[Problem, ...]

    def of_classes(self, names: Sequence[str]) -> EncodedImages:
        """Those images whose class is one of `names`; what was left out is one problem per class.

        Raises:
            UsageError: the images name no classes, or none of them is one of `names`.
        """
        numbers = self.images.classes_of(names)
        if not (numbers >= 0).any():
            self.images.label_indices(names)  # says what is wrong
            raise UsageError("there are no images")
        kept = np.flatnonzero(numbers >= 0)
        unknown: dict[str, list[int]] = {}
        for place in np.flatnonzero(numbers < 0).tolist():
            unknown.setdefault(self.images.label_of(place), []).append(place)
        problems = []
        for label, others in unknown.items():
            more = f", as {len(others) - 1} more of it" if len(others) > 1 else ""
            what = f"its class {label!r:.200} is not in the class list{more}; {advice_on(label, names)}"
            problems.append(Problem(str(self.images.paths[others[0]]), what))
        images = ImageSet(
            tuple(self.images.paths[index] for index in kept),
            tuple(names[number] for number in numbers[kept]),
            passed_over=self.images.passed_over,
        )
        return EncodedImages(images, self.rows[kept], (*self.problems, *problems))


def encode_image_files(
    encoder: ImageTextEncoder, source: str | os.PathLike[str], *, on_progress: OnProgress | None = None
) -> EncodedImages:
    """List and encode the images of a folder, a CSV or a list of paths; files that are no images are left out.

    Args:
        encoder: puts images into a space.
        source: what `list_images` takes.
        on_progress: called with (files done, files in all).

    Raises:
        UsageError: the source does not exist, or none of its files is an image that can be read.
    """
    listed = list_images(source)
    kept: list[int] = []
    parts: list[NDArray[np.float32]] = []
    unreadable: list[Problem] = []
    for start in range(0, len(listed), CHUNK):
        if on_progress is not None:
            on_progress(start, len(listed))
        good, rows, problems = _encode(encoder, listed.paths[start : start + CHUNK])
        kept.extend(start + index for index in good)
        parts.extend(rows)
        unreadable.extend(problems)
    if not kept:
        raise UsageError(f"none of the {len(listed)} files of {source} is an image that can be read: {unreadable[0]}")
    if on_progress is not None:
        on_progress(len(listed), len(listed))
    paths = tuple(listed.paths[index] for index in kept)
    labels = None if listed.labels is None else tuple(listed.labels[index] for index in kept)
    images = replace(listed, paths=paths, labels=labels, problems=())
    return EncodedImages(images, np.concatenate(parts), (*listed.problems, *unreadable))


def _encode(encoder: ImageTextEncoder, paths: Sequence[Path]) -> tuple[list[int], list[NDArray[np.float32]], list[Problem]]:
    """Encode the files that can be read: their positions, the rows (none or one array), and the other files.

    The encoder decodes each file itself. Only where that fails are the files looked at one by one, so that files without
    damage are decoded once.

    Raises:
        Exception: what the encoder raised, if each of the files can be read.
    """
    try:
        return list(range(len(paths))), [encoder.encode_images(paths)], []
    except (OSError, ValueError, SyntaxError):  # what this package's reader raises, and Pillow in encoders of others
        good, problems = readable(paths)
        if not problems:
            raise
    return good, [encoder.encode_images([paths[index] for index in good])] if good else [], problems
