"""`shap.Explanation` over texts: one row or many, ragged, one output or several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import Problem
from verbalize.formats.format import Format, ReadOptions, type_name
from verbalize.saliency import SaliencyError, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def _matches(value: object) -> bool:
    return type_name(value).startswith("shap.") and type(value).__name__ == "Explanation"


def _read(explanation: Any, options: ReadOptions) -> Iterator[TokenSaliency | Problem]:
    data, values = explanation.data, explanation.values
    if data is None or len(data) == 0:
        raise SaliencyError("the shap.Explanation holds no data")
    one_row = isinstance(data[0], str)
    rows = [(data, values)] if one_row else list(zip(data, values, strict=True))
    for index, (tokens, scores) in enumerate(rows):
        try:
            yield from _row(
                tokens, np.asarray(to_numpy(scores), dtype=np.float64), explanation.output_names, options, index, one_row
            )
        except SaliencyError as error:
            yield Problem("shap.Explanation", str(error), None, str(index))


def _row(
    tokens: Sequence[object], scores: Any, output_names: Any, options: ReadOptions, index: int, one_row: bool
) -> Iterator[TokenSaliency]:
    if not all(isinstance(token, str) for token in tokens):
        raise SaliencyError("its data are not words; explanations of texts can be put into words, of tables they can't")
    names = _output_names(output_names, scores.shape[1] if scores.ndim == 2 else 1, options)
    columns = scores[:, None] if scores.ndim == 1 else scores
    chosen = options.chosen([str(name) for name in names]) if len(names) > 1 else [0]
    pieces, text, scheme = _pieces([str(token) for token in tokens])
    signed = options.is_signed(True)
    for column in chosen:
        parts = [] if one_row else [str(index)]
        parts += [str(column)] if len(names) > 1 else []
        yield TokenSaliency.from_pieces(
            pieces, columns[:, column], options.query(names[column]), text=text, scheme=scheme,
            id=".".join(parts) or None, method="shap", signed=signed,
        )  # fmt: skip


def _output_names(names: Any, count: int, options: ReadOptions) -> list[str | None]:
    if names is None:
        return [None] if count == 1 else [options.class_name(number) for number in range(count)]
    listed = [names] if isinstance(names, str) else list(names)
    if len(listed) != count:
        raise SaliencyError(f"there are {count} outputs but {len(listed)} output names")
    return [options.class_name(name) for name in listed]


def _pieces(tokens: list[str]) -> tuple[list[str], str | None, str]:
    """The pieces, their text where they keep its white space, and their scheme.

    Shap's maskers keep the white space behind (or before) each piece: where it stands, a word ends. Where there is none at all,
    the data are words, or a tokenizer's own pieces with its marks.
    """
    if any(token != token.strip() for token in tokens) or "" in tokens or len(tokens) == 1:
        return tokens, "".join(tokens), "spaces"
    return tokens, None, "auto"


FORMAT = Format("shap", "shap.Explanation objects over texts", _matches, _read)
