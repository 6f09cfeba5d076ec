"""Pictures of maps in files. `PICTURES` lists the kinds of picture, and plug-ins add to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError
from saywhy_core.files import atomic_open
from saywhy_core.registry import Registry
from verbalize.draw.heatmaps import extractive_rationale, heatmap_page, pixel_heatmap_png, token_heatmap_png
from verbalize.draw.page import html_page
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from verbalize.saliency import Saliency

_WORDS = 12  # in a rationale, where the caller does not say how many


@dataclass(frozen=True)
class Picture:
    """A kind of picture.

    Args:
        summary: one line about the kind.
        suffix: the ending of the file's name, with the dot.
        render: the content of the file for a map. The options in `uses` are passed to it by keyword, where they are given.
        uses: the options that have an effect on it: "max_words" (int), "mask_labels" (bool). Others are refused.
    """

    summary: str
    suffix: str
    render: Callable[..., bytes]
    uses: tuple[str, ...] = ()


PICTURES: Registry[Picture] = Registry(
    "kind of picture",
    "saywhy.pictures",
    {
        "html": "verbalize.draw.files:HTML",
        "png": "verbalize.draw.files:PNG",
        "rationale": "verbalize.draw.files:RATIONALE",
    },
)


def draw_to_file(
    saliency: Saliency, path: str | os.PathLike[str], kind: str, *, max_words: int | None = None, mask_labels: bool = False
) -> None:
    """Draw a map to a file, whole or not at all.

    Args:
        saliency: the map.
        path: the file. Its name should end in the `suffix` of the kind.
        kind: a name in `PICTURES`.
        max_words: words in a rationale, 12 by default; for rationales only.
        mask_labels: hide the labels; for heatmaps only, since a rationale names none.

    Raises:
        UsageError: the kind is unknown, an option has no effect on it, or the map can't be drawn so.
    """
    picture = PICTURES.get(kind)
    given = {
        name: value for name, value in (("max_words", max_words), ("mask_labels", mask_labels or None)) if value is not None
    }
    for name in given:
        if name not in picture.uses:
            raise UsageError(f"{name} has no effect on the kind of picture {kind!r} ({picture.summary}); leave it out")
    content = picture.render(saliency, **given)
    with atomic_open(path, "wb") as stream:
        stream.write(content)


def save_rationale(saliency: Saliency, path: str | os.PathLike[str], *, max_words: int = _WORDS) -> None:
    """Write the words that speak most for the label as a page, or a sentence that says so where no word speaks for it.

    Raises:
        UsageError: the map is one over pixels, or `max_words` is below 1.
    """
    draw_to_file(saliency, path, "rationale", max_words=max_words)


def _html(saliency: Saliency, *, mask_labels: bool = False) -> bytes:
    return heatmap_page([saliency], title=saliency.saliency_id, mask_labels=mask_labels).encode()


def _png(saliency: Saliency, *, mask_labels: bool = False) -> bytes:
    if isinstance(saliency, TokenSaliency):
        return token_heatmap_png(saliency, mask_labels=mask_labels)
    return pixel_heatmap_png(saliency, regions=True, legend=True, mask_labels=mask_labels)


def _rationale(saliency: Saliency, *, max_words: int = _WORDS) -> bytes:
    rationale = extractive_rationale(saliency, max_words)  # type: ignore[arg-type]  # it refuses maps over pixels itself
    body = rationale.html if rationale.part else "<p><em>No word speaks for it.</em></p>"
    return html_page(body, saliency.saliency_id).encode()


HTML = Picture("a heatmap as a page", ".html", _html, uses=("mask_labels",))
PNG = Picture("a heatmap as a picture", ".png", _png, uses=("mask_labels",))
RATIONALE = Picture("the words that decided, which name no label", ".html", _rationale, uses=("max_words",))
