"""Draw maps to files. `PICTURES` lists the kinds of picture, and plug-ins can add to it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError
from saywhy_core.registry import Registry
from verbalize.draw.heatmaps import heatmap_html, heatmap_page, pixel_heatmap_png, token_heatmap_png
from verbalize.draw.page import html_page, printable
from verbalize.draw.rationale import extractive_rationale
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from verbalize.saliency import Saliency

_TEXTS = (".html", ".htm", ".svg", ".txt", ".md", ".tex")
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
        section: a function that takes the same arguments and returns a piece of HTML, for one page with many maps; `None` if
            this kind is no HTML.
    """

    summary: str
    suffix: str
    render: Callable[..., bytes]
    uses: tuple[str, ...] = ()
    section: Callable[..., str] | None = None


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
    picture, given = _chosen(kind, max_words, mask_labels)
    content = picture.render(saliency, **given)
    if picture.suffix in _TEXTS:  # written as text, which takes secrets out
        with atomic_open(path) as text:
            text.write(content.decode("utf-8", "surrogatepass"))
        return
    with atomic_open(path, "wb") as stream:
        stream.write(content)


@contextmanager
def page_of_maps(
    path: str | os.PathLike[str], kind: str, *, title: str = "Maps", max_words: int | None = None, mask_labels: bool = False
) -> Iterator[Callable[[Saliency], None]]:
    """Draw many maps on one HTML page: the block gets a function that adds a map, under its id.

    The page is written map by map, so that it never is in memory as a whole. It appears when the block ends without an error.

    Args:
        path: the file.
        kind: a name in `PICTURES` whose pictures are HTML.
        title: the title of the page.
        max_words: the most words in a rationale, 12 by default. Only rationales take it.
        mask_labels: whether to hide the labels. Only heatmaps take it, because a rationale has no labels.

    Raises:
        UsageError: the kind is unknown or no HTML, or an option has no effect on it. The function raises it if the kind can't
            show the map; other maps can still be added.
    """
    picture, given = _chosen(kind, max_words, mask_labels)
    section = picture.section
    if section is None:
        raise UsageError(f"a page holds HTML, not the kind of picture {kind!r} ({picture.summary}); use a folder instead")
    head, tail = html_page("\0", title).split("\0")
    with atomic_open(path) as stream:
        stream.write(head)

        def add(saliency: Saliency) -> None:
            drawn = section(saliency, **given)
            stream.write(f"<section><h2>{escape(printable(saliency.saliency_id))}</h2>{drawn}</section>\n")

        yield add
        stream.write(tail)


def _chosen(kind: str, max_words: int | None, mask_labels: bool) -> tuple[Picture, dict[str, object]]:
    """The kind of picture and the options that are given for it."""
    picture = PICTURES.get(kind)
    options = (("max_words", max_words), ("mask_labels", mask_labels or None))
    given: dict[str, object] = {name: value for name, value in options if value is not None}
    for name in given:
        if name not in picture.uses:
            raise UsageError(f"{name} has no effect on the kind of picture {kind!r} ({picture.summary}); leave it out")
    return picture, given


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


def _section(saliency: Saliency, *, mask_labels: bool = False) -> str:
    return heatmap_html(saliency, mask_labels=mask_labels, legend=True)


def _rationale(saliency: Saliency, *, max_words: int = _WORDS) -> bytes:
    return html_page(_rationale_section(saliency, max_words=max_words), saliency.saliency_id).encode()


def _rationale_section(saliency: Saliency, *, max_words: int = _WORDS) -> str:
    rationale = extractive_rationale(saliency, max_words)  # type: ignore[arg-type]  # it raises for maps over pixels
    none = "speaks for it" if saliency.signed else "matters"
    return rationale.html if rationale.part else f"<p><em>No word {none}.</em></p>"


HTML = Picture("a heatmap as a page", ".html", _html, uses=("mask_labels",), section=_section)
PNG = Picture("a heatmap as a picture", ".png", _png, uses=("mask_labels",))
RATIONALE = Picture(
    "the words that decided, without a label", ".html", _rationale, uses=("max_words",), section=_rationale_section
)
