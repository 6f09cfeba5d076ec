"""A heatmap: each word or pixel coloured by its score.

Blue speaks for the label, orange against it, and violet says how much a part of an unsigned map matters, as in
`verbalize.draw.heatmaps`. Colours go by the share of the highest score of the same map, so that no map is told from another by
the size of its scores. Words that speak against the label have a dashed underline: nothing depends on colour alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evals.study.items import Stimulus
from evals.study.stimuli.kind import ConditionKind
from evals.study.stimuli.layout import (
    SMALLEST_SIDE,
    picture_html,
    pictures_html,
    pieces_of,
    plain_picture,
    region_in_words,
    sentence_html,
    top_of,
    words_html,
)
from evals.study.stimuli.leaks import VOCABULARY
from verbalize.draw.page import printable
from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.stimuli.making import Making
    from verbalize.saliency import Floats, Saliency

LEVELS = 10
"""Shades of each colour: a step of 5 % in opacity, which nobody sees between two words that don't touch."""
KEY_WORDS = frozenset("speaks matters for the label that model chose against it".split())  # noqa: SIM905
"""The words of the key."""
_FAINTEST = 0.02  # a word with less than this share of the highest score is not shaded, as in `verbalize.draw`


def heatmap_of(saliency: Saliency, making: Making) -> Stimulus:
    """The heatmap of one map: the text with shaded words, or the picture beside its overlay."""
    if isinstance(saliency, TokenSaliency):
        return _of_words(saliency, making)
    return _of_pixels(saliency, making)


def levels_of(scores: Floats) -> list[int]:
    """The shade of each score, from -10 to 10; 0 for none."""
    top = float(np.abs(scores).max(initial=0.0))
    if not top:
        return [0] * len(scores)
    shares = scores / top
    shades = np.sign(shares) * np.maximum(1, np.round(np.abs(shares) * LEVELS))
    return [int(shade) for shade in np.where(np.abs(shares) < _FAINTEST, 0, shades)]


def shade_class(level: int, *, signed: bool) -> str:
    """The class of a shaded word."""
    return f"h{level:+d}" if signed else f"m{level}"


def _of_words(saliency: TokenSaliency, making: Making) -> Stimulus:
    levels = levels_of(saliency.scores)

    def shaded(index: int, word: str) -> str:
        level = levels[index]
        return f'<span class="{shade_class(level, signed=saliency.signed)}">{word}</span>' if level else word

    html = words_html(saliency, shaded, "heatmap") + key_html(saliency, making)
    spoken = []
    for piece, index in pieces_of(saliency):
        level = 0 if index is None else levels[index]
        spoken.append(printable(piece) + (f" [{level / LEVELS:{'+' if saliency.signed else ''}.1f}]" if level else ""))
    return Stimulus(html, f"{_told(saliency, making, any(levels))}\n{''.join(spoken)}", top_of(saliency))


def _told(saliency: Saliency, making: Making, shaded: bool) -> str:
    label = making.label_of(saliency)
    if not shaded:
        return f"No word {'speaks for or against' if saliency.signed else 'matters for'} {label}."
    if saliency.signed:
        return f"Behind a word, in square brackets: how much it speaks for {label} (up to +1) or against it (down to -1)."
    return f"Behind a word, in square brackets: how much it matters for {label}, up to 1."


def key_html(saliency: Saliency, making: Making) -> str:
    """What the colours mean, as a paragraph: for each map the same."""
    label = sentence_html(making.label_of(saliency))
    keys = (
        [("h+7", f"speaks for {label}"), ("h-7", "speaks against it")] if saliency.signed else [("m7", f"matters for {label}")]
    )
    return f'<p class="key">{" ".join(f"""<span class="{name}">{said}</span>""" for name, said in keys)}</p>'


def _of_pixels(saliency: PixelSaliency, making: Making) -> Stimulus:
    from verbalize.draw.heatmaps import pixel_heatmap_png

    told = regions_told(saliency, making)
    png = pixel_heatmap_png(saliency, smallest_side=SMALLEST_SIDE)
    overlay = picture_html(making.add_picture(png), f"Heatmap over the picture. {told}", saliency)
    html = pictures_html(plain_picture(saliency, making), overlay) + key_html(saliency, making)
    return Stimulus(html, f"A picture with a heatmap. {told}", top_of(saliency))


def regions_told(saliency: PixelSaliency, making: Making, *, against: bool = True) -> str:
    """The regions of a picture in words, for those who don't see them: all, or without those against the label."""
    from verbalize.draw.heatmaps import drawn_regions

    label = making.label_of(saliency)
    regions = [region for region in drawn_regions(saliency) if against or region.sign > 0]
    found = [
        _region(region_in_words(saliency, region), region.sign, region.share, signed=saliency.signed) for region in regions
    ]
    if not found:
        return f"No region stands out for {label}."
    return f"What {'speaks for' if saliency.signed else 'matters for'} {label}: {'; '.join(found)}."


def _region(name: str, sign: int, share: float, *, signed: bool) -> str:
    against = " (speaks against it)" if signed and sign < 0 else ""
    return f"{name}{against}, {min(share, 1.0):.0%} of {'this evidence' if signed else 'the importance'}"


def _show(making: Making, options: Mapping[str, object]) -> Sequence[Stimulus | None]:  # noqa: ARG001 - it has none
    return [heatmap_of(saliency, making) for saliency in making.maps]


HEATMAP = ConditionKind(summary="each word or pixel coloured by its score", show=_show, options={}, own_words=VOCABULARY)
