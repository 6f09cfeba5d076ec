"""inseq's saved attributions (Sarti et al. 2023): JSON with base64 safetensors, read without inseq."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from saywhy_core.errors import Problem
from verbalize.formats.format import Format, ReadOptions
from verbalize.saliency import Query, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator

_Array = NDArray[np.float64]


def _attributes(value: Any) -> dict[str, Any]:
    """The fields of an instance, under `attributes` where inseq names the class and bare where it was saved as primitives."""
    if not isinstance(value, dict):
        raise SaliencyError(f"an object was expected where the file holds {value!r:.60}")
    fields = value.get("attributes", value)
    return fields if isinstance(fields, dict) else {}


def _matches(document: object) -> bool:
    return isinstance(document, dict) and "sequence_attributions" in _attributes(document)


def _read(document: dict[str, Any], options: ReadOptions) -> Iterator[TokenSaliency | Problem]:
    fields = _attributes(document)
    method = (fields.get("info") or {}).get("attribution_method")
    for index, sequence in enumerate(fields["sequence_attributions"]):
        try:
            yield from _sequence(_attributes(sequence), f"{index}", method, options)
        except SaliencyError as error:
            yield Problem("inseq", str(error), None, str(index))


def _sequence(fields: dict[str, Any], name: str, method: str | None, options: ReadOptions) -> Iterator[TokenSaliency]:
    """One map for each generated token: what in the source and in the text so far speaks for it."""
    source, target = ([_attributes(token)["token"] for token in fields.get(side) or ()] for side in ("source", "target"))
    source_scores, target_scores = _tensor(fields.get("source_attributions")), _tensor(fields.get("target_attributions"))
    if source_scores is None and target_scores is None:
        raise SaliencyError("the sequence holds no attributions")
    start = int(fields.get("attr_pos_start") or 0)
    steps = next(scores.shape[1] for scores in (source_scores, target_scores) if scores is not None)
    labels = [_label(target[start + step] if start + step < len(target) else f"step {step}") for step in range(steps)]
    for step in options.chosen(labels):
        position = start + step
        pieces: list[str] = []
        scores: list[float] = []
        if source_scores is not None:
            pieces += source
            scores += source_scores[:, step].tolist()
        if target_scores is not None:
            pieces += target[:position]  # what comes later had not been generated yet, and is NaN in the file
            scores += target_scores[:position, step].tolist()
        query = Query(labels[step], options.versus)
        yield TokenSaliency.from_pieces(pieces, scores, query, id=f"{name}.{step}", method=method)


def _label(generated: str) -> str:
    return generated.lstrip("Ġ▁").removeprefix("##") or generated


def _tensor(value: object) -> _Array | None:
    """A (tokens, steps) array; a further axis (the embedding's) is reduced by its L2 norm, as inseq's own display does."""
    if value is None:
        return None
    array = _decoded(value)
    if array.ndim > 2:
        array = np.sqrt(np.square(array).sum(axis=tuple(range(2, array.ndim))))
    if array.ndim != 2:
        raise SaliencyError(f"attributions must have shape (tokens, steps), not {array.shape}")
    return array


def _decoded(value: object) -> _Array:
    if isinstance(value, list):
        return np.asarray(value, dtype=np.float64)
    if isinstance(value, dict) and "__ndarray__" in value:
        raise SaliencyError("the file was saved by an inseq release before 0.6; load it there and save it again")
    if not isinstance(value, str):
        raise SaliencyError(f"attributions must be base64 safetensors or a list, not {type(value).__name__}")
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(base64.b64decode(value, validate=True))
    except (ValueError, SafetensorError, KeyError) as error:
        raise SaliencyError(f"the attributions are no readable safetensors: {error}") from None
    if "attribution" not in tensors:
        raise SaliencyError("the safetensors hold no tensor named 'attribution'")
    return np.asarray(tensors["attribution"], dtype=np.float64)


FORMAT = Format("inseq", "inseq's saved JSON (plain, or gzip with .gz)", _matches, _read)
