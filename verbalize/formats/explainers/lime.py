"""LIME's explanations of texts (Ribeiro et al. 2016): weights of words at their places in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from verbalize.formats.format import Format, ReadOptions, type_name
from verbalize.formats.word_lists import spread
from verbalize.saliency import Prediction, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator


def _matches(value: object) -> bool:
    return type_name(value) == "lime.explanation.Explanation"


def _read(explanation: Any, options: ReadOptions) -> Iterator[TokenSaliency]:
    """One map for each label that was explained.

    A bag-of-words explanation has one weight for all places of a word; it is shared out evenly among them.
    """
    indexed = getattr(explanation.domain_mapper, "indexed_string", None)
    if indexed is None:
        raise SaliencyError("the explanation is of a table or of something else than a text; explanations of texts can be read")
    if explanation.mode == "regression":
        yield _map(explanation, indexed, explanation.dummy_label, options.query(), options, None, None)
        return
    numbers = [int(number) for number in explanation.available_labels()]
    names = [_name(explanation, number, options) for number in numbers]
    for place in options.chosen(names) if len(names) > 1 else [0]:
        query = options.query(names[place])
        name = str(numbers[place]) if len(names) > 1 else None
        yield _map(explanation, indexed, numbers[place], query, options, _prediction(explanation, options), name)


def _name(explanation: Any, number: int, options: ReadOptions) -> str:
    """The name of a class: of LIME's own, unless these are its numbers."""
    known = explanation.class_names
    own = number if known is None or number >= len(known) else known[number]
    return options.class_name(own)


def _prediction(explanation: Any, options: ReadOptions) -> Prediction | None:
    if getattr(explanation, "predict_proba", None) is None:
        return None
    values = np.asarray(explanation.predict_proba, dtype=np.float64).ravel()
    names = [_name(explanation, number, options) for number in range(len(values))]
    best = int(values.argmax())
    probability = float(values[best])
    scores = dict(zip(names, values.tolist(), strict=True))
    return Prediction(names[best], probability if 0 <= probability <= 1 else None, scores)


def _map(
    explanation: Any,
    indexed: Any,
    number: int,
    query: Any,
    options: ReadOptions,
    prediction: Prediction | None,
    name: str | None,
) -> TokenSaliency:
    features = []
    for feature, weight in explanation.local_exp[number]:
        word = str(indexed.word(feature))
        starts = np.atleast_1d(indexed.string_position(feature)).astype(int).tolist()
        features.append(([[(start, start + len(word))] for start in starts], float(weight)))
    signed = options.is_signed(True)
    return spread(str(indexed.raw_string()), features, query, prediction=prediction, method="lime", signed=signed, id=name)


FORMAT = Format("lime", "lime Explanation objects of texts", _matches, _read)
