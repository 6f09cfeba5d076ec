"""Records of tokens and scores in JSON, under the names that people give them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import argument
from verbalize.formats.format import Format, ReadOptions, parse_signed
from verbalize.formats.pairs import LIST_KEYS, pairs_of
from verbalize.formats.word_lists import read_words
from verbalize.query import whole
from verbalize.saliency import Prediction, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TOKENS = ("tokens", "words", "pieces", "input_tokens", "subwords", "wordpieces")
_SCORES = ("scores", "attributions", "attribution", "saliency", "saliencies", "importance", "importances", "importance_scores",
           "weights", "relevance", "relevances", "word_attributions", "token_attributions", "token_scores", "shap_values",
           "values")  # fmt: skip
_MAGNITUDES = ("attention", "attentions", "attention_weights", "norms", "gradient_norms")  # no signs, whatever the method
_BOTH = (*sorted(LIST_KEYS), *_TOKENS, *_SCORES)  # lists that hold words and scores together
_LABEL = ("label", "target", "class", "explained_label", "query")
_PREDICTED = ("prediction", "predicted", "predicted_label", "pred_label", "predicted_class", "pred_class")
_PROBABILITY = ("probability", "prob", "confidence", "pred_prob")
_TEXT = ("text", "input_text", "sentence", "input")
_NAMES = ("labels", "classes", "class_names", "output_names")
_ID = ("id", "idx")


def _first(document: dict[str, Any], keys: Sequence[str]) -> str | None:
    return next((key for key in keys if document.get(key) is not None), None)


def _matches(document: object) -> bool:
    if not isinstance(document, dict) or "version" in document:
        return False
    if _both(document) is not None:
        return True
    if pairs_of([document]) is not None:
        return True  # refused with the reason
    return _first(document, _TOKENS) is not None and _first(document, (*_SCORES, *_MAGNITUDES)) is not None


def _both(document: dict[str, Any]) -> str | None:
    """The field that holds words and scores together, if one does."""
    return next((key for key in _BOTH if key in document and pairs_of(document[key]) is not None), None)


def _read(document: dict[str, Any], options: ReadOptions) -> Iterator[TokenSaliency]:
    used: set[str] = set()

    def take(keys: Sequence[str]) -> Any:
        key = _first(document, keys)
        used.update(() if key is None else (key,))
        return None if key is None else document[key]

    document = _without_batch(document, options)
    tokens, scores, signed = _words(document, used)
    number = take(_ID)
    label, text, method = take(_LABEL), take(_TEXT), take(("method",))
    said = parse_signed(take(("signed",)))
    if said is not None and signed is not None and said != signed:
        raise SaliencyError("the record says that its scores are signed, but the name of their field says that they are not")
    signed = signed if said is None else said
    versus = take(("versus",))
    if isinstance(label, dict) and versus is None:
        versus = label.get("versus")
    fields: dict[str, Any] = {
        "text": text if isinstance(text, str) else None,
        "signed": signed,
        "method": method if isinstance(method, str) else None,
        "prediction": _prediction(take(_PREDICTED), take(_PROBABILITY), options),
    }
    if isinstance(offsets := take(("offsets", "offset_mapping")), list) and fields["text"] is not None:
        fields["offsets"] = [(whole(start), whole(stop)) for start, stop in offsets]
        fields["in_order"] = True
    name = None if number is None else str(number)
    names = take(_NAMES) if _is_matrix(scores) else None
    if unread := sorted(document.keys() - used - {"offsets", "offset_mapping"}):
        options.note(f"not read: the field{'s' * (len(unread) > 1)} {', '.join(map(repr, unread))}")
    if _is_matrix(scores):
        yield from _outputs(tokens, scores, names, name, versus, options, fields)
    else:
        yield read_words(tokens, scores, options.query(_label(label), versus=versus), options, id=name, **fields)


def _without_batch(document: dict[str, Any], options: ReadOptions) -> dict[str, Any]:
    """The record without an axis of length 1 around its lists, as a batch of one text has it."""
    squeezed = dict(document)
    tokens = next((document[key] for key in _TOKENS if isinstance(document.get(key), list)), None)
    if tokens is not None and len(tokens) == 1 and isinstance(tokens[0], list):
        tokens = tokens[0]
    count = None if tokens is None else len(tokens)
    named = any(isinstance(document.get(key), list) for key in _NAMES)
    for key, value in document.items():
        if not isinstance(value, list) or not value:
            continue
        inner = value[0]
        if key in _SCORES + _MAGNITUDES and not named:
            if len(value) == 1 and isinstance(inner, list) and (len(inner) == count):
                value = inner
            if len(value) == count and all(isinstance(row, list) and len(row) == 1 for row in value):
                value = [row[0] for row in value]
        elif (
            (key in _TOKENS and len(value) == 1 and isinstance(inner, list) and inner and isinstance(inner[0], str))
            or (
                key in ("offsets", "offset_mapping")
                and len(value) == 1
                and inner
                and isinstance(inner, list)
                and isinstance(inner[0], (list, tuple))
            )
            or (
                key in (*_TEXT, *_PREDICTED, *_LABEL, *_PROBABILITY, *_ID, "signed")
                and len(value) == 1
                and not isinstance(inner, list)
            )
        ):
            value = inner
        if value is not document[key]:
            squeezed[key] = value
    changed = [key for key in document if squeezed[key] is not document[key]]
    if changed:
        options.note(f"an axis of length 1, as of a batch, is left out of {', '.join(map(repr, changed))}")
    return squeezed


def _words(document: dict[str, Any], used: set[str]) -> tuple[list[str], list[Any], bool | None]:
    """The words, their scores, and whether these have signs, as far as the names of the fields say."""
    if pairs_of([document]) is not None:
        raise SaliencyError(
            "the record is one word with its score; put the words of a text into one list, or write a CSV table"
        )
    if (both := _both(document)) is not None:
        used.add(both)
        pairs = pairs_of(document[both]) or []
        return [word for word, _ in pairs], [score for _, score in pairs], None
    named = _first(document, _TOKENS), _first(document, (*_SCORES, *_MAGNITUDES))
    others = [key for key in (*_SCORES, *_MAGNITUDES) if isinstance(document.get(key), list) and key != named[1]]
    if others and any(document[key] != document[named[1] or ""] for key in others):
        listed = " and ".join(repr(key) for key in (named[1], others[0]))
        raise SaliencyError(f"the fields {listed} may both hold the scores; keep one of them")
    used.update((named[0] or "", named[1] or "", *others))
    tokens, scores = document[named[0] or ""], document[named[1] or ""]
    if not isinstance(tokens, list) or not isinstance(scores, list):
        raise SaliencyError(f"{named[0]!r} and {named[1]!r} must be lists")
    return tokens, scores, False if named[1] in _MAGNITUDES else None


def _label(value: object) -> object:
    """The label that a record names.

    Raises:
        SaliencyError: it is a fraction, such as a probability.
    """
    if isinstance(value, dict):
        value = value.get("label")
    if isinstance(value, list) and len(value) == 1:  # a batch of one
        value = value[0]
    if isinstance(value, (list, dict)):
        raise SaliencyError(f"the label must be one name, not {value!r:.60}; write one record for each label")
    number = float(value) if isinstance(value, str) and re.fullmatch(r"\d*\.\d+", value) else value
    if isinstance(number, float) and not number.is_integer():
        raise SaliencyError(
            f"the label is {value}, which is a number and names no class; name it with {argument('label', ...)}"
        )
    return value


def _prediction(predicted: object, probability: object, options: ReadOptions) -> Prediction | None:
    if isinstance(predicted, dict):
        probability = predicted.get("probability", probability)
        predicted = predicted.get("label")
    if isinstance(predicted, float) and not predicted.is_integer():
        options.note("a prediction that is a fraction is read as no label")
        return None
    if predicted is None or isinstance(predicted, (list, tuple)):
        return None
    known = isinstance(probability, (int, float)) and not isinstance(probability, bool)
    return Prediction(options.class_name(predicted), float(probability) if known else None)  # type: ignore[arg-type]


def _is_matrix(scores: list[Any]) -> bool:
    return bool(scores) and all(isinstance(row, list) for row in scores)


def _outputs(
    tokens: list[str],
    scores: list[Any],
    names: Any,
    name: str | None,
    versus: object,
    options: ReadOptions,
    fields: dict[str, Any],
) -> Iterator[TokenSaliency]:
    """One map for each named output of a record with a matrix of scores."""
    try:
        matrix = np.asarray(scores, dtype=np.float64)
    except ValueError:
        raise SaliencyError("the rows of scores differ in length, or hold something else than numbers") from None
    if not isinstance(names, list) or matrix.ndim != 2 or sorted(matrix.shape) != sorted((len(tokens), len(names))):
        raise SaliencyError(
            f"there are {len(tokens)} tokens but scores of shape {matrix.shape}; give one score for each token (a sum over the "
            "embedding keeps the sign), or the names of the outputs as 'labels'"
        )
    if len(names) == len(tokens) > 1:
        raise SaliencyError(
            "there are as many tokens as outputs, so that the axes can't be told apart; write one record per output"
        )
    columns = matrix if matrix.shape[0] == len(names) else matrix.T
    labels = [options.class_name(label) for label in names]
    for number in options.chosen(labels):
        part = ".".join(piece for piece in (name, labels[number]) if piece)
        yield read_words(
            tokens, columns[number].tolist(), options.query(labels[number], versus=versus), options, id=part, **fields
        )


FORMAT = Format(
    "plain",
    '{"tokens": [...], "scores": [...], "label": ..., "text": ..., "id": ...} in JSON, also under other usual names',
    _matches,
    _read,
)
