"""A map as a picture: heatmaps as HTML and PNG, and the words that decided as an extract of the text.

Blue speaks for the label, orange against it: a pair that people with any of the usual colour blindnesses tell apart. Nothing
hangs on colour alone: what speaks for is underlined solid, what speaks against dashed, and each word carries its score.
"""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.files import atomic_open
from verbalize.draw.page import STYLE, html_page, printable
from verbalize.draw.palette import AGAINST, FAINT_LINE, FOR, STRONGEST
from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from verbalize.saliency import Floats, Part, Saliency

__all__ = [
    "STYLE",
    "Rationale",
    "extractive_rationale",
    "heatmap_html",
    "heatmap_page",
    "heatmap_png",
    "image_png",
    "pixel_heatmap_html",
    "pixel_heatmap_png",
    "save_picture",
    "token_heatmap_html",
    "token_heatmap_png",
]

HIDDEN_LABEL = "the label"
_FAINTEST = 0.02  # below this share of the highest score a word is left as it is
_SATURATED = 0.99  # a few spikes among the pixels don't make the rest pale
_GAP = " … "


@dataclass(frozen=True, slots=True)
class Rationale:
    """The words of a text that speak most for the label, in the order of the text, and the text cut down to them."""

    part: Part
    text: str
    html: str


def heatmap_html(saliency: Saliency, *, mask_labels: bool = False, legend: bool = False) -> str:
    """A map as a piece of HTML for a page of one's own: see `token_heatmap_html` and `pixel_heatmap_html`."""
    if isinstance(saliency, TokenSaliency):
        return token_heatmap_html(saliency, mask_labels=mask_labels, legend=legend)
    return pixel_heatmap_html(saliency, mask_labels=mask_labels, legend=legend)


def heatmap_png(saliency: Saliency, *, mask_labels: bool = False, legend: bool = False) -> bytes:
    """A map as the bytes of a PNG file for a page of one's own: see `token_heatmap_png` and `pixel_heatmap_png`."""
    if isinstance(saliency, TokenSaliency):
        return token_heatmap_png(saliency, mask_labels=mask_labels, legend=legend)
    return pixel_heatmap_png(saliency, mask_labels=mask_labels, legend=legend)


def token_heatmap_html(saliency: TokenSaliency, *, mask_labels: bool = False, legend: bool = True) -> str:
    """The text with its words shaded and underlined by their scores, as a piece of HTML with its own style.

    Opacity is in proportion to the score, the largest magnitude being the darkest; each word's score shows when it is pointed
    at. The original spacing is kept where the map has its text. Whatever is in the words is text in the page, never markup.
    `mask_labels` leaves out the labels and the prediction; `legend` adds the question and the key.
    """
    scale = _scale(saliency.scores)
    body: list[str] = []
    for plain, index in _pieces(saliency):
        shown = escape(printable(plain))
        body.append(shown if index is None else _word(shown, float(saliency.scores[index]), scale))
    text = "".join(body) or "<em>(no words)</em>"
    head, key = (_question(saliency, mask_labels=mask_labels), _key(saliency)) if legend else ("", "")
    return f'{STYLE}<div class="saywhy-heatmap">{head}<p class="text" dir="auto">{text}</p>{key}</div>'


def pixel_heatmap_html(saliency: PixelSaliency, *, mask_labels: bool = False, legend: bool = True) -> str:
    """The heatmap over the image with its regions numbered, as a piece of HTML that holds its picture, and a list of them."""
    from verbalize.parts.regions import find_regions

    png = pixel_heatmap_png(saliency, regions=True, legend=False)
    regions = find_regions(saliency)
    source = base64.b64encode(png).decode("ascii")
    described = "; ".join(f"{region.name} {_signed(region.score)}" for region in regions) or "no region stands out"
    head, key = (_question(saliency, mask_labels=mask_labels), _key(saliency)) if legend else ("", "")
    items = "".join(
        f"<li>{escape(printable(region.name))}: {_verdict(region.sign)}, score {_signed(region.score)},"
        f" {region.area:.0%} of the picture</li>"
        for region in regions
    )
    return (
        f'{STYLE}<div class="saywhy-heatmap">{head}<figure>'
        f'<img src="data:image/png;base64,{source}" alt="Heatmap: {escape(printable(described))}"></figure>'
        f"<ol>{items}</ol>{key}</div>"
    )


