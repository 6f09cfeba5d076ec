"""A file of JSON Lines that is made over a long time: finished records are kept, and a run that was stopped goes on."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

from saywhy_core.disk.destinations import beside, destination, is_stream, opened
from saywhy_core.disk.files import atomic_open, check_writable
from saywhy_core.disk.journal import Journal, Record
from saywhy_core.disk.locks import FileLock
from saywhy_core.legible import write_out
from saywhy_core.secrets import redact, redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Any, Self


class ResumableLines:
    """JSON Lines with one record per id, for long jobs that write a whole file in the end.

    Finished records go to the journal `OUT.part`; a job that starts again finds them in `done` and leaves them out. `finish`
    writes OUT whole, in the order asked for, and removes the journal; where no record is finished, it leaves OUT as it was.
    Where OUT is "-" (standard output) or leads to a pipe or a device, each record goes there at once, and there is no journal.

    Args:
        out: the file to write in the end, or "-".
        settings: all that the records depend on; a journal of other settings is set aside as `OUT.part.old`.
        needs: the names that every record has, besides "id".
        line: makes of a record what is written to OUT; by default a line of JSON.

    Raises:
        UsageError: on entering, the journal can't be read, or another process writes to it, or OUT can't be written.
    """

    def __init__(
        self,
        out: str,
        settings: Mapping[str, Any],
        needs: Sequence[str] = (),
        line: Callable[[Record], str] | None = None,
    ) -> None:
        self.out = out
        self.streamed = is_stream(out)
        self._line = line or _json_line
        self.done: dict[str, Record] = {}
        self._held = ExitStack()
        self._write: Callable[[bytes], object] | None = None
        self._journal = Journal(
            beside(out, ".part"),
            what="journal of records",
            version=1,
            settings=settings,
            others=None,
            check=lambda record: [record[name] for name in ("id", *needs)],
        )

    def __enter__(self) -> Self:
        if self.out == "-":
            return self
        check_writable(self.out)  # now, and not after an hour's work
        if self.streamed:
            self._write = self._held.enter_context(opened(destination(self.out)))
        else:
            self._held.enter_context(FileLock(self.out, "output"))  # against those that write OUT without a journal, too
            self._held.enter_context(self._journal)
            self.done = {str(record["id"]): record for record in self._journal.records()}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held.__exit__(kind, error, trace)

    def finished(self) -> set[str]:
        """The ids that earlier runs have finished. Nothing is locked and nothing changed, so it serves before entering, too."""
        return set() if self.streamed else {str(record["id"]) for record in self._journal.records()}

    def add(self, name: str, record: Record) -> None:
        """Keep a finished record."""
        record = redacted(record)
        self.done[name] = record
        if not self.streamed:
            self._journal.append(record)
            return
        text = redact(self._line(record)).encode("utf-8", "backslashreplace")
        if self._write is None:
            write_out(text.decode())
        else:
            self._write(text)

    def finish(self, order: Sequence[str]) -> None:
        """Write OUT with the records of these ids, in this order; where some are missing, the journal stays.

        Where all are missing, nothing is written, and no journal stays: an empty file would look like a result.
        """
        if self.streamed:
            return
        if order and not any(name in self.done for name in order):
            self._journal.remove()
            return
        with atomic_open(self.out) as stream:
            for name in order:
                if name in self.done:
                    stream.write(self._line(self.done[name]))
        if all(name in self.done for name in order):
            self._journal.remove()


def _json_line(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"
