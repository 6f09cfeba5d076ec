"""Files written whole or not at all and never over one that is being read, and one error for those that can't be."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.disk.databases import check_is_no_database
from saywhy_core.disk.destinations import Destination, destination, is_terminal_or_socket, opened
from saywhy_core.disk.redacting import RedactedText
from saywhy_core.disk.system import lock_at
from saywhy_core.disk.troubles import FULL, GONE, UnusableFileError, unwritable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "FULL",
    "UnusableFileError",
    "atomic_open",
    "atomic_path",
    "check_is_no_database",
    "check_is_no_input",
    "check_room",
    "check_writable",
    "input_at",
    "is_in_the_way",
    "protect_input",
    "protected_inputs",
    "unwritable",
]

_PIECE = 2**20  # bytes that are copied at a time
_SOME = 2**14  # bytes: on a disk without so much room, no work is begun
_AT_ONCE = 16  # runs that write to one file at the same time, whose temporary files are looked for after kills
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)


def check_writable(path: str | os.PathLike[str]) -> None:
    """See whether `path` can be written to, for commands that work long before they do it. A stream is not opened yet.

    Raises:
        UnusableFileError: it can't be.
    """
    where = destination(path)
    if where.streamed:
        check_is_no_input(where.given)
        if where.descriptor is None and not os.access(where.place, os.W_OK):
            raise UnusableFileError(f"{where.given} can't be written to: permission denied; name a place that you may write to")
        return
    _try(where, _SOME)


def check_room(path: str | os.PathLike[str], size: int) -> None:
    """See whether the disk has room for a file of so many bytes at `path`, by writing them beside it for a moment.

    Raises:
        UnusableFileError: it has not.
    """
    _try(destination(path), size)


def _try(where: Destination, size: int) -> None:
    with _temporary(where) as temporary:
        try:
            temporary.write_bytes(bytes(size))
            _sync(temporary)
        except OSError as error:
            raise unwritable(where.given, error) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@dataclass(eq=False)
class _Inputs:
    """What is read, by the places of files on the disk (a link and a hard link have their target's) and by full path."""

    places: dict[tuple[int, int], Path] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)

    def add(self, path: Path) -> None:
        self.paths[os.path.realpath(path)] = path
        place = _place(path)
        if place is not None:
            self.places[place] = path

    def find(self, path: Path) -> Path | None:
        place = _place(path)
        found = None if place is None else self.places.get(place)
        return found or self.paths.get(os.path.realpath(path))


_guards: list[_Inputs] = []


@contextmanager
def protected_inputs(paths: Iterable[str | os.PathLike[str]] = ()) -> Iterator[None]:
    """Inside the block, writing a file whole (`atomic_path`) refuses to overwrite one of these files.

    Readers add the files that they come across while they read, with `protect_input`.
    """
    guard = _Inputs()
    for path in paths:
        guard.add(Path(path))
    _guards.append(guard)
    try:
        yield
    finally:
        _guards.remove(guard)


def protect_input(path: str | os.PathLike[str]) -> None:
    """Say that a file is being read; it has no effect outside `protected_inputs`."""
    if _guards:
        _guards[-1].add(Path(path))


def input_at(path: str | os.PathLike[str]) -> Path | None:
    """The protected input that a path leads to, also through links and other spellings; None where it leads to none."""
    return next((found for guard in _guards if (found := guard.find(Path(path))) is not None), None)


def check_is_no_input(path: str | os.PathLike[str]) -> None:
    """See whether writing `path` would overwrite a file that is being read (`protected_inputs`).

    Raises:
        UnusableFileError: it would.
    """
    read = input_at(path)
    if read is not None and not is_terminal_or_socket(read):
        name = os.fspath(path)
        same = "" if os.fspath(read) == name else f" ({read})"
        raise UnusableFileError(f"{name} is one of the files that are read{same}; name another place to write to")


