"""Pictures of maps as files, by kind."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError
from saywhy_core.files import atomic_open
from verbalize.draw.heatmaps import extractive_rationale, save_picture
from verbalize.draw.page import html_page

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from verbalize.saliency import Saliency

KINDS: Mapping[str, str] = MappingProxyType({"html": ".html", "png": ".png", "rationale": ".html"})
"""What can be drawn of a map, and how the name of its file ends: a heatmap as a page or as a picture, or a rationale."""


def save_rationale(saliency: Saliency, path: str | os.PathLike[str], *, max_words: int = 12) -> None:
    """Write the words that speak most for the label as a page, or a sentence that says so where no word speaks for it.

    Raises:
        UsageError: the map is one over pixels, or `max_words` is below 1.
    """
    rationale = extractive_rationale(saliency, max_words)  # type: ignore[arg-type]  # it says so where it is given pixels
    body = rationale.html if rationale.part else "<p><em>No word speaks for it.</em></p>"
    with atomic_open(path) as stream:
        stream.write(html_page(body, saliency.saliency_id))


def draw_to_file(
    saliency: Saliency, path: str | os.PathLike[str], kind: str, *, max_words: int | None = None, mask_labels: bool = False
) -> None:
    """Draw a map to a file, whole or not at all.

    Args:
        saliency: the map.
        path: the file; its name ends in what `KINDS` says of the kind.
        kind: a key of `KINDS`.
        max_words: words in a rationale, 12 by default; for rationales only.
        mask_labels: hide the labels; for heatmaps only, since a rationale names none.

    Raises:
        UsageError: the kind is unknown, an option has no effect on it, or the map can't be drawn so.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no kind of picture {kind!r}; use one of {', '.join(KINDS)}")
    if kind == "rationale":
        if mask_labels:
            raise UsageError("a rationale names no label, so mask_labels has no effect on it")
        save_rationale(saliency, path, max_words=12 if max_words is None else max_words)
        return
    if max_words is not None:
        raise UsageError("max_words is the length of a rationale; a heatmap shows all words")
    save_picture(saliency, path, mask_labels=mask_labels)
