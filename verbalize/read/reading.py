"""Reads free text about a map back into claims, without a language model."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from verbalize.claims.checking import check
from verbalize.evidence import evidence_of
from verbalize.read.clause import Memory
from verbalize.read.effects.implied import Implied, implied_by, words_between
from verbalize.read.effects.reading import CUES, is_of_several, is_unclear, read_effects, supposes
from verbalize.read.effects.skeleton import opened
from verbalize.read.fixed.reading import read_fixed
from verbalize.read.lists import heading_of, item_of, says_order, sentences_of_list, sentences_of_table
from verbalize.read.making.placing import adjacent
from verbalize.read.marking.part_finder import PartFinder
from verbalize.read.marking.quotations import find_quotations
from verbalize.read.marking.sentences import Marker, blank, without_emphasis
from verbalize.read.sentence_reader import SentenceReader
from verbalize.read.sentence_splitter import split_sentences
from verbalize.saliency import TokenSaliency
from verbalize.write.naming import WordIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from verbalize.claims.claim import Claim
    from verbalize.evidence import Evidence
    from verbalize.read.lists import Item
    from verbalize.read.marking.quotations import Quotation
    from verbalize.saliency import Part, Query, Saliency

    _Listed: TypeAlias = "tuple[tuple[Claim, ...], tuple[str, ...], tuple[Implied, ...]]"  # claims, rules, and of the model

_LONGEST = 4000  # characters of a sentence; the time that one takes grows with the square of its length
_MOST = 2000  # sentences; an explanation has a dozen, and each takes a millisecond
_BULLET = re.compile(r"(?:[-*•–+]|\d{1,3}[.)])\s")

__all__ = ["ReadSentence", "read_claims", "read_sentences"]


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """A sentence, and the claims that it makes about the map.

    Args:
        start: the position of its first character in the text. White space between sentences belongs to no sentence.
        stop: the position after its last character.
        text: the characters from `start` to `stop`.
        claims: its statements about the map. An unread sentence has those of the clauses that were read.
        unread: whether a word of the sentence was consumed by no rule, or the sentence makes no claim at all. Such a sentence
            is not verified, even if all its claims are true.
        rules: the name of the rule that read each clause, in order.
        left_over: the words that no rule consumed, clause by clause.
        implied: what its statements about the map say of the model besides, such as that "the decisive word" is decisive. It
            counts where the model is given.
    """

    start: int
    stop: int
    text: str
    claims: tuple[Claim, ...]
    unread: bool
    rules: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    implied: tuple[Implied, ...] = ()


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

    Any text can be read. The time grows with its length. A sentence of more than 4,000 characters is not read, nor is what
    stands behind the first 2,000 sentences.
    """
    return tuple(dict.fromkeys(claim for sentence in read_sentences(text, saliency) for claim in sentence.claims))


def read_sentences(text: str, saliency: Saliency) -> tuple[ReadSentence, ...]:
    """Read the sentences of a text: for each its position, its claims, the rules that read it, and the words left over.

    A heading has the claims of the list under it, and each item of the list those that name its word.
    """
    return _read(text, saliency)


