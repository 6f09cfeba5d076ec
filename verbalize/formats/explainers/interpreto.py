"""interpreto's `AttributionOutput`: of classifiers, of generated texts, and of concepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.arrays import to_numpy
from verbalize.formats.format import Format, ReadOptions, type_name
from verbalize.saliency import SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHOLE_WORDS = ("word", "sentence", "part_sentence")


def _matches(value: object) -> bool:
    return type_name(value).startswith("interpreto.") and type(value).__name__ == "AttributionOutput"


def _read(output: Any, options: ReadOptions) -> Iterator[TokenSaliency]:
    """One map for each class, generated token or concept that was explained."""
    elements = output.elements
    if not isinstance(elements, (list, tuple)) or not all(isinstance(element, str) for element in elements):
        raise SaliencyError("the elements of the output are no texts; explanations of texts can be put into words")
    scores = np.atleast_2d(np.asarray(to_numpy(output.attributions), dtype=np.float64))
    targets = np.asarray(to_numpy(output.targets)).ravel().tolist() if output.targets is not None else []
    task = str(getattr(output.model_task, "value", output.model_task))
    if scores.shape[1] != len(elements):
        raise SaliencyError(f"there are {len(elements)} elements but attributions of shape {scores.shape}")
    labels = _labels(task, targets, list(elements), len(scores), options)
    pieces = _pieces(output, list(elements))
    for row in options.chosen([str(label) for label in labels]) if len(labels) > 1 else [0]:
        known = (
            int(np.argmax(np.isnan(scores[row]))) if np.isnan(scores[row]).any() else len(elements)
        )  # what came later is NaN
        yield TokenSaliency.from_pieces(
            pieces[:known],
            scores[row, :known],
            options.query(labels[row]),
            scheme="spaces" if pieces is not elements and pieces != list(elements) else "auto",
            id=str(row) if len(labels) > 1 else None,
            signed=options.is_signed(),
        )


def _labels(task: str, targets: list[Any], elements: list[str], rows: int, options: ReadOptions) -> list[Any]:
    """What the scores of each row speak for; `None` where the output does not say it."""
    if task == "generation":
        return [element.strip() or repr(element) for element in elements[len(elements) - rows :]]
    if len(targets) != rows:
        return [None] * rows if rows == 1 else list(range(rows))
    if task == "concepts":
        return [f"concept {target}" for target in targets]
    return [options.class_name(target) for target in targets]


def _pieces(output: Any, elements: list[str]) -> list[str]:
    """The elements, with a space before each that has one in the text: interpreto decodes each by itself and loses it."""
    granularity = str(getattr(output.granularity, "value", output.granularity))
    if granularity in _WHOLE_WORDS:
        return [f" {element.strip()}" for element in elements]
    inputs = output.model_inputs_to_explain
    mapping = inputs.get("offset_mapping")
    if mapping is None:
        return elements
    places = np.asarray(to_numpy(mapping)).reshape(-1, 2).tolist()
    if len(places) != len(elements):  # without special tokens, which cover no character
        places = [place for place in places if place[0] < place[1]]
    if len(places) != len(elements):
        return elements
    ends = [0, *(stop for _, stop in places)]
    gaps = [
        start < stop and (number == 0 or start > ends[number] or element[:1].isspace())
        for number, ((start, stop), element) in enumerate(zip(places, elements, strict=True))
    ]
    bare = [element.removeprefix("##") if len(element) > 2 else element for element in elements]
    return [f" {element.strip()}" if gap else element for element, gap in zip(bare, gaps, strict=True)]


FORMAT = Format("interpreto", "interpreto AttributionOutput objects", _matches, _read)