def token_heatmap_png(
    saliency: TokenSaliency, *, mask_labels: bool = False, legend: bool = True, width: int = 900, font_size: int = 22
) -> bytes:
    """The text with its words shaded and underlined by their scores, as a PNG file `width` pixels wide, lines wrapped.

    Words in a script that the first font lacks are set in the first installed font that has it; where there is none,
    they show as boxes (the HTML has no such limit).

    Raises:
        UsageError: the text is so long that the picture would be taller than 30,000 pixels.
    """
    from verbalize.draw.raster import draw_tokens

    question = _question_text(saliency, mask_labels=mask_labels) if legend else None
    return draw_tokens(
        [(printable(plain), index) for plain, index in _pieces(saliency)],
        saliency.scores / (_scale(saliency.scores) or 1.0),
        question=question,
        note=_darkest(_scale(saliency.scores)),
        width=width,
        font_size=font_size,
    )


def pixel_heatmap_png(
    saliency: PixelSaliency,
    *,
    overlay: bool = True,
    regions: bool = False,
    legend: bool = False,
    mask_labels: bool = False,
    smallest_side: int = 320,
) -> bytes:
    """The scores over the (greyed) image, as a PNG file; colours are full from the 99th percentile of the scores on.

    Args:
        saliency: the map.
        overlay: whether to lay it over the image, where there is one; otherwise over white.
        regions: whether to outline and number the regions that `find_regions` gives; against the label dashed.
        legend: whether to set the question and the key below.
        mask_labels: whether to leave the labels out of the legend.
        smallest_side: smaller pictures are enlarged in whole steps, pixels staying squares, until they are as large as this.

    Raises:
        UsageError: the map has no pixels.
    """
    from verbalize.draw.raster import draw_pixels

    if not saliency.scores.size:
        raise UsageError(f"the map {saliency.saliency_id!r} has no pixels to draw")
    outlined: list[tuple[np.ndarray[tuple[int, ...], np.dtype[np.bool_]], int]] = []
    if regions:
        from verbalize.parts.regions import find_regions

        outlined = [(region.mask, region.sign) for region in find_regions(saliency)]
    magnitudes = np.abs(saliency.scores[saliency.scores != 0])
    darkest = float(np.quantile(magnitudes, _SATURATED)) if magnitudes.size else 0.0
    more = " or more" if darkest < _scale(saliency.scores) else ""
    return draw_pixels(
        np.clip(saliency.scores / (darkest or 1.0), -1.0, 1.0),
        saliency.image if overlay else None,
        regions=outlined,
        question=_question_text(saliency, mask_labels=mask_labels) if legend else None,
        note=_darkest(darkest) + more,
        signed=saliency.signed,
        smallest_side=smallest_side,
    )


def image_png(saliency: PixelSaliency, *, smallest_side: int = 1) -> bytes:
    """The image that a map belongs to, as the bytes of a PNG file; enlarged as in `pixel_heatmap_png`.

    Raises:
        UsageError: the map carries no image, or one without pixels.
    """
    from verbalize.draw.raster import encode, enlarged, to_rgb

    if saliency.image is None or not saliency.image.size:
        raise UsageError(f"the map {saliency.saliency_id!r} carries no image")
    return encode(enlarged(to_rgb(saliency.image), smallest_side))


def extractive_rationale(saliency: TokenSaliency, max_words: int = 12) -> Rationale:
    """The words with the highest positive scores, in the order of the text, "…" standing for what is left out.

    A rationale in the sense of Lei et al. (2016): a part of the text itself. Among equal scores the earlier word is taken.
    Where nothing speaks for the label it is empty: words that speak against it are never shown as reasons.

    Raises:
        UsageError: `max_words` is less than 1, or the map is not one over words.
    """
    if not isinstance(saliency, TokenSaliency):
        raise UsageError("a rationale is made of words; this map is one over pixels: draw it instead")
    if max_words < 1:
        raise UsageError(f"max_words must be at least 1, not {max_words!r}")
    order = np.argsort(-saliency.scores, kind="stable")[:max_words]
    part = tuple(sorted(int(index) for index in order if saliency.scores[index] > 0))
    runs: list[list[int]] = []
    for index in part:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    words = [saliency.text_of(run) for run in runs]
    before = "… " if part and part[0] > 0 else ""
    after = " …" if part and part[-1] < len(saliency) - 1 else ""
    marked = _GAP.join(f"<mark>{escape(printable(word))}</mark>" for word in words)
    text = before + _GAP.join(words) + after
    return Rationale(part, text, f'<p class="saywhy-rationale" dir="auto">{before}{marked}{after}</p>')


