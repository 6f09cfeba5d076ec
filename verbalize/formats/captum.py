"""captum's `VisualizationDataRecord`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verbalize.formats.format import Format, ReadOptions, type_name
from verbalize.saliency import Prediction, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator


def _matches(value: object) -> bool:
    return type_name(value).startswith("captum.") and type(value).__name__ == "VisualizationDataRecord"


def _read(record: Any, options: ReadOptions) -> Iterator[TokenSaliency]:
    words = record.raw_input_ids
    if isinstance(words, str) or not all(isinstance(word, str) for word in words):
        raise SaliencyError("the record's raw_input_ids must be the list of words that captum shows")
    probability = float(record.pred_prob)
    prediction = Prediction(
        options.class_name(record.pred_class),
        probability if 0 <= probability <= 1 else None,
        true_label=options.class_name(record.true_class) if record.true_class is not None else None,
    )
    yield TokenSaliency.from_pieces(
        list(words), record.word_attributions, options.query(record.attr_class), prediction=prediction, method="captum"
    )


FORMAT = Format("captum", "captum VisualizationDataRecord objects", _matches, _read)
