"""An extractive rationale: the words that speak most for the label, marked in the text; of a picture, its regions.

The words are those of `verbalize.draw.extractive_rationale` (Lei et al. 2016). Words against the label are never marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evals.study.items import Stimulus
from evals.study.stimuli.heatmap import regions_told
from evals.study.stimuli.kind import ConditionKind, number, whole
from evals.study.stimuli.layout import SMALLEST_SIDE, picture_html, pictures_html, plain_text, sentence_html, words_html
from evals.study.stimuli.leaks import VOCABULARY
from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.stimuli.making import Making

MAX_WORDS = 12
"""Words of a rationale, as `saywhy picture` draws it."""
SHARE = 0.3
"""The largest share of the words that is marked: of a short text, twelve words would be nearly all of it."""
_FADED = 0.72  # how far all that is not in the rationale goes to white: what it is can still be seen


def _show(making: Making, options: Mapping[str, object]) -> Sequence[Stimulus | None]:
    most, share = whole(options, "max_words", MAX_WORDS), number(options, "share", SHARE)
    return [
        _of_words(one, making, min(most, max(1, round(share * len(one)))))
        if isinstance(one, TokenSaliency)
        else _of_pixels(one, making)
        for one in making.maps
    ]


def _of_words(saliency: TokenSaliency, making: Making, most: int) -> Stimulus:
    from verbalize.draw.rationale import extractive_rationale

    found = extractive_rationale(saliency, most)
    chosen = set(found.part)
    verb = "speak most" if saliency.signed else "matter most"
    label = making.label_of(saliency)
    if chosen:
        key = f'<span class="marked">marked</span> words {verb} for {sentence_html(label)}'
        told = f"Marked words: {_quoted(saliency, found.part)}. They {verb} for {label}."
    else:
        told = f"No word {'speaks' if saliency.signed else 'matters'} for {label}."
        key = sentence_html(told)
    html = words_html(saliency, lambda index, word: f"<mark>{word}</mark>" if index in chosen else word, "rationale")
    return Stimulus(f'{html}<p class="key">{key}</p>', f"{plain_text(saliency)}\n\nExplanation: {told}")


def _quoted(saliency: TokenSaliency, part: Sequence[int]) -> str:
    """The marked words as they stand in the text, in quotes; words beside each other are one quotation."""
    from verbalize.draw.page import printable

    runs: list[list[int]] = []
    for index in part:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ", ".join(f"“{' '.join(printable(saliency.text_of(run)).split())}”" for run in runs)


def _of_pixels(saliency: PixelSaliency, making: Making) -> Stimulus:
    """The picture with all but the regions that speak for the label in pale grey."""
    from verbalize.draw.heatmaps import drawn_regions
    from verbalize.draw.raster import encode, enlarged, to_rgb

    assert saliency.image is not None
    kept = np.zeros(saliency.shape, dtype=bool)
    for region in drawn_regions(saliency):
        if region.sign > 0:
            kept |= region.mask
    picture = to_rgb(saliency.image)
    grey = picture.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    faded = np.repeat((255 * _FADED + grey * (1 - _FADED))[:, :, None], 3, axis=2).round().astype(np.uint8)
    shown = enlarged(np.where(kept[:, :, None], picture, faded), SMALLEST_SIDE)
    told = regions_told(saliency, making, against=False)
    label = sentence_html(making.label_of(saliency))
    verb = "speak most" if saliency.signed else "matter most"
    key = f"The parts in colour {verb} for {label}." if kept.any() else sentence_html(told)
    name = making.add_picture(encode(shown))
    html = pictures_html(picture_html(name, f"The picture, of which only some parts are in colour. {told}", saliency))
    return Stimulus(f'{html}<p class="key">{key}</p>', f"A picture, of which only some parts are in colour. {told}")


RATIONALE = ConditionKind(
    summary="the words or regions that speak most for the label, marked in the input",
    show=_show,
    options={
        "max_words": f"the most words that are marked ({MAX_WORDS})",
        "share": f"the largest share of the words that is marked, in (0, 1] ({SHARE:g})",
    },
    own_words=VOCABULARY,
)
