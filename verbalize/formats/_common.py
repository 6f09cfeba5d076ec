"""What the readers share: what a format is, what the caller adds to a record, and how a broken one is told."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import Problem
from verbalize.saliency import Query, SaliencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from verbalize.saliency import Saliency


@dataclass(frozen=True)
class ReadOptions:
    """What a caller knows that a file does not say.

    `label` and `versus` make the query; `class_names` turns class numbers into words; `tokenizer` (an object, or a name or
    path for transformers) turns ids into tokens; `image` is the picture a pixel map belongs to;
    `folder` is where a record's array files lie (`None`: it came from a stream).
    """

    label: str | None = None
    versus: tuple[str, ...] = ()
    class_names: tuple[str, ...] | None = None
    tokenizer: Any = None
    image: Any = None
    folder: Path | None = None

    def class_name(self, value: object) -> str:
        """The name of a class given by number or by name."""
        number = getattr(value, "item", lambda: value)()
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if self.class_names and isinstance(number, int) and 0 <= number < len(self.class_names):
            return self.class_names[number]
        return str(number)

    def query(self, found: object = None) -> Query:
        """The query: the caller's label before the record's own."""
        if self.label is not None:
            return Query(self.label, self.versus)
        if found is None:
            raise SaliencyError("the record does not say which label its scores speak for; name it with label=... (--label)")
        return Query(self.class_name(found), self.versus)


@dataclass(frozen=True)
class Format:
    """A format that maps come in.

    `matches` says whether an object, or a parsed JSON document, is of this format; `read` yields its maps, raising
    `SaliencyError` for a document that can't be read. An item it yields may be a `Problem` instead of a map: that one is
    broken, and the rest goes on.
    """

    name: str
    summary: str
    matches: Callable[[Any], bool]
    read: Callable[[Any, ReadOptions], Iterator[Saliency | Problem]]


class BadRecord(Problem):
    """The earlier form of `saywhy_core.errors.Problem`, with the arguments in the earlier order; kept for older readers."""

    def __init__(self, source: str, line: int | None, id: str | None, message: str) -> None:  # noqa: A002
        warnings.warn("BadRecord is now saywhy_core.errors.Problem(where, what, line, id)", DeprecationWarning, stacklevel=2)
        super().__init__(source, message, line, id)

    @property
    def source(self) -> str:
        """`where`, under its earlier name."""
        return self.where

    @property
    def message(self) -> str:
        """`what`, under its earlier name."""
        return self.what


def is_pairs(value: object) -> bool:
    """Whether `value` is a list of (word, score)."""
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str) for pair in value)
    )


def require(record: dict[str, Any], *names: str) -> None:
    """Raise unless the record has all of these fields."""
    missing = [name for name in names if name not in record]
    if missing:
        raise SaliencyError(f"the record lacks {', '.join(repr(name) for name in missing)}")


def type_name(value: object) -> str:
    """The module and class of an object, to know a library's object without importing the library."""
    return f"{type(value).__module__}.{type(value).__qualname__}"


def inside(folder: Path, name: str) -> Path:
    """A path named in a record, which must lie in the record file's own folder."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SaliencyError(f"the array file {name!r} lies outside the folder of the maps; move it beside them")
    return path