def _read(text: str, saliency: Saliency, *, within_list: bool = False) -> tuple[ReadSentence, ...]:
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, not {type(text).__name__}")
    evidence = evidence_of(saliency)
    clean = without_emphasis(blank(text))
    finder = PartFinder(evidence, WordIndex.of(saliency) if isinstance(saliency, TokenSaliency) else None)
    quotations = find_quotations(clean, finder.holds)
    marker = Marker(clean, finder, _label_names(saliency))
    reader = SentenceReader(evidence)
    sentences: list[ReadSentence] = []
    next_quotation = 0
    spans = split_sentences(clean, quotations)
    written = {} if within_list or len(spans) > _MOST else _lists(clean, spans, finder.holds, saliency)
    for number, (start, stop) in enumerate(spans):
        sure = bool(sentences) and not sentences[-1].unread  # whether "it" can mean what the sentence before was about
        inside: list[Quotation] = []
        while next_quotation < len(quotations) and quotations[next_quotation].start < stop:
            inside.append(quotations[next_quotation])
            next_quotation += 1
        if stop - start > _LONGEST or number >= _MOST:
            reader.memory = Memory(unread=True)
            sentences.append(ReadSentence(start, stop, text[start:stop], (), True, (), ()))
            continue
        if (start, stop) in written:
            reader.memory = Memory(last_label=_label_of(written[start, stop][0]) or reader.memory.last_label, unread=True)
            found, rules, implied = written[start, stop]
            sentences.append(ReadSentence(start, stop, text[start:stop], found, False, rules, (), implied))
            continue
        shifted = [replace(one, start=one.start - start, stop=one.stop - start) for one in inside]
        fixed = read_fixed(
            clean[start:stop], shifted,
            evidence=evidence, known=marker.known, places=finder.places, subject=reader.memory.subject,
            last_label=reader.memory.last_label,
        )  # fmt: skip
        skips = fixed is not None and "followed by" in clean[start:stop] and _skips(fixed[1], evidence)
        if fixed is not None and not (skips and check(fixed[1], saliency)):  # what is false is false, whatever it skips
            form, claims, subject = fixed
            reader.recall(claims, subject)
            words = words_between(
                clean[start:stop], [replace(one, start=one.start - start, stop=one.stop - start) for one in inside]
            )
            implied = implied_by(words, claims, {}, len(evidence))
            sentences.append(
                ReadSentence(start, stop, text[start:stop], tuple(claims), False, (f"fixed: {form}",), (), implied)
            )
            continue
        tokens = opened(marker.sentence(start, stop, inside))
        effects = None
        if CUES.search(clean, start, stop):
            known = reader.memory.subject if sure and reader.memory.subject == reader.memory.last else ()
            effects = read_effects(tokens, evidence, known, reader.aside)
        if effects is not None:
            reader.recall(effects.claims, effects.subject)
            sentences.append(
                ReadSentence(start, stop, text[start:stop], effects.claims, False, effects.rules, (), effects.implied)
            )
            continue
        reading = reader.read(tokens)
        if reading.left_over and supposes(tokens, reading.left_over, evidence):
            reading.claims.clear()  # what is said of a changed input is no fact
            reading.implied.clear()
        if is_of_several(tokens, evidence):
            reading.claims.clear()
            reading.implied.clear()
        if is_unclear(tokens, evidence):  # which 'great' is decisive?
            reading.implied = [replace(one, first=True) for one in reading.implied]
            if not reading.implied:
                reading.claims.clear()
        unread = bool(reading.left_over) or not reading.claims
        last_label = _label_of(reading.claims) or reader.memory.last_label
        if unread:  # its words are not understood, but what "it" means in the next sentence may be a label in them
            names = [marker.known.get(" ".join(one.inner.split()).casefold()) for one in inside if not finder.holds(one.inner)]
            last_label = next((name for name in reversed(names) if name), last_label)
        reader.memory.last_label = last_label
        reader.memory.unread = reader.memory.unread or (unread and bool(inside))
        sentences.append(
            ReadSentence(
                start,
                stop,
                text[start:stop],
                tuple(reading.claims),
                unread,
                tuple(reading.rules),
                tuple(reading.left_over),
                tuple(reading.implied),
            )
        )
    return tuple(sentences)


def _lists(
    text: str, spans: Sequence[tuple[int, int]], holds: Callable[[str], bool], saliency: Saliency
) -> dict[tuple[int, int], _Listed]:
    """The claims and rules of sentences that are headings, items of lists under them, or tables, if these are read whole."""
    found: dict[tuple[int, int], _Listed] = {}
    index = 0
    while index < len(spans):
        start, stop = spans[index]
        index += 1
        sentence = text[start:stop]
        if sentence.startswith("|"):
            read = _whole(sentences_of_table(sentence, holds), saliency)
            if read is not None:
                found[start, stop] = read
            continue
        heading = heading_of(sentence)
        if heading is None:
            continue
        first = index
        items: list[Item] = []
        while index < len(spans) and (item := item_of(text[slice(*spans[index])], holds)) is not None:
            items.append(item)
            index += 1
        if not items or (index < len(spans) and _BULLET.match(text, spans[index][0])):
            continue
        read = next(filter(None, (_whole(way, saliency) for way in sentences_of_list(heading, items))), None)
        if read is None or (items[0].number is not None and not says_order(heading) and not check(read[0], saliency)):
            continue  # numbers may be places in a ranking, or only count the items
        found[start, stop] = read
        for item, span in zip(items, spans[first:index], strict=True):
            own = tuple(claim for claim in read[0] if item.part in (claim.quote or "").split(", "))
            found[span] = (own or read[0], read[1], read[2])
    return found


def _whole(made: Sequence[str], saliency: Saliency) -> _Listed | None:
    """The claims of sentences, the rules that read them, and what they say of the model; `None` if any of them is unread."""
    sentences = _read(" ".join(made), saliency, within_list=True) if made else ()
    if not sentences or any(sentence.unread for sentence in sentences):
        return None
    claims = tuple(dict.fromkeys(claim for sentence in sentences for claim in sentence.claims))
    rules = ("list", *(rule for sentence in sentences for rule in sentence.rules))
    return claims, rules, tuple(dict.fromkeys(one for sentence in sentences for one in sentence.implied))


def _skips(claims: Iterable[Claim], evidence: Evidence) -> bool:
    """Whether a sentence with "followed by" passes over a part that scores higher than the one it names next."""
    chain: list[Part] = []
    for claim in claims:
        if claim.kind != "more_important_than":
            continue
        chain += [part for part in (claim.part, claim.other) if part and part not in chain]
        if claim.other and not adjacent(evidence, chain, claim.direction if evidence.signed else None):
            return True
    return False


def _label_of(claims: Sequence[Claim]) -> str | None:
    """The label that claims name last."""
    return next((claim.label for claim in reversed(claims) if claim.label), None)


def _label_names(saliency: Saliency) -> tuple[str, ...]:
    query: Query = saliency.query
    prediction = saliency.prediction
    names: Iterable[str] = (query.label, *query.versus, *query.members)
    if prediction is not None:
        names = (*names, prediction.label, *prediction.scores, *([prediction.true_label] if prediction.true_label else []))
    return tuple(dict.fromkeys(name for name in names if name.strip()))
