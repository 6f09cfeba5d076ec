"""captum's `VisualizationDataRecord`, and the `LLMAttributionResult` of its methods for language models."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.arrays import to_numpy
from verbalize.formats.format import Format, ReadOptions, type_name
from verbalize.formats.word_lists import read_words, spread, unordered
from verbalize.saliency import Prediction, Query, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator


def _matches(value: object) -> bool:
    return type_name(value).startswith("captum.") and type(value).__name__ == "VisualizationDataRecord"


def _read(record: Any, options: ReadOptions) -> Iterator[TokenSaliency]:
    words = record.raw_input_ids
    if isinstance(words, str) or not all(isinstance(word, str) for word in words):
        raise SaliencyError("the record's raw_input_ids must be the list of words that captum shows")
    prediction = Prediction(
        options.class_name(record.pred_class),
        _probability(record.pred_prob, record.pred_class),
        true_label=options.class_name(record.true_class) if record.true_class is not None else None,
    )
    query = options.query(record.attr_class)
    fields: dict[str, Any] = {"prediction": prediction, "method": "captum", "in_order": True}
    yield read_words(list(words), to_numpy(record.word_attributions).tolist(), query, options, **fields)


def _probability(value: Any, predicted: Any) -> float | None:
    """The probability of the predicted class: `pred_prob` itself, its entry where it lists all classes, or unknown."""
    if value is None:
        return None
    listed = to_numpy(value).ravel()
    named = str(getattr(predicted, "item", lambda: predicted)())
    place = 0 if listed.size == 1 else int(named) if named.isdecimal() else listed.size
    if place >= listed.size or listed.dtype.kind not in "iuf":
        return None
    probability = float(listed[place])
    return probability if 0 <= probability <= 1 else None


def _matches_result(value: object) -> bool:
    return type_name(value).startswith("captum.") and type(value).__name__ == "LLMAttributionResult"


def _read_result(result: Any, options: ReadOptions) -> Iterator[TokenSaliency]:
    """A map for the whole generated text, and one for each of its tokens where these were attributed."""
    tokens = [str(token).removesuffix(" [OVERLAP]") for token in result.output_tokens]
    spaced = any(token != token.strip() for token in tokens)
    whole = ("" if spaced else " ").join(tokens).strip()  # most tokenizers' white space is lost in these tokens
    labels = [whole or "the generated text"]
    rows = [np.asarray(to_numpy(result.seq_attr), dtype=np.float64)]
    if result.token_attr is not None and len(tokens) > 1:
        labels += [token.strip() or repr(token) for token in tokens]
        rows += list(np.asarray(to_numpy(result.token_attr), dtype=np.float64))
    signed = options.is_signed(True)
    for number in options.chosen(labels):
        fields: dict[str, Any] = {"signed": signed, "method": "captum"}
        fields["id"] = None if len(labels) == 1 else "all" if number == 0 else str(number - 1)
        yield _of_input(result, rows[number], Query(labels[number], options.versus), fields)


def _of_input(result: Any, scores: Any, query: Query, fields: dict[str, Any]) -> TokenSaliency:
    """The map over the input: pieces of a tokenizer, or the values that were put into a template."""
    names = [str(token) for token in result.input_tokens]
    template = getattr(result.inp, "template", None)
    if result.inp is None or not hasattr(result.inp, "template"):
        return TokenSaliency.from_pieces(names, scores, query, **fields)
    places = _filled(template, names, list(result.inp.dict_keys)) if isinstance(template, str) else None
    if places is None:
        return unordered(names, scores, query, **fields)
    text = str(result.inp.to_model_input())
    return spread(text, [([[place]], float(score)) for place, score in zip(places, scores, strict=True)], query, **fields)


def _filled(template: str, values: list[str], keys: list[str]) -> list[tuple[int, int]] | None:
    """The (start, stop) of each value in the text of a template such as "{} lives in {city}"; `None` where it has others."""
    places: dict[int, tuple[int, int]] = {}
    end, automatic = 0, 0
    for literal, name, form, conversion in Formatter().parse(template):
        end += len(literal)
        if name is None:
            continue
        number = automatic if name == "" else int(name) if name.isdecimal() else keys.index(name) if name in keys else -1
        automatic += 1
        if form or conversion or number in places or not 0 <= number < len(values):
            return None
        places[number] = (end, end + len(values[number]))
        end += len(values[number])
    return [places[number] for number in range(len(values))] if len(places) == len(values) else None


LLM = Format("captum-llm", "captum LLMAttributionResult objects", _matches_result, _read_result)
FORMAT = Format("captum", "captum VisualizationDataRecord objects", _matches, _read)
