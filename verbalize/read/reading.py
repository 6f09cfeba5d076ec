"""Reads free text about a map back into claims, without a language model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verbalize.evidence import evidence_of
from verbalize.read.marking.bare import mark_bare, mark_regions
from verbalize.read.marking.marks import Marked, bare_labels, blank_marks, mark_numbers, mark_quotations
from verbalize.read.marking.quotations import find_quotations
from verbalize.read.part_finder import PartFinder
from verbalize.read.sentence_reader import SentenceReader
from verbalize.read.sentence_splitter import split_sentences
from verbalize.saliency import TokenSaliency
from verbalize.write.naming import WordIndex

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verbalize.claims.claim import Claim
    from verbalize.read.marking.quotations import Quotation
    from verbalize.saliency import Query, Saliency

__all__ = ["ReadSentence", "read_claims", "read_sentences"]


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """A sentence and what it says of the map.

    Args:
        start: the place of its first character in the text; white space between sentences belongs to none.
        stop: the place behind its last character.
        text: those characters.
        claims: its statements about the map.
        unread: it says, or seems to say, something of the map that was not read: a part in quotes, a number or words of
            importance from which no claim was made. Whoever promises that a text is true must cut such a sentence.
    """

    start: int
    stop: int
    text: str
    claims: tuple[Claim, ...]
    unread: bool


def read_claims(text: str, saliency: Saliency) -> tuple[Claim, ...]:
    """The statements that a text makes about a map, in their order, each once.

    What is read, and how:

    - Parts: whatever stands in quotes of any style, found in the input whatever the case and however punctuation is detached.
      "The second 'great'" means the second; without an ordinal, a word that occurs more than once means the place for which
      the statement comes nearest to being true. A quoted part that does not occur gets a claim with `None` as its part.
      Without quotes: "the word X", positions, names of regions, and words of the input that a sentence calls important.
    - "important", "high scores", "speaks for", "contributes" ... become "supports"; "negative score", "speaks against",
      "undermines" ... become "opposes". "The most important" adds "most_important", with the parts named with it as `other`.
    - "More than", "outweighs", "followed by" and, after parts that were called important, "lower scores" become
      "more_important_than", one claim for each pair.
    - Numbers become "share": per cents and fractions of the evidence, other numbers of the part's net score, with half a unit
      of their last written place as tolerance. "About" and worded fractions allow five percentage points, "about 2.3" a tenth.
    - "Does not support" becomes a share of 0 of the positive evidence; "not important" a share of all evidence of at most 5 %
      (or of at most an even share, if that is more).
    - Labels: quoted names after "for", "against", "predicted as" ..., and known ones without quotes. `{placeholders}` and
      "the label" name none.

    Takes any text; the time grows with its length.
    """
    return tuple(dict.fromkeys(claim for sentence in read_sentences(text, saliency) for claim in sentence.claims))


def read_sentences(text: str, saliency: Saliency) -> tuple[ReadSentence, ...]:
    """The sentences of a text, each with its place, its claims, and whether it says more than was read."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, not {type(text).__name__}")
    evidence = evidence_of(saliency)
    clean = blank_marks(text)
    finder = PartFinder(evidence, WordIndex.of(saliency) if isinstance(saliency, TokenSaliency) else None)
    quotations = find_quotations(clean, finder.holds)
    names = _label_names(saliency)
    mark_labels = bare_labels(names)
    reader = SentenceReader(evidence)
    sentences: list[ReadSentence] = []
    heading = ""
    next_quotation = 0
    for start, stop in split_sentences(clean, quotations):
        inside: list[Quotation] = []
        while next_quotation < len(quotations) and quotations[next_quotation].start < stop:
            inside.append(quotations[next_quotation])
            next_quotation += 1
        marked = _mark(clean, (start, stop), inside, names, finder)
        mark_labels(marked)
        item = re.match(r"[-*•–] |\d{1,3}[.)] ", marked.text)
        if item:
            marked.text = marked.text[item.end() :]
        mark_numbers(marked)
        mark_bare(marked, finder.parts)
        marked.group()
        if item and heading:
            marked.text = heading + marked.text
        elif not item:
            heading = marked.text[:-1] + " " if marked.text.endswith(":") and not marked.parts else ""
        reading = reader.read(marked)
        sentences.append(ReadSentence(start, stop, text[start:stop], tuple(reading.claims), reading.unread))
    return tuple(sentences)


def _mark(text: str, span: tuple[int, int], quotations: list[Quotation], names: tuple[str, ...], finder: PartFinder) -> Marked:
    start, stop = span
    moved = [type(q)(q.start - start, min(q.stop, stop) - start, q.inner, q.mark) for q in quotations if q.start >= start]
    marked = mark_quotations(text[start:stop], moved, names, finder.places)
    if finder.evidence.pixels:
        mark_regions(marked, finder.evidence.names)
    return marked


def _label_names(saliency: Saliency) -> tuple[str, ...]:
    query: Query = saliency.query
    prediction = saliency.prediction
    names: Iterable[str] = (query.label, *query.versus, *query.members)
    if prediction is not None:
        names = (*names, prediction.label, *prediction.scores, *([prediction.true_label] if prediction.true_label else []))
    return tuple(dict.fromkeys(name for name in names if name.strip()))
