"""Where a path that is to be written leads to: a file that is replaced whole, or a stream that is written through."""

from __future__ import annotations

import errno
import os
import re
import select
import stat
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from saywhy_core.disk.troubles import UnusableFileError, unwritable
from saywhy_core.legible import flush_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READER_SECONDS = 10.0
"""How long a named pipe may be without a reader: long enough for the program that a script starts next, and no silent wait."""

_DESCRIPTOR = re.compile(r"/proc/(\d+)(?:/task/\d+)?/fd/(\d+)|/dev/fd/(\d+)")
_LINKS = 40  # as many as Linux follows
_PAUSE = 0.05  # seconds between two looks for a reader
_enclosures: list[Path] = []


@dataclass(frozen=True)
class Destination:
    """What a path leads to, with symbolic links followed.

    Attributes:
        given: the path as it was given.
        place: the path that the links lead to.
        streamed: whether it is no file but a pipe, a terminal or another device, or an open descriptor such as /dev/stdout. It
            is written through, never replaced, and nothing is kept beside it.
        descriptor: the number of the open descriptor, where it is one of this process.
    """

    given: Path
    place: Path
    streamed: bool = False
    descriptor: int | None = None


def destination(path: str | os.PathLike[str]) -> Destination:
    """Find out what a path leads to. A link that leads nowhere yet means the file that it names.

    Raises:
        UnusableFileError: it is a folder, a socket or a disk, a circle of links, a descriptor that can't be written to, or no
            path at all; or it lies in an `enclosed` folder and is a link there, or no file.
    """
    given = Path(path)
    _check_enclosed(given)
    try:
        found = _follow(given)
        if found.descriptor is not None:
            _check_descriptor(given, found.descriptor)
            return found
        try:
            mode = os.stat(found.place).st_mode  # noqa: PTH116 - a Path's own stat is replaced in tests of other things
        except (FileNotFoundError, NotADirectoryError):
            return found
        if stat.S_ISDIR(mode):
            raise UnusableFileError(f"{given} is a folder; name a file, such as {given / 'FILE'}")
        if stat.S_ISSOCK(mode) or stat.S_ISBLK(mode):
            what = "a socket" if stat.S_ISSOCK(mode) else "a disk"
            raise UnusableFileError(f"{given} is {what}, to which nothing is written; name a file or a pipe")
        if stat.S_ISREG(mode) and not _DESCRIPTOR.fullmatch(str(found.place)):
            return found
    except (OSError, ValueError) as error:
        if isinstance(error, UnusableFileError):
            raise
        raise unwritable(given, error) from error
    return Destination(given, found.place, streamed=True)


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Whether a path is written through: "-", a pipe, a device or a descriptor. What can't be written to is none."""
    if os.fspath(path) == "-":
        return True
    try:
        return destination(path).streamed
    except UnusableFileError:
        return False


def is_terminal_or_socket(path: str | os.PathLike[str]) -> bool:
    """Whether a path is something that is read and written at once, so that writing to it destroys nothing."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


@contextmanager
def enclosed(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Inside the block, what is written into this folder stays in it: a link that lies there is refused, not followed.

    The folder itself, which the user names, may be a link. What lies in it may come from somebody else, whose links could lead
    to any file.
    """
    place = Path(folder)
    _enclosures.append(place)
    try:
        yield
    finally:
        _enclosures.remove(place)


