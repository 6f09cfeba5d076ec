"""Files written whole or not at all and never over one that is being read, and one error for those that can't be."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) if hasattr(errno, "EDQUOT") else (errno.ENOSPC, errno.EFBIG)
"""Numbers of the errors that say that a file can't grow; the system attaches no file name to them."""


class UnusableFileError(UsageError):
    """A file that the whole work needs can't be read or written, so that going on with other records makes no sense."""


def unwritable(path: str | os.PathLike[str], error: OSError) -> UnusableFileError:
    """The error to raise for a path that can't be written to, with what to do about it."""
    why = error.strerror or str(error)
    cure = "make room on the disk, or write to another one" if error.errno in FULL else "name a place that you may write to"
    return UnusableFileError(f"{os.fspath(path)} can't be written to: {why}; {cure}")


def check_writable(path: str | os.PathLike[str]) -> None:
    """See whether a file can be written at `path`, for commands that work long before they write it.

    Raises:
        UnusableFileError: it can't be.
    """
    _temporary(Path(path)).unlink(missing_ok=True)


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
    if read is not None:
        name = os.fspath(path)
        same = "" if os.fspath(read) == name else f" ({read})"
        raise UnusableFileError(f"{name} is one of the files that are read{same}; name another place to write to")


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends well, remove it otherwise.

    Raises:
        UnusableFileError: `path` is a folder, a device or a protected input, its folder can't be made or written to, or the
            disk is full.
    """
    target = Path(path)
    temporary = _temporary(target)
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        # the block may read other files, too: their errors stay as they are
        if error.errno in FULL or error.filename in (str(temporary), temporary):
            raise unwritable(target, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(target: Path) -> Path:
    """An empty file beside `target`, with the permissions that new files usually get."""
    try:
        if not target.name or target.is_dir():
            raise UnusableFileError(f"{target} is a folder; name a file, such as {target / 'FILE'}")
        if target.exists() and not target.is_file():
            raise UnusableFileError(f"{target} is a device or a pipe, which can't be written whole; name a file")
        check_is_no_input(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=f".tmp{target.suffix}")
        os.close(handle)
        umask = os.umask(0)  # mkstemp makes files that only their owner may read
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
    except OSError as error:
        raise unwritable(target, error) from error
    return Path(name)


@contextmanager
def atomic_open(path: str | os.PathLike[str], mode: str = "w") -> Iterator[Any]:
    """Open `path` for writing ("w" for UTF-8 text, "wb" for bytes); nothing appears there unless the block ends well."""
    with (
        atomic_path(path) as temporary,
        temporary.open(mode, encoding=None if "b" in mode else "utf-8", newline=None if "b" in mode else "\n") as stream,
    ):
        yield stream


def _place(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):  # there is no such file, or this can't be a path
        return None
    return (found.st_dev, found.st_ino)
