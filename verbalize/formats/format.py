"""The format: how maps of one kind are recognised and read. `FORMATS` lists all formats, and plug-ins add to it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import Problem, UsageError
from saywhy_core.registry import Registry
from verbalize.saliency import Query, SaliencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from verbalize.saliency import Saliency


@dataclass(frozen=True)
class ReadOptions:
    """What the caller knows and the file does not say.

    Args:
        label: the label of the query.
        versus: the labels that it is contrasted with.
        class_names: the names of classes that a record gives by number.
        tokenizer: turns token ids into tokens: an object, or a name or path for transformers.
        image: the picture that a pixel map belongs to.
        folder: where the array files of a record lie; `None` where the record came from a stream.
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
    """A format of maps: of documents (library objects and parsed JSON), of whole files, or of both.

    Args:
        name: the name in the registry `FORMATS` and for `--format`.
        summary: one line about the format, for help texts.
        matches: whether an object or a parsed JSON document is of this format. It is asked about anything, so it must not
            raise, and it must not import the library that the object comes from.
        read: yields the maps of such a document. It raises `SaliencyError` where nothing of it can be read; where a document
            holds several maps, it may yield a `Problem` in place of one that can't be read, and go on.
        suffixes: endings of file names, in lower case with the dot, that `read_file` takes.
        read_file: yields the maps of a file that is no JSON, with problems like `read`.

    Raises:
        ValueError: the format has no reader, or only half of what a reader needs.
    """

    name: str
    summary: str
    matches: Callable[[Any], bool] | None = None
    read: Callable[[Any, ReadOptions], Iterator[Saliency | Problem]] | None = None
    suffixes: tuple[str, ...] = ()
    read_file: Callable[[Path, ReadOptions], Iterator[Saliency | Problem]] | None = None

    def __post_init__(self) -> None:
        if (self.matches is None) != (self.read is None) or bool(self.suffixes) != (self.read_file is not None):
            raise ValueError(f"the format {self.name!r} needs both matches and read, or both suffixes and read_file")
        if self.read is None and self.read_file is None:
            raise ValueError(f"the format {self.name!r} has no reader: give matches and read, or suffixes and read_file")


FORMATS: Registry[Format] = Registry(
    "format",
    "saywhy.formats",
    {
        # in the order in which documents are tried: the first format that matches reads
        "saywhy": "verbalize.formats.own:FORMAT",
        "inseq": "verbalize.formats.inseq:FORMAT",
        "thermostat": "verbalize.formats.thermostat:FORMAT",
        "pairs": "verbalize.formats.pairs:PAIRS",
        "labelled-pairs": "verbalize.formats.pairs:LABELLED_PAIRS",
        "plain": "verbalize.formats.pairs:PLAIN",
        "captum": "verbalize.formats.captum:FORMAT",
        "shap": "verbalize.formats.shap:FORMAT",
        "ferret": "verbalize.formats.ferret:FORMAT",
        "csv": "verbalize.formats.table:FORMAT",
        "pixels": "verbalize.formats.pixels:FORMAT",
    },
    expects=Format,
)


def format_names() -> dict[str, str]:
    """The name of each format with its summary; for a plug-in that can't be loaded, with the reason."""
    return {name: _summary(name) for name in FORMATS}


def _summary(name: str) -> str:
    try:
        return FORMATS.get(name).summary
    except UsageError as error:
        return str(error)


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