def heatmap_page(saliencies: Sequence[Saliency], *, title: str = "Heatmaps", mask_labels: bool = False) -> str:
    """A whole HTML page with the heatmap of each map under its id."""
    sections = (
        f"<h2>{escape(printable(saliency.saliency_id))}</h2>{heatmap_html(saliency, mask_labels=mask_labels, legend=True)}"
        for saliency in saliencies
    )
    return html_page("\n".join(f"<section>{section}</section>" for section in sections), title)


def save_picture(saliency: Saliency, path: str | os.PathLike[str], *, mask_labels: bool = False) -> None:
    """Write a map's heatmap to a file, whole or not at all: a page where the name ends in .html, a picture where in .png.

    Raises:
        UsageError: the name ends in neither.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".html", ".png"):
        raise UsageError(f"a picture is written as .html or .png, not to {str(path)!r}")
    if suffix == ".html":
        content = heatmap_page([saliency], title=saliency.saliency_id, mask_labels=mask_labels).encode()
    elif isinstance(saliency, PixelSaliency):
        content = pixel_heatmap_png(saliency, regions=True, legend=True, mask_labels=mask_labels)
    else:
        content = token_heatmap_png(saliency, mask_labels=mask_labels)
    with atomic_open(path, "wb") as stream:
        stream.write(content)


def _pieces(saliency: TokenSaliency) -> Iterator[tuple[str, int | None]]:
    """The text in order: words with their index, and what stands between them with `None`."""
    places = saliency.offsets
    if saliency.text is None or places is None or any(a[1] > b[0] for a, b in itertools.pairwise(places)):
        for index, token in enumerate(saliency.tokens):
            if index:
                yield " ", None
            yield token, index
        return
    at = 0
    for index, (start, stop) in enumerate(places):
        if start > at:
            yield saliency.text[at:start], None
        yield saliency.text[start:stop], index
        at = stop
    if at < len(saliency.text):
        yield saliency.text[at:], None


def _word(shown: str, score: float, scale: float) -> str:
    share = abs(score) / scale if scale else 0.0
    if share < _FAINTEST:
        return f'<span title="{_signed(score)}">{shown}</span>'
    colour = FOR if score > 0 else AGAINST
    rgb = ",".join(map(str, colour))
    return (
        f'<span class="{"pro" if score > 0 else "con"}" title="{_signed(score)}" style="background:rgba({rgb},'
        f'{STRONGEST * share:.3f});border-color:rgba({rgb},{FAINT_LINE + (1 - FAINT_LINE) * share:.3f})">{shown}</span>'
    )


def _scale(scores: Floats) -> float:
    return float(np.abs(scores).max()) if scores.size else 0.0


def _signed(score: float) -> str:
    return f"{score:+.3g}" if score else "0"


def _darkest(scale: float) -> str:
    return f"darkest: score {scale:.3g}" if scale else "no score differs from 0"


def _verdict(sign: int) -> str:
    return {1: "speaks for", -1: "speaks against", 0: "speaks neither for nor against"}[sign]


def _question_text(saliency: Saliency, *, mask_labels: bool) -> str:
    """The question that the scores answer, and what the model said, in a line."""
    query, prediction = saliency.query, saliency.prediction
    if mask_labels:
        return f"What speaks for {HIDDEN_LABEL}{' rather than the other' if query.versus else ''}?"
    rather = f" rather than {' or '.join(query.versus)}" if query.versus else ""
    said = ""
    if prediction is not None:
        chance = f" ({prediction.probability:.0%})" if prediction.probability is not None else ""
        said = f" The model says: {prediction.label}{chance}."
    return printable(f"What speaks for {query.label}{rather}?{said}")


def _question(saliency: Saliency, *, mask_labels: bool) -> str:
    return f'<p class="question">{escape(_question_text(saliency, mask_labels=mask_labels))}</p>'


def _key(saliency: Saliency) -> str:
    scale = _scale(saliency.scores)
    if not scale:
        return f'<p class="key">{_darkest(scale)}</p>'
    pro = f'<span class="pro" style="background:rgba{(*FOR, 0.35)}">speaks for</span>'
    con = f'<span class="con" style="background:rgba{(*AGAINST, 0.35)}">speaks against</span>'
    against = con if isinstance(saliency, TokenSaliency) or saliency.signed else ""
    return f'<p class="key">{pro}{against}{_darkest(scale)}</p>'
