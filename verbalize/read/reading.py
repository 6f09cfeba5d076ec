"""Reads free text about a map back into claims, without a language model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verbalize.evidence import evidence_of
from verbalize.read.fixed.reading import read_fixed
from verbalize.read.marking.part_finder import PartFinder
from verbalize.read.marking.quotations import find_quotations
from verbalize.read.marking.sentences import Marker, blank
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
        claims: its statements about the map. An unread sentence has those of the clauses that were read.
        unread: whether a word of the sentence was consumed by no rule, or the sentence makes no claim at all. Such a sentence is
            not verified, even if all its claims are true.
        rules: the name of the rule that read each clause, in order.
        left_over: the words that no rule consumed, clause by clause.
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

    The reader knows a closed world: a clause is read only if a rule consumes every word of it. The rules are in `read.rules`,
    the words in `read.grammar.lexicon`. What they make of a text:

    - Parts: text in quotation marks of any style. It is looked up in the input without regard to case and to spaces around
      punctuation. "The second 'great'" means the second occurrence. Without an ordinal, a word that occurs more than once
      means the occurrence for which the statement comes nearest to being true. A quoted part that does not occur gives a
      claim with `None` as its part. Parts without quotes are read from "the word X", from positions, and from names of
      regions.
    - "important", "high scores", "speaks for", "contributes" ... become "supports"; "negative score", "speaks against",
      "undermines" ... become "opposes". "The most important" adds "most_important", with the parts that share the
      place as `other`; "strongly" and "weakly" add "strength".
    - "More than", "outweighs", "followed by" become "more_important_than", one claim for each pair.
    - Numbers become "share", "ratio", "count", "rank" or "confidence". Percentages and fractions state a share of the
      evidence, other numbers the net score of the part. The tolerance is half a unit of the last written digit. "About" and
      fractions in words ("a third") allow five percentage points, and "about 2.3" allows a tenth of the number.
    - Labels: names after "for", "against", "predicted as" ..., in quotes or not. `{placeholders}` and "the label" name none.

    Any text can be read. The time grows with its length.
    """
    return tuple(dict.fromkeys(claim for sentence in read_sentences(text, saliency) for claim in sentence.claims))


def read_sentences(text: str, saliency: Saliency) -> tuple[ReadSentence, ...]:
    """Read the sentences of a text: for each its position, its claims, the rules that read it, and the words left over."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, not {type(text).__name__}")
    evidence = evidence_of(saliency)
    clean = blank(text)
    finder = PartFinder(evidence, WordIndex.of(saliency) if isinstance(saliency, TokenSaliency) else None)
    quotations = find_quotations(clean, finder.holds)
    marker = Marker(clean, finder, _label_names(saliency))
    reader = SentenceReader(evidence)
    sentences: list[ReadSentence] = []
    next_quotation = 0
    for start, stop in split_sentences(clean, quotations):
        inside: list[Quotation] = []
        while next_quotation < len(quotations) and quotations[next_quotation].start < stop:
            inside.append(quotations[next_quotation])
            next_quotation += 1
        fixed = read_fixed(
            clean[start:stop],
            [replace(one, start=one.start - start, stop=one.stop - start) for one in inside],
            evidence=evidence, known=marker.known, places=finder.places, subject=reader.memory.subject,
        )  # fmt: skip
        if fixed is not None:
            form, claims, subject = fixed
            reader.recall(claims, subject)
            sentences.append(ReadSentence(start, stop, text[start:stop], tuple(claims), False, (f"fixed: {form}",)))
            continue
        reading = reader.read(marker.sentence(start, stop, inside))
        unread = bool(reading.left_over) or not reading.claims
        sentences.append(
            ReadSentence(
                start, stop, text[start:stop], tuple(reading.claims), unread, tuple(reading.rules), tuple(reading.left_over)
            )
        )
    return tuple(sentences)


def _label_names(saliency: Saliency) -> tuple[str, ...]:
    query: Query = saliency.query
    prediction = saliency.prediction
    names: Iterable[str] = (query.label, *query.versus, *query.members)
    if prediction is not None:
        names = (*names, prediction.label, *prediction.scores, *([prediction.true_label] if prediction.true_label else []))
    return tuple(dict.fromkeys(name for name in names if name.strip()))
