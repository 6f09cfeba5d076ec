"""Plain lists of (word, score), as people write them and as transformers-interpret returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verbalize.formats.format import Format, ReadOptions, is_pairs, require
from verbalize.saliency import Prediction, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator


def _from_pairs(pairs: list[tuple[str, float]], options: ReadOptions, **fields: Any) -> TokenSaliency:
    label = fields.pop("label", None)
    fields.setdefault("text", options.input_text)
    return TokenSaliency.from_pieces([word for word, _ in pairs], [score for _, score in pairs], options.query(label), **fields)


def _matches_pairs(document: object) -> bool:
    return is_pairs(document)


def _read_pairs(document: list[tuple[str, float]], options: ReadOptions) -> Iterator[TokenSaliency]:
    yield _from_pairs(document, options)


def _matches_words(document: object) -> bool:
    """transformers-interpret's pairwise and multi-label explainers return a dictionary from label to such a list."""
    return isinstance(document, dict) and bool(document) and all(is_pairs(value) for value in document.values())


def _read_words(document: dict[str, list[tuple[str, float]]], options: ReadOptions) -> Iterator[TokenSaliency]:
    names = [options.class_name(label) for label in document]
    for number in options.chosen(names):
        pairs, label = list(document.values())[number], list(document)[number]
        yield _from_pairs(pairs, options, label=names[number], id=str(label))


def _matches_record(document: object) -> bool:
    return isinstance(document, dict) and "version" not in document and "scores" in document and "tokens" in document


def _read_record(document: dict[str, Any], options: ReadOptions) -> Iterator[TokenSaliency]:
    require(document, "tokens", "scores")
    tokens, scores = document["tokens"], document["scores"]
    if not isinstance(tokens, list) or not isinstance(scores, list):
        raise SaliencyError("'tokens' and 'scores' must be lists")
    predicted = document.get("prediction")
    yield TokenSaliency.from_pieces(
        tokens,
        scores,
        options.query(document.get("label")),
        text=document.get("text"),
        id=document.get("id"),
        prediction=None if predicted is None else Prediction(options.class_name(predicted)),
    )


PAIRS = Format("pairs", "[[word, score], ...] in JSON; lists of transformers-interpret", _matches_pairs, _read_pairs)
LABELLED_PAIRS = Format(
    "labelled-pairs",
    "{label: [[word, score], ...]} in JSON; multi-label results of transformers-interpret",
    _matches_words,
    _read_words,
)
PLAIN = Format(
    "plain",
    '{"tokens": [...], "scores": [...], "label": ..., "text": ..., "id": ...} in JSON',
    _matches_record,
    _read_record,
)