def is_in_the_way(path: str | os.PathLike[str]) -> bool:
    """Whether what stands at `path`, and not its folder or the disk, keeps it from being written: other files can be.

    A link, an input, a folder, a device, a database or a write-protected file is one, and so is something in the place of the
    lock of `path`.
    """
    place = Path(path)
    if place.is_symlink() or input_at(place) is not None or os.path.lexists(f"{place}.lock"):
        return True
    try:
        check_is_no_database(place)
    except UnusableFileError:
        return True
    return place.exists() and (not place.is_file() or not os.access(place, os.W_OK))


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path; when the block ends well, what was written there becomes `path`, else it is removed.

    A symbolic link stays a link: the file that it leads to is replaced. The file keeps its permissions. What is no file (a
    pipe, a terminal, another device, /dev/stdout) is opened at the beginning and gets the whole content in the end.

    Raises:
        UnusableFileError: `path` is a folder, a socket, a disk, a database or a protected input, its folder can't be made or
            written to, or the disk is full.
    """
    where = destination(path)
    if where.streamed:
        with _through_a_stream(where) as temporary:
            yield temporary
        return
    with _temporary(where) as temporary:
        try:
            yield temporary
            _sync(temporary)
            temporary.replace(where.place)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            # the block may read other files, too: their errors stay as they are
            ours = error.filename in (str(temporary), temporary, str(where.place))
            if ours or (error.filename is None and error.errno in (*FULL, *GONE)):
                raise unwritable(where.given, error) from error
            raise
        finally:
            with suppress(OSError):  # what is wrong with the disk is being told
                temporary.unlink(missing_ok=True)
    _sync_folder(where.place.parent)


@contextmanager
def atomic_open(path: str | os.PathLike[str], mode: str = "w") -> Iterator[Any]:
    r"""Open `path` for writing ("w" for UTF-8 text, "wb" for bytes); nothing appears there unless the block ends well.

    Text is written without the secrets that this process knows (`saywhy_core.secrets`). Half a character, which UTF-8 can't
    hold, is written as an escape such as \ud800.
    """
    with atomic_path(path) as temporary:
        if "b" in mode:
            with temporary.open(mode) as stream:
                yield stream
            return
        with temporary.open(mode, encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            text = RedactedText(stream.write)
            yield text
            text.finish()


@contextmanager
def _temporary(where: Destination) -> Iterator[Path]:
    """An empty file beside the one to be written, with its permissions, or those that new files usually get.

    It is locked, and named so that the next run finds it where this one is killed: a file of that name which nobody has locked
    was left behind, and goes.
    """
    try:
        check_is_no_input(where.given)
        if where.place.exists() and not os.access(where.place, os.W_OK):
            raise UnusableFileError(f"{where.given} is write-protected; allow writing to it, or name another file")
        check_is_no_database(where.place)
        where.place.parent.mkdir(parents=True, exist_ok=True)
        path, handle = _made_and_locked(where.place)
        try:
            _give_permissions(path, where.place)
        except BaseException:
            path.unlink(missing_ok=True)
            os.close(handle)
            raise
    except OSError as error:
        raise unwritable(where.given, error) from error
    try:
        yield path
    finally:
        os.close(handle)


def _made_and_locked(target: Path) -> tuple[Path, int]:
    for number in count(1):
        path = _temporary_name(target, number)
        handle = _made(path)
        if handle is None:
            _remove_left_behind(path)
            handle = _made(path)
        if handle is None:
            continue
        if lock_at(path, handle) is not False:
            for other in range(number + 1, number + _AT_ONCE):  # of runs at the same time, any one may have been killed
                _remove_left_behind(_temporary_name(target, other))
            return path, handle
        os.close(handle)
    raise AssertionError("unreachable")


def _temporary_name(target: Path, number: int) -> Path:
    # short, so that a name of the greatest length that a system allows has room for what stands around it
    return target.with_name(f".{_cut(target.name, 100)}.saywhy-{number}.tmp{_cut(target.suffix, 20)}")


def _made(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _CLOEXEC, 0o600)
    except FileExistsError:
        return None


def _remove_left_behind(path: Path) -> None:
    with suppress(OSError):  # not ours to open: another name is taken
        handle = os.open(path, os.O_RDONLY | _CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            if stat.S_ISREG(os.fstat(handle).st_mode) and lock_at(path, handle):
                path.unlink(missing_ok=True)
        finally:
            os.close(handle)


def _give_permissions(path: Path, target: Path) -> None:
    try:
        before = target.stat()
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        path.chmod(0o666 & ~umask)
        return
    if hasattr(os, "chown") and (before.st_uid, before.st_gid) != (os.getuid(), os.getgid()):
        with suppress(OSError):  # only the administrator may
            os.chown(path, before.st_uid, before.st_gid)
    path.chmod(stat.S_IMODE(before.st_mode))


@contextmanager
def _through_a_stream(where: Destination) -> Iterator[Path]:
    check_is_no_input(where.given)
    with opened(where) as write:
        try:
            handle, name = tempfile.mkstemp(prefix="saywhy-", suffix=where.given.suffix)
        except OSError as error:
            raise UnusableFileError(
                f"no temporary file can be made for {where.given}: {error.strerror}; name another folder for them with TMPDIR"
            ) from error
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb") as content:
                while piece := content.read(_PIECE):
                    write(piece)
        except OSError as error:
            if error.errno in FULL and error.filename is None:
                raise unwritable(temporary, error) from error
            raise
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _cut(text: str, most: int) -> str:
    """As much of a name as fits into so many bytes."""
    return os.fsdecode(os.fsencode(text)[:most]) if os.name == "posix" else text[:most]


def _sync(path: Path) -> None:
    """Put a file on the disk, so that after a power cut there is no empty one in its place."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Put the name of a new file on the disk; not every system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _place(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):  # there is no such file, or this can't be a path
        return None
    return (found.st_dev, found.st_ino)
