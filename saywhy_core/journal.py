"""Output that grows record by record, survives a kill, and is put in order at the end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.files import atomic_open

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self, TextIO


class ResumableLines:
    """JSON Lines with one record an id, for long jobs.

    Finished records go to `OUT.part` at once and are on the disk before the next is begun; a job that starts again finds them
    there and leaves them out. `finish` writes OUT whole, in the order asked for, and removes the part file. `settings` says how
    the records are made: a part file of other settings is set aside, not mixed in. With "-" records go to standard output.
    """

    def __init__(self, out: str, settings: dict[str, Any]) -> None:
        self.out = out
        self.part = Path(f"{out}.part")
        self.done: dict[str, dict[str, Any]] = {}
        self._head = json.dumps({"settings": settings}, sort_keys=True)
        self._stream: TextIO | None = None

    def __enter__(self) -> Self:
        if self.out == "-":
            self._stream = sys.stdout
            return self
        self.part.parent.mkdir(parents=True, exist_ok=True)
        whole = self._read() if self.part.exists() else 0
        if not whole:
            if self.part.exists():
                self.part.replace(self.part.with_name(f"{self.part.name}.old"))
            self.part.write_text(self._head + "\n", encoding="utf-8")
        else:
            os.truncate(self.part, whole)  # a record that the kill cut short
        self._stream = self.part.open("a", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stream is not None and self.out != "-":
            self._stream.close()

    def add(self, name: str, record: dict[str, Any]) -> None:
        """Keep a finished record."""
        if self._stream is None:
            raise RuntimeError("open the output first")
        self.done[name] = record
        self._stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._stream.flush()
        if self.out != "-":
            os.fsync(self._stream.fileno())

    def finish(self, order: Sequence[str]) -> None:
        """Write OUT with the records of these ids, in this order."""
        if self.out == "-":
            return
        with atomic_open(self.out) as stream:
            for name in order:
                if name in self.done:
                    stream.write(json.dumps(self.done[name], ensure_ascii=False) + "\n")
        if all(name in self.done for name in order):
            self.part.unlink(missing_ok=True)

    def _read(self) -> int:
        """Take over what an earlier run left; return how many bytes of it are whole, 0 if it is of other settings."""
        whole = 0
        with self.part.open("rb") as stream:
            if stream.readline().decode("utf-8", "replace").rstrip("\n") != self._head:
                return 0
            whole = stream.tell()
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                try:
                    record = json.loads(line)
                except ValueError:
                    break
                self.done[str(record["id"])] = record
                whole += len(line)
        return whole
