"""How inputs and explanations are laid out: the same words, spaces and picture sizes in every condition.

The HTML holds no style attributes, scripts or addresses but those of the study's own pictures, so that a strict content
security policy can forbid them all. Every piece of text is escaped, and characters that would turn the direction of the page
are replaced. `stimuli.css` gives the classes their looks.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from evals.study.items import Stimulus
from verbalize.draw.page import printable
from verbalize.saliency import PixelSaliency, TokenSaliency
from verbalize.spacing import gaps, overlap, pieces_between
from verbalize.write.naming import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from evals.study.stimuli.kind import Show
    from evals.study.stimuli.making import Making
    from verbalize.parts.regions import Region
    from verbalize.saliency import Saliency

SMALLEST_SIDE = 320
"""Pixels. Smaller pictures are enlarged by a whole factor: 48 x 48 pixels can't be judged by people as they are."""
LARGEST_SIDE = 1200
"""Pixels. Larger pictures are reduced when they are kept: no page shows them larger, and phones would have to load them."""
_ISOLATE = re.compile("[\u2066\u2067\u2068]([^\u2066-\u2069]*)\u2069")


def pieces_of(saliency: TokenSaliency) -> Iterator[tuple[str, int | None]]:
    """The text in order: words with their index, and what stands between them with None.

    Where the map does not hold its text, the words are set as `verbalize.spacing.gaps` says.
    """
    places = saliency.offsets
    if saliency.text is None or places is None or overlap(places):
        for index, (space, token) in enumerate(zip(gaps(saliency.tokens), saliency.tokens, strict=True)):
            if space:
                yield space, None
            yield token, index
        return
    yield from pieces_between(saliency.text, places)


def plain_text(saliency: TokenSaliency) -> str:
    """The text of the input, as it is shown."""
    return printable("".join(piece for piece, _ in pieces_of(saliency)))


def words_html(saliency: TokenSaliency, mark: Callable[[int, str], str] | None = None, kind: str = "") -> str:
    """The text as a paragraph, in which `mark(index, escaped word)` may put an element around a word."""
    shown = []
    for piece, index in pieces_of(saliency):
        safe = escape(printable(piece))
        shown.append(safe if index is None or mark is None else mark(index, safe))
    return f'<div class="input"><p class="words{f" {kind}" if kind else ""}" dir="auto">{"".join(shown)}</p></div>'


def picture_html(name: str, alt: str, saliency: PixelSaliency) -> str:
    """A picture of the map's input, at the size at which all pictures of this input are shown."""
    width, height = shown_size(*(side * enlargement(saliency) for side in reversed(saliency.shape)))
    return f'<img src="{escape(name)}" alt="{escape(printable(alt))}" width="{width}" height="{height}">'


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of a picture as it is kept: no side is longer than `LARGEST_SIDE`."""
    longest = max(width, height)
    if longest <= LARGEST_SIDE:
        return width, height
    return max(1, round(width * LARGEST_SIDE / longest)), max(1, round(height * LARGEST_SIDE / longest))


def enlargement(saliency: PixelSaliency) -> int:
    """The whole factor by which pictures of this input are enlarged; as `verbalize.draw` does it."""
    height, width = saliency.shape
    wanted = -(-SMALLEST_SIDE // min(height, width))
    return max(1, min(wanted, 8 * SMALLEST_SIDE // max(height, width)))


def pictures_html(*pictures: str) -> str:
    """One or two pictures beside each other."""
    return f'<div class="input"><figure class="pictures">{"".join(pictures)}</figure></div>'


def plain_picture(saliency: PixelSaliency, making: Making) -> str:
    """The input's picture as an element."""
    from verbalize.draw.heatmaps import image_png

    return picture_html(making.add_picture(image_png(saliency, smallest_side=SMALLEST_SIDE)), "The picture", saliency)


def input_of(saliency: Saliency, making: Making) -> Stimulus:
    """The input alone."""
    if isinstance(saliency, TokenSaliency):
        return Stimulus(words_html(saliency), plain_text(saliency))
    height, width = saliency.shape
    return Stimulus(pictures_html(plain_picture(saliency, making)), f"A picture of {width} x {height} pixels.")


def sentence_html(text: str) -> str:
    """Sentences as escaped HTML. Quotations in isolates (U+2066 to U+2069) become `<bdi>`, which can't be left open."""
    parts, at = [], 0
    for found in _ISOLATE.finditer(text):
        parts += [escape(printable(text[at : found.start()])), f"<bdi>{escape(printable(found[1]))}</bdi>"]
        at = found.end()
    return "".join(parts) + escape(printable(text[at:]))


def is_word(token: str) -> bool:
    """Whether a token says something: it holds a letter, a digit or a picture such as an emoji, and not only punctuation."""
    return any(sign.isalnum() or unicodedata.category(sign) == "So" for sign in token)


def top_of(saliency: Saliency) -> str:
    """The word, or the name of the region, that speaks most for the label; "" where none does."""
    if isinstance(saliency, TokenSaliency):
        wordlike = [is_word(token) for token in saliency.tokens]
        scores = np.where(wordlike, saliency.scores, 0.0)
        best = int(np.argmax(scores)) if len(scores) else 0
        return saliency.tokens[best] if len(scores) and scores[best] > 0 else ""
    from verbalize.draw.heatmaps import drawn_regions

    found = [region for region in drawn_regions(saliency) if region.sign > 0]
    return region_in_words(saliency, max(found, key=lambda region: region.score)) if found else ""


def region_in_words(saliency: PixelSaliency, region: Region) -> str:
    """A region as sentences name it: "the red region at the upper left", "the region 'sky'"."""
    if saliency.masks is not None:
        return f"the region {quoted(region.name) or region.name}"
    return f"the {region.name}"


def said(text: str, top: str = "") -> Stimulus:
    """An explanation in sentences, of which `top` is the most important word; blank lines part its paragraphs."""
    paragraphs = [" ".join(one.split()) for one in re.split(r"\n\s*\n", text) if one.strip()]
    body = "".join(f"<p>{sentence_html(one)}</p>" for one in paragraphs)
    return Stimulus(
        f'<div class="explanation" dir="auto">{body}</div>', "\n".join(printable(_bare(one)) for one in paragraphs), top
    )


def _bare(text: str) -> str:
    return _ISOLATE.sub(r"\1", text)


def below(explain: Show) -> Show:
    """A `show` that puts what `explain` gives below the input."""

    def show(making: Making, options: Mapping[str, object]) -> Sequence[Stimulus | None]:
        return [
            None if explanation is None else joined(input_of(saliency, making), explanation)
            for saliency, explanation in zip(making.maps, explain(making, options), strict=True)
        ]

    return show


def joined(above: Stimulus, explanation: Stimulus) -> Stimulus:
    """An explanation below an input, or below an input that is explained already."""
    return Stimulus(
        above.html + explanation.html, f"{above.text}\n\nExplanation: {explanation.text}", explanation.top or above.top
    )
