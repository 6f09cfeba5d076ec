"""The journal of a long job: JSON Lines that grow record by record and survive a kill at any moment."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.disk.files import UnusableFileError, atomic_open, check_writable, unwritable
from saywhy_core.disk.locks import FileLock
from saywhy_core.errors import UsageError
from saywhy_core.legible import write_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import BinaryIO, Self

Record = dict[str, Any]


class Journal:
    """A file of JSON Lines: a header that says what it is of, then one line per record.

    A record is on the disk when `append` returns. A last line that a kill cut short is ignored, and cut off before the next
    record is written. Reading takes no lock; writing, as a context manager, takes one against other processes.

    Args:
        path: the file; made, with its folder, when it is first written to.
        what: what the file is, for errors: "journal of descriptions".
        version: of the form of its records; a file of another version is another journal.
        settings: all that the records depend on; a file with other settings is another journal.
        others: what another journal would be of, for the error: "other classes". None sets such a file aside as `path` + ".old"
            when writing begins, and reads nothing from it.
        check: called with each record that is read; a record for which it raises KeyError, IndexError, TypeError or ValueError
            counts as broken.

    Raises:
        UsageError: on reading or writing: the file is another journal, or no journal, or a line in its middle is broken; on
            writing, too: another process writes to it, or the disk is full.
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
    ) -> None:
        self.path = Path(path)
        self._check = check
        self._what, self._others = what, others
        header = {"journal": what, "version": version, "settings": dict(settings)}
        self._header = (json.dumps(header, sort_keys=True, ensure_ascii=False) + "\n").encode()
        self._stream: BinaryIO | None = None
        self._lock = FileLock(self.path, what)

    def records(self) -> list[Record]:
        """What earlier runs left, in the order in which it was written."""
        return self._read()[0]

    def __enter__(self) -> Self:
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
            self._stream.write(json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise unwritable(self.path, error) from error

    def remove(self) -> None:
        """Delete the file, once its job is done."""
        self.path.unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        try:
            return self._open_at_end()
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _open_at_end(self) -> BinaryIO:
        _, whole = self._read()
        if not whole:
            if self.path.exists() and self.path.stat().st_size:
                self.path.replace(self.path.with_name(f"{self.path.name}.old"))
            # The header comes whole or not at all, so that a file without one was never a journal.
            with atomic_open(self.path, "wb") as stream:
                stream.write(self._header)
            _sync_folder(self.path.parent)
        elif whole < self.path.stat().st_size:
            os.truncate(self.path, whole)
        return self.path.open("ab")

    def _read(self) -> tuple[list[Record], int]:
        """The records, and how many bytes of the file are whole; 0 where there is none, or it is to be set aside."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return [], 0
        except OSError as error:
            raise UnusableFileError(
                f"the {self._what} {self.path} can't be read: {error.strerror}; get permission to read it, or name another file"
            ) from None
        if not content:
            return [], 0
        if not content.startswith(self._header):
            if self._others is None:
                return [], 0
            raise UsageError(f"{self.path} {self._mismatch(content)}; delete it or name another file")
        lines = content[len(self._header) :].splitlines(keepends=True)
        records: list[Record] = []
        whole = len(self._header)
        for number, line in enumerate(lines, 2):
            try:
                record = json.loads(line.decode("utf-8", "surrogatepass"))
            except ValueError:
                record = None
            if not isinstance(record, dict) or not line.endswith(b"\n"):
                if number - 1 == len(lines):
                    break  # the last line, cut short
                raise UsageError(f"{self.path}, line {number}: not a record of a {self._what}; repair or delete the file")
            if not self._sound(record):
                raise UsageError(
                    f"{self.path}, line {number}: a record of a {self._what} that lacks something or is damaged; delete this "
                    "line, or the file"
                )
            records.append(record)
            whole += len(line)
        return records, whole

    def _sound(self, record: Record) -> bool:
        if self._check is not None:
            try:
                self._check(record)
            except (KeyError, IndexError, TypeError, ValueError):
                return False
        return True

    def _mismatch(self, content: bytes) -> str:
        with suppress(ValueError):
            header = json.loads(content.partition(b"\n")[0])
            if isinstance(header, dict) and header.get("journal") == self._what:
                return f"is the {self._what} of {self._others}"
        return f"is no {self._what}"


class ResumableLines:
    """JSON Lines with one record per id, for long jobs that write a whole file in the end.

    Finished records go to the journal `OUT.part`; a job that starts again finds them in `done` and leaves them out. `finish`
    writes OUT whole, in the order asked for, and removes the journal. With "-" for OUT, records go to standard output at once.

    Args:
        out: the file to write in the end, or "-".
        settings: all that the records depend on; a journal of other settings is set aside as `OUT.part.old`.
        needs: the names that every record has, besides "id".
        line: makes of a record what is written to OUT; by default a line of JSON.

    Raises:
        UsageError: on entering, the journal is broken, or another process writes to it, or OUT can't be written.
    """

    def __init__(
        self,
        out: str,
        settings: Mapping[str, Any],
        needs: Sequence[str] = (),
        line: Callable[[Record], str] | None = None,
    ) -> None:
        self.out = out
        self._line = line or _json_line
        self.done: dict[str, Record] = {}
        self._journal = Journal(
            f"{out}.part",
            what="journal of records",
            version=1,
            settings=settings,
            others=None,
            check=lambda record: [record[name] for name in ("id", *needs)],
        )

    def __enter__(self) -> Self:
        if self.out != "-":
            check_writable(self.out)  # now, and not after an hour's work
            self._journal.__enter__()
            self.done = {str(record["id"]): record for record in self._journal.records()}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.out != "-":
            self._journal.__exit__(kind, error, trace)

    def add(self, name: str, record: Record) -> None:
        """Keep a finished record."""
        self.done[name] = record
        if self.out == "-":
            write_out(self._line(record))
        else:
            self._journal.append(record)

    def finish(self, order: Sequence[str]) -> None:
        """Write OUT with the records of these ids, in this order; where some are missing, the journal stays."""
        if self.out == "-":
            return
        with atomic_open(self.out) as stream:
            for name in order:
                if name in self.done:
                    stream.write(self._line(self.done[name]))
        if all(name in self.done for name in order):
            self._journal.remove()


def _json_line(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _sync_folder(folder: Path) -> None:
    """Put the name of a new file on the disk; not every system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
