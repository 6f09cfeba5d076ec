"""Ceilings on what a file or a server may make this process hold: each has a default, and each can be raised."""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 2**20
LARGEST = 10**18
"""The highest that a ceiling can be; no file has so much of anything."""
_SIZE = re.compile(r"([0-9]{1,1000}(?:\.[0-9]{1,18})?)\s*([kKmMgG]?)(i?)[bB]?")
_FACTORS = {"": 0, "k": 1, "m": 2, "g": 3}


class CeilingError(UsageError):
    """Something is larger than the user allows. It was not read, so that no memory was taken for it."""


def _ceiling(value: int, help: str) -> Any:  # noqa: A002 - what it is
    return field(default=value, metadata={"help": help})


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """The most that one input may hold. The defaults keep a command below some 1 GB of memory, besides a model.

    See docs/security.md.

    Attributes:
        bytes: of a text file or a JSON document that is read whole, unpacked; one wide character makes it four times as
            large in memory.
        values: numbers, texts and brackets in one JSON document or line; each takes up to 100 bytes of memory.
        array: bytes of the numbers in one array file, unpacked.
        pixels: height times width of one picture.
        scores: height times width of one map over pixels; finding its regions takes some 60 bytes for each.
        attacked: height times width of an image that is attacked; a search holds many copies of it.
        records: records of one file.
        tokens: words of one map; its other lists, such as those of labels, may have as many entries.
        characters: characters of one word.
        name: characters of one name: an id, a label, a class, a method.
        text: characters of one text; words are looked up in it character by character.
        answer: bytes of one answer of a server.
        pairs: pairs of classes to describe; each is a request, and takes some 200 bytes of memory.
        seconds: for which a model file may compute for one image, and some more for large weights; see
            `saywhy_core.bounded.pace`. The same for what its tokenizer and its chat template do with one prompt.
        problems: that a command tells one by one; the others are counted.
    """

    bytes: int = _ceiling(64 * MIB, "bytes of a text or JSON file, unpacked")
    values: int = _ceiling(6_000_000, "numbers and texts in one JSON document or line")
    array: int = _ceiling(512 * MIB, "bytes of the numbers in one array file, unpacked")
    pixels: int = _ceiling(24 * MIB, "height times width of one picture")
    attacked: int = _ceiling(512 * 512, "height times width of an image that is attacked")
    scores: int = _ceiling(6 * MIB, "height times width of one map over pixels")
    records: int = _ceiling(1_000_000, "records of one file")
    tokens: int = _ceiling(100_000, "words of one map")
    characters: int = _ceiling(100_000, "characters of one word")
    name: int = _ceiling(10_000, "characters of one name, such as an id or a label")
    text: int = _ceiling(400_000, "characters of one text")
    answer: int = _ceiling(16 * MIB, "bytes of one answer of a server")
    pairs: int = _ceiling(1_000_000, "pairs of classes to describe")
    seconds: int = _ceiling(5, "seconds for which a model file may compute for one image, and one more for each 20 MB of it")
    problems: int = _ceiling(1_000, "problems that a command lists; the others are counted")

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise UsageError(f"the ceiling {one.name} must be a whole number of at least 1, not {value!r}")


NAMES = tuple(one.name for one in fields(Ceilings))
HELP = {one.name: str(one.metadata["help"]) for one in fields(Ceilings)}

_in_force: ContextVar[Ceilings] = ContextVar("saywhy_ceilings", default=Ceilings())  # noqa: B039 - it is frozen


def ceiling(name: str) -> int:
    """The ceiling of that name that is in force here."""
    return int(getattr(_in_force.get(), name))


@contextmanager
def ceilings(**changed: int) -> Iterator[Ceilings]:
    """Put other ceilings in force inside the block, such as a higher one for pixels; those not named stay.

    Raises:
        UsageError: there is no such ceiling, or a value is no whole number of at least 1.
    """
    _must_be_known(changed)
    token = _in_force.set(replace(_in_force.get(), **changed))
    try:
        yield _in_force.get()
    finally:
        _in_force.reset(token)


def in_force() -> dict[str, int]:
    """All ceilings that are in force here, by name."""
    now = _in_force.get()
    return {name: int(getattr(now, name)) for name in NAMES}


def check_ceiling(name: str, have: int, where: object, what: str = "") -> None:
    """See whether something is below the ceiling of that name, before memory is taken for it.

    Args:
        name: of the ceiling.
        have: how large it is, or says that it is.
        where: the file or record, which the error names first.
        what: what is counted, where the ceiling's own words don't fit, such as "bytes of numbers".

    Raises:
        CeilingError: it is larger. The error says how to raise the ceiling.
    """
    most = ceiling(name)
    if have > most:
        raise CeilingError(over(name, f"{where} has {have:,} {what or _UNITS[name]}", have))


def over(name: str, said: str, have: int | None = None) -> str:
    """The text of the error that something is over a ceiling: what it is, the ceiling, and how to raise it.

    Args:
        name: of the ceiling.
        said: what is wrong; where it is not known how much there is, that it is more than the ceiling.
        have: how much there is; None where reading stopped at the ceiling.
    """
    most = ceiling(name)
    done = "described" if name == "pairs" else "read"
    if have is None:  # nobody knows what would suffice
        wanted = max(2 * most, int(getattr(Ceilings(), name)))
        return (
            f"{said}, the most that is {done}; if you trust it, raise the ceiling, for example with --ceiling {name}={wanted}"
        )
    return f"{said}, and at most {most:,} are {done}; if you trust it, raise the ceiling with --ceiling {name}={have}"


def numbered(count: int, noun: str) -> str:
    """A count and its noun: "1 record", "2,000 records"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


_UNITS = {
    "bytes": "bytes",
    "values": "values",
    "array": "bytes of numbers",
    "pixels": "pixels",
    "scores": "scores",
    "attacked": "pixels",
    "records": "records",
    "tokens": "words",
    "characters": "characters in one word",
    "name": "characters in one name",
    "text": "characters in one text",
    "answer": "bytes in an answer",
    "pairs": "pairs of classes",
    "seconds": "seconds",
    "problems": "problems",
}


def parse_ceiling(text: str) -> tuple[str, int]:
    """The name and value of a text such as "pixels=200M" or "bytes=1GiB".

    Raises:
        UsageError: it is none.
    """
    name, equals, size = text.partition("=")
    _must_be_known([name.strip()] if equals else [text])
    better = f"say --ceiling {name.strip()}={2 * getattr(Ceilings(), name.strip())}"
    match = _SIZE.fullmatch(size.strip().replace(",", "").replace("_", ""))
    if match is None:
        raise UsageError(f"a ceiling is a whole number, also with k, M, G, MiB or GiB, not {size!r:.40}; {better}")
    number, unit, binary = match.groups()
    value = Decimal(number) * (1024 if binary else 1000) ** _FACTORS[unit.lower()]
    if not 1 <= value <= LARGEST:
        raise UsageError(f"a ceiling is at least 1 and at most {LARGEST:,}, not {size!r:.40}; {better}")
    return name.strip(), int(value)


def _must_be_known(names: Any) -> None:
    for name in names:
        if name not in NAMES:
            raise UsageError(f"there is no ceiling {name!r:.40}; use one of {', '.join(NAMES)}, such as --ceiling pixels=200M")
