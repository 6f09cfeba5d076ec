"""Draw maps to files. `PICTURES` lists the kinds of picture, and plug-ins can add to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError
from saywhy_core.files import atomic_open
from saywhy_core.registry import Registry
from verbalize.draw.heatmaps import heatmap_page, pixel_heatmap_png, token_heatmap_png
from verbalize.draw.page import html_page
from verbalize.draw.rationale import extractive_rationale
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from verbalize.saliency import Saliency

_WORDS = 12  # the most words in a rationale, if the caller does not say how many


@dataclass(frozen=True)
class Picture:
    """A kind of picture.

    Args:
        summary: one line about the kind.
        suffix: the suffix of the file name, with the dot.
        render: a function that takes a map and returns the content of the file. Options in `uses` that the
            caller gives are passed by keyword.
        uses: the options that have an effect on this kind: "max_words" (int), "mask_labels" (bool). Other options are an error.
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
    expects=Picture,
)


def draw_to_file(
    saliency: Saliency, path: str | os.PathLike[str], kind: str, *, max_words: int | None = None, mask_labels: bool = False
) -> None:
    """Draw a map to a file. The file is written whole or not at all.

    Args:
        saliency: the map.
        path: the file. Its name should end in the `suffix` of the kind.
        kind: a name in `PICTURES`.
        max_words: the most words in a rationale, 12 by default. Only rationales take it.
        mask_labels: whether to hide the labels. Only heatmaps take it, because a rationale has no labels.

    Raises:
        UsageError: the kind is unknown, an option has no effect on it, or this kind can't show the map.
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
    """Write the words that speak most for the label as an HTML page; if no word speaks for it, the page says so.

    Raises:
        UsageError: the map is a map over pixels, or `max_words` is below 1.
    """
    draw_to_file(saliency, path, "rationale", max_words=max_words)


def _html(saliency: Saliency, *, mask_labels: bool = False) -> bytes:
    return heatmap_page([saliency], title=saliency.saliency_id, mask_labels=mask_labels).encode()


def _png(saliency: Saliency, *, mask_labels: bool = False) -> bytes:
    if isinstance(saliency, TokenSaliency):
        return token_heatmap_png(saliency, mask_labels=mask_labels)
    return pixel_heatmap_png(saliency, regions=True, legend=True, mask_labels=mask_labels)


def _rationale(saliency: Saliency, *, max_words: int = _WORDS) -> bytes:
    rationale = extractive_rationale(saliency, max_words)  # type: ignore[arg-type]  # it raises for maps over pixels
    body = rationale.html if rationale.part else "<p><em>No word speaks for it.</em></p>"
    return html_page(body, saliency.saliency_id).encode()


HTML = Picture("a heatmap as a page", ".html", _html, uses=("mask_labels",))
PNG = Picture("a heatmap as a picture", ".png", _png, uses=("mask_labels",))
RATIONALE = Picture("the words that decided, without a label", ".html", _rationale, uses=("max_words",))
