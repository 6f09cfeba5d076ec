"""Lists and objects in memory that hold each other: bounded before anything walks them to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import CeilingError, ceiling, over
from saywhy_core.reading.documents import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHARED = 10
"""A document that is this many times larger when it is written out than in memory holds the same lists over and over."""


def check_nesting(document: object) -> None:
    """See whether lists, tuples and dictionaries that were made in Python end, and are not far larger than they look.

    Raises:
        UsageError: one holds itself, or they are nested deeper than `DEEPEST`.
        CeilingError: the same ones stand in each other over and over, and make more than the ceiling `values` allows.
    """
    if not isinstance(document, (list, tuple, dict)):
        return
    sizes: dict[int, int] = {}
    have = 0
    path: list[tuple[Any, Iterator[Any]]] = [(document, _inner(document))]
    open_now = {id(document)}
    while path:
        one, left = path[-1]
        inner = next(left, None)
        if inner is None:
            path.pop()
            open_now.discard(id(one))
            sizes[id(one)] = len(one) + sum(sizes[id(each)] for each in _inner(one))
            have += len(one)
            continue
        if id(inner) in open_now:
            raise UsageError("a list or dictionary holds itself, so that it has no end")
        if id(inner) not in sizes:
            if len(path) >= DEEPEST:
                raise UsageError(f"lists and dictionaries are nested deeper than {DEEPEST} levels")
            path.append((inner, _inner(inner)))
            open_now.add(id(inner))
    size = sizes[id(document)]
    if size > max(ceiling("values"), _SHARED * have):
        raise CeilingError(over("values", f"the same lists stand in each other, which makes {size:,} values", size))


def _inner(one: Any) -> Iterator[Any]:
    values = one.values() if isinstance(one, dict) else one
    return iter([each for each in values if isinstance(each, (list, tuple, dict))])
