"""Plain lists of (word, score), as people write them and as transformers-interpret returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verbalize.formats.format import Format, ReadOptions, is_pairs
from verbalize.formats.word_lists import read_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verbalize.saliency import TokenSaliency

WORD_KEYS = ("token", "word", "piece", "feature")
LIST_KEYS = frozenset(
    ("pairs", "explanation", "word_scores", "as_list", "tokens", "words", "scores", "attributions")
)  # no labels
_WORDS = frozenset(WORD_KEYS)
SCORE_KEYS = ("score", "attribution", "saliency", "importance", "weight", "value")


def _from_pairs(pairs: list[tuple[str, float]], options: ReadOptions, **fields: Any) -> TokenSaliency:
    query = options.query(fields.pop("label", None))
    return read_words([word for word, _ in pairs], [score for _, score in pairs], query, options, **fields)


def _matches_pairs(document: object) -> bool:
    return is_pairs(document)


def _read_pairs(document: list[tuple[str, float]], options: ReadOptions) -> Iterator[TokenSaliency]:
    yield _from_pairs(document, options)


def _matches_words(document: object) -> bool:
    """transformers-interpret's pairwise and multi-label explainers return a dictionary from label to such a list."""
    if not isinstance(document, dict) or not document or set(document) <= LIST_KEYS:
        return False
    return all(is_pairs(value) for value in document.values())


def _read_words(document: dict[str, list[tuple[str, float]]], options: ReadOptions) -> Iterator[TokenSaliency]:
    names = [options.class_name(label) for label in document]
    for number in options.chosen(names):
        pairs, label = list(document.values())[number], list(document)[number]
        yield _from_pairs(pairs, options, label=names[number], id=str(label))


def pairs_of(value: object) -> list[tuple[str, float]] | None:
    """The (word, score) of a list of pairs or of records such as `{"token": ..., "score": ...}`; `None` for anything else."""
    if is_pairs(value):
        return [(word, score) for word, score in value]  # type: ignore[attr-defined]
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(one, dict) for one in value):
        return None
    if _WORDS.isdisjoint(value[0]):  # most that is asked about
        return None
    word = next((key for key in WORD_KEYS if all(isinstance(one.get(key), str) for one in value)), None)
    score = next((key for key in SCORE_KEYS if all(key in one for one in value)), None)
    return None if word is None or score is None else [(one[word], one[score]) for one in value]


PAIRS = Format("pairs", "[[word, score], ...] in JSON; lists of transformers-interpret", _matches_pairs, _read_pairs)
LABELLED_PAIRS = Format(
    "labelled-pairs",
    "{label: [[word, score], ...]} in JSON; multi-label results of transformers-interpret",
    _matches_words,
    _read_words,
)
