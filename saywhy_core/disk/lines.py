"""Reading a journal line by line, whatever has become of it: which lines are whole, and which are broken."""

from __future__ import annotations

import json
import os
import re
import stat
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from saywhy_core.disk.troubles import UnusableFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

LONGEST = 2**26
"""Bytes in one line; a record is a text or the state of a search, and a longer line is none of ours."""
_SEALED = b'{"crc": "'
_SEAL_INSIDE = re.compile(rb'crc": "[0-9a-f]{8}"')  # in a text of a record, the quotation marks are escaped
_SEAL = re.compile(rb'\{"crc": "([0-9a-f]{8})"(?:, )?')
_HEADER = 2**20  # bytes of another journal's header that are looked at, to say what it is


def sealed_line(content: bytes) -> bytes:
    """A line of JSON (an object) with a check sum as its first entry, so that a changed byte is noticed wherever it is."""
    return b'{"crc": "%08x"%s%s' % (zlib.crc32(content), b"" if content.startswith(b"{}") else b", ", content[1:])


@dataclass
class Found:
    """What a journal holds.

    Attributes:
        records: the whole ones, in order.
        broken: the numbers of the lines that hold none, counted from 1; an unfinished last line is not among them.
        whole: up to which byte the file holds good lines; 0 where it is no such journal.
        size: how many bytes it has.
        of_this_kind: whether it is a journal of the same kind, also where it is one of another run.
        of_nothing: whether it is such a journal and no record was ever written to it.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    whole: int = 0
    size: int = 0
    of_this_kind: bool = False
    of_nothing: bool = False

    def told(self) -> str:
        """The broken lines, for a sentence."""
        shown = ", ".join(map(str, self.broken[:5]))
        more = f" and {len(self.broken) - 5} more" if len(self.broken) > 5 else ""
        return f"line{'s' if len(self.broken) > 1 else ''} {shown}{more}"


@dataclass(frozen=True)
class Lines:
    """The lines of a journal's file.

    Attributes:
        path: the file.
        what: what it is, for errors.
        header: its first line, which says what the records depend on.
        check: as for `saywhy_core.disk.journal.Journal`.
        chained: as there.
    """

    path: Path
    what: str
    header: bytes
    check: Callable[[dict[str, Any]], object] | None = None
    chained: bool = False

    def read(self) -> Found:
        """All records that are whole; one line at a time is held.

        Raises:
            UnusableFileError: the file can't be read.
        """
        try:
            # without O_NONBLOCK, opening a pipe that was put there would wait for ever
            handle = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
            with open(handle, "rb") as stream:  # noqa: PTH123 - a descriptor
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise UnusableFileError(f"the {self.what} {self.path} is no file; move it, or name another file")
                return self._read(stream, os.fstat(handle).st_size)
        except FileNotFoundError:
            return Found()
        except IsADirectoryError:
            raise UnusableFileError(f"the {self.what} {self.path} is a folder; move it, or name another file") from None
        except (OSError, ValueError) as error:
            if isinstance(error, UnusableFileError):
                raise
            why = getattr(error, "strerror", None) or str(error)
            raise UnusableFileError(
                f"the {self.what} {self.path} can't be read: {why}; get permission to read it, or name another file"
            ) from None

    def _read(self, stream: BinaryIO, size: int) -> Found:
        found = Found(size=size)
        first = stream.read(len(self.header))
        if first != self.header:
            content = first + stream.read(_HEADER)
            found.of_this_kind = self._of_this_kind(content)
            found.of_nothing = found.of_this_kind and len(content) == size and content.find(b"\n") in (-1, size - 1)
            return found
        found.whole, found.of_this_kind = len(self.header), True
        at, sealed = found.whole, False
        for number, (line, length) in enumerate(_bounded(stream), 2):
            at += length
            if line is not None and not line.endswith(b"\n"):
                break  # the last line, which a kill cut short
            record = None if line is None or (self.chained and found.broken) else self._record(line, must_be_sealed=sealed)
            sealed = sealed or (line is not None and line.startswith(b'{"crc": "'))
            if record is None:
                found.broken.append(number)
            else:
                found.records.append(record)
                found.whole = at
        return found

    def _record(self, line: bytes, *, must_be_sealed: bool) -> dict[str, Any] | None:
        seal = _SEAL.match(line)
        if seal is not None:
            line = b"{" + line[seal.end() :]
            if zlib.crc32(line) != int(seal[1], 16):
                return None
        elif must_be_sealed or _is_nearly_sealed(
            line
        ):  # only earlier versions wrote records without a seal, and so in front of those with one
            return None
        try:
            record = json.loads(line.decode("utf-8", "surrogatepass"))
            if not isinstance(record, dict):
                return None
            if self.check is not None:
                self.check(record)
        except (KeyError, IndexError, TypeError, ValueError, RecursionError, OverflowError):
            return None
        return record

    def _of_this_kind(self, content: bytes) -> bool:
        try:
            header = json.loads(content.partition(b"\n")[0])
        except (ValueError, RecursionError):
            return False
        return isinstance(header, dict) and header.get("journal") == self.what


def _is_nearly_sealed(line: bytes) -> bool:
    """Whether a line begins with a seal in which one or two bytes are wrong, or holds one behind other bytes."""
    return sum(one != other for one, other in zip(line, _SEALED, strict=False)) <= 2 or _SEAL_INSIDE.search(line) is not None


def _bounded(stream: BinaryIO) -> Iterator[tuple[bytes | None, int]]:
    """The lines of a file with their lengths; None in the place of a line that is too long to be held."""
    while line := stream.readline(LONGEST):
        if line.endswith(b"\n") or len(line) < LONGEST:
            yield line, len(line)
            continue
        length = len(line)
        del line
        while rest := stream.readline(2**16):
            length += len(rest)
            if rest.endswith(b"\n"):
                break
        yield None, length
