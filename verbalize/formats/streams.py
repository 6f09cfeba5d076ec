"""A stream whose first line is looked at before the stream is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import io

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Ahead:
    """A binary stream with its first line read ahead: the first that is not blank.

    Args:
        stream: the stream.
        limit: the most bytes of a line that are read at once.
    """

    def __init__(self, stream: io.RawIOBase | io.BufferedIOBase, limit: int) -> None:
        self._stream = stream
        self._held = b""
        while line := stream.readline(limit + 1):
            self._held += line
            if line.strip():
                break

    def readline(self, size: int = -1) -> bytes:
        """The next line, or as many bytes of it as `size` allows."""
        if not self._held:
            return bytes(self._stream.readline(size))
        end = self._held.find(b"\n") + 1 or len(self._held)
        stop = end if size < 0 else min(end, size)
        line, self._held = self._held[:stop], self._held[stop:]
        return line

    def read(self) -> bytes:
        """All that is left."""
        held, self._held = self._held, b""
        return held + bytes(self._stream.read() or b"")

    @property
    def _first(self) -> bytes:
        return self._held.removeprefix(_BYTE_ORDER_MARK).strip()

    def is_table(self) -> bool:
        """Whether the first line has cells and is no JSON."""
        return self._first[:1] not in (b"", b"{", b"[") and any(mark in self._first for mark in (b",", b";", b"\t"))

    def opens_document(self) -> bool:
        """Whether the first line is but the opening bracket of a JSON document."""
        return self._first in (b"{", b"[")
