"""Write sentences about a map without a language model. Each is made from true claims and can be read back into them.

These are the shapes of the sentences. P is a part, F the query in full, and "it" the query when it is mentioned again ("that
choice" for a contrastive query).

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

These are the rules for reading the shapes:

- There are four kinds of quotes ('', "", «», 「」). The quoted words contain neither of the two marks nor a look-alike. A
  quotation reaches from the first opening mark to its closing mark. White space in quotes is squeezed.
- An ordinal counts the places of the whole quoted run of words, including case (`verbalize.write.naming.WordIndex.places`).
  Positions count words from 1.
- A quoted name after "for", "against" or "rather than", or in the list that follows these, is a label. Any other is a part.
- A number in brackets after a part is its share of the evidence in the direction of the sentence. So is "with N% of the
  evidence".
- "Followed by" says that each part is more important than the next.
- "Stands out" does not state a direction. "Speaks for" and "speaks against" do.
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
    """Verbalizes maps with templates, which it fills only with what is true of the map.

    Args:
        max_words: the most words of the input that the text names, in both directions together, 1 or more.
        max_spans: the most spans (or regions of a picture) that the text names, 1 or more.
        style: a name in `STYLES`: "plain"; "ranked", which names single words in order of importance; "smv", the templates of
            Feldhus et al. 2023; or the style of a plug-in.
        mask_labels: whether to write "the label" instead of every class name, in the text and in its claims, for studies in
            which people guess the model's decision. The words of the input are still quoted as they are.
        background: differential descriptions of classes: a `Background`, pair descriptions, or a file that `agents.read_pairs`
            reads. Sentences from it are in `.background` of the result, never in the text. Only contrastive maps get them, and
            only if labels are not masked.
        length: "clause" (the most important part alone, without a full stop), "short", or "paragraph" (also with comparisons,
            the share of the words that are not named, and the balance of both directions). The style "smv" has only "short".

    Raises:
        SaliencyError: the style is unknown, the style has no such length, or a limit is below 1.
        UsageError: the background can't be read.
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
        """Write a text about the map. The result also holds its claims and the coverage of the parts that it names.

        The text depends only on the map and on the settings of this object. It always names the strongest part that speaks for
        the label, and it never says that a part speaks in a direction in which it does not.

        Raises:
            TypeError: the argument is not a map.
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
        """Iterate over the texts of the maps. Each map is verbalized when its text is asked for."""
        return map(self.verbalize, saliencies)
