"""captum's `VisualizationDataRecord`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from saywhy_core.arrays import to_numpy
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
    prediction = Prediction(
        options.class_name(record.pred_class),
        _probability(record.pred_prob, record.pred_class),
        true_label=options.class_name(record.true_class) if record.true_class is not None else None,
    )
    yield TokenSaliency.from_pieces(
        list(words), record.word_attributions, options.query(record.attr_class), prediction=prediction, method="captum"
    )


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


FORMAT = Format("captum", "captum VisualizationDataRecord objects", _matches, _read)
