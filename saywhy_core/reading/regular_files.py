"""Ordinary files, opened without waiting, and with an eye on how much is read of them."""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_TIMES, _BEFOREHAND = 4, 16 * 2**20  # the bytes that may be read: four times the file's, for checks and two passes, and some
_CALLS = 5_000_000  # reads of one file; a reader in Python makes some 2 million in a second


def kind_of(mode: int) -> str:
    """What a file of that mode is, where it is no ordinary file: "a folder", "a pipe", "a socket" or "a device"."""
    return next((what for test, what in _KINDS if test(mode)), "something else than a file")


class MeteredFile(io.BufferedReader):
    """An ordinary file that ends the reading where a reader goes round in circles.

    Damaged and hostile files make readers of Pillow and zipfile read the same bytes again and again, each time into new memory.
    So at most four times the file is read, and some MiB, in a bounded number of calls.

    Attributes:
        size: of the file, in bytes.
        most_at_once: the most bytes that one call may ask for; None for any number.
        calls_left: how many more calls of `read` are answered.
    """

    def __init__(self, raw: io.FileIO) -> None:
        super().__init__(raw)
        self.size = os.fstat(raw.fileno()).st_size
        self.most_at_once: int | None = None
        self.calls_left = _CALLS
        self._bytes_left = _TIMES * self.size + _BEFOREHAND

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes.

        Raises:
            UsageError: more was read of the file than any honest one needs.
        """
        if self.most_at_once is not None and size is not None and size > self.most_at_once:
            raise UsageError(f"it has a table of contents of {size:,} bytes, which no honest file has; save it again")
        self.calls_left -= 1
        content = super().read(size)
        self._bytes_left -= len(content)
        if self.calls_left < 0 or self._bytes_left < 0:
            raise UsageError("it is made of too many pieces, or its pieces overlap; save it again")
        return content


def open_regular(path: str | os.PathLike[str]) -> MeteredFile:
    """Open an ordinary file for reading. A pipe without a writer would keep the process waiting, and a device has no end.

    Raises:
        UsageError: there is no such file, it may not be read, or it is no ordinary file. The text names it.
    """
    try:
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise UsageError(f"{os.fspath(path)}: there is no such file") from None
    except OSError as error:
        # A socket can't be opened at all.
        said = "it is a socket, not a file" if error.errno == errno.ENXIO else f"it can't be read ({error.strerror or error})"
        raise UsageError(f"{os.fspath(path)}: {said}") from None
    except ValueError:
        raise UsageError(f"{os.fspath(path)!r:.200}: no file has such a name") from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise UsageError(f"{os.fspath(path)}: it is {kind_of(mode)}, not a file")
    return MeteredFile(io.FileIO(descriptor, "rb"))
