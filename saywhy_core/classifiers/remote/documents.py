"""JSON documents: with many numbers, quickly and as exactly as float32 is; and fields by paths such as `predictions.label`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError, argument
from saywhy_core.reading.documents import parse_json
from saywhy_core.wire.network import WireError
from saywhy_core.wire.words import is_page, page_title, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from saywhy_core.classifiers.remote.client import Answer

JSON = 12.0
"""Bytes that a value of an image takes in JSON, about."""
_MARK = "\x00saywhy\x00"
_DEEPEST = 10  # steps; no endpoint has more than four


def json_with_numbers(document: dict[str, Any], holder: dict[str, Any], name: str, values: NDArray[Any]) -> bytes:
    """The document as JSON, with an array of numbers under `name` in `holder`, which is a part of it.

    Each number is written with nine digits, which give every float32 back exactly.
    """
    holder[name] = _MARK
    written = json.dumps(document)
    del holder[name]
    before, _, after = written.partition(json.dumps(_MARK))
    return before.encode() + _numbers(values) + after.encode()


def _numbers(values: NDArray[Any]) -> bytes:
    """The array as nested lists. Images have few distinct values, so that each is written out once and looked up."""
    flat = np.ascontiguousarray(values).ravel()
    distinct, places = np.unique(flat, return_inverse=True)
    pattern = "%.9g " if flat.dtype.kind == "f" else "%d "  # nine digits give every float32 back
    texts = np.array((pattern * len(distinct) % tuple(distinct.tolist())).split(), dtype=object)
    listed: list[str] = texts[places].tolist()
    for size in values.shape[:0:-1]:
        listed = [f"[{','.join(listed[at : at + size])}]" for at in range(0, len(listed), size)]
    return f"[{','.join(listed)}]".encode()


def read_json(answer: Answer, body: bytes | None = None) -> Any:
    """The JSON document in an answer, or in a part of its body.

    Raises:
        WireError: it is none. A page of HTML may pass: proxies and load balancers send one while the server behind them starts.
    """
    data = answer.body if body is None else body
    try:
        return parse_json(data)
    except UsageError as error:
        if is_page(data, answer.kind):
            raise WireError(page_in_words(data), status=200, again=True) from None
        if answer.kind == "text/plain":
            said = f"sent a text in the place of an answer ({shown(data[:400].decode('utf-8', 'replace').strip(), 80)})"
            raise WireError(f"{said}; is the address the one of the API?", status=200) from None
        raise WireError(f"sent an answer that is no JSON: {shown(str(error))}", status=200, again=True) from None


def page_in_words(data: bytes) -> str:
    """That a page of HTML came, with its title, in words that follow "the server"."""
    title = page_title(data)
    named = f", titled {title!r}," if title else ""
    return (
        f"sent a page of HTML{named} in the place of an answer: either the address is not the one of the API, or something "
        "before the server (a proxy, a log-in, a waiting page) answers for it"
    )


def check_path(name: str, path: Any) -> None:
    """See that an option is a path of fields.

    Raises:
        UsageError: it is none.
    """
    if path is None:
        return
    if not isinstance(path, str) or not all(path.split(".")) or path.count(".") >= _DEEPEST:
        raise UsageError(f"{argument(name)} must be names of fields joined by dots, such as predictions.label, not {path!r}")


def put(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The document with the value at the path, and everything else as it was.

    Raises:
        UsageError: something else than an object stands in the way.
    """
    first, _, rest = path.partition(".")
    if not rest:
        return {**document, first: value}
    inner = document.get(first, {})
    if not isinstance(inner, dict):
        raise UsageError(f"the field {first!r} of the document is no object, so that nothing can stand under {path!r}")
    return {**document, first: put(inner, rest, value)}


def object_at(document: Any, path: str) -> dict[str, Any]:
    """The object at the path, or the only one of a list there; an empty one where there is none. An empty path is the whole."""
    for step in path.split(".") if path else ():
        document = document.get(step) if isinstance(document, dict) else None
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    return document if isinstance(document, dict) else {}


def lists_at(document: Any, path: str) -> list[Any]:
    """All values at the path, in order: each list on the way stands for its entries. Empty where there are none."""
    found = [document]
    for step in path.split("."):
        found = [one[step] for one in _flat(found) if isinstance(one, dict) and step in one]
    return [one for one in _flat(found) if not isinstance(one, dict)]


def _flat(values: list[Any]) -> list[Any]:
    while any(isinstance(one, list) for one in values):
        values = [inner for one in values for inner in (one if isinstance(one, list) else [one])]
    return values
