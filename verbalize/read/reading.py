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
    """A sentence, and the claims that it makes about the map.

    Args:
        start: the position of its first character in the text. White space between sentences belongs to no sentence.
        stop: the position after its last character.
        text: the characters from `start` to `stop`.
        claims: its statements about the map.
        unread: whether the sentence says, or seems to say, something about the map that was not read: no claim was made from
            one of its quoted parts, its numbers or its words of importance. Such a sentence can't be checked, so a caller who
            promises a true text must cut it.
        rules: the names of the rules that read its claims.
        left_over: its words that no rule read.
    """

    start: int
    stop: int
    text: str
    claims: tuple[Claim, ...]
    unread: bool
    rules: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()


def read_claims(text: str, saliency: Saliency) -> tuple[Claim, ...]:
    """Read the statements that a text makes about a map, in the order of the text and without repetitions.

    What is read, and how:

    - Parts: text in quotation marks of any style. It is looked up in the input without regard to case and to spaces around
      punctuation. "The second 'great'" means the second occurrence. Without an ordinal, a word that occurs more than once
      means the occurrence for which the statement comes nearest to being true. A quoted part that does not occur gives a
      claim with `None` as its part. Parts without quotes are read from "the word X", from positions, from names of regions,
      and from words of the input that a sentence calls important.
    - "important", "high scores", "speaks for", "contributes" ... become "supports"; "negative score", "speaks against",
      "undermines" ... become "opposes". "The most important" adds "most_important", with the parts that share the
      place as `other`.
    - "More than", "outweighs", "followed by" become "more_important_than", one claim for each pair. So does "lower scores"
      after parts that were called important.
    - Numbers become "share". Percentages and fractions state a share of the evidence, other numbers the net score of the
      part. The tolerance is half a unit of the last written digit. "About" and fractions in words ("a third") allow five
      percentage points, and "about 2.3" allows a tenth of the number.
    - "Does not support" becomes a share of 0 of the positive evidence. "Not important" becomes a share of at most 5 % of all
      evidence, or of at most an even share if that is more.
    - Labels: quoted names after "for", "against", "predicted as" ..., and the names of the query without quotes.
      `{placeholders}` and "the label" name no label.

    Any text can be read. The time grows with its length.
    """
    return tuple(dict.fromkeys(claim for sentence in read_sentences(text, saliency) for claim in sentence.claims))


def read_sentences(text: str, saliency: Saliency) -> tuple[ReadSentence, ...]:
    """Read the sentences of a text: for each its position, its claims, and whether it says more than was read."""
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
