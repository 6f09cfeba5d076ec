"""Draw a map as a heatmap, in HTML or PNG.

Blue speaks for the label, orange speaks against it. People with any common colour blindness can tell these two apart. Nothing
depends on colour alone: words that speak for the label have a solid underline, words that speak against it have a dashed one,
and each word shows its score. Maps without signs are violet: their scores only say how much a part matters.
"""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError
from verbalize.draw.page import STYLE, html_page, printable
from verbalize.draw.palette import AGAINST, FAINT_LINE, FOR, MATTERS, STRONGEST
from verbalize.parts.floor import above_floor
from verbalize.saliency import PixelSaliency, TokenSaliency
from verbalize.spacing import overlap, pieces_between
from verbalize.write.naming import percent

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from verbalize.parts.regions import Region
    from verbalize.saliency import Floats, Saliency

__all__ = [
    "STYLE",
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
_FAINTEST = 0.02  # a word with less than this share of the highest score is not shaded
_SATURATED = (
    0.99  # quantile of the magnitudes; colours are full from it on, so that a few extreme pixels don't make the others pale
)


def heatmap_html(saliency: Saliency, *, mask_labels: bool = False, legend: bool = False) -> str:
    """A map as a piece of HTML to put into a page: see `token_heatmap_html` and `pixel_heatmap_html`."""
    if isinstance(saliency, TokenSaliency):
        return token_heatmap_html(saliency, mask_labels=mask_labels, legend=legend)
    return pixel_heatmap_html(saliency, mask_labels=mask_labels, legend=legend)


def heatmap_png(saliency: Saliency, *, mask_labels: bool = False, legend: bool = False) -> bytes:
    """A map as the bytes of a PNG file: see `token_heatmap_png` and `pixel_heatmap_png`."""
    if isinstance(saliency, TokenSaliency):
        return token_heatmap_png(saliency, mask_labels=mask_labels, legend=legend)
    return pixel_heatmap_png(saliency, mask_labels=mask_labels, legend=legend)


def token_heatmap_html(saliency: TokenSaliency, *, mask_labels: bool = False, legend: bool = True) -> str:
    """The text with its words shaded and underlined by their scores, as a piece of HTML with its own style.

    The opacity is proportional to the magnitude of the score. The score of a word shows when the pointer is on it. If the map
    has its text, the original spacing is kept. The words are escaped: none of them can become markup.

    Args:
        saliency: the map.
        mask_labels: whether to leave the labels and the prediction out of the legend, which it needs.
        legend: whether to add the question and the key.
    """
    _check_masked(mask_labels=mask_labels, legend=legend)
    scale = _scale(saliency.scores)
    body: list[str] = []
    for plain, index in _pieces(saliency):
        shown = escape(printable(plain))
        body.append(shown if index is None else _word(shown, float(saliency.scores[index]), scale, signed=saliency.signed))
    text = "".join(body) or "<em>(no words)</em>"
    head, key = (_question(saliency, mask_labels=mask_labels), _key(saliency)) if legend else ("", "")
    return f'{STYLE}<div class="saywhy-heatmap">{head}<p class="text" dir="auto">{text}</p>{key}</div>'


def pixel_heatmap_html(saliency: PixelSaliency, *, mask_labels: bool = False, legend: bool = True) -> str:
    """The heatmap over the image with numbered regions, and a list of the regions, as a piece of HTML with its own style.

    The picture is inside the HTML. The arguments are those of `token_heatmap_html`.

    Raises:
        UsageError: the map has no pixels.
    """
    _check_masked(mask_labels=mask_labels, legend=legend)
    png = pixel_heatmap_png(saliency, regions=True, legend=False)
    regions = drawn_regions(saliency)
    source = base64.b64encode(png).decode("ascii")
    described = "; ".join(f"{region.name}, {_holds(region, saliency)}" for region in regions) or "no region stands out"
    head, key = (_question(saliency, mask_labels=mask_labels), _key(saliency)) if legend else ("", "")
    items = "".join(
        f"<li>{escape(printable(region.name))}: {_verdict(region.sign, signed=saliency.signed)}, {_holds(region, saliency)},"
        f" {region.area:.0%} of the picture</li>"
        for region in regions
    )
    return (
        f'{STYLE}<div class="saywhy-heatmap">{head}<figure>'
        f'<img src="data:image/png;base64,{source}" alt="Heatmap: {escape(printable(described))}"></figure>'
        f"{f'<ol>{items}</ol>' if items else '<p>No region stands out.</p>'}{key}</div>"
    )


def _holds(region: Region, saliency: PixelSaliency) -> str:
    """The share of the whole that a region holds, as sentences state it; raw sums of pixels tell a reader nothing."""
    evidence = above_floor(saliency)
    largest = float(np.abs(evidence).max(initial=0.0)) or 1.0
    whole = float(np.abs(evidence / largest).sum())
    inside = float(np.abs(evidence[region.mask] / largest).sum())
    said = percent(min(1.0, inside / whole)) if whole else None
    return f"{said[0] if said else '0%'} of {'all the evidence' if saliency.signed else 'the importance'}"


def drawn_regions(saliency: PixelSaliency) -> tuple[Region, ...]:
    """The regions of a map as they are numbered; none if nothing in it stands out, so that pictures and sentences agree.

    Where sentences tell regions apart as the first, the second and so on, which goes from top to bottom, so do the numbers.
    """
    from verbalize.parts.noise import stands_out
    from verbalize.parts.regions import ORDINALS, find_regions

    if saliency.masks is not None:
        return find_regions(saliency)
    found = find_regions(saliency) if stands_out(saliency) else ()
    if any(region.name.split()[0] in ORDINALS for region in found):
        return tuple(sorted(found, key=lambda region: region.centre))
    return found


def token_heatmap_png(
    saliency: TokenSaliency, *, mask_labels: bool = False, legend: bool = True, width: int = 900, font_size: int = 22
) -> bytes:
    """The text with its words shaded and underlined by their scores, as the bytes of a PNG file.

    Text in scripts that are written from right to left stands in that order. Words with characters that the default font lacks
    use the first installed font that has them. If there is none, boxes show in their place, and a `MissingGlyphWarning` names
    the scripts. HTML has no such limit: it uses the fonts of the browser.

    Args:
        saliency: the map.
        mask_labels: whether to leave the labels and the prediction out of the legend, which it needs.
        legend: whether to add the question and the key.
        width: the width of the picture in pixels, 96 to 30,000. Lines are wrapped.
        font_size: the size of the words in pixels, 6 to 400.

    Raises:
        UsageError: the width or the font size is too small or too large, or the picture would be taller than 30,000 pixels or
            have more than 48 Mi of them.
    """
    from verbalize.draw.raster import draw_tokens

    _check_masked(mask_labels=mask_labels, legend=legend)
    question = _question_text(saliency, mask_labels=mask_labels) if legend else None
    return draw_tokens(
        [(printable(plain), index) for plain, index in _pieces(saliency)],
        saliency.scores / (_scale(saliency.scores) or 1.0),
        question=question,
        note=_darkest(_scale(saliency.scores)),
        width=width,
        font_size=font_size,
        signed=saliency.signed,
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
    """The scores as colours over the image in grey, as the bytes of a PNG file.

    Colours are full from the 99th percentile of the magnitudes on.

    Args:
        saliency: the map.
        overlay: whether to draw over the image, otherwise the ground is white. False needs a map with an image.
        regions: whether to outline and number the regions of `find_regions`. Regions against the label have a dashed outline.
            There are none if nothing in the map stands out (see `stands_out`).
        legend: whether to write the question and the key below the picture.
        mask_labels: whether to leave the labels and the prediction out of the legend, which it needs.
        smallest_side: pixels. Pictures whose smaller side is shorter are enlarged by a whole factor until it is this long.

    Raises:
        UsageError: the map has no pixels, an argument has no effect, or the picture would have more than 48 Mi pixels.
    """
    from verbalize.draw.raster import draw_pixels

    _check_masked(mask_labels=mask_labels, legend=legend)
    if not overlay and saliency.image is None:
        raise UsageError("overlay=False has no effect on a map without an image; leave it out")
    if not saliency.scores.size:
        raise UsageError(f"the map {saliency.saliency_id!r} has no pixels to draw")
    outlined: list[tuple[np.ndarray[tuple[int, ...], np.dtype[np.bool_]], int]] = []
    if regions:
        outlined = [(region.mask, region.sign) for region in drawn_regions(saliency)]
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
    """The image of a map, as the bytes of a PNG file, enlarged as in `pixel_heatmap_png`.

    Raises:
        UsageError: the map has no image, or an image without pixels.
    """
    from verbalize.draw.raster import encode, enlarged, to_rgb

    if saliency.image is None or not saliency.image.size:
        raise UsageError(f"the map {saliency.saliency_id!r} carries no image")
    return encode(enlarged(to_rgb(saliency.image), smallest_side))


def heatmap_page(saliencies: Sequence[Saliency], *, title: str = "Heatmaps", mask_labels: bool = False) -> str:
    """A whole HTML page with the heatmap of each map under its id."""
    sections = (
        f"<h2>{escape(printable(saliency.saliency_id))}</h2>{heatmap_html(saliency, mask_labels=mask_labels, legend=True)}"
        for saliency in saliencies
    )
    return html_page("\n".join(f"<section>{section}</section>" for section in sections), title)


def save_picture(saliency: Saliency, path: str | os.PathLike[str], *, mask_labels: bool = False) -> None:
    """Write the heatmap of a map to a file: a page if the name ends in .html, a picture if it ends in .png.

    The file is written whole or not at all.

    Raises:
        UsageError: the name has another ending, or the map has no pixels.
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


def _check_masked(*, mask_labels: bool, legend: bool) -> None:
    if mask_labels and not legend:
        raise UsageError(
            "mask_labels has no effect without a legend, which alone names labels; give legend=True or leave it out"
        )


def _pieces(saliency: TokenSaliency) -> Iterator[tuple[str, int | None]]:
    """The text in order: words with their index, and the characters between them with `None`."""
    places = saliency.offsets
    if saliency.text is None or places is None or overlap(places):
        for index, token in enumerate(saliency.tokens):
            if index:
                yield " ", None
            yield token, index
        return
    yield from pieces_between(saliency.text, places)


def _word(shown: str, score: float, scale: float, *, signed: bool) -> str:
    share = abs(score) / scale if scale else 0.0
    if share < _FAINTEST:
        return f'<span title="{_number(score, signed=signed)}">{shown}</span>'
    kind, colour = ("pro", FOR) if score > 0 else ("con", AGAINST)
    if not signed:
        kind, colour = "matters", MATTERS
    rgb = ",".join(map(str, colour))
    return (
        f'<span class="{kind}" title="{_number(score, signed=signed)}" style="background:rgba({rgb},'
        f'{STRONGEST * share:.3f});border-color:rgba({rgb},{FAINT_LINE + (1 - FAINT_LINE) * share:.3f})">{shown}</span>'
    )


def _scale(scores: Floats) -> float:
    return float(np.abs(scores).max()) if scores.size else 0.0


def _number(score: float, *, signed: bool) -> str:
    return f"{score:{'+' if signed else ''}.3g}" if score else "0"


def _darkest(scale: float) -> str:
    return f"darkest: score {scale:.3g}" if scale else "no score differs from 0"


def _verdict(sign: int, *, signed: bool) -> str:
    if not signed:
        return "matters" if sign else "does not matter"
    return {1: "speaks for", -1: "speaks against", 0: "speaks neither for nor against"}[sign]


def _question_text(saliency: Saliency, *, mask_labels: bool) -> str:
    """The question that the scores answer, and the prediction of the model, on one line."""
    query, prediction = saliency.query, saliency.prediction
    asked = "What speaks for" if saliency.signed else "What matters for"
    if mask_labels:
        return f"{asked} {HIDDEN_LABEL}{' rather than the other' if query.versus else ''}?"
    rather = f" rather than {' or '.join(query.versus)}" if query.versus else ""
    said = ""
    if prediction is not None:
        chance = f" ({prediction.probability:.0%})" if prediction.probability is not None else ""
        said = f" The model says: {prediction.label}{chance}."
    return printable(f"{asked} {query.label}{rather}?{said}")


def _question(saliency: Saliency, *, mask_labels: bool) -> str:
    return f'<p class="question">{escape(_question_text(saliency, mask_labels=mask_labels))}</p>'


def _key(saliency: Saliency) -> str:
    scale = _scale(saliency.scores)
    if not scale:
        return f'<p class="key">{_darkest(scale)}</p>'
    if not saliency.signed:
        matters = f'<span class="matters" style="background:rgba{(*MATTERS, 0.35)}">matters</span>'
        return f'<p class="key">{matters}{_darkest(scale)}</p>'
    pro = f'<span class="pro" style="background:rgba{(*FOR, 0.35)}">speaks for</span>'
    con = f'<span class="con" style="background:rgba{(*AGAINST, 0.35)}">speaks against</span>'
    return f'<p class="key">{pro}{con}{_darkest(scale)}</p>'
