"""The bytes of files and streams, never more than a ceiling allows, and gzip files unpacked within it."""

from __future__ import annotations

import os
import select
import stat
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from saywhy_core.disk.files import protect_input
from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.ceilings import CeilingError, ceiling, check_ceiling, numbered, over

if TYPE_CHECKING:
    from typing import BinaryIO

_CHUNK = 2**20  # bytes; a read of a pipe returns 64 KiB at most, a read of a file all of it
_WAIT = 10.0  # seconds; somebody who fills a named pipe has opened it by then
_EMPTY_PARTS = 1000  # a gzip file may consist of several, but only a hostile one of many that hold nothing


class CutShortError(UsageError):
    """A gzip file ends too soon.

    Attributes:
        found: what is in the part that is there.
    """

    def __init__(self, text: str, found: bytes) -> None:
        super().__init__(text)
        self.found = found


def read_bytes(path: str | os.PathLike[str], *, limit: str = "bytes", holds: str = "") -> bytes:
    """The bytes of a file, which may be a pipe or a device, and may grow while it is read.

    Args:
        path: the file. Inside `protected_inputs` it is from now on protected.
        limit: the name of the ceiling on its size.
        holds: what it should hold, for the error that it does not exist.

    Raises:
        CeilingError: there are more bytes than the ceiling; not many more were read.
        UsageError: there is no such file, it is a folder or can't be read, or nobody writes to the pipe.
    """
    with open_file(path, holds=holds) as stream:
        try:
            size = os.fstat(stream.fileno()).st_size
            check_ceiling(limit, size, path)
            return read_stream(stream, str(path), limit=limit)
        except OSError as error:
            raise UsageError(f"{path} can't be read: {error.strerror or error}") from None


def read_stream(stream: BinaryIO, where: str, *, limit: str = "bytes") -> bytes:
    """The bytes that are left of a stream.

    Raises:
        CeilingError: there are more than the ceiling of that name.
    """
    most = ceiling(limit)
    parts: list[bytes] = []
    have = 0
    while part := stream.read(min(_CHUNK, most + 1 - have)):
        parts.append(part)
        have += len(part)
        if have > most:
            raise CeilingError(over(limit, f"{where} has more than {numbered(most, 'byte')}"))
    return b"".join(parts)


def open_file(path: str | os.PathLike[str], *, holds: str = "") -> BinaryIO:
    """Open a file for reading bytes; a named pipe is waited for only some seconds, until somebody writes to it.

    Raises:
        UsageError: there is no such file, it is a folder or can't be opened, or nobody writes to the pipe.
    """
    wanted = f"; it should hold {holds}" if holds else ""
    shown = legible(os.fspath(path))
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(f"{shown} is a folder; name a file")
        protect_input(path)
        return _open_pipe(path, shown) if stat.S_ISFIFO(mode) else Path(path).open("rb")
    except UsageError:
        raise
    except FileNotFoundError:
        raise UsageError(f"{shown} does not exist{wanted}") from None
    except OSError as error:
        raise UsageError(f"{shown} can't be read: {error.strerror or error}") from None
    except ValueError:  # a NUL character in the name
        raise UsageError(f"{shown} is no name of a file") from None


def unpack_gzip(data: bytes, where: str) -> bytes:
    """What is in the bytes of a gzip file.

    Raises:
        CeilingError: it unpacks to more than the ceiling of bytes; not more was unpacked.
        CutShortError: it is cut short.
        UsageError: it is damaged, or is no gzip file.
    """
    most = ceiling("bytes")
    found: list[bytes] = []
    have, empty, place = 0, 0, 0
    while place < len(data) and (place == 0 or data[place : place + 2] == b"\x1f\x8b"):
        part = zlib.decompressobj(wbits=31)
        begun = have
        while not part.eof:
            chunk = part.unconsumed_tail or data[place : place + _CHUNK // 16]
            if not chunk:
                raise CutShortError(f"{where} can't be unpacked: it is cut short", b"".join(found))
            try:
                piece = part.decompress(chunk, min(_CHUNK, most + 1 - have))
            except zlib.error as error:
                raise UsageError(f"{where} can't be unpacked: {error}") from None
            place += len(chunk) - len(part.unconsumed_tail) - len(part.unused_data)
            found.append(piece)
            have += len(piece)
            if have > most:
                raise CeilingError(over("bytes", f"{where} unpacks to more than {numbered(most, 'byte')}"))
        empty += begun == have
        if empty > _EMPTY_PARTS:
            raise UsageError(f"{where} can't be unpacked: it has more than {_EMPTY_PARTS:,} parts that hold nothing")
    if data[place:].strip(b"\0"):  # tapes are filled up with zeros
        raise UsageError(f"{where} can't be unpacked: after its end stands something else")
    return b"".join(found)


def _open_pipe(path: str | os.PathLike[str], shown: str) -> BinaryIO:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # without it, opening waits for a writer for ever
    stream = os.fdopen(handle, "rb")
    asked = select.poll()
    asked.register(handle, select.POLLIN)
    if not asked.poll(1000 * _WAIT):
        try:
            os.read(handle, 1)
        except BlockingIOError:  # somebody has opened it for writing, and takes time
            pass
        else:
            stream.close()
            raise UsageError(f"{shown} is a pipe, and for {_WAIT:.0f} seconds nobody has opened it for writing")
    os.set_blocking(handle, True)
    return stream
