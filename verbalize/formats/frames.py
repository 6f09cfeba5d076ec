"""Tables in memory and in JSON: pandas data frames, lists of rows, and columns of one length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verbalize.formats.format import Format, ReadOptions, is_pairs, type_name
from verbalize.formats.pairs import SCORE_KEYS, WORD_KEYS, pairs_of
from verbalize.formats.table import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from saywhy_core.errors import Problem
    from verbalize.saliency import TokenSaliency


def _is_frame(document: object) -> bool:
    return type_name(document).startswith("pandas.") and type(document).__name__ == "DataFrame"


def _is_columns(document: object) -> bool:
    """Whether the document is columns with the names of those of a table, such as `{"token": [...], "score": [...]}`."""
    if not isinstance(document, dict) or not all(isinstance(column, list) for column in document.values()):
        return False
    return bool(document.keys() & set(WORD_KEYS)) and bool(document.keys() & set(SCORE_KEYS))


def _matches(document: object) -> bool:
    if _is_frame(document) or _is_columns(document):
        return True
    return isinstance(document, list) and not is_pairs(document) and pairs_of(document) is not None


def _read(document: Any, options: ReadOptions) -> Iterator[TokenSaliency | Problem]:
    if _is_frame(document):
        names = [str(name) for name in document.columns]
        rows: Iterable[Any] = document.itertuples(index=False, name=None)
    elif isinstance(document, dict):
        names, rows = list(document), zip(*document.values(), strict=True)
    else:
        names = list(dict.fromkeys(key for row in document for key in row))
        rows = ([row.get(name) for name in names] for row in document)
    cells = [names, *([_cell(value) for value in row] for row in rows)]
    yield from read_rows([(None, row) for row in cells], "the table", options)


def _cell(value: object) -> str:
    """A value as a cell of a CSV table; a value that is missing is an empty one."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return value if isinstance(value, str) else repr(getattr(value, "item", lambda: value)())


FORMAT = Format(
    "words",
    '[{"token": ..., "score": ..., "id": ...}, ...] in JSON, one per word; pandas data frames',
    _matches,
    _read,
)
