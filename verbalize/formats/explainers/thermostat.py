"""Thermostat records (Feldhus et al. 2021): attributions over the ids of a tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError, argument
from saywhy_core.pretrained import from_pretrained
from verbalize.formats.format import Format, ReadOptions
from verbalize.pieces import UNKNOWN
from verbalize.saliency import Prediction, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator


def _matches(document: object) -> bool:
    return isinstance(document, dict) and {"attributions", "input_ids"} <= document.keys() and "tokens" not in document


def _tokens(ids: list[int], tokenizer: Any) -> tuple[list[str], tuple[str, ...]]:
    if tokenizer is None:
        raise SaliencyError(f"Thermostat records hold token ids; name the model's tokenizer with {argument('tokenizer', ...)}")
    if isinstance(tokenizer, str):
        tokenizer = _load(tokenizer)
    return list(tokenizer.convert_ids_to_tokens(ids)), tuple(
        token for token in tokenizer.all_special_tokens if token not in UNKNOWN
    )


def _load(name: str) -> Any:
    from transformers import AutoTokenizer

    try:
        return from_pretrained(AutoTokenizer, name, "tokenizer")
    except UsageError as error:
        raise SaliencyError(f"the tokenizer {name!r} can't be loaded: {error}") from None


def _read(document: dict[str, Any], options: ReadOptions) -> Iterator[TokenSaliency]:
    ids, scores = list(document["input_ids"]), list(document["attributions"])
    if len(ids) != len(scores):
        raise SaliencyError(f"there are {len(ids)} input ids but {len(scores)} attributions")
    tokens, special = _tokens(ids, options.tokenizer)
    prediction, explained = None, None
    logits = document.get("predictions")
    if logits is not None and len(logits):
        values = np.asarray(logits, dtype=np.float64)
        # Thermostat stores the model's logits; the attributions speak for the class that won
        explained = int(values.argmax())
        prediction = Prediction(
            options.class_name(explained),
            scores={options.class_name(i): float(value) for i, value in enumerate(values)},
            true_label=options.class_name(document["label"]) if document.get("label") is not None else None,
        )
    number = document.get("idx")
    yield TokenSaliency.from_pieces(
        tokens,
        scores,
        options.query(explained),
        special_tokens=special,
        signed=options.is_signed(),
        prediction=prediction,
        id=None if number is None else str(number),
    )


FORMAT = Format("thermostat", "Thermostat records, with a tokenizer", _matches, _read)
