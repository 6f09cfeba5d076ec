"""inseq's attributions of generated text (Sarti et al. 2023): objects in memory, and its JSON, read without inseq."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import Problem
from verbalize.formats.format import Format, ReadOptions, type_name
from verbalize.formats.word_lists import GAP
from verbalize.pieces import merge_pieces
from verbalize.saliency import Query, SaliencyError, SpecialToken, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator

_Array = NDArray[np.float64]
# weights, distances and probabilities, whatever their shape; `occlusion` takes absolute values in inseq
_MAGNITUDES = frozenset(("attention", "value_zeroing", "reagent", "occlusion"))
_ARROW = " → "
_LAYERED = frozenset(("attention", "value_zeroing"))  # further axes are layers and heads, whose mean inseq shows


def _attributes(value: Any) -> dict[str, Any]:
    """The fields of an object, or of its JSON: under `attributes` where inseq names the class, bare where it is primitive."""
    if type_name(value).startswith("inseq."):
        return {name: getattr(value, name) for name in getattr(value, "__dataclass_fields__", vars(value))}
    if not isinstance(value, dict):
        raise SaliencyError(f"an object was expected where the file holds {value!r:.60}")
    fields = value.get("attributes", value)
    return fields if isinstance(fields, dict) else {}


def _matches(document: object) -> bool:
    if type_name(document).startswith("inseq."):
        return hasattr(document, "sequence_attributions") or hasattr(document, "target_attributions")
    return isinstance(document, dict) and "sequence_attributions" in _attributes(document)


def _read(document: Any, options: ReadOptions) -> Iterator[TokenSaliency | Problem]:
    fields = _attributes(document)
    info = fields.get("info") or {}
    sequences = fields.get("sequence_attributions") or [document]  # one sequence of an output is an object of its own
    for index, sequence in enumerate(sequences):
        try:
            yield from _sequence(_attributes(sequence), f"{index}", info, options)
        except SaliencyError as error:
            yield Problem("inseq", str(error), None, str(index))


def _sequence(fields: dict[str, Any], name: str, info: dict[str, Any], options: ReadOptions) -> Iterator[TokenSaliency]:
    """One map for each generated token: what in the source and in the text so far speaks for it."""
    source, target = ([_attributes(token)["token"] for token in fields.get(side) or ()] for side in ("source", "target"))
    method = info.get("attribution_method")
    others: list[str | None] = [None] * len(target)
    contrastive = "contrast" in str(info.get("attributed_fn") or "")
    if contrastive:  # inseq writes "other → token" where the other text has another token, and the token alone elsewhere
        parts = [token.rpartition(_ARROW) for token in target]
        others, target = [other or None for other, _, _ in parts], [token for _, _, token in parts]
    arrays = [
        None if (value := fields.get(f"{side}_attributions")) is None else _decoded(value) for side in ("source", "target")
    ]
    held = [array for array in arrays if array is not None]
    if not held:
        raise SaliencyError("the sequence holds no attributions")
    sign = _sign(held, method)
    source_scores, target_scores = (
        None if array is None else _reduced(array, method, sign, len(tokens))
        for array, tokens in zip(arrays, (source, target), strict=True)
    )
    signed = options.is_signed(sign, default=not any(np.nan_to_num(array).any() for array in held))
    start = int(fields.get("attr_pos_start") or 0)
    steps = next(scores.shape[1] for scores in (source_scores, target_scores) if scores is not None)
    labels = [_label(target, start + step) if start + step < len(target) else f"step {step}" for step in range(steps)]
    for step in options.chosen(labels):
        position = start + step
        query = Query(labels[step], options.versus)
        if contrastive:
            other = others[position] if position < len(target) else None
            if other is None:
                options.note("steps at which the contrasted texts have the same token are left out")
                continue
            query = options.agreed(Query(labels[step], (_label([other], 0),)))
        pieces: list[str] = []
        scores: list[float] = []
        gap: list[SpecialToken] = []
        if source_scores is not None:
            pieces += source
            scores += source_scores[:, step].tolist()
        if target_scores is not None:
            gap = [SpecialToken(GAP, 0.0, len(pieces))] if pieces else []
            pieces += target[:position]  # what comes later had not been generated yet, and is NaN in the file
            scores += target_scores[:position, step].tolist()
        fields_of_map: dict[str, Any] = {"special": gap, "id": f"{name}.{step}", "method": method, "signed": signed}
        yield TokenSaliency.from_pieces(pieces, scores, query, **fields_of_map)


def _label(target: list[str], place: int) -> str:
    """The generated token as text; a token that is part of a character, or white space, stays as the tokenizer writes it."""
    merged = merge_pieces(target)
    word = next((word for word, indices in merged.words if indices == (place,)), "")
    if not word:
        word = target[place].lstrip("Ġ▁").removeprefix("##")
    return word.strip() or target[place].strip() or repr(target[place])


def _sign(arrays: list[_Array], method: str | None) -> bool | None:
    """Whether the scores have signs; `None` for one number per token, none of which is negative: they may be norms."""
    if method in _MAGNITUDES:
        return False
    if any((np.nan_to_num(array) < 0).any() for array in arrays):
        return True
    return False if any(array.ndim > 2 for array in arrays) else None


def _reduced(array: _Array, method: str | None, sign: bool | None, tokens: int) -> _Array:
    """A (tokens, steps) array.

    Scores per dimension of the embedding are added up: the sum over the axis is the contribution of the token, with its sign.
    inseq's own display takes their L2 norm, which has none; so does this reader where no score is negative. Where the file
    holds norms already, as `aggregate()` makes them, no score is negative either; the map is unsigned then, unless the caller
    says that it is signed.
    """
    if array.ndim > 2:
        axes = tuple(range(2, array.ndim))
        if method in _LAYERED:
            array = array.mean(axis=axes)
        else:
            array = array.sum(axis=axes) if sign else np.sqrt(np.square(array).sum(axis=axes))
    if array.ndim != 2:
        raise SaliencyError(f"attributions must have shape (tokens, steps), not {array.shape}")
    if array.shape[0] != tokens:
        raise SaliencyError(f"there are {tokens} tokens but attributions of shape {array.shape}")
    return array


def _decoded(value: Any) -> _Array:
    if hasattr(value, "detach"):
        return np.asarray(to_numpy(value), dtype=np.float64)
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


FORMAT = Format("inseq", "inseq's outputs and their saved JSON (plain, or gzip with .gz)", _matches, _read)
