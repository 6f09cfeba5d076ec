"""Selects images that a search has not seen; only on these can its prompts be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.encoders.seen import SeenImages

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray


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
        rows: N×D embeddings of the first. With them, a photo that was saved anew in another format, size or quality is found,
            as `SeenImages.among` does.
        shot_rows: M×D embeddings of the second.
    """
    return [int(place) for place in np.flatnonzero(~SeenImages.of(shots, shot_rows).among(paths, rows))]


def unseen_by(
    makers: Sequence[SeenImages | None],
    rows: NDArray[np.floating],
    paths: Sequence[str | os.PathLike[str]] | None,
    encoder: object,
) -> tuple[NDArray[np.bool_], bool]:
    """Which of N images none of several files was made with, and whether that is unknown for one of the files.

    Args:
        makers: what each file says of its labelled images; None where it says nothing.
        rows: N×D embeddings.
        paths: the N files of the images; None where they are unknown.
        encoder: what made the embeddings.
    """
    fresh, unknown = np.ones(len(rows), dtype=bool), False
    for maker in makers:
        if maker is None or not maker.can_tell(paths, rows, encoder):
            unknown = True
        else:
            fresh &= ~maker.among(paths, rows, encoder)
    return fresh, unknown


def seen_words(left_out: int, *, unknown: bool) -> str:
    """What a report has to say of images from which something was learned; empty where nothing is.

    Args:
        left_out: how many images are in no figure.
        unknown: whether a file does not say which labelled images it was made with.
    """
    said = []
    if left_out:
        one = left_out == 1
        said.append(
            f"{left_out} {'image is' if one else 'images are'} left out of these figures: {'it is' if one else 'each is'} one "
            "of the labelled images with which the prompts were made, or a copy of one."
        )
    if unknown:
        said.append(
            "Nothing says with which labelled images the prompts were made, so some of them may be among these; figures on "
            "them would be too good."
        )
    return " ".join(said)
