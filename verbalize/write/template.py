"""Sentences about a map without a language model: each is filled from claims that hold, and can be read back into them.

The shapes, with P a part, F the query in full and "it" the query again ("that choice" where it is contrastive):

    P is    'great'  |  'great acting'  |  the second 'great'  |  the word at position 5  |  the phrase at positions 5 to 7
            |  the word 'good'  |  the phrase 'not good'  |  the second word 'good' (where those words are a label's name)
            (of a picture: the red region at the upper left  |  the region 'sky')
    F is    'A'  |  'A' rather than 'B'  |  'A' rather than 'B', 'C' or 'D'  |  the group 'G' ('A' or 'B')
            |  the group 'G' (12 classes)  |  the label 'A' (where the input holds the word, too)
            |  the label  |  the label rather than the other label(s)     (labels masked)

    P is the most important word (part of the text, region) for F, with 46% of the evidence for it.
    The most important word for F is P, with 46% of the evidence for it.
    P speaks most for F, with 46% of the evidence for it.
    P and P are equally the most important words for F, each with 20% of the evidence for it.
    P and P are the most important parts of the text for F.
    P and P are among the most important words for F.                       P is among the most important words for F.
    The only word, P, speaks for F.                                         (against F)
    P (20%) and P (10%) also speak for it.                                  Taken as phrases, P (30%) and P (20%) speak for it.
    P speaks most against it, with 60% of the evidence against it.          (every shape with "for" has one with "against")
    P (46%) is the most important word for F, followed by P (20%), P (10%) and P (5%).
    P is more important than P.
    The rest of the text holds 24% of the evidence for it.
    Of all the evidence in the text, for and against, 70% speaks for it.
    Nothing in the text (picture) speaks for F.
    No part of the text (picture) stands out for F: every word (pixel) scores zero (scores the same).
    The whole picture speaks for F.
    The word » great « is most important for the prediction (46 %).         (style "smv": word, phrase or span)
    The phrase » fine acting « is also salient (20 %).

What the shapes mean. Quotes come in four kinds ('', "", «», 「」), chosen so that the quoted words hold neither mark, nor one
that looks like it; the first opening mark governs up to its own closing mark. White space in quotes is squeezed. An ordinal
counts the places of the whole quoted run of words, case and all (`_sentences.wording.WordIndex.places`); positions count words
from 1. A quoted name that follows "for", "against", "rather than", or stands in that list, is a label; every other is a part. A
number in brackets after a part is its share of the evidence in the sentence's direction, as is "with N% of the evidence".
"Followed by" says that each part is more important than the next. "Stands out" says nothing of a direction, "speaks for" and
"against" do.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError
from verbalize.claims.coverage import coverage_of
from verbalize.evidence import evidence_of
from verbalize.saliency import SaliencyError
from verbalize.verbalization import Verbalization
from verbalize.write import phrases
from verbalize.write.background import Background
from verbalize.write.draft import Draft
from verbalize.write.naming import Frame
from verbalize.write.style import STYLES, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from verbalize.saliency import Saliency
    from verbalize.write.background import Source


@dataclass(frozen=True)
class TemplateVerbalizer:
    """Fills sentences with what holds of a map.

    Args:
        max_words: how many words of the input the text may name, in both directions together, 1 or more.
        max_spans: in how many spans, or (pixels) how many regions.
        style: a name in `STYLES`: "plain"; "ranked", single words in the order of their importance; "smv", the templates of
            Feldhus et al. 2023; or the style of a plug-in.
        mask_labels: write "the label" for every name of a class, in the text and in its claims, for studies in which people
            guess the model's decision. The words of the input are quoted as they are.
        background: differential descriptions of classes (a `Background`, pair descriptions, or what `agents.read_pairs` reads).
            They go to `.background` of the texts of contrastive maps; never to the text, nor where labels are masked.
        length: "clause" (the most important part alone, no full stop), "short", or "paragraph" (with comparisons, what is left
            unnamed, and the balance of both directions). The style "smv" knows "short" alone.

    Raises:
        SaliencyError: an unknown style, a length that the style does not know, or a limit below 1.
        UsageError: background that can't be read.
    """

    max_words: int = 12
    max_spans: int = 3
    style: str = "plain"
    mask_labels: bool = False
    length: str = "short"
    background: Source | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        for name in ("max_words", "max_spans"):
            value = getattr(self, name)
            try:
                number = operator.index(value)
            except TypeError:
                number = 0
            if number < 1 or isinstance(value, bool):
                raise SaliencyError(f"{name} must be a whole number from 1 up, not {value!r}")
        try:
            lengths = STYLES.get(self.style).lengths
        except UsageError as error:
            raise SaliencyError(str(error)) from None
        if self.length not in lengths:
            raise SaliencyError(f"the style {self.style!r} has no length {self.length!r}; use one of {', '.join(lengths)}")
        if self.background is not None:
            object.__setattr__(self, "background", Background.of(self.background))

    def verbalize(self, saliency: Saliency) -> Verbalization:
        """A text about the map, its claims, and the share of the evidence that lies in the parts it names.

        The text depends on the map and on these settings alone. The top part of those that speak for the label is always named,
        and no word or region is named as speaking in a direction that is not its own.
        """
        evidence = evidence_of(saliency)
        draft = Draft(
            saliency, evidence, Frame.of(saliency.query, mask_labels=self.mask_labels, heard=" ".join(evidence.names))
        )
        if evidence.flat:
            phrases.say_flat(draft)
        else:
            STYLES.get(self.style).say(draft, Limits(self.max_words, self.max_spans, self.length))
        text, claims = " ".join(draft.sentences), tuple(draft.claims)
        if self.length == "clause":
            text, claims = draft.clause, draft.clause_claims
        shown = Background.of(self.background) if self.background is not None and not self.mask_labels else None
        known = shown.sentences(saliency.query) if shown is not None else ()
        coverage = coverage_of(claims, saliency)
        return Verbalization(saliency.saliency_id, text, claims, coverage, self.style, background=known)

    def verbalize_all(self, saliencies: Iterable[Saliency]) -> Iterator[Verbalization]:
        """The maps' texts, one after the other as they are asked for."""
        return map(self.verbalize, saliencies)
