"""The journal of a long job: JSON Lines that grow record by record and survive a kill at any moment."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.disk.files import atomic_open, check_is_no_database, check_is_no_input
from saywhy_core.disk.lines import Found, Lines, sealed_line
from saywhy_core.disk.locks import FileLock
from saywhy_core.disk.troubles import UnusableFileError, unwritable
from saywhy_core.errors import UsageError
from saywhy_core.secrets import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import BinaryIO, Self

Record = dict[str, Any]


class JournalWarning(UserWarning):
    """Says what in a journal could not be used, and what became of it, while the work goes on."""


class Journal:
    """A file of JSON Lines: a header that says what it is of, then one line per record.

    A record is on the disk, with a check sum, when `append` returns. A last line that a kill cut short is ignored, and cut off
    before the next record is written. Of a file that was damaged otherwise, the records on broken lines are left out, so that
    their work is done again. The damaged file is kept as `path` + ".damaged", and a `JournalWarning` says so. Reading takes no
    lock and changes nothing. Writing, as a context manager, takes a lock against other processes. Secrets that the process
    knows are not written.

    Args:
        path: the file; made, with its folder, when it is first written to.
        what: what the file is, for errors: "journal of descriptions".
        version: of the form of its records; a file of another version is another journal.
        settings: all that the records depend on; a file with other settings is another journal.
        others: what another journal would be of, for the error: "other classes". None sets such a file aside as `path` + ".old"
            when writing begins, with a `JournalWarning`, and reads nothing from it; one without records is replaced.
        check: called with each record that is read; a record for which it raises KeyError, IndexError, TypeError or ValueError
            counts as broken.
        chained: each record builds on those before it, so that behind a broken one none counts.

    Raises:
        UsageError: on reading or writing: the file is another journal, or no journal; on writing, too: another process writes
            to it, something else was put into its place, or the disk is full.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        what: str,
        version: int,
        settings: Mapping[str, Any],
        others: str | None,
        check: Callable[[Record], object] | None = None,
        chained: bool = False,
    ) -> None:
        self.path = Path(path)
        self._what, self._others = what, others
        header = redacted({"journal": what, "version": version, "settings": dict(settings)})
        self._header = _line(header, sort_keys=True)
        self._lines = Lines(self.path, what, self._header, check=check, chained=chained)
        self._stream: BinaryIO | None = None
        self._place, self._opened = self.path, _identity(self.path)
        self._lock = FileLock(self.path, what)

    def records(self) -> list[Record]:
        """What earlier runs left, in the order in which it was written."""
        return self._read().records

    def __enter__(self) -> Self:
        check_is_no_input(self.path)
        self._lock.acquire()
        try:
            self._stream = self._open()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        stream, self._stream = self._stream, None
        try:
            if stream is not None:
                stream.close()
        except OSError as trouble:  # on a full disk, what `append` could not write fails again
            if error is None:
                raise unwritable(self.path, trouble) from trouble
        finally:
            self._lock.release()

    def append(self, record: Mapping[str, Any]) -> None:
        """Write a record; it is on the disk when this returns."""
        if self._stream is None:
            raise RuntimeError("enter the journal before appending to it")
        try:
            self._stay()
            self._stream.write(sealed_line(_line(redacted(dict(record)))))
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise unwritable(self.path, error) from error

    def remove(self) -> None:
        """Delete the file, once its job is done."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _stay(self) -> None:
        """See whether the file is still there; if it was deleted meanwhile, put it back with all that it held."""
        stream = self._stream
        there = _identity(self._place)
        if stream is None or there == self._opened:
            return
        if there is not None:
            raise UnusableFileError(
                f"the {self._what} {self.path} was replaced by another file meanwhile; see what did that, and start again"
            )
        stream.flush()
        stream.seek(0)
        with atomic_open(self._place, "wb") as copy:
            while piece := stream.read(2**20):
                copy.write(piece)
        stream.close()
        self._stream, self._opened = self._place.open("a+b"), _identity(self._place)
        self._lock.release()  # its file may be gone, too
        self._lock.acquire()

    def _open(self) -> BinaryIO:
        try:
            return self._open_at_end()
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _open_at_end(self) -> BinaryIO:
        found = self._read()
        if not found.whole:
            if found.size and not found.of_nothing:  # of a file without records, nothing is lost
                check_is_no_database(self.path)
                why = "was made with other settings" if found.of_this_kind else "is damaged at its beginning, or something else"
                self._set_aside(".old", f"{why}; the work begins anew, and the old file")
            # The header comes whole or not at all, so that a file without one was never a journal.
            with atomic_open(self.path, "wb") as stream:
                stream.write(self._header)
        elif found.broken:
            self._set_aside(".damaged", f"is damaged ({found.told()}), so that work is done again; the damaged file", copy=True)
            with atomic_open(self.path, "wb") as stream:
                stream.write(self._header)
                stream.writelines(sealed_line(_line(record)) for record in found.records)
        elif found.whole < found.size:
            os.truncate(self.path, found.whole)
        self._place = Path(os.path.realpath(self.path))
        stream = self._place.open("a+b")
        self._opened = _identity(self._place)
        return stream

    def _set_aside(self, ending: str, why: str, *, copy: bool = False) -> None:
        number, place = 1, self.path.with_name(f"{self.path.name}{ending}")
        while os.path.lexists(place):
            number += 1
            place = self.path.with_name(f"{self.path.name}{ending}{number}")
        if copy:
            with self.path.open("rb") as source, atomic_open(place, "wb") as kept:
                while piece := source.read(2**20):
                    kept.write(piece)
        else:
            self.path.replace(place)
        warnings.warn(f"the {self._what} {self.path} {why} is kept as {place}", JournalWarning, stacklevel=2)

    def _read(self) -> Found:
        found = self._lines.read()
        if found.size and not found.whole and self._others is not None:
            mismatch = f"is the {self._what} of {self._others}" if found.of_this_kind else f"is no {self._what}"
            raise UsageError(f"{self.path} {mismatch}; delete it or name another file")
        return found


def _line(content: Mapping[str, Any], *, sort_keys: bool = False) -> bytes:
    """A line of JSON. Half a character, which UTF-8 can't hold, becomes JSON's own escape for it."""
    return (json.dumps(content, sort_keys=sort_keys, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file of the disk a path leads to now; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - as quick as can be, before each record
    except OSError:
        return None
    return found.st_dev, found.st_ino