def check_own(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
    """See whether a path in a folder is free for a file of ours, or holds an ordinary file: there is no link on the way.

    Args:
        path: a path in the folder, at any depth.
        folder: the folder, which may be a link itself, like those above it.

    Raises:
        UnusableFileError: one of the names below the folder is a link, or the last is no file, or one before it no folder.
    """
    place = Path(folder)
    parts = Path(os.path.relpath(os.path.abspath(path), os.path.abspath(folder))).parts  # noqa: PTH100 - links stay
    for number, part in enumerate(parts, 1):
        place /= part
        try:
            mode = os.lstat(place).st_mode
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise unwritable(place, error) from error
        if stat.S_ISLNK(mode):
            raise UnusableFileError(
                f"{place} is a link, and what lies in an output folder or beside an output is never written through a link; "
                "remove it, or name another place to write to"
            )
        if number < len(parts) and not stat.S_ISDIR(mode):
            raise UnusableFileError(f"{place} is no folder; move it away, or name another place to write to")
        if number == len(parts) and not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a socket or a device"
            raise UnusableFileError(
                f"{place} is {what} in the place of a file; move it away, or name another place to write to"
            )


def beside(path: str | os.PathLike[str], ending: str) -> Path:
    """The path of a file that is kept beside another: the same one by whatever link or spelling that one is named.

    Raises:
        UnusableFileError: there is a link of that name, which somebody else may have put there.
    """
    found = place_beside(path, ending)
    if found.is_symlink():
        check_own(found, found.parent)
    return found


def place_beside(path: str | os.PathLike[str], ending: str) -> Path:
    """As `beside`, for those who open the file without following a link themselves."""
    try:
        place = destination(path).place
    except UnusableFileError:  # which whoever writes to it is told
        place = Path(path)
    return place.with_name(f"{place.name}{ending}") if place.name else Path(f"{place}{ending}")


@contextmanager
def opened(where: Destination) -> Iterator[Callable[[bytes], None]]:
    """Open a stream; the block gets a function that writes bytes to it at once.

    Raises:
        UnusableFileError: nobody reads the pipe within `READER_SECONDS`, or the stream can't be written to.
        BrokenPipeError: its reader has gone.
    """
    try:
        handle = _open(where)
    except OSError as error:
        raise unwritable(where.given, error) from error

    def write(content: bytes) -> None:
        try:
            _write_all(handle, content)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable(where.given, error) from error

    try:
        yield write
    finally:
        os.close(handle)


def _check_enclosed(given: Path) -> None:
    for folder in _enclosures:
        for spelled in (os.path.abspath(folder), os.path.realpath(folder)):  # noqa: PTH100 - links stay
            if Path(os.path.abspath(given)).is_relative_to(spelled):  # noqa: PTH100
                check_own(given, folder if spelled == os.path.abspath(folder) else spelled)  # noqa: PTH100
                return


def _follow(given: Path) -> Destination:
    place = os.path.join(os.getcwd(), given) if not given.is_absolute() else str(given)  # noqa: PTH109, PTH118 - ".." stays
    if given.name in ("", ".."):
        return Destination(given, Path(os.path.realpath(place)))
    for _ in range(_LINKS):
        folder, name = os.path.split(place)
        place = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
        found = _DESCRIPTOR.fullmatch(place)
        if found and found[1] in (None, str(os.getpid())):
            return Destination(given, Path(place), streamed=True, descriptor=int(found[2] or found[3]))
        if not os.path.islink(place) or found:  # noqa: PTH114
            return Destination(given, Path(place))
        place = os.path.join(os.path.dirname(place), os.readlink(place))  # noqa: PTH115, PTH118, PTH120
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _check_descriptor(given: Path, number: int) -> None:
    os.fstat(number)  # raises where it isn't open
    if sys.platform != "win32":
        import fcntl

        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            # what was closed when the command began is the null device, open for reading; see saywhy.cli.streams
            closed = os.fstat(number).st_rdev == Path(os.devnull).stat().st_rdev
            what = "is closed" if closed else "is open for reading only"
            raise UnusableFileError(f"{given} {what}; name a place that you may write to")


def _open(where: Destination) -> int:
    if where.descriptor is not None:
        flush_out()  # what was printed before comes before
        return os.dup(where.descriptor)
    flags = os.O_WRONLY | getattr(os, "O_NOCTTY", 0)
    if not where.place.is_fifo():
        return os.open(where.place, flags)
    until = time.monotonic() + READER_SECONDS
    while True:
        try:
            handle = os.open(where.place, flags | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > until:
                raise UnusableFileError(
                    f"nobody reads the pipe {where.given}; start the program that reads it, and then this one"
                ) from None
            time.sleep(_PAUSE)
        else:
            os.set_blocking(handle, True)
            return handle


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        try:
            rest = rest[os.write(handle, rest) :]
        except BlockingIOError:  # whoever gave us the stream has made it so that writing never waits
            select.select([], [handle], [])
