"""Maps from lists of words with scores: in the order of the text, in the order of their scores, or placed in a text."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import argument
from verbalize.pieces import merge_pieces
from verbalize.saliency import SaliencyError, SpecialToken, TokenSaliency
from verbalize.scripts import clings, is_unspaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from verbalize.formats.format import ReadOptions
    from verbalize.saliency import Query

    Span = tuple[int, int]
    Place = Sequence[Span]  # a phrase may leave out what stands between its words

GAP = "…"  # stands between words of which nobody knows whether they are neighbours, so that no phrase reaches across
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_SEARCHED = 50_000_000  # words times characters: some seconds
_RANKED = 4  # shorter lists stand in the order of their scores by chance: three words once in six times
_UNPLACED = (
    "the words stand in the order of their scores, as LIME lists them; their order in the text is not known, so that no two "
    "are quoted as one phrase; name the text with "
)
_POSITIONS = re.compile(r"(.+)_(\d+(?:-\d+)*)", re.DOTALL)


def read_words(
    words: Sequence[str],
    scores: Sequence[float],
    query: Query,
    options: ReadOptions,
    *,
    text: str | None = None,
    in_order: bool | None = None,
    signed: bool | None = None,
    **fields: Any,
) -> TokenSaliency:
    """The map of words and scores of which nobody says how they were made.

    Args:
        words: words, or pieces of a tokenizer.
        scores: one number per word.
        query: the question that the scores answer.
        options: what the caller says about the text and the sign.
        text: the text of the record.
        in_order: whether the words stand in the order of the text; `None` finds out.
        signed: whether negative scores have a meaning, if the record says it.
        **fields: the other arguments of `TokenSaliency.from_pieces`.

    Raises:
        SaliencyError: as for `TokenSaliency`, or a word is not in the text.
    """
    said = options.signed is not None or signed is not None
    fields["signed"] = options.is_signed(signed)
    whole = text if text is not None else options.input_text
    ranked = in_order is None and _is_ranked(words, scores)
    if in_order or (in_order is None and not ranked) or (whole is not None and _covers(words, whole)):
        try:
            found = TokenSaliency.from_pieces(words, scores, query, text=whole, **fields)
        except SaliencyError:
            if in_order or (placed := _placed_anyway(words, scores, query, whole, **fields)) is None:
                raise
            found = placed
    else:
        if ranked and whole is None:
            options.note(_UNPLACED + argument("input_text", ...))
        found = _without_order(words, scores, query, whole, **fields)
    if not said:
        options.unsaid.add(bool((found.scores < 0).any()))
    return found


def _placed_anyway(
    words: Sequence[str], scores: Sequence[float], query: Query, text: str | None, **fields: Any
) -> TokenSaliency | None:
    """The map of words that all stand in the text, but not in their order; `None` where one does not, or they are pieces."""
    if text is None or len(words) != len(scores) or merge_pieces(words, text=text).special:
        return None
    _check_search(words, text)
    try:
        for word in dict.fromkeys(words):
            occurrences(text, word)
    except SaliencyError:
        return None
    return _without_order(words, scores, query, text, **fields)


def _without_order(
    words: Sequence[str], scores: Sequence[float], query: Query, text: str | None, **fields: Any
) -> TokenSaliency:
    if len(words) != len(scores):
        raise SaliencyError(f"there are {len(words)} tokens but {len(scores)} scores; give one score for each token")
    features = [(word, float(score)) for word, score in zip(words, scores, strict=True)]
    if (placed := _positions(features)) is not None:
        return _at_positions(placed, query, **fields)
    return unordered(words, scores, query, **fields) if text is None else place_words(text, features, query, **fields)


def unordered(words: Sequence[str], scores: Sequence[float], query: Query, **fields: Any) -> TokenSaliency:
    """The map of words whose order in the text is not known: between each two stands a gap, so that none make a phrase."""
    gaps = [SpecialToken(GAP, 0.0, place) for place in range(1, len(words))]
    special = sorted([*gaps, *fields.pop("special", ())], key=lambda token: token.position)
    return TokenSaliency(words, scores, query, special=special, **fields)


def place_words(text: str, features: Iterable[tuple[str, float]], query: Query, **fields: Any) -> TokenSaliency:
    """The map of a text in which some words have scores. A score is shared out evenly among the places of its word.

    Raises:
        SaliencyError: a word is not in the text, or has two scores.
    """
    listed: dict[str, float] = {}
    times: dict[str, int] = {}
    features = list(features)
    _check_search([word for word, _ in features], text)
    for word, score in features:
        times[word] = times.get(word, 0) + 1
        if word in listed and (listed[word] != score * (times[word] - 1) or times[word] > len(occurrences(text, word))):
            raise SaliencyError(
                f"the word {word!r:.80} has two scores and nothing says which place each is for; list the words in the order "
                "of the text, or leave out the text"
            )
        listed[word] = score * times[word]
    return spread(text, [(occurrences(text, word), score) for word, score in listed.items()], query, **fields)


def _check_search(words: Sequence[str], text: str) -> None:
    """See whether so many words can be looked up in so long a text, one by one, in some seconds.

    Raises:
        SaliencyError: they can't.
    """
    different = len(set(words))
    if different * len(text) > _SEARCHED:
        raise SaliencyError(
            f"{different:,} words would have to be looked up in a text of {len(text):,} characters; list the words in the "
            "order of the text, or leave out those of little weight"
        )


def spread(text: str, features: Sequence[tuple[Sequence[Place], float]], query: Query, **fields: Any) -> TokenSaliency:
    """The map of a text whose features, such as words, phrases or runs of characters, have scores.

    The score of a feature is shared out evenly among its places, and there among its characters other than white space. The
    score of a word is the sum of the shares of its characters, so that the scores of the words have the total of the features.

    Args:
        text: the text.
        features: (places, score) of each feature; a place is a list of (start, stop) spans.
        query: the question that the scores answer.
        **fields: the other arguments of `TokenSaliency`.
    """
    shares = np.zeros(len(text))
    cuts: set[int] = set()
    for places, score in features:
        for spans in places:
            inked = [index for start, stop in spans for index in range(start, stop) if not text[index].isspace()]
            shares[inked] += score / len(places) / max(len(inked), 1)
            edges = {edge for span in spans for edge in span if 0 < edge < len(text)}
            cuts |= {edge for edge in edges if is_unspaced(text[edge]) and is_unspaced(text[edge - 1])}
    offsets = [piece for span in _whole_words(text) for piece in _cut(span, cuts)]
    words = [text[start:stop] for start, stop in offsets]
    return TokenSaliency(words, [shares[a:b].sum() for a, b in offsets], query, text=text, offsets=offsets, **fields)


def occurrences(text: str, word: str) -> list[list[Span]]:
    """The places of the word in the text: as it is written, or else in other case.

    Raises:
        SaliencyError: it has none.
    """
    before = r"(?<!\w)" if word[:1].isalnum() and not is_unspaced(word[0]) else ""
    after = r"(?!\w)" if word[-1:].isalnum() and not is_unspaced(word[-1]) else ""
    pattern = before + r"\s+".join(re.escape(part) for part in word.split()) + after
    for flags in (0, re.IGNORECASE):
        if found := [[match.span()] for match in re.finditer(pattern, text, flags) if word.strip()]:
            return found
    raise SaliencyError(f"the word {word!r:.80} does not occur in the text")


def _whole_words(text: str) -> list[Span]:
    """The (start, stop) of words and punctuation marks, accents and vowel signs with their letters."""
    found: list[Span] = []
    for match in _WORD.finditer(text):
        start, stop = match.span()
        if (found and found[-1][1] == start and clings(text[start - 1], text[start])) or (
            found and found[-1][1] == start and unicodedata.combining(text[start - 1]) and text[start].isalnum()
        ):
            start = found.pop()[0]
        found.append((start, stop))
    return found


def _cut(span: Span, cuts: set[int]) -> Iterator[Span]:
    bounds = [span[0], *sorted(cut for cut in cuts if span[0] < cut < span[1]), span[1]]
    yield from pairwise(bounds)


def _is_ranked(words: Sequence[str], scores: Sequence[float]) -> bool:
    """Whether the list looks like a ranking: words, none a piece of one, by falling magnitude."""
    if len(words) < _RANKED or len(words) != len(scores):
        return False
    merged = merge_pieces(words)
    if merged.special or any(len(indices) > 1 for _, indices in merged.words):
        return False
    sizes = [abs(float(score)) for score in scores]
    return sizes[0] > sizes[-1] and all(before >= after for before, after in pairwise(sizes))


def _covers(words: Sequence[str], text: str) -> bool:
    """Whether the words one after the other are the text."""
    return "".join("".join(words).split()).casefold() == "".join(text.split()).casefold()


def _positions(features: Sequence[tuple[str, float]]) -> list[tuple[int, str, float]] | None:
    """(place in the text, word, score) of features in the form "bad_3-6-12", as LIME writes them with `positions=True`."""
    found = [(match, score) for name, score in features if (match := _POSITIONS.fullmatch(name))]
    if not found or len(found) < len(features):
        return None
    placed = []
    for match, score in found:
        places = [int(place) for place in match[2].split("-")]
        placed += [(place, match[1], score / len(places)) for place in places]
    return sorted(placed)


def _at_positions(placed: list[tuple[int, str, float]], query: Query, **fields: Any) -> TokenSaliency:
    """The map of words at known places of a text that is not known: words with something between them make no phrase."""
    ends = [place + len(word) for place, word, _ in placed]
    gaps = [
        SpecialToken(GAP, 0.0, number) for number, (place, _, _) in enumerate(placed) if number and place > ends[number - 1] + 1
    ]
    words, scores = [word for _, word, _ in placed], [score for _, _, score in placed]
    return TokenSaliency(words, scores, query, special=[*gaps, *fields.pop("special", ())], **fields)
