"""The format: how maps of one kind are recognised and read. `FORMATS` lists all formats, and plug-ins add to it."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import Problem, UsageError, argument
from saywhy_core.registry import Registry
from verbalize.saliency import Query, SaliencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from verbalize.saliency import Saliency


@dataclass(frozen=True)
class ReadOptions:
    """What the caller knows and the file does not say. It notes which of it was used, because what nobody used is an error.

    Args:
        label: the label of the query, or which output to choose where a record has several.
        versus: the labels that it is contrasted with.
        class_names: the names of classes that a record gives by number.
        tokenizer: turns token ids into tokens: an object, or a name or path for transformers.
        image: the picture that a pixel map belongs to.
        signed: whether negative scores have a meaning, where the record does not say it.
        input_text: the text that the words come from, where the record does not hold it.
        axes: what the axes of an array are, such as "nchw" (`verbalize.formats.arrays.axes.AXES`); None guesses.
        folder: where the array files of a record lie; `None` where the record came from a stream.
        used: the names of the fields that had an effect. A reader that reads a field uses it; copies share this set.
        notes: what the user should know about the whole source, each said once; copies share this list, too.
        unsaid: whether the maps of which nobody said that they are signed have negative scores: `True`, `False`, or both.
    """

    label: str | None = None
    versus: tuple[str, ...] = ()
    class_names: tuple[str, ...] | None = None
    tokenizer: Any = None
    image: Any = None
    signed: bool | None = None
    input_text: str | None = None
    axes: str | None = None
    folder: Path | None = None
    used: set[str] = field(default_factory=set, compare=False, repr=False)
    notes: list[str] = field(default_factory=list, compare=False, repr=False)
    unsaid: set[bool] = field(default_factory=set, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("versus", "class_names"):  # one string is one label, not its letters
            if isinstance(value := vars(self)[name], str):
                object.__setattr__(self, name, (value,))

    def __getattribute__(self, name: str) -> Any:
        if name in _READ:
            object.__getattribute__(self, "used").add(name)
        return object.__getattribute__(self, name)

    def copy(self, **changes: Any) -> ReadOptions:
        """A copy with other values, which uses nothing by being made."""
        return ReadOptions(**{**vars(self), **changes})

    def unused(self) -> list[str]:
        """The names of the fields that were given and had no effect yet."""
        given = {name: value for name, value in vars(self).items() if name in _READ}
        return [
            name
            for name, value in given.items()
            if name not in self.used and not (value is None or (isinstance(value, tuple) and not value))
        ]

    def note(self, text: str) -> None:
        """Keep a remark about the source, such as a column that is not read. The same remark is kept once."""
        if text not in self.notes:
            self.notes.append(text)

    def is_signed(self, known: bool | None = None, *, default: bool = True) -> bool:
        """Whether negative scores of a map have a meaning: what the reader knows, else what the caller says, else the default.

        Raises:
            SaliencyError: the reader knows one thing and the caller says the other.
        """
        said = self.signed
        if known is None:
            return default if said is None else said
        if said is not None and said != known:
            has = "have signs" if known else "have no sign"
            raise SaliencyError(f"the scores of this record {has}; leave out {argument('signed', said)}")
        return known

    def class_name(self, value: object) -> str:
        """The name of a class given by number (also in digits) or by name."""
        value = getattr(value, "item", lambda: value)()
        number, names = _number(value), vars(self)["class_names"]
        if names and number is not None and 0 <= number < len(names):
            self.used.add("class_names")
            return str(names[number])
        if names and value in names:
            self.used.add("class_names")
        return str(number if isinstance(value, float) and number is not None else value)

    def query(self, found: object = None, *, versus: object = None) -> Query:
        """The query about the class that the record names, or about the label where it names none or a number without name.

        Args:
            found: the label of the record.
            versus: the label or labels with which the record contrasts it.

        Raises:
            SaliencyError: nobody says a label, or the record says another than the label.
        """
        label = self.label
        if found is None and label is None:
            raise SaliencyError(
                f"the record does not say which label its scores speak for; name it with {argument('label', ...)}"
            )
        own = label if found is None else self.class_name(found)
        if label is not None and _number(own) is not None and _number(label) is None:
            own = label
        rivals = (versus,) if isinstance(versus, (str, int, float)) else versus or ()
        if not isinstance(rivals, (list, tuple)):
            raise SaliencyError(f"'versus' must be a label or a list of labels, not {versus!r:.80}")
        return self.agreed(Query(str(own), tuple(map(self.class_name, rivals)) or self.versus))

    def agreed(self, query: Query) -> Query:
        """The query, which the record states, where label and versus say nothing else.

        Raises:
            SaliencyError: they do.
        """
        label, versus = self.label, self.versus
        if label is not None and label != query.label:
            raise SaliencyError(f"the scores speak for {query.label!r}, not for {label!r}; leave out {argument('label', ...)}")
        if versus and versus != query.versus:
            said = f"with {', '.join(map(repr, query.versus))}" if query.versus else "with no other label"
            raise SaliencyError(f"the record contrasts {query.label!r} {said}; leave out {argument('versus', ...)}")
        return query

    def chosen(self, outputs: Sequence[str]) -> list[int]:
        """The positions of the outputs that the label chooses among several; all where there is no label.

        Raises:
            SaliencyError: no output has the label.
        """
        label = self.label
        if label is None:
            return list(range(len(outputs)))
        if label not in outputs:
            listed = ", ".join(dict.fromkeys(map(repr, outputs)))
            raise SaliencyError(f"there is no output {label!r}; the outputs are {listed}")
        return [number for number, name in enumerate(outputs) if name == label]


_READ = tuple(one.name for one in fields(ReadOptions) if one.name not in ("folder", "used", "notes", "unsaid"))


def _number(value: object) -> int | None:
    """The number of a class, where `value` is one or is written in digits."""
    if isinstance(value, str):  # "1.0" is what pandas makes of a column with gaps, "LABEL_1" what transformers calls a class
        found = re.fullmatch(r"(?:LABEL_)?(\d{1,18})(?:\.0+)?", value)
        return int(found[1]) if found else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


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
        "audit-report": "verbalize.formats.own:REPORT",
        "inseq": "verbalize.formats.explainers.inseq:FORMAT",
        "thermostat": "verbalize.formats.explainers.thermostat:FORMAT",
        "pairs": "verbalize.formats.pairs:PAIRS",
        "labelled-pairs": "verbalize.formats.pairs:LABELLED_PAIRS",
        "dianna": "verbalize.formats.explainers.dianna:FORMAT",
        "words": "verbalize.formats.frames:FORMAT",
        "plain": "verbalize.formats.plain:FORMAT",
        "captum-llm": "verbalize.formats.explainers.captum:LLM",
        "captum": "verbalize.formats.explainers.captum:FORMAT",
        "shap-pictures": "verbalize.formats.arrays.explained:SHAP",
        "shap": "verbalize.formats.explainers.shap:FORMAT",
        "ferret": "verbalize.formats.explainers.ferret:FORMAT",
        "lime-pictures": "verbalize.formats.arrays.explained:LIME",
        "lime": "verbalize.formats.explainers.lime:FORMAT",
        "eli5": "verbalize.formats.explainers.eli5:FORMAT",
        "interpreto": "verbalize.formats.explainers.interpreto:FORMAT",
        "allennlp": "verbalize.formats.explainers.allennlp:FORMAT",
        "csv": "verbalize.formats.table:FORMAT",
        "pixels": "verbalize.formats.arrays.pixels:FORMAT",
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


_SAID = {"true": True, "yes": True, "1": True, "signed": True, "false": False, "no": False, "0": False, "unsigned": False}


def parse_signed(value: object) -> bool | None:
    """What a record says about the signs of its scores: a boolean, 1 or 0, or "true", "false", "yes", "no" and the like.

    Raises:
        SaliencyError: it is something else. `None` and an empty string say nothing.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    written = str(value).strip().casefold()
    said = _SAID.get(written.removesuffix(".0")) if isinstance(value, (bool, int, float, str)) else None
    if said is None:
        raise SaliencyError(f"'signed' must be true or false, not {value!r:.40}")
    return said


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
    if "\0" in name:
        raise SaliencyError(f"{name!r:.80} is no name of a file: it holds a NUL character")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SaliencyError(f"the array file {name!r} lies outside the folder of the maps; move it beside them")
    return path
